import { afterEach, describe, expect, it, vi } from "vitest";
import { macro } from "../../../test/support.ts";
import { batch, broadcast, channel, from, merge, pipe, select, sending, trySelect } from "../src/index.ts";

// The real clock and timers, whatever a test fakes.
const now = performance.now.bind(performance);
const later = setTimeout;

afterEach(() => void vi.useRealTimers());

const ignore = () => {};

/** Whether the event loop had its turn while `operation` ran over and over, at most for half a second. */
async function givesTurn(operation: (i: number) => Promise<unknown>, turn: Promise<void>): Promise<boolean> {
  let turned = false;
  void turn.then(() => (turned = true));
  const end = now() + 500;
  for (let i = 0; !turned && now() < end; i++) await operation(i);
  return turned;
}

/** Numbers for half a second, or until `stop`. */
function* numbers(stop: () => boolean = () => false): Generator<number> {
  const end = now() + 500;
  for (let n = 0; now() < end && !stop(); n++) yield n;
}

const closed = channel<number>();
closed.close();
const broken = channel<number>();
broken.close(new Error("why"));
const roomy = channel<number>({ capacity: 1, overflow: "drop-oldest" });
const gone = AbortSignal.abort(new Error("enough"));

/** Operations that complete at once, each time. */
const operations: readonly [name: string, operation: (i: number) => Promise<unknown>][] = [
  ["send()", () => roomy.send(1)],
  ["receive()", () => (roomy.trySend(1), roomy.receive())],
  ["receive() of done", () => closed.receive()],
  ["next() of done", () => closed.next()],
  ["select() that receives", () => select({ closed })],
  ["select() that sends", () => select([sending(roomy, 1)])],
  ["select() of a signal", () => select({ gone })],
  ["for await", () => (roomy.trySend(1), firstOf(roomy))],
];

/** Operations that fail at once, each time. */
const failures: readonly [name: string, operation: () => Promise<unknown>][] = [
  ["send() to a closed channel", () => closed.send(1)],
  ["receive() of a cause", () => broken.receive()],
  ["select() that sends to a closed channel", () => select([sending(closed, 1)])],
  ["receive() under a signal that has aborted", () => roomy.receive({ signal: gone })],
  ["select() under a signal that has aborted", () => select({ closed }, { signal: gone })],
];

async function firstOf<T>(source: AsyncIterable<T>): Promise<T | undefined> {
  for await (const value of source) return value;
  return undefined;
}

describe("a long busy loop", () => {
  it.for(operations)("of %s lets a timer fire", async ([, operation]) => {
    expect(await givesTurn(operation, new Promise((resolve) => void later(resolve, 1)))).toBe(true);
  });

  it.for(failures)(
    "of %s lets a timer fire: one that tries again and again must not stop the clock",
    async ([, operation]) => {
      const attempt = () => operation().catch(ignore);
      expect(await givesTurn(attempt, new Promise((resolve) => void later(resolve, 1)))).toBe(true);
    },
  );

  it.for([0, 1, 64])("of an exchange between two tasks lets a timer fire (capacity %i)", async (capacity) => {
    const ch = channel<number>(capacity);
    let fired = false;
    later(() => (fired = true), 1);
    const receiver = (async () => {
      for await (const _ of ch);
    })();
    for (const n of numbers(() => fired)) await ch.send(n);
    ch.close();
    expect(fired).toBe(true);
    await receiver;
  });

  it.for([0, 1, 64])(
    "of trySend || send and tryReceive ?? receive lets a timer fire (capacity %i)",
    async (capacity) => {
      const ch = channel<number>(capacity);
      let fired = false;
      later(() => (fired = true), 1);
      const receiver = (async () => {
        while (!(ch.tryReceive() ?? (await ch.receive())).done);
      })();
      for (const n of numbers(() => fired)) ch.trySend(n) || (await ch.send(n));
      ch.close();
      expect(fired).toBe(true);
      await receiver;
    },
  );

  it("of two selects that meet lets a timer fire", async () => {
    const [there, back] = [channel<number>(), channel<number>()];
    let fired = false;
    later(() => (fired = true), 1);
    const echo = (async () => {
      for (;;) {
        const picked = await select({ there, other: channel<number>() });
        if (picked.done) return;
        await select([sending(back, picked.value)]);
      }
    })();
    for (const n of numbers(() => fired)) {
      await select([sending(there, n)]);
      await select({ back });
    }
    there.close();
    expect(fired).toBe(true);
    await echo;
  });

  const bridges: readonly [name: string, run: (source: Iterable<number>) => Promise<unknown>][] = [
    ["pipe()", (source) => pipe(source, roomy, { close: false })],
    ["from()", (source) => exhaust(from(source))],
    ["merge()", (source) => exhaust(merge(source, source))],
    ["batch()", (source) => exhaust(batch(source, { max: 3 }))],
    ["broadcast()", (source) => exhaust(broadcast(source).subscribe())],
    ["broadcast() to nobody", async (source) => broadcast(source)],
  ];

  async function exhaust(source: AsyncIterable<unknown>): Promise<void> {
    for await (const _ of source);
  }

  it.for(bridges)("inside of %s lets a timer fire", async ([, run]) => {
    let fired = false;
    const began = now();
    const running = run(numbers(() => fired));
    await new Promise((resolve) => void later(resolve, 1));
    fired = true;
    expect(now() - began, "the timer came only when the source had run out").toBeLessThan(400);
    await running;
  });

  it("goes on under fake timers, too, and lets the real event loop have its turn", async () => {
    vi.useFakeTimers();
    expect(await givesTurn(() => roomy.send(1), macro().then(macro))).toBe(true);
    expect(await givesTurn(() => select({ closed }), macro().then(macro))).toBe(true);
    expect(vi.getTimerCount(), "no fake timer was asked for").toBe(0);
  });

  it("keeps the order of the values and of the tasks over its pauses", async () => {
    const ch = channel<number>(3);
    const values: number[] = [];
    const receiver = (async () => {
      for await (const value of ch) values.push(value);
    })();
    const end = now() + 40;
    let sent = 0;
    while (now() < end) await ch.send(sent++);
    ch.close();
    await receiver;
    expect(values).toEqual(Array.from({ length: sent }, (_, i) => i));
  });

  it("gives no task a smaller share when several pause together", async () => {
    const end = now() + 60;
    const counts = new Array<number>(6).fill(0);
    const tasks = counts.map(async (_, task) => {
      const ch = channel<number>(task % 2);
      const receiver = (async () => {
        for await (const _ of ch) counts[task]!++;
      })();
      while (now() < end) await (task % 3 === 0 ? select([sending(ch, 1)]) : ch.send(1));
      ch.close();
      await receiver;
    });
    await Promise.all(tasks);
    const fair = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    for (const count of counts) expect(count, String(counts)).toBeGreaterThan(fair / 2);
  });
});

describe("an operation", () => {
  it("that does not pause takes one microtask, so that a value is there before any timer", async () => {
    await macro();
    await macro();
    const ch = channel<number>(1);
    let timer = false;
    later(() => (timer = true), 0);
    for (let i = 0; i < 5; i++) {
      await ch.send(i);
      expect((await ch.receive()).value).toBe(i);
    }
    expect(timer).toBe(false);
  });

  it("hands its value over at once also while tasks pause: only the receiver goes on later", async () => {
    const ch = channel<number>();
    const start = now();
    while (now() < start + 15) await roomy.send(1); // uses the slice up
    const received = ch.receive();
    expect(ch.trySend(1)).toBe(true);
    expect(ch.trySend(2), "nobody waits any more").toBe(false);
    expect(trySelect({ ch })).toBeUndefined();
    expect(await received).toEqual({ done: false, value: 1 });
  });
});
