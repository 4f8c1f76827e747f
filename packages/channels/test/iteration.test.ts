import { describe, expect, it } from "vitest";
import type { Channel } from "../src/index.ts";
import { after, channel, from, merge, never, tick } from "../src/index.ts";
import { done, drain, got, outcomes, quiet, reasonOf } from "./support.ts";

function holding<T>(...values: T[]): Channel<T> {
  const ch = channel<T>(values.length);
  for (const value of values) ch.trySend(value);
  return ch;
}

describe("for await (… of ch)", () => {
  it("receives until the channel is closed and drained", async () => {
    const ch = channel<number>();
    void (async () => {
      for (let i = 0; i < 5; i++) await ch.send(i);
      ch.close();
    })();
    const values: number[] = [];
    for await (const value of ch) values.push(value);
    expect(values).toEqual([0, 1, 2, 3, 4]);
  });

  it("runs not even once on a channel that is closed and empty", async () => {
    const ch = channel<number>(1);
    ch.close();
    for await (const _ of ch) expect.unreachable();
    expect(ch.tryReceive()?.done).toBe(true);
  });

  it.for([0, 3])(
    "left by break, neither closes the channel nor takes anything more (capacity %i)",
    async (capacity) => {
      const ch = channel<number>(capacity);
      const sends = [1, 2, 3].map((value) => ch.send(value));
      for await (const value of ch) {
        expect(value).toBe(1);
        break;
      }
      expect(ch.closed).toBe(false);
      expect(drain(ch)).toEqual([2, 3]);
      await Promise.all(sends);
      expect(quiet(ch)).toBe(true);
    },
  );

  it("left by a throw or a return, does the same", async () => {
    const ch = holding(1, 2, 3);
    const boom = new Error("boom");
    const thrown = (async () => {
      for await (const value of ch) throw Object.assign(boom, { value });
    })();
    expect(await reasonOf(thrown)).toBe(boom);
    const first = await (async () => {
      for await (const value of ch) return value;
      return undefined;
    })();
    expect(first).toBe(2);
    expect(ch.closed).toBe(false);
    expect(drain(ch)).toEqual([3]);
  });

  it("goes on where another loop left off", async () => {
    const ch = holding(1, 2, 3, 4);
    ch.close();
    for await (const value of ch) if (value === 2) break;
    const rest: number[] = [];
    for await (const value of ch) rest.push(value);
    expect(rest).toEqual([3, 4]);
  });

  it("shares the values with other loops: each goes to one", async () => {
    const ch = channel<number>();
    const loops = [0, 1, 2].map(async () => {
      const values: number[] = [];
      for await (const value of ch) values.push(value);
      return values;
    });
    for (let i = 0; i < 30; i++) await ch.send(i);
    ch.close();
    const lists = await Promise.all(loops);
    expect(lists.map((list) => list.length)).toEqual([10, 10, 10]);
    expect(lists.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i));
  });

  it("throws the cause of close(cause) after the values before it", async () => {
    const ch = holding(1, 2);
    const why = new Error("why");
    ch.close(why);
    const values: number[] = [];
    const loop = (async () => {
      for await (const value of ch) values.push(value);
    })();
    expect(await reasonOf(loop)).toBe(why);
    expect(values).toEqual([1, 2]);
  });

  it("yields promises as they are", async () => {
    const promise = Promise.resolve(1);
    const ch = holding(promise);
    ch.close();
    for await (const value of ch as AsyncIterable<unknown>) expect(value).toBe(promise);
    expect.assertions(1);
  });
});

describe("the iterator", () => {
  it.for<[string, AsyncIterable<unknown>]>([
    ["channel()", channel()],
    ["after()", after(1)],
    ["tick()", tick(1)],
    ["never", never],
    ["from()", from([])],
    ["merge()", merge()],
  ])("of %s is the receiver itself, and has no return() and no throw()", ([, receiver]) => {
    expect(receiver[Symbol.asyncIterator]()).toBe(receiver);
    expect("return" in receiver).toBe(false);
    expect("throw" in receiver).toBe(false);
  });

  it("takes no notice of what yield* hands to its next()", async () => {
    const ch = holding(1, 2);
    async function* delegating(): AsyncGenerator<number, void, unknown> {
      yield* ch;
    }
    const numbers = delegating();
    expect(await outcomes([numbers.next(), numbers.next("not options")])).toEqual([got(1), got(2)]);
  });

  it("serves concurrent next() calls in order, and then done", async () => {
    const ch = channel<number>();
    const nexts = [ch.next(), ch.next(), ch.next(), ch.next()];
    ch.trySend(1);
    ch.trySend(2);
    ch.close();
    expect(await outcomes(nexts)).toEqual([got(1), got(2), done, done]);
    expect(await outcomes([ch.next(), ch.next()])).toEqual([done, done]);
  });
});
