// The pause for the event loop in a copy of the package that was loaded in other surroundings.
import { stat } from "node:fs/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import { macro } from "../../../test/support.ts";
import type * as sluice from "../src/index.ts";

const now = performance.now.bind(performance);

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  vi.resetModules();
});

function without(...names: string[]): () => void {
  return () => {
    for (const name of names) vi.stubGlobal(name, undefined);
  };
}

const surroundings: readonly [name: string, prepare: () => void, tidy: () => void][] = [
  ["as they are", () => {}, () => {}],
  ["without setImmediate", without("setImmediate"), () => vi.unstubAllGlobals()],
  ["without MessageChannel", without("MessageChannel"), () => vi.unstubAllGlobals()],
  ["with setTimeout alone", without("setImmediate", "MessageChannel"), () => vi.unstubAllGlobals()],
  ["with fake timers", () => void vi.useFakeTimers(), () => {}],
  [
    "with fake timers and real performance",
    () => void vi.useFakeTimers({ toFake: ["setTimeout", "setImmediate", "Date"] }),
    () => {},
  ],
  ["with fake timers that are gone afterwards", () => void vi.useFakeTimers(), () => void vi.useRealTimers()],
  [
    "with setTimeout alone, which is a fake afterwards",
    without("setImmediate", "MessageChannel"),
    () => {
      vi.unstubAllGlobals();
      vi.useFakeTimers();
    },
  ],
];

it.for(surroundings)(
  "a busy loop gives the event loop its turn in a copy loaded in surroundings %s",
  async ([, prepare, tidy]) => {
    vi.resetModules();
    prepare();
    const { channel } = await import("../src/index.ts");
    tidy();
    const ch = channel<number>(1);
    let turned = false;
    void macro().then(() => (turned = true));
    const end = now() + 500;
    let received = 0;
    while (!turned && now() < end) {
      await ch.send(received);
      if ((await ch.receive()).value === received) received++;
    }
    expect(turned).toBe(true);
    expect(received).toBeGreaterThan(0);
  },
);

/** A copy of the package that goes by `clock`. */
async function under(clock: () => number): Promise<typeof sluice> {
  vi.resetModules();
  vi.stubGlobal("performance", { now: clock });
  const copy = await import("../src/index.ts");
  vi.unstubAllGlobals();
  return copy;
}

/** How many of `operations` in a row the tasks go on without a pause, pause after pause. */
async function stretches(operations: number, operation: () => Promise<unknown>): Promise<number[]> {
  const found: number[] = [];
  let turns = 0;
  let running = true;
  const loop = (async () => {
    for (; running; turns++) await macro();
  })();
  for (let i = 0, before = turns, length = 1; i < operations; i++, length++) {
    await operation();
    if (turns === before) continue;
    found.push(length);
    [before, length] = [turns, 0];
  }
  running = false;
  await loop;
  return found;
}

describe("a busy loop", () => {
  it("pauses about every 10 ms also where the tasks do much between two operations", async () => {
    let clock = 1_000;
    const { channel } = await under(() => clock);
    const ch = channel<number>({ capacity: 1, overflow: "drop-oldest" });
    const lengths = await stretches(300, () => {
      clock += 2; // what a task does meanwhile
      return ch.send(1);
    });
    // It takes some operations to notice that they are far apart.
    const later = lengths.slice(2);
    expect(later.length).toBeGreaterThan(10);
    for (const length of later) {
      expect(length * 2).toBeGreaterThanOrEqual(10);
      expect(length * 2).toBeLessThan(25);
    }
  });

  it("looks at the clock rarely, also after a time in which the tasks did much between two operations", async () => {
    let [clock, looks] = [1_000, 0];
    const { channel } = await under(() => (looks++, clock));
    const ch = channel<number>({ capacity: 1, overflow: "drop-oldest" });
    const operate = async (operations: number, ms: number) => {
      looks = 0;
      for (let i = 0; i < operations; i++, clock += ms) await ch.send(1);
      return looks;
    };
    expect(await operate(1_000, 0)).toBeLessThan(50);
    expect(await operate(200, 2)).toBeGreaterThan(20);
    expect(await operate(1_000, 0)).toBeLessThan(50);
  });

  it("pauses again and again under a clock that stands still", async () => {
    const { channel } = await under(() => 1_000);
    const ch = channel<number>({ capacity: 1, overflow: "drop-oldest" });
    expect((await stretches(300_000, () => ch.send(1))).length).toBeGreaterThanOrEqual(3);
  });

  it("lets timers that are due go first, wherever in the event loop it began", async () => {
    const { channel } = await under(now);
    const ch = channel<number>({ capacity: 1, overflow: "drop-oldest" });
    await stat("."); // after I/O come immediates, and only then timers
    let fired = false;
    setTimeout(() => (fired = true), 1);
    const end = now() + 15;
    for (let i = 0; i < 70_000 || now() < end; i++) void ch.send(1); // uses the slice up
    await ch.send(1);
    expect(fired).toBe(true);
  });

  it.for<[string, number]>([
    ["runs", 0.01],
    ["stands still", 0],
  ])(
    "pauses for all together, who go on in the order in which they were to, under a clock that %s",
    async ([, step]) => {
      let clock = 1_000;
      const { channel, select } = await under(() => (clock += step));
      const [full, ch, broken] = [channel<number>(), channel<number>(9), channel<number>()];
      const order: string[] = [];
      const note = (name: string) => () => void order.push(name);
      void ch.receive().then(note("waited"));
      void full.send(1).then(note("sent"));
      broken.receive().catch(note("failed"));
      void select({ ch }).then(note("selected"));
      const roomy = channel<number>({ capacity: 1, overflow: "drop-oldest" });
      for (let i = 0; i < 70_000; i++) void roomy.send(1); // uses the slice up
      ch.trySend(1);
      full.tryReceive();
      broken.close("why");
      ch.trySend(2);
      void ch.send(3).then(note("completes at once"));
      await Promise.resolve();
      expect(order, "all pause").toEqual([]);
      await macro().then(macro).then(macro);
      expect(order).toEqual(["waited", "sent", "failed", "selected", "completes at once"]);
    },
  );
});
