import { background, withCancel, type CancelableContext, type Context } from "@sluice/context";
import { afterEach, describe, expect, it, vi } from "vitest";
import { macro, pending, settle } from "../../../test/support.ts";
import { forEach, map, type MapOptions, type Source } from "../src/index.ts";
import { deferred, untilDone, type Deferred } from "./deferred.ts";

const boom = new Error("boom");
const why = new Error("why");

function canceled(): CancelableContext {
  const ctx = withCancel(background);
  ctx.cancel(why);
  return ctx;
}

/** 0, 1, 2, … without end; counts what was pulled, and whether pulls overlap. */
class Numbers implements AsyncIterableIterator<number> {
  pulled = 0;
  closed = 0;
  #pulling = false;

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<number>> {
    if (this.#pulling) throw new Error("pulls overlap");
    this.#pulling = true;
    await settle(2);
    this.#pulling = false;
    return { done: false, value: this.pulled++ };
  }

  async return(): Promise<IteratorResult<number>> {
    await settle(2);
    this.closed++;
    return { done: true, value: undefined };
  }
}

/** A source whose pulls the test answers, and which counts how often it was closed. */
class Manual implements AsyncIterableIterator<string> {
  readonly pulls: Deferred<IteratorResult<string>>[] = [];
  closed = 0;
  closing: Promise<void> = Promise.resolve();

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<string>> {
    const pull = deferred<IteratorResult<string>>();
    this.pulls.push(pull);
    return pull.promise;
  }

  async return(): Promise<IteratorResult<string>> {
    this.closed++;
    await this.closing;
    return { done: true, value: undefined };
  }
}

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

const double = async (n: number): Promise<number> => n * 2;
const value = <T>(of: T): IteratorResult<T> => ({ done: false, value: of });
const done = { done: true, value: undefined };

/** Jobs that the test ends one by one. */
function jobs(count: number): Deferred<string>[] {
  return Array.from({ length: count }, () => deferred<string>());
}

describe("map()", () => {
  it.for<[string, () => Source<number>]>([
    ["an array", () => [1, 2, 3]],
    [
      "a generator",
      function* () {
        yield* [1, 2, 3];
      },
    ],
    [
      "an async generator",
      async function* () {
        yield* [1, 2, 3];
      },
    ],
    [
      "a ReadableStream",
      () =>
        new ReadableStream<number>({
          start(controller) {
            for (const n of [1, 2, 3]) controller.enqueue(n);
            controller.close();
          },
        }) as unknown as AsyncIterable<number>,
    ],
    ["a Set", () => new Set([1, 2, 3])],
  ])("gives the results of %s, and ends with it", async ([, source]) => {
    const results = map(background, source(), double, { limit: 2 });
    expect(await collect(results)).toEqual([2, 4, 6]);
    expect(await results.next()).toEqual(done);
  });

  it("of an empty source gives nothing", async () => {
    expect(await collect(map(background, [], double, { limit: 1 }))).toEqual([]);
  });

  it("takes a callback that is not async", async () => {
    expect(await collect(map(background, [1, 2], (n) => n + 1, { limit: 1 }))).toEqual([2, 3]);
  });

  it("awaits the promises of a synchronous source, and takes the values of an asynchronous one as they are", async () => {
    expect(await collect(map(background, [Promise.resolve(1), 2], double, { limit: 1 }))).toEqual([2, 4]);

    const promise = Promise.resolve(1);
    const source = new ReadableLike([promise]);
    expect(await collect(map(background, source, (given) => [given === promise], { limit: 1 }))).toEqual([[true]]);
  });

  it("gives results in the order of their values by default", async () => {
    const ends = jobs(3);
    const results = map(background, [0, 1, 2], (i) => ends[i]!.promise, { limit: 3 });
    const first = results.next();
    await settle();
    ends[2]?.resolve("2");
    ends[1]?.resolve("1");
    expect(await pending(first)).toBe(true);
    ends[0]?.resolve("0");
    expect([await first, await results.next(), await results.next(), await results.next()]).toEqual([
      value("0"),
      value("1"),
      value("2"),
      done,
    ]);
  });

  it("gives results as they are finished if they need not be ordered", async () => {
    const ends = jobs(3);
    const results = map(background, [0, 1, 2], (i) => ends[i]!.promise, { limit: 3, ordered: false });
    const first = results.next();
    await settle();
    ends[2]?.resolve("2");
    expect(await first).toEqual(value("2"));
    ends[0]?.resolve("0");
    await settle();
    ends[1]?.resolve("1");
    expect(await collect(results)).toEqual(["0", "1"]);
  });

  it("hands a result over as soon as it is there, though the source has nothing more yet", async () => {
    const source = new Manual();
    const results = map(background, source, async (s) => s.toUpperCase(), { limit: 3 });
    const first = results.next();
    await settle();
    source.pulls[0]?.resolve(value("a"));
    expect(await first).toEqual(value("A"));
    expect(source.pulls).toHaveLength(2);
    await settle();
    const end = results.next();
    source.pulls[1]?.resolve({ done: true, value: undefined });
    expect(await end).toEqual(done);
    expect(source.closed).toBe(0);
  });

  it("pulls nothing before the first next()", async () => {
    const source = new Numbers();
    const opened = vi.spyOn(source, Symbol.asyncIterator);
    map(background, source, double, { limit: 2 });
    await settle();
    expect(opened).not.toHaveBeenCalled();
    expect(source.pulled).toBe(0);
  });

  it.for<MapOptions>([{ limit: 1 }, { limit: 3 }, { limit: 3, ordered: false }])(
    "never has more than `limit` values pulled and not yet handed over, finished results included: %o",
    async (options) => {
      const source = new Numbers();
      let [running, most] = [0, 0];
      const results = map(
        background,
        source,
        async (n) => {
          most = Math.max(most, ++running);
          await settle(n % 4);
          running--;
          return n;
        },
        options,
      );
      for (let taken = 1; taken <= 20; taken++) {
        await results.next();
        await settle(40);
        expect(source.pulled).toBe(taken + options.limit);
      }
      expect(running).toBe(0);
      expect(most).toBeLessThanOrEqual(options.limit);
      await results.return?.();
    },
  );

  it("has as many in flight as the limit allows", async () => {
    const started: number[] = [];
    const results = map(
      background,
      new Numbers(),
      (n, ctx) => {
        started.push(n);
        return untilDone(ctx);
      },
      { limit: 4 },
    );
    void results.next();
    await settle(40);
    expect(started).toEqual([0, 1, 2, 3]);
    await results.return?.();
  });

  it("has no bound but the source if the limit is Infinity", async () => {
    expect(await collect(map(background, [1, 2, 3], double, { limit: Infinity }))).toEqual([2, 4, 6]);
  });

  it("answers concurrent calls of next() in order, and done for ever after the end", async () => {
    const ends = jobs(3);
    const results = map(background, [0, 1, 2], (i) => ends[i]!.promise, { limit: 3, ordered: false });
    const calls = Array.from({ length: 5 }, () => results.next());
    await settle();
    for (const i of [1, 2, 0]) {
      ends[i]?.resolve(String(i));
      await settle();
    }
    expect(await Promise.all(calls)).toEqual([value("1"), value("2"), value("0"), done, done]);
    expect(await results.next()).toEqual(done);
  });

  it("takes undefined for a result like any other", async () => {
    expect(await collect(map(background, [1, 2], () => undefined, { limit: 1 }))).toEqual([undefined, undefined]);
  });

  it("is its own iterator", () => {
    const results = map(background, [1], double, { limit: 1 });
    expect(results[Symbol.asyncIterator]()).toBe(results);
  });
});

class ReadableLike<T> implements AsyncIterable<T> {
  readonly #values: T[];

  constructor(values: T[]) {
    this.#values = [...values];
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return {
      next: async () => (this.#values.length > 0 ? value(this.#values.shift() as T) : { done: true, value: undefined }),
    };
  }
}

describe("leaving a map", () => {
  it.for<[string, (results: AsyncIterable<number>) => Promise<unknown>, unknown]>([
    [
      "break",
      async (results) => {
        for await (const _ of results) {
          await settle(40);
          break;
        }
        return "left";
      },
      "left",
    ],
    [
      "throw",
      (results) =>
        (async () => {
          for await (const _ of results) {
            await settle(40);
            throw why;
          }
        })().catch((error: unknown) => error),
      why,
    ],
  ])("by %s cancels what runs, waits for it, then closes the source", async ([, leave, outcome]) => {
    const source = new Numbers();
    const log: string[] = [];
    const cleanup = deferred();
    const results = map(
      background,
      source,
      async (n, ctx) => {
        if (n === 0) return n;
        await untilDone(ctx).catch(() => {});
        await cleanup.promise;
        log.push(`task ended, source ${source.closed === 0 ? "open" : "closed"}`);
        return n;
      },
      { limit: 2 },
    );
    const left = leave(results);
    expect(await pending(left)).toBe(true);
    cleanup.resolve();
    expect(await left).toBe(outcome);
    expect(log).toEqual(Array(2).fill("task ended, source open"));
    expect(source.closed).toBe(1);
    const { pulled } = source;
    expect(await results.next()).toEqual(done);
    await settle();
    expect(source.pulled).toBe(pulled);
    expect(source.closed).toBe(1);
  });

  it("gives done to the calls of next() that are pending, at once", async () => {
    const stubborn = deferred<number>();
    const results = map(background, [1], () => stubborn.promise, { limit: 1 });
    const calls = [results.next(), results.next()];
    await settle();
    const left = results.return?.();
    expect(await Promise.all(calls)).toEqual([done, done]);
    expect(await pending(left!)).toBe(true);
    stubborn.resolve(1);
    expect(await left).toEqual(done);
    expect(await results.next()).toEqual(done);
  });

  it("does not wait for a pull that is pending, and drops what it brings", async () => {
    const source = new Manual();
    source.closing = new Promise(() => {}); // as an async generator, which closes after its pull
    const fn = vi.fn<(s: string) => string>();
    const results = map(background, source, fn, { limit: 1 });
    const call = results.next();
    await settle();
    expect(source.pulls).toHaveLength(1);
    expect(await results.return?.()).toEqual(done);
    expect(await call).toEqual(done);
    expect(source.closed).toBe(1);
    source.pulls[0]?.resolve(value("late"));
    await settle();
    expect(fn).not.toHaveBeenCalled();
    expect(source.pulls).toHaveLength(1);
  });

  it("hides the late failure of a pull that was given up, and of the closing that nobody waits for", async () => {
    const source = new Manual();
    const closing = deferred();
    source.closing = closing.promise;
    const results = map(background, source, (s) => s, { limit: 1 });
    void results.next();
    await settle();
    await results.return?.();
    source.pulls[0]?.reject(boom);
    closing.reject(boom);
    await macro(); // the test runner fails on an unhandled rejection
    expect(await results.next()).toEqual(done);
  });

  it("before the first next() opens nothing and ends it", async () => {
    const source = new Numbers();
    const results = map(background, source, double, { limit: 1 });
    expect(await results.return?.()).toEqual(done);
    expect(await results.next()).toEqual(done);
    expect(source.pulled + source.closed).toBe(0);
  });

  it("after the end does nothing", async () => {
    const source = new Manual();
    const results = map(background, source, (s) => s, { limit: 1 });
    const end = results.next();
    await settle();
    source.pulls[0]?.resolve({ done: true, value: undefined });
    expect(await end).toEqual(done);
    expect(await results.return?.()).toEqual(done);
    expect(source.closed).toBe(0);
  });

  it("takes twice for once", async () => {
    const source = new Numbers();
    const results = map(background, source, double, { limit: 1 });
    await results.next();
    expect(await Promise.all([results.return?.(), results.return?.()])).toEqual([done, done]);
    expect(source.closed).toBe(1);
  });

  it("by throw() rejects with its argument", async () => {
    const source = new Numbers();
    const results = map(background, source, double, { limit: 1 });
    await results.next();
    await expect(results.throw?.(why)).rejects.toBe(why);
    expect(source.closed).toBe(1);
    expect(await results.next()).toEqual(done);
  });

  it("throws a failure that nobody was told yet, once", async () => {
    const results = map(
      background,
      [0, 1],
      async (i) => {
        if (i === 1) throw boom;
        return i;
      },
      { limit: 2 },
    );
    expect(await results.next()).toEqual(value(0));
    await settle();
    await expect(results.return?.()).rejects.toBe(boom);
    expect(await results.return?.()).toEqual(done);
  });

  it("throws what a task meets while it cleans up, and what closing the source throws", async () => {
    const unclean = map(
      background,
      [0, 1],
      async (i, ctx) => {
        if (i === 0) return i;
        await untilDone(ctx).catch(() => {});
        throw boom;
      },
      { limit: 2 },
    );
    await unclean.next();
    await settle();
    await expect(unclean.return?.()).rejects.toBe(boom);

    const source = new Numbers();
    source.return = () => Promise.reject(boom);
    const unclosed = map(background, source, double, { limit: 1 });
    await unclosed.next();
    await settle();
    await expect(unclosed.return?.()).rejects.toBe(boom);
  });

  it("because the parent was canceled is no failure", async () => {
    const parent = withCancel(background);
    const results = map(parent, new Numbers(), (_n, ctx) => untilDone(ctx), { limit: 2 });
    void results.next().catch(() => {});
    await settle(40);
    parent.cancel(why);
    expect(await results.return?.()).toEqual(done);
  });

  it("of a source without return() closes nothing", async () => {
    const results = map(background, new ReadableLike([1, 2, 3]), double, { limit: 1 });
    expect(await results.next()).toEqual(value(2));
    expect(await results.return?.()).toEqual(done);
  });
});

describe("a failure in a map", () => {
  it("comes after the results before it, in order; siblings are canceled and waited for, the source is closed", async () => {
    const source = new Numbers();
    const log: unknown[] = [];
    const results = map(
      background,
      source,
      async (n, ctx) => {
        if (n < 2) return n;
        if (n === 2) {
          await settle(30);
          throw boom;
        }
        await untilDone(ctx).catch((cause: unknown) => log.push(cause));
        await settle();
        log.push(`sibling ended, source ${source.closed === 0 ? "open" : "closed"}`);
        return n;
      },
      { limit: 4 },
    );
    // Asked only after all has happened.
    const first = results.next();
    await settle(100);
    expect(await first).toEqual(value(0));
    expect(await results.next()).toEqual(value(1));
    await expect(results.next()).rejects.toBe(boom);
    expect(log).toEqual([boom, boom, "sibling ended, source open", "sibling ended, source open"]);
    expect(source.closed).toBe(1);
    expect([await results.next(), await results.next()]).toEqual([done, done]);
    expect(await results.return?.()).toEqual(done);
    expect(source.closed).toBe(1);
  });

  it("comes after a result before it that its task finished in spite of the cancellation", async () => {
    const ends = jobs(2);
    const results = map(background, [0, 1], (i) => ends[i]!.promise, { limit: 2 });
    const calls = [results.next(), results.next(), results.next()];
    await settle();
    ends[1]?.reject(boom);
    await settle();
    ends[0]?.resolve("0");
    expect(await Promise.allSettled(calls)).toEqual([
      { status: "fulfilled", value: value("0") },
      { status: "rejected", reason: boom },
      { status: "fulfilled", value: done },
    ]);
  });

  it("unordered comes after what was finished before it, and hides what is finished after it", async () => {
    const ends = jobs(3);
    const results = map(background, [0, 1, 2], (i) => ends[i]!.promise, { limit: 3, ordered: false });
    const first = results.next();
    await settle();
    ends[2]?.resolve("2");
    await settle();
    expect(await first).toEqual(value("2"));
    ends[1]?.reject(boom);
    await settle();
    ends[0]?.resolve("0");
    await expect(results.next()).rejects.toBe(boom);
    expect(await results.next()).toEqual(done);
  });

  it.for([undefined, null, 0])("may be %o", async (thrown) => {
    const results = map(background, [1], () => Promise.reject(thrown), { limit: 1 });
    const [outcome] = await Promise.allSettled([results.next()]);
    expect(outcome).toEqual({ status: "rejected", reason: thrown });
    expect(await results.next()).toEqual(done);
  });

  it("may be thrown synchronously by the callback", async () => {
    const results = map(
      background,
      [1],
      () => {
        throw boom;
      },
      { limit: 1 },
    );
    await expect(results.next()).rejects.toBe(boom);
  });

  it("does not wait for a pull that is pending", async () => {
    const source = new Manual();
    source.closing = new Promise(() => {});
    const fails = deferred<string>();
    const results = map(background, source, () => fails.promise, { limit: 2 });
    const call = results.next();
    await settle();
    source.pulls[0]?.resolve(value("a"));
    await settle();
    expect(source.pulls).toHaveLength(2);
    fails.reject(boom);
    await expect(call).rejects.toBe(boom);
    expect(source.closed).toBe(1);
  });

  it("wins over an error of closing the source", async () => {
    const source = new Numbers();
    source.return = () => Promise.reject(why);
    const results = map(
      background,
      source,
      async () => {
        await settle(40);
        throw boom;
      },
      { limit: 1 },
    );
    await expect(results.next()).rejects.toBe(boom);
  });
});

describe("a source that fails in a map", () => {
  const failing: [string, () => Source<number>][] = [
    [
      "by rejecting",
      async function* () {
        yield 0;
        await settle();
        throw boom;
      },
    ],
    [
      "by throwing",
      function* () {
        yield 0;
        throw boom;
      },
    ],
    ["by a promise that rejects", () => [0, Promise.reject(boom)]],
  ];

  it.for(failing)("%s ends it with that error, after the results before it", async ([, source]) => {
    const results = map(background, source(), double, { limit: 1 });
    expect(await results.next()).toEqual(value(0));
    await expect(results.next()).rejects.toBe(boom);
    expect(await results.next()).toEqual(done);
  });

  it("cancels what runs, and waits for it", async () => {
    const log: unknown[] = [];
    const source = async function* (): AsyncGenerator<number> {
      yield 0;
      throw boom;
    };
    const results = map(
      background,
      source(),
      async (_n, ctx) => {
        await untilDone(ctx).catch((cause: unknown) => log.push(cause));
        await settle();
        log.push("ended");
        return ctx.throwIfDone();
      },
      { limit: 2 },
    );
    await expect(results.next()).rejects.toBe(boom);
    expect(log).toEqual([boom, "ended"]);
  });

  it("is not closed: it is at its end, as in for await", async () => {
    const source = new Manual();
    const results = map(background, source, (s) => s, { limit: 1 });
    const call = results.next();
    await settle();
    source.pulls[0]?.reject(boom);
    await expect(call).rejects.toBe(boom);
    expect(source.closed).toBe(0);
  });

  it("is closed if one of its promises has failed, but not the source itself", async () => {
    let closed = 0;
    const source = function* (): Generator<Promise<number>> {
      try {
        for (;;) yield Promise.reject(boom);
      } finally {
        closed++;
        // oxlint-disable-next-line no-unsafe-finally
        throw why; // and the first error counts
      }
    };
    await expect(map(background, source(), double, { limit: 1 }).next()).rejects.toBe(boom);
    expect(closed).toBe(1);
  });

  it("may fail to open", async () => {
    const source = {
      [Symbol.asyncIterator]: () => {
        throw boom;
      },
    };
    await expect(map(background, source, double, { limit: 1 }).next()).rejects.toBe(boom);
  });

  it("may break the protocol: a result that is no object is a failure", async () => {
    const source = { [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve(undefined as never) }) };
    await expect(map(background, source, double, { limit: 1 }).next()).rejects.toThrow(TypeError);
  });
});

describe("cancellation of a map", () => {
  it("under a parent that is done runs nothing and rejects with its cause", async () => {
    const source = new Numbers();
    const fn = vi.fn<typeof double>(double);
    for (const parent of [canceled(), AbortSignal.abort(why)]) {
      const results = map(parent, source, fn, { limit: 1 });
      await expect(results.next()).rejects.toBe(why);
      expect(await results.next()).toEqual(done);
    }
    expect(fn).not.toHaveBeenCalled();
    expect(source.pulled).toBe(0);
  });

  it("rejects with the cause, once what runs has ended and the source is closed, and then is done for ever", async () => {
    const parent = withCancel(background);
    const source = new Numbers();
    const cleanup = deferred();
    const results = map(
      parent,
      source,
      async (n, ctx) => {
        await untilDone(ctx).catch(() => {});
        await cleanup.promise;
        ctx.throwIfDone();
        return n;
      },
      { limit: 2 },
    );
    const call = results.next();
    await settle(40);
    parent.cancel(why);
    expect(await pending(call)).toBe(true);
    cleanup.resolve();
    await expect(call).rejects.toBe(why);
    expect(source.closed).toBe(1);
    expect(await results.next()).toEqual(done);
  });

  it("comes before results that are ready, as an aborted signal comes before everything", async () => {
    const parent = withCancel(background);
    const source = new Numbers();
    const results = map(parent, source, double, { limit: 4 });
    expect(await results.next()).toEqual(value(0));
    await settle(40);
    parent.cancel(why);
    await expect(results.next()).rejects.toBe(why);
    expect(await results.next()).toEqual(done);
  });

  it("comes before results that are ready, though all has ended well", async () => {
    const parent = withCancel(background);
    const results = map(parent, [1, 2], double, { limit: 4 });
    expect(await results.next()).toEqual(value(2));
    await settle(40);
    parent.cancel(why);
    await expect(results.next()).rejects.toBe(why);
    expect(await results.next()).toEqual(done);
  });

  it.for([true, false])(
    "does not end well if a result was finished, but not handed over; ordered: %s",
    async (ordered) => {
      const parent = withCancel(background);
      const end = deferred<string>();
      const results = map(parent, [1], () => end.promise, { limit: 2, ordered });
      const call = results.next();
      await settle(40); // the source has ended
      parent.cancel(why);
      end.resolve("finished in spite of it");
      await expect(call).rejects.toBe(why);
      expect(await results.next()).toEqual(done);
    },
  );

  it("after the last result is none", async () => {
    const parent = withCancel(background);
    const results = map(parent, [1], double, { limit: 4 });
    expect(await results.next()).toEqual(value(2));
    await settle(40);
    parent.cancel(why);
    expect(await results.next()).toEqual(done);
  });

  it("gives up a pull that is pending", async () => {
    const parent = withCancel(background);
    const source = new Manual();
    const results = map(parent, source, (s) => s, { limit: 1 });
    const call = results.next();
    await settle();
    parent.cancel(why);
    await expect(call).rejects.toBe(why);
    expect(source.closed).toBe(1);
  });
});

/** As a receiver of channels: the mark, and a wait that the context cancels. */
class Inbox implements AsyncIterable<string> {
  readonly values: string[] = [];
  waiting: ((value: string) => void) | undefined;

  constructor() {
    Object.assign(this, { [Symbol.for("@sluice/receiver")]: 1 });
  }

  async receive({ signal }: { signal: AbortSignal }): Promise<IteratorResult<string, undefined>> {
    signal.throwIfAborted();
    const ready = this.values.shift();
    if (ready !== undefined) return { done: false, value: ready };
    return await new Promise((resolve, reject) => {
      this.waiting = (given) => resolve({ done: false, value: given });
      signal.addEventListener("abort", () => {
        this.waiting = undefined;
        reject(signal.reason);
      });
    });
  }

  [Symbol.asyncIterator](): AsyncIterator<string> {
    throw new Error("an iterator cannot give up a pull");
  }
}

describe.for<[string, (ctx: Context, source: Source<string>, fn: (s: string) => unknown) => Promise<unknown>]>([
  ["map()", (ctx, source, fn) => collect(map(ctx, source, fn, { limit: 2 }))],
  ["forEach()", (ctx, source, fn) => forEach(ctx, source, fn, { limit: 2 })],
])("%s over a receiver", ([, run]) => {
  it("receives with its context, so that a pull which is given up takes no value with it", async () => {
    const parent = withCancel(background);
    const inbox = new Inbox();
    inbox.values.push("a", "b");
    const seen: string[] = [];
    const result = run(parent, inbox, (s) => seen.push(s));
    await settle(40);
    expect(seen).toEqual(["a", "b"]);
    expect(inbox.waiting).toBeDefined();
    parent.cancel(why);
    await expect(result).rejects.toBe(why);
    expect(inbox.waiting).toBeUndefined();
  });

  it("gives up its pull when a task fails", async () => {
    const inbox = new Inbox();
    inbox.values.push("a");
    const result = run(background, inbox, () => settle(40).then(() => Promise.reject(boom)));
    await expect(result).rejects.toBe(boom);
    expect(inbox.waiting).toBeUndefined();
  });
});

describe("forEach()", () => {
  it("calls the callback for each value, and resolves when all are done", async () => {
    const seen: number[] = [];
    const last = deferred();
    const result = forEach(
      background,
      [1, 2, 3],
      async (n) => {
        if (n === 3) await last.promise;
        seen.push(n);
      },
      { limit: 3 },
    );
    expect(await pending(result)).toBe(true);
    last.resolve();
    expect(await result).toBeUndefined();
    expect(seen).toEqual([1, 2, 3]);
  });

  it("of an empty source resolves", async () => {
    expect(await forEach(background, [], double, { limit: 1 })).toBeUndefined();
  });

  it("pulls a value only when a worker is free, and uses all of them", async () => {
    const source = new Numbers();
    const gates: Deferred<void>[] = [];
    const parent = withCancel(background);
    const result = forEach(
      parent,
      source,
      () => {
        const gate = deferred();
        gates.push(gate);
        return gate.promise;
      },
      { limit: 3 },
    );
    await settle(40);
    expect([source.pulled, gates.length]).toEqual([3, 3]);
    gates[1]?.resolve();
    await settle(40);
    expect([source.pulled, gates.length]).toEqual([4, 4]);
    parent.cancel(why);
    for (const gate of gates) gate.resolve();
    await expect(result).rejects.toBe(why);
    expect(source.closed).toBe(1);
  });

  it("rejects with the first error; siblings are canceled and waited for, the source is closed", async () => {
    const source = new Numbers();
    const log: unknown[] = [];
    const result = forEach(
      background,
      source,
      async (n, ctx) => {
        if (n === 1) {
          await settle(40);
          throw boom;
        }
        await untilDone(ctx).catch((cause: unknown) => log.push(cause));
        await settle();
        log.push(`sibling ended, source ${source.closed === 0 ? "open" : "closed"}`);
      },
      { limit: 3 },
    );
    await expect(result).rejects.toBe(boom);
    expect(log).toEqual([boom, boom, "sibling ended, source open", "sibling ended, source open"]);
    expect(source.closed).toBe(1);
  });

  it("rejects with the error of its source", async () => {
    const source = async function* (): AsyncGenerator<number> {
      yield 1;
      throw boom;
    };
    await expect(forEach(background, source(), double, { limit: 1 })).rejects.toBe(boom);
  });

  it("does not wait for a pull that is pending", async () => {
    const parent = withCancel(background);
    const source = new Manual();
    source.closing = new Promise(() => {});
    const result = forEach(parent, source, () => {}, { limit: 1 });
    await settle();
    parent.cancel(why);
    await expect(result).rejects.toBe(why);
    expect(source.closed).toBe(1);
  });

  it("rejects with what closing the source throws only if nothing failed before", async () => {
    const source = new Numbers();
    source.return = () => Promise.reject(new Error("closing"));
    await expect(forEach(background, source, () => Promise.reject(boom), { limit: 1 })).rejects.toBe(boom);
  });

  it("under a parent that is done runs nothing and rejects with its cause", async () => {
    const source = new Numbers();
    const fn = vi.fn<typeof double>(double);
    await expect(forEach(canceled(), source, fn, { limit: 1 })).rejects.toBe(why);
    expect(fn).not.toHaveBeenCalled();
    expect(source.pulled).toBe(0);
  });

  it("resolves if everything was done although the parent was canceled", async () => {
    const parent = withCancel(background);
    const last = deferred();
    const result = forEach(parent, [1], () => last.promise, { limit: 2 });
    await settle();
    parent.cancel(why);
    last.resolve();
    expect(await result).toBeUndefined();
  });
});

describe.for<[string, (...args: never) => unknown]>([
  ["map()", map],
  ["forEach()", forEach],
])("%s", ([, run]) => {
  const call = run as (...args: unknown[]) => unknown;
  afterEach(() => vi.restoreAllMocks());

  it.for<[string, unknown[], typeof TypeError | typeof RangeError]>([
    ["a source that is not iterable", [background, 5, double, { limit: 1 }], TypeError],
    ["no source", [background, undefined, double, { limit: 1 }], TypeError],
    ["a callback that is not a function", [background, [1], undefined, { limit: 1 }], TypeError],
    ["no options", [background, [1], double], TypeError],
    ["no limit", [background, [1], double, {}], TypeError],
    ["a limit that is not a number", [background, [1], double, { limit: "1" }], TypeError],
    ["limit 0", [background, [1], double, { limit: 0 }], RangeError],
    ["limit 1.5", [background, [1], double, { limit: 1.5 }], RangeError],
    ["limit NaN", [background, [1], double, { limit: Number.NaN }], RangeError],
    ["what cannot be a parent", [{}, [1], double, { limit: 1 }], TypeError],
  ])("throws at the call for %s", ([, args, type]) => {
    expect(() => call(...args)).toThrow(type);
  });
});
