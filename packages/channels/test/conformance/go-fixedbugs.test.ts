// Follows the programs of Go's test/fixedbugs in which a channel or a select once went wrong.
import { describe, expect, it, vi } from "vitest";
import { type Channel, channel, select, sending, trySelect } from "../../src/index.ts";
import { rest } from "../support.ts";
import { placements, yields } from "./turns.ts";

describe("P-059 bug147", () => {
  it("P-059 an unbuffered send completes when its value has been taken, not before", async () => {
    for (const [before = 0, between = 0] of placements(2)) {
      const ch = channel<number>();
      let receives = 0;
      const receiver = (async () => {
        await yields(before);
        receives++;
        expect(await ch.receive()).toEqual({ done: false, value: 1 });
        await yields(between);
        receives++;
        expect(await ch.receive()).toEqual({ done: false, value: 2 });
      })();
      await ch.send(1);
      expect(receives).toBeGreaterThanOrEqual(1);
      await ch.send(2);
      expect(receives).toBe(2);
      await receiver;
    }
  });
});

describe("P-060 bug225, bug234", () => {
  it("P-060 nothing, then the value, then `done`: each by a select with default and by a receive", async () => {
    const flags = channel<boolean>(1);
    expect(trySelect({ flags })).toBeUndefined();
    flags.trySend(true);
    expect(trySelect({ flags })).toEqual({ case: "flags", done: false, value: true });
    const numbers = channel<number>(1);
    await numbers.send(100);
    expect(await numbers.receive()).toEqual({ done: false, value: 100 });
    numbers.close();
    expect(await numbers.receive()).toEqual({ done: true, value: undefined });
  });
});

describe("P-061 issue 8347, issue 16870", () => {
  it("P-061 an open and empty channel gives nothing at all, a closed one gives `done`", () => {
    const ch = channel<number>(1);
    let ok = true;
    const seen: boolean[] = [];
    for (let round = 0; round < 12; round++) {
      if (round === 10) ch.close();
      const picked = trySelect({ ch });
      if (picked !== undefined) ok = !picked.done;
      seen.push(ok);
    }
    expect(seen).toEqual([...new Array<boolean>(10).fill(true), false, false]);
  });

  it("P-061 every form of receive says whether it got a value", async () => {
    const ch = channel<number>(1);
    const other = channel<number>();
    const forms: (() => Promise<{ done?: boolean | undefined; value: number | undefined } | undefined>)[] = [
      () => ch.receive(),
      () => ch.next(),
      async () => ch.tryReceive(),
      () => select([ch]),
      async () => trySelect([ch]),
      () => select([ch, other]),
      async () => trySelect([other, ch]),
    ];
    for (const form of forms) {
      await ch.send(42);
      expect(await form()).toMatchObject({ done: false, value: 42 });
    }
    ch.close();
    for (const form of forms) expect(await form()).toMatchObject({ done: true, value: undefined });
  });
});

describe("P-062 issue 4313", () => {
  it("P-062 what a case sends is fixed when the case is made", async () => {
    const ch = channel<number>(1);
    let x = 0;
    const makeSilent = () => {
      x = 42;
      return channel<number>();
    };
    const picked = await select([sending(ch, x), makeSilent()]);
    expect(picked.case).toBe(0);
    expect(x).toBe(42);
    expect(ch.tryReceive()).toEqual({ done: false, value: 0 });
  });

  it("P-062 the cases are read at the call: changing the list while it waits changes nothing", async () => {
    const [a, b, c] = [channel<string>(), channel<string>(), channel<string>()];
    const cases: Channel<string>[] = [a, b];
    const picked = select(cases);
    cases[0] = c;
    cases.length = 1;
    expect(c.trySend("c")).toBe(false);
    expect(b.trySend("b")).toBe(true);
    expect(await picked).toEqual({ case: 1, done: false, value: "b" });
  });
});

describe("P-063 issue 8336", () => {
  it("P-063 where making a case throws, those before it wait nowhere, and those after it are not made", async () => {
    const [a, b] = [channel<number>(), channel<number>()];
    const later = vi.fn<() => Channel<number>>(() => channel());
    const fail = (): Channel<number> => {
      throw new Error("no such channel");
    };
    expect(() => select([a, sending(b, 1), fail(), later()])).toThrow("no such channel");
    expect(later).not.toHaveBeenCalled();
    await rest();
    expect(a.trySend(1)).toBe(false);
    expect(b.tryReceive()).toBeUndefined();
  });

  it("P-063 the same where a getter of the record throws, and where a case is none", async () => {
    const [a, b, ready] = [channel<number>(), channel<number>(), channel<number>(1)];
    ready.trySend(1);
    const later = vi.fn<() => Channel<number>>(() => channel());
    const cases = {
      ready,
      a,
      b: sending(b, 1),
      get broken(): Channel<number> {
        throw new Error("no such channel");
      },
      get later() {
        return later();
      },
    };
    for (const call of [() => select(cases), () => trySelect(cases)]) expect(call).toThrow("no such channel");
    for (const wrong of [0, "", {}, Promise.resolve(), () => ready]) {
      const bad = { ready, a, b: sending(b, 1), wrong: wrong as unknown as Channel<number> };
      for (const call of [() => select(bad), () => trySelect(bad)]) expect(call).toThrow(TypeError);
    }
    expect(later).not.toHaveBeenCalled();
    await rest();
    expect(ready.length).toBe(1);
    expect(a.trySend(1)).toBe(false);
    expect(b.tryReceive()).toBeUndefined();
  });
});

describe("P-065 issue 13169", () => {
  it(
    "P-065 ten producers and ten consumers exchange 50,000 objects, each of its class",
    { timeout: 15_000 },
    async () => {
      class Message {
        readonly from: number;
        constructor(from: number) {
          this.from = from;
        }
      }
      const burn = (depth: number): number => (depth === 0 ? 0 : 1 + burn(depth - 1));
      const each = 5_000;
      const ch = channel<Message>();
      const received = new Array<number>(10).fill(0);
      let wrong = 0;
      const producers = Array.from({ length: 10 }, async (_, from) => {
        for (let n = 0; n < each; n++) await ch.send(new Message(from));
      });
      const consumers = Array.from({ length: 10 }, async () => {
        for (let n = 0; n < each; n++) {
          const { value } = await ch.receive();
          if (value instanceof Message) received[value.from] = (received[value.from] ?? 0) + 1;
          else wrong++;
          burn(20);
        }
      });
      await Promise.all([...producers, ...consumers]);
      expect(wrong).toBe(0);
      expect(received).toEqual(new Array<number>(10).fill(each));
    },
  );
});
