// What a channel promises whatever its capacity. `unbuffered` and `buffered` hold the same names: a missing one shows.
import { describe, expect, it } from "vitest";
import type { Channel } from "../src/index.ts";
import { channel, select, sending } from "../src/index.ts";
import { done, drain, fulfilled, got, outcome, pending, quiet, rest } from "./support.ts";

/** Values of every kind that a library takes for "nothing", "closed" or something to unwrap. */
const awkward: readonly unknown[] = [
  undefined,
  null,
  false,
  0,
  -0,
  NaN,
  "",
  new Error("a value"),
  { done: true, value: 1 },
];

export function describeChannel(capacity: number): void {
  /** A channel whose buffer is full of `"filler"`, so that the next send blocks. */
  function full<T>(): Channel<T | "filler"> {
    const ch = channel<T | "filler">(capacity);
    for (let i = 0; i < capacity; i++) expect(ch.trySend("filler")).toBe(true);
    return ch;
  }
  const isFiller = (value: unknown) => value === "filler";

  describe("send()", () => {
    it("resolves with undefined once a receiver took the value or the buffer holds it", async () => {
      const ch = channel<number>(capacity);
      for (let i = 0; i < capacity; i++) expect(await outcome(ch.send(i))).toEqual(fulfilled(undefined));
      const one = ch.send(capacity);
      expect(await outcome(one)).toEqual(pending);
      expect(await outcome(ch.receive())).toEqual(got(0));
      expect(await outcome(one)).toEqual(fulfilled(undefined));
    });

    it("hands its value to a waiting receiver before it looks at the buffer", async () => {
      const ch = channel<number>(capacity);
      const received = ch.receive();
      const sent = ch.send(1);
      expect(ch.length).toBe(0);
      expect(await outcome(sent)).toEqual(fulfilled(undefined));
      expect(await outcome(received)).toEqual(got(1));
    });

    it("blocks while the channel is full", async () => {
      const ch = full<number>();
      const [first, second] = [ch.send(1), ch.send(2)];
      expect(await outcome(first)).toEqual(pending);
      expect(await outcome(second)).toEqual(pending);
      expect(ch.length).toBe(capacity);
    });

    it("takes its place in line before it returns its promise", async () => {
      const ch = channel<number>(capacity);
      for (let i = 0; i < 6; i++) void ch.send(i);
      expect(drain(ch)).toEqual([0, 1, 2, 3, 4, 5]);
    });

    it("serves waiting senders first come, first served", async () => {
      const ch = full<number>();
      const order: number[] = [];
      for (let i = 0; i < 4; i++) void ch.send(i).then(() => order.push(i));
      for (let i = 0; i < 4; i++) {
        expect(ch.tryReceive()).toBeDefined();
        await rest();
        expect(order).toEqual([0, 1, 2, 3].slice(0, i + 1));
      }
    });

    it("takes undefined, null, false, 0, NaN and errors for values like any other", async () => {
      for (const value of awkward) {
        const ch = channel<unknown>(capacity);
        const early = ch.receive();
        void ch.send(value);
        expect(await early).toStrictEqual({ done: false, value });
        const sent = ch.send(value);
        expect(await ch.receive()).toStrictEqual({ done: false, value });
        await sent;
        void ch.send(value);
        expect(ch.tryReceive()).toStrictEqual({ done: false, value });
        expect(quiet(ch)).toBe(true);
      }
    });

    it("unwraps no promise, and never looks for `then` in a value", async () => {
      const looked: unknown[] = [];
      const thenable = Object.defineProperty({}, "then", { get: () => looked.push("then") });
      const promise = Promise.resolve(1);
      const ch = channel<unknown>(capacity);
      for (const value of [promise, thenable]) {
        const early = ch.receive();
        void ch.send(value);
        expect((await early).value).toBe(value);
        void ch.send(value);
        expect((await ch.receive()).value).toBe(value);
        void ch.send(value);
        expect(ch.tryReceive()?.value).toBe(value);
        const picked = select({ ch });
        void ch.send(value);
        expect((await picked).value).toBe(value);
      }
      expect(looked).toEqual([]);
    });
  });

  describe("trySend()", () => {
    it("is true while a receiver waits or the buffer has room", async () => {
      const ch = channel<number>(capacity);
      const received = ch.receive();
      for (let i = 0; i <= capacity; i++) expect(ch.trySend(i)).toBe(true);
      expect(ch.trySend(99)).toBe(false);
      expect(await outcome(received)).toEqual(got(0));
      expect(drain(ch)).toEqual(Array.from({ length: capacity }, (_, i) => i + 1));
    });

    it("is false on a full channel, and leaves nothing behind", async () => {
      const ch = full<number>();
      expect(ch.trySend(1)).toBe(false);
      expect(drain(ch).every(isFiller)).toBe(true);
      expect(await outcome(ch.receive())).toEqual(pending);
    });

    it("does not overtake a sender that waits", async () => {
      const ch = full<number>();
      void ch.send(1);
      expect(ch.trySend(2)).toBe(false);
      ch.tryReceive();
      if (capacity > 0) expect(ch.trySend(3), "the slot belongs to the sender that waited").toBe(false);
      expect(drain(ch).filter((value) => !isFiller(value))).toEqual(capacity > 0 ? [1] : []);
    });
  });

  describe("receive()", () => {
    it("blocks while there is nothing to receive", async () => {
      const ch = channel<number>(capacity);
      const received = ch.receive();
      expect(await outcome(received)).toEqual(pending);
      ch.trySend(1);
      expect(await outcome(received)).toEqual(got(1));
    });

    it("gives the values in the order sent, those of waiting senders after the buffered ones", async () => {
      const ch = channel<number>(capacity);
      for (let i = 0; i < capacity + 3; i++) void ch.send(i);
      for (let i = 0; i < capacity + 3; i++) expect(await ch.receive()).toEqual({ done: false, value: i });
      expect(quiet(ch)).toBe(true);
    });

    it("takes its place in line before it returns its promise", async () => {
      const ch = channel<number>(capacity);
      const received = [ch.receive(), ch.receive(), ch.receive()];
      for (let i = 0; i < 3; i++) expect(ch.trySend(i)).toBe(true);
      expect(ch.length).toBe(0);
      expect((await Promise.all(received)).map(({ value }) => value)).toEqual([0, 1, 2]);
    });

    it("serves waiting receivers first come, first served", async () => {
      const ch = channel<number>(capacity);
      const order: string[] = [];
      for (const name of ["a", "b", "c"]) void ch.receive().then(({ value }) => order.push(`${name}${value}`));
      for (let i = 0; i < 3; i++) {
        await ch.send(i);
        await rest();
      }
      expect(order).toEqual(["a0", "b1", "c2"]);
    });

    it("lets exactly one waiting sender go on, and moves its value up", async () => {
      const ch = full<number>();
      const sends = [1, 2, 3].map((value) => ch.send(value));
      await ch.receive();
      expect(ch.length).toBe(capacity);
      expect(await outcome(sends[0] as Promise<void>)).toEqual(fulfilled(undefined));
      expect(await outcome(sends[1] as Promise<void>)).toEqual(pending);
      expect(await outcome(sends[2] as Promise<void>)).toEqual(pending);
    });
  });

  describe("tryReceive()", () => {
    it("is undefined while there is nothing, and leaves nothing behind", async () => {
      const ch = channel<number>(capacity);
      expect(ch.tryReceive()).toBeUndefined();
      expect(quiet(ch)).toBe(true);
      const sent = ch.send(1);
      expect(await outcome(sent)).toEqual(capacity > 0 ? fulfilled(undefined) : pending);
      expect(ch.tryReceive()).toEqual({ done: false, value: 1 });
    });

    it("takes the oldest value, and lets one waiting sender go on", async () => {
      const ch = full<number>();
      const sends = [ch.send(1), ch.send(2)];
      expect(ch.tryReceive()).toEqual({ done: false, value: capacity > 0 ? "filler" : 1 });
      expect(await outcome(sends[0] as Promise<void>)).toEqual(fulfilled(undefined));
      expect(await outcome(sends[1] as Promise<void>)).toEqual(pending);
    });
  });

  describe("next()", () => {
    it("is receive(): in line with it, and with the same results", async () => {
      const ch = channel<number>(capacity);
      const received = [ch.next(), ch.receive(), ch.next()];
      for (let i = 0; i < 3; i++) void ch.send(i);
      expect(await Promise.all(received)).toEqual([0, 1, 2].map((value) => ({ done: false, value })));
      ch.close();
      expect(await outcome(ch.next())).toEqual(done);
    });
  });

  describe("length", () => {
    it("counts what is buffered, and nobody who waits", async () => {
      const ch = channel<number>(capacity);
      expect([ch.capacity, ch.length]).toEqual([capacity, 0]);
      void ch.receive();
      expect(ch.length).toBe(0);
      for (let i = 0; i < capacity + 4; i++) void ch.send(i);
      expect(ch.length).toBe(capacity);
      ch.tryReceive();
      expect(ch.length).toBe(capacity);
      drain(ch);
      expect(ch.length).toBe(0);
    });
  });

  describe("a select", () => {
    it("waits in the same line as receivers: nobody overtakes", async () => {
      const ch = channel<number>(capacity);
      const order: string[] = [];
      void ch.receive().then(({ value }) => order.push(`receive ${value}`));
      void select({ ch }).then(({ value }) => order.push(`select ${value}`));
      void ch.receive().then(({ value }) => order.push(`receive ${value}`));
      for (let i = 1; i <= 3; i++) {
        expect(ch.trySend(i)).toBe(true);
        await rest();
      }
      expect(order).toEqual(["receive 1", "select 2", "receive 3"]);
    });

    it("waits in the same line as senders: nobody overtakes", async () => {
      const ch = full<string>();
      void ch.send("a");
      void select([sending(ch, "b")]);
      void ch.send("c");
      void select([sending(ch, "d")]);
      expect(drain(ch).filter((value) => !isFiller(value))).toEqual(["a", "b", "c", "d"]);
    });
  });

  describe("many tasks", () => {
    it("each value goes to exactly one of many receivers, in each sender's order", async () => {
      const ch = channel<[sender: number, n: number]>(capacity);
      const received = [0, 1, 2, 3].map(async () => {
        const mine: [number, number][] = [];
        for await (const value of ch) mine.push(value);
        return mine;
      });
      const sent = [0, 1, 2].map(async (sender) => {
        for (let n = 0; n < 50; n++) await ch.send([sender, n]);
      });
      await Promise.all(sent);
      ch.close();
      const lists = await Promise.all(received);
      const all = lists.flat().map(([sender, n]) => sender * 50 + n);
      expect(all.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 150 }, (_, i) => i));
      for (const list of lists) {
        for (const sender of [0, 1, 2]) {
          const ns = list.filter(([from]) => from === sender).map(([, n]) => n);
          expect(ns).toEqual(ns.toSorted((a, b) => a - b));
        }
      }
    });

    it("`trySend || await send` and `tryReceive ?? await receive` skip the promise and keep the order", async () => {
      const ch = channel<number>(capacity);
      const values: number[] = [];
      let waits = 0;
      const receiver = (async () => {
        for (;;) {
          const result = ch.tryReceive() ?? (waits++, await ch.receive());
          if (result.done) return;
          values.push(result.value);
        }
      })();
      for (let i = 0; i < 200; i++) {
        if (ch.trySend(i)) continue;
        waits++;
        await ch.send(i);
      }
      ch.close();
      await receiver;
      expect(values).toEqual(Array.from({ length: 200 }, (_, i) => i));
      expect(waits, "most operations found the channel ready").toBeLessThanOrEqual(capacity > 1 ? 200 : 402);
    });
  });
}
