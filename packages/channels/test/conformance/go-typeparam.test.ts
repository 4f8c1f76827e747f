// Follows typeparam/chans.go and typeparam/select.dir of Go's test directory: generic functions over channels. A Context
// is passed as an AbortSignal, which is what a Context comes down to here.
import { afterEach, assertType, beforeEach, describe, expect, expectTypeOf, it, vi } from "vitest";
import { macro, settle } from "../../../../test/support.ts";
import { after, type Channel, channel, type Receiver, select, sending, trySelect } from "../../src/index.ts";
import { rest } from "../support.ts";
import { parked, yields } from "./turns.ts";

/** A channel of `values`, given by a task and closed. `sent` settles when the task has ended. */
function producer<T>(...values: T[]): { out: Channel<T>; sent: Promise<void> } {
  const out = channel<T>();
  const sent = (async () => {
    for (const value of values) await out.send(value);
    out.close();
  })();
  return { out, sent };
}

async function readAll<T>(stop: AbortSignal, from: Receiver<T>): Promise<T[]> {
  const values: T[] = [];
  for (;;) {
    const picked = await select({ stop, from });
    if (picked.case === "stop" || picked.done) return values;
    values.push(picked.value as T);
  }
}

describe("P-052 TestReadAll", () => {
  it("P-052 gives what was sent until the close", async () => {
    const { out, sent } = producer(4, 2, 5);
    expect(await readAll(new AbortController().signal, out)).toEqual([4, 2, 5]);
    await sent;
  });

  it("P-052 stopped on the way, nothing is lost: what was not read is still being sent", async () => {
    const lengths = new Set<number>();
    // Before the next send, or so many microtasks after the second was sent.
    const places = [undefined, 0, 1, 2, 3, 4, 5, -1];
    // Several times each: where both cases are ready, chance decides.
    for (const turns of Array.from({ length: 20 }, () => places).flat()) {
      const stop = new AbortController();
      const out = channel<number>();
      let delivered = 0;
      const sent = (async () => {
        for (const value of [4, 2, 5]) {
          await out.send(value);
          if (++delivered !== 2) continue;
          if (turns === undefined) stop.abort();
          else void yields(turns).then(() => stop.abort());
        }
        out.close();
      })();
      const read = await readAll(stop.signal, out);
      lengths.add(read.length);
      await rest();
      expect(delivered).toBe(read.length);
      const left: number[] = [];
      for await (const value of out) left.push(value);
      expect([...read, ...left]).toEqual([4, 2, 5]);
      await sent;
    }
    expect(lengths).toEqual(new Set([2, 3]));
  });
});

describe("P-053 TestMerge", () => {
  function merged<T>(stop: AbortSignal, a: Receiver<T>, b: Receiver<T>): { out: Channel<T>; turns: () => number } {
    const out = channel<T>();
    let turns = 0;
    void (async () => {
      let [first, second]: (Receiver<T> | undefined)[] = [a, b];
      while (first !== undefined || second !== undefined) {
        turns++;
        const picked = await select({ stop, first, second });
        if (picked.case === "stop") break;
        if (!picked.done) await out.send(picked.value as T);
        else if (picked.case === "first") first = undefined;
        else second = undefined;
      }
      out.close();
    })();
    return { out, turns: () => turns };
  }

  it("P-053 gives the values of both, each in its order, and closes when both have", async () => {
    const { out, turns } = merged(new AbortController().signal, producer(1, 3, 5).out, producer(2, 4, 6).out);
    const all: number[] = [];
    for await (const value of out) all.push(value);
    expect(all.filter((value) => value % 2 === 1)).toEqual([1, 3, 5]);
    expect(all.filter((value) => value % 2 === 0)).toEqual([2, 4, 6]);
    expect(all).toHaveLength(6);
    // Six values and two closes: a channel that has closed and is switched off is not found ready again and again.
    expect(turns()).toBe(8);
  });

  it("P-053 waits quietly while one has closed and the other is silent", async () => {
    const silent = channel<number>();
    const stop = new AbortController();
    const { out, turns } = merged(stop.signal, producer(1).out, silent);
    expect(await out.receive()).toEqual({ done: false, value: 1 });
    const next = out.receive();
    expect(await parked(next)).toBe(true);
    expect(turns()).toBe(3);
    stop.abort();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(silent.trySend(2)).toBe(false);
  });
});

describe("P-054 TestFilter", () => {
  it("P-054 gives what passes, and closes after its input", async () => {
    const stop = new AbortController().signal;
    const { out: from, sent } = producer(1, 2, 3);
    const even = channel<number>();
    void (async () => {
      for (;;) {
        const picked = await select({ stop, from });
        if (picked.case === "stop" || picked.done) break;
        if (picked.value % 2 === 0 && (await select({ stop, sent: sending(even, picked.value) })).case === "stop")
          break;
      }
      even.close();
    })();
    expect(await even.receive()).toEqual({ done: false, value: 2 });
    const end = even.receive();
    await sent;
    expect(await end).toEqual({ done: true, value: undefined });
  });
});

describe("P-055 TestSink", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("P-055 every send to a sink beats its timeout, and no timer is left", async () => {
    const stop = new AbortController();
    const sink = channel<number>();
    let thrownAway = 0;
    const task = (async () => {
      for (;;) {
        const picked = await select({ stop: stop.signal, sink });
        if (picked.case === "stop" || picked.done) return;
        thrownAway++;
      }
    })();
    for (const value of [1, 2, 3]) {
      const picked = await select({ sent: sending(sink, value), late: after(60_000) });
      expect(picked.case).toBe("sent");
    }
    sink.close();
    await task;
    expect(thrownAway).toBe(3);
    expect(vi.getTimerCount()).toBe(0);
  });
});

/** A value that one task at a time may hold: Go's Exclusive. */
class Exclusive<T> {
  readonly #held = channel<T>(1);

  constructor(value: T) {
    this.#held.trySend(value);
  }

  async acquire(): Promise<T> {
    return (await this.#held.receive()).value as T;
  }

  tryAcquire(): { value: T } | undefined {
    const result = this.#held.tryReceive();
    return result && { value: result.value as T };
  }

  release(value: T): void {
    if (!this.#held.trySend(value)) throw new Error("Released what nobody holds");
  }
}

describe("P-056 TestExclusive", () => {
  it.each([
    ["a turn of the event loop", macro],
    ["a microtask", () => settle(1)],
  ])("P-056 two tasks that add one ten times, with %s between reading and writing, make twenty", async (_, pause) => {
    const counter = new Exclusive(0);
    let [inside, most] = [0, 0];
    const add = async () => {
      for (let turn = 0; turn < 10; turn++) {
        const value = await counter.acquire();
        most = Math.max(most, ++inside);
        await pause();
        inside--;
        counter.release(value + 1);
      }
    };
    await Promise.all([add(), add()]);
    expect(await counter.acquire()).toBe(20);
    expect(most).toBe(1);
  });
});

describe("P-057 TestExclusiveTry", () => {
  it("P-057 succeeds, fails while another holds it, succeeds after the release; a release too many throws", async () => {
    const lock = new Exclusive("it");
    expect(lock.tryAcquire()).toEqual({ value: "it" });
    const other = (async () => lock.tryAcquire())();
    expect(await other).toBeUndefined();
    lock.release("it");
    expect(lock.tryAcquire()).toEqual({ value: "it" });
    lock.release("it");
    expect(() => lock.release("it")).toThrow("Released what nobody holds");
    expect(lock.tryAcquire()).toEqual({ value: "it" });
  });
});

describe("P-058 select in a generic function", () => {
  async function either<A, B>(a: Receiver<A>, b: Receiver<B>): Promise<A | B> {
    const picked = await select([a, b]);
    return picked.value as A | B;
  }

  it("P-058 takes the value of one, then that of the other", async () => {
    const firsts = new Set<unknown>();
    for (let round = 0; round < 200; round++) {
      const [c, d] = [channel<number>(1), channel<string>(1)];
      c.trySend(5);
      d.trySend("6");
      const two = [await either(c, d), await either(c, d)];
      firsts.add(two[0]);
      expect(new Set(two)).toEqual(new Set([5, "6"]));
      expect(trySelect([c, d])).toBeUndefined();
    }
    expect(firsts.size).toBe(2);
  });

  it("P-058 the type of the result is the union of the element types", () => {
    expectTypeOf(either<number, string>).returns.resolves.toEqualTypeOf<number | string>();
    assertType<(a: Channel<1>, b: Channel<"a">) => Promise<1 | "a">>(either);
  });
});
