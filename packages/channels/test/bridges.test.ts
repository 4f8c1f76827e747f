import { afterEach, describe, expect, it, vi } from "vitest";
import { settle } from "../../../test/support.ts";
import type { Channel } from "../src/index.ts";
import { batch, broadcast, channel, ChannelClosedError, from, merge, pipe, select, tick } from "../src/index.ts";
import { done, drain, fulfilled, got, outcome, outcomes, pending, quiet, reasonOf, rejected, rest } from "./support.ts";
import { watchedSignal } from "./support.ts";

afterEach(() => void vi.useRealTimers());

const why = new Error("the source broke");

/** A source that counts what is done to it. */
interface Probe<T> extends AsyncIterable<T> {
  /** Calls of `next()`. */
  pulls: number;
  /** Calls of `return()`. */
  closes: number;
  /** The most `next()` calls that were under way at a time. */
  together: number;
}

/** Gives `values`, each when its promise is there, then ends; or fails with `failure`. */
function probe<T>(values: Iterable<T | Promise<T>>, failure?: Error): Probe<T> {
  const iterator = values[Symbol.iterator]();
  let underWay = 0;
  const self: Probe<T> = {
    pulls: 0,
    closes: 0,
    together: 0,
    [Symbol.asyncIterator]: () => ({
      async next() {
        self.pulls++;
        self.together = Math.max(self.together, ++underWay);
        try {
          const result = iterator.next();
          if (!result.done) return { done: false, value: await result.value };
          if (failure !== undefined) throw failure;
          return { done: true, value: undefined };
        } finally {
          underWay--;
        }
      },
      async return() {
        self.closes++;
        return { done: true, value: undefined };
      },
    }),
  };
  return self;
}

const silence = new Promise<never>(() => {});
/** A source that gives nothing and never ends. */
const silent = () => probe<number>([silence]);
/** A source that gives `values` and then fails. */
const failing = <T>(...values: T[]) => probe(values, why);

function* count(end = Infinity): Generator<number> {
  for (let n = 0; n < end; n++) yield n;
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const value of source) values.push(value);
  return values;
}

describe("every bridge", () => {
  const bridges: readonly [
    name: string,
    open: (source: AsyncIterable<number> | Iterable<number>) => AsyncIterable<unknown>,
  ][] = [
    ["from()", (source) => from(source)],
    ["merge()", (source) => merge(source)],
    ["broadcast()", (source) => broadcast(source).subscribe()],
    ["batch()", (source) => batch(source, { max: 1 })],
    [
      "pipe()",
      (source) => {
        const ch = channel<number>();
        pipe(source, ch).catch(() => {});
        return ch;
      },
    ],
  ];

  describe.for(bridges)("%s", ([, open]) => {
    const values = async (source: AsyncIterable<number> | Iterable<number>) => (await all(open(source))).flat();

    it("takes any iterable or async iterable, a channel too", async () => {
      const ch = channel<number>(3);
      for (const n of count(3)) ch.trySend(n);
      ch.close();
      const stream = new ReadableStream<number>({
        start(controller) {
          for (const n of count(3)) controller.enqueue(n);
          controller.close();
        },
      });
      const sources = [[0, 1, 2], new Set([0, 1, 2]), count(3), probe([0, 1, 2]), ch, from([0, 1, 2]), stream];
      for (const source of sources) expect(await values(source as Iterable<number>)).toEqual([0, 1, 2]);
      expect(await values("abc" as never)).toEqual(["a", "b", "c"]);
    });

    it("prefers the async iterator of a source that has both", async () => {
      const source = { ...probe([1]), [Symbol.iterator]: () => expect.unreachable() };
      expect(await values(source as AsyncIterable<number>)).toEqual([1]);
    });

    it("awaits the elements of a plain iterable, as for await does", async () => {
      expect(await values([Promise.resolve(1), 2] as number[])).toEqual([1, 2]);
    });

    it("leaves the values of an async iterable and of a channel as they are, as for await does", async () => {
      const promise = Promise.resolve(1);
      const results = [
        { done: false, value: promise },
        { done: true, value: undefined },
      ];
      const source = { [Symbol.asyncIterator]: () => ({ next: async () => results.shift() }) };
      expect((await values(source as never))[0]).toBe(promise);
      const ch = channel<unknown>(1);
      ch.trySend(promise);
      ch.close();
      expect((await values(ch as never))[0]).toBe(promise);
    });

    it("has one next() under way at most, and none after the end", async () => {
      const source = probe([Promise.resolve(0), 1, Promise.resolve(2)]);
      expect(await values(source)).toEqual([0, 1, 2]);
      await rest();
      expect([source.together, source.pulls, source.closes]).toEqual([1, 4, 0]);
    });

    it("hands a source's error on after the values before it, and closes nothing that has failed", async () => {
      const source = failing(0, 1);
      const received: unknown[] = [];
      const loop = (async () => {
        for await (const value of open(source)) received.push(value);
      })();
      expect(await reasonOf(loop)).toBe(why);
      expect(received.flat()).toEqual([0, 1]);
      expect(source.closes).toBe(0);
    });

    it("hands on what next() throws", async () => {
      const source = {
        [Symbol.asyncIterator]: () => ({
          next() {
            throw why;
          },
        }),
      };
      expect(await reasonOf(all(open(source as never)))).toBe(why);
    });

    it("hands on the rejection of an element of a plain iterable, and closes that", async () => {
      const closed = vi.fn();
      function* elements() {
        try {
          yield 1;
          yield Promise.reject(why);
        } finally {
          closed();
        }
      }
      expect(await reasonOf(all(open(elements() as Iterable<number>)))).toBe(why);
      expect(closed).toHaveBeenCalledOnce();
    });

    it("hands on the rejection of an element, whatever the closing of the iterable does", async () => {
      const iterator = {
        next: () => ({ done: false, value: Promise.reject(why) }),
        return() {
          throw new Error("closing failed, too");
        },
      };
      const source = { [Symbol.iterator]: () => iterator };
      expect(await reasonOf(all(open(source as unknown as Iterable<number>)))).toBe(why);
    });

    it("takes an iterator that gives no object for a TypeError of the source", async () => {
      const source = { [Symbol.asyncIterator]: () => ({ next: async () => 1 }) };
      expect(await reasonOf(all(open(source as never)))).toBeInstanceOf(TypeError);
    });

    it("throws a TypeError at the call for what cannot be iterated over", () => {
      for (const wrong of [
        undefined,
        null,
        1,
        true,
        {},
        () => 1,
        Promise.resolve([]),
        { next: () => ({ done: true }) },
      ]) {
        expect(() => open(wrong as never)).toThrow(TypeError);
      }
    });
  });
});

describe("from()", () => {
  it.for([0, 1, 4])("pulls only as far as its capacity, %i, and one value more on its way", async (capacity) => {
    const source = probe(count());
    await using numbers = from(source, { capacity });
    await rest();
    expect(source.pulls).toBe(capacity + 1);
    for (let n = 0; n < 3; n++) {
      expect(await numbers.receive()).toEqual({ done: false, value: n });
      await rest();
      expect(source.pulls).toBe(capacity + 2 + n);
    }
  });

  it("is a receiver that can stand in a select, more than once", async () => {
    await using numbers = from(probe([1, silence as Promise<never>]));
    const ch = channel<string>();
    expect(await select({ ch, numbers })).toEqual({ case: "numbers", done: false, value: 1 });
    const picked = select({ ch, numbers });
    await rest();
    ch.trySend("x");
    expect((await picked).case).toBe("ch");
  });

  it("loses nothing when it loses a select, or when a receive from it is cancelled", async () => {
    let open: (value: number) => void = () => {};
    const first = new Promise<number>((resolve) => (open = resolve));
    await using numbers = from(probe([first, 2]));
    const ch = channel<string>();
    const picked = select({ ch, numbers });
    const controller = new AbortController();
    const received = numbers.receive({ signal: controller.signal });
    ch.trySend("x");
    controller.abort("enough");
    open(1);
    expect((await picked).case).toBe("ch");
    expect(await reasonOf(received)).toBe("enough");
    expect(await all(numbers)).toEqual([1, 2]);
  });

  it("closes when its source has ended, and drains first", async () => {
    const numbers = from([1, 2, 3], { capacity: 5 });
    await rest();
    expect(await all(numbers)).toEqual([1, 2, 3]);
    expect(await outcome(numbers.receive())).toEqual(done);
    expect(numbers.tryReceive()).toEqual({ done: true, value: undefined });
  });

  describe("disposed", () => {
    it("closes its source by return(), once, and gives done", async () => {
      const source = probe(count());
      const numbers = from(source);
      expect(await numbers.receive()).toEqual({ done: false, value: 0 });
      await rest();
      const waiting = [numbers.receive(), numbers.receive()];
      expect(await outcomes(waiting)).toEqual([got(1), got(2)]);
      await numbers[Symbol.asyncDispose]();
      expect(source.closes).toBe(1);
      expect(await outcome(numbers.receive())).toEqual(done);
      await numbers[Symbol.asyncDispose]();
      await rest();
      expect(source.closes).toBe(1);
    });

    it("gives done to those who wait", async () => {
      const numbers = from(silent());
      const waiting = [numbers.receive(), select({ numbers })];
      await numbers[Symbol.asyncDispose]();
      expect(await outcomes<unknown>(waiting)).toEqual([
        done,
        fulfilled({ case: "numbers", done: true, value: undefined }),
      ]);
    });

    it("does not wait for a value that may never come, but asks the source to close", async () => {
      const source = silent();
      const numbers = from(source);
      await rest();
      expect(await outcome(numbers[Symbol.asyncDispose]())).toEqual(fulfilled(undefined));
      expect(source.closes).toBe(1);
    });

    it("does not wait for an async generator that waits for its value: its return() would wait, too", async () => {
      async function* numbers() {
        yield await silence;
      }
      const them = from(numbers());
      await rest();
      expect(await outcome(them[Symbol.asyncDispose]())).toEqual(fulfilled(undefined));
    });

    it("waits until its source has closed", async () => {
      const log: string[] = [];
      async function* numbers() {
        try {
          yield 1;
          yield 2;
        } finally {
          await rest();
          log.push("source closed");
        }
      }
      {
        await using them = from(numbers());
        await them.receive();
        await rest();
      }
      log.push("scope left");
      expect(log).toEqual(["source closed", "scope left"]);
    });

    it("leaves a channel open, with no waiter on it", async () => {
      const ch = channel<number>();
      const numbers = from(ch);
      await rest();
      await numbers[Symbol.asyncDispose]();
      expect(ch.closed).toBe(false);
      expect(quiet(ch)).toBe(true);
    });

    it("does nothing to a source that has ended or failed", async () => {
      for (const source of [probe<number>([]), failing<number>()]) {
        const numbers = from(source);
        await rest();
        await numbers[Symbol.asyncDispose]();
        expect(source.closes).toBe(0);
      }
    });

    it("is not disturbed by a return() that fails", async () => {
      for (const fail of [async () => Promise.reject(why), () => expect.fail("a synchronous throw")]) {
        const source = {
          [Symbol.asyncIterator]: () => ({ next: async () => ({ done: false, value: 1 }), return: fail }),
        };
        const numbers = from(source as AsyncIterable<number>);
        await rest();
        expect(await outcome(numbers[Symbol.asyncDispose]())).toEqual(fulfilled(undefined));
      }
    });
  });

  it("disposed from inside of its source's next(), closes all the same", async () => {
    let closes = 0;
    const made: { numbers?: AsyncDisposable } = {}; // the source may be pulled before it is made
    const source: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        async next() {
          if (made.numbers === undefined) return { done: false, value: 1 };
          void made.numbers[Symbol.asyncDispose]().then(() => closes++);
          return silence;
        },
      }),
    };
    const numbers = from(source);
    made.numbers = numbers;
    expect(await outcomes([numbers.receive(), numbers.receive()])).toEqual([got(1), done]);
    expect(closes).toBe(1);
  });

  describe("under a signal", () => {
    it("closes with its reason as the cause, and closes the source by return()", async () => {
      for (const source of [probe(count()), silent()]) {
        const { controller, signal, listeners } = watchedSignal();
        const numbers = from(source, { signal });
        await rest();
        const reason = { enough: true };
        controller.abort(reason);
        await rest();
        expect(await reasonOf(numbers.receive())).toBe(reason);
        expect([source.closes, listeners()]).toEqual([1, 0]);
      }
    });

    it("that has aborted before, pulls nothing", async () => {
      const source = probe(count());
      const numbers = from(source, { signal: AbortSignal.abort("enough") });
      expect(await reasonOf(numbers.receive())).toBe("enough");
      expect(source.pulls).toBe(0);
    });

    it("that aborts during next(), closes all the same", async () => {
      const controller = new AbortController();
      const source = {
        [Symbol.asyncIterator]: () => ({
          next() {
            controller.abort("enough");
            return silence;
          },
        }),
      };
      const numbers = from(source, { signal: controller.signal });
      expect(await outcome(numbers.receive())).toEqual(rejected("enough"));
    });

    it("leaves no waiter on a channel, and no listener once the source has ended", async () => {
      const { controller, signal, listeners } = watchedSignal();
      const ch = channel<number>();
      const numbers = from(ch, { signal });
      await rest();
      controller.abort("enough");
      expect(await reasonOf(numbers.receive())).toBe("enough");
      expect([ch.closed, quiet(ch), listeners()]).toEqual([false, true, 0]);

      const ended = watchedSignal();
      expect(await all(from([1], { signal: ended.signal }))).toEqual([1]);
      await rest();
      expect(ended.listeners()).toBe(0);
    });
  });
});

describe("pipe()", () => {
  it("sends every value and closes the target at the end", async () => {
    const ch = channel<number>();
    const piped = pipe(count(4), ch);
    expect(await all(ch)).toEqual([0, 1, 2, 3]);
    expect(await outcome(piped)).toEqual(fulfilled(undefined));
    expect(ch.closed).toBe(true);
  });

  it("with close: false leaves the target open, in each case", async () => {
    const ch = channel<number>(9);
    const options = { close: false };
    expect(await outcome(pipe([1, 2], ch, options))).toEqual(fulfilled(undefined));
    expect(await reasonOf(pipe(failing(3), ch, options))).toBe(why);
    expect(await reasonOf(pipe([4], ch, { ...options, signal: AbortSignal.abort("enough") }))).toBe("enough");
    expect(ch.closed).toBe(false);
    expect(drain(ch)).toEqual([1, 2, 3]);
  });

  it("with close: undefined or true closes the target", async () => {
    for (const close of [undefined, true]) {
      const ch = channel<number>(1);
      await pipe([], ch, { close });
      expect(ch.closed).toBe(true);
    }
  });

  it("takes a value only when the one before has been sent", async () => {
    const source = probe(count());
    const ch = channel<number>(2);
    const { controller, signal } = watchedSignal();
    const piped = pipe(source, ch, { signal });
    await rest();
    expect(source.pulls).toBe(3);
    ch.tryReceive();
    await rest();
    expect(source.pulls).toBe(4);
    controller.abort("enough");
    expect(await reasonOf(piped)).toBe("enough");
  });

  it("hands a source's error on as the cause of closing, and rejects with it too", async () => {
    const ch = channel<number>();
    const piped = reasonOf(pipe(failing(1), ch));
    expect(ch.tryReceive()).toBeUndefined();
    const received = [ch.receive(), ch.receive()];
    expect(await outcomes(received)).toEqual([got(1), rejected(why)]);
    expect(await reasonOf(ch.receive())).toBe(why);
    expect(await piped).toBe(why);
  });

  it("rejects with the target's ChannelClosedError, and closes its source", async () => {
    for (const cause of [undefined, "cause"]) {
      const source = probe(count());
      const ch = channel<number>({ name: "target" });
      const piped = pipe(source, ch);
      await rest();
      ch.close(cause);
      const error = expect.objectContaining({
        code: "ERR_CHANNEL_CLOSED",
        message: expect.stringContaining('"target"'),
      });
      expect(await outcome(piped)).toEqual(rejected(error));
      expect(source.closes).toBe(1);
    }
    const closed = channel<number>();
    closed.close();
    const source = probe([1]);
    expect(await reasonOf(pipe(source, closed))).toBeInstanceOf(ChannelClosedError);
    expect(source.closes).toBe(1);
  });

  it("rejects with the signal's reason, and closes its source: while the target is full", async () => {
    const source = probe(count());
    const { controller, signal, listeners } = watchedSignal();
    const ch = channel<number>();
    const piped = pipe(source, ch, { signal });
    await rest();
    controller.abort("enough");
    expect(await outcome(piped)).toEqual(rejected("enough"));
    expect([source.closes, listeners()]).toEqual([1, 0]);
    expect(await reasonOf(ch.receive()), "its receivers learn that values are missing").toBe("enough");
  });

  it("rejects with the signal's reason, and closes its source: while that is silent", async () => {
    const source = silent();
    const { controller, signal, listeners } = watchedSignal();
    const piped = pipe(source, channel<number>(), { signal });
    await rest();
    controller.abort("enough");
    expect(await outcome(piped)).toEqual(rejected("enough"));
    expect([source.closes, listeners()]).toEqual([1, 0]);
  });

  it("leaves nothing on the signal once its source has ended or failed", async () => {
    for (const source of [probe([1, 2]), failing(1, 2)]) {
      const { signal, listeners } = watchedSignal();
      await outcome(pipe(source, channel<number>(9), { signal }));
      expect(listeners()).toBe(0);
    }
  });

  it("rejects with the reason of a signal that has aborted before, and closes its source without a pull", async () => {
    const source = probe([1]);
    expect(await reasonOf(pipe(source, channel<number>(1), { signal: AbortSignal.abort("enough") }))).toBe("enough");
    expect([source.pulls, source.closes]).toEqual([0, 1]);
  });

  it("rejects with the reason of a signal that aborts during next()", async () => {
    const { controller, signal, listeners } = watchedSignal();
    let closes = 0;
    const source = {
      [Symbol.asyncIterator]: () => ({
        next() {
          controller.abort("enough");
          return silence;
        },
        async return() {
          closes++;
          return { done: true as const, value: undefined };
        },
      }),
    };
    expect(await outcome(pipe(source, channel<never>(), { signal }))).toEqual(rejected("enough"));
    expect([closes, listeners()]).toEqual([1, 0]);
  });

  it("leaves a channel as its source open, with no waiter on it", async () => {
    const ch = channel<number>();
    const { controller, signal } = watchedSignal();
    const piped = pipe(ch, channel<number>(), { signal });
    await rest();
    controller.abort("enough");
    expect(await outcome(piped)).toEqual(rejected("enough"));
    expect([ch.closed, quiet(ch)]).toEqual([false, true]);
  });

  it("takes nothing from a channel when the signal aborts before there is something", async () => {
    const ch = channel<number>(1);
    const controller = new AbortController();
    const piped = pipe(ch, channel<number>(5), { signal: controller.signal });
    await rest();
    controller.abort("enough");
    ch.trySend(1);
    expect(await outcome(piped)).toEqual(rejected("enough"));
    expect(drain(ch)).toEqual([1]);
  });

  it("gives the first error, whatever the closing of the source does", async () => {
    const closes = [async () => Promise.reject(why), () => expect.fail("a synchronous throw"), undefined];
    for (const close of closes) {
      const iterator = { next: async () => ({ done: false, value: 1 }), ...(close && { return: close }) };
      const ch = channel<number>();
      ch.close();
      const source = { [Symbol.asyncIterator]: () => iterator } as AsyncIterable<number>;
      expect(await reasonOf(pipe(source, ch))).toBeInstanceOf(ChannelClosedError);
    }
  });

  it("into a channel that drops never waits", async () => {
    const ch = channel<number>({ capacity: 2, overflow: "drop-oldest" });
    expect(await outcome(pipe(count(10), ch))).toEqual(fulfilled(undefined));
    expect(drain(ch)).toEqual([8, 9]);
  });
});

describe("merge()", () => {
  it("gives the values of all sources, each source's in its order, and then closes", async () => {
    const ch = channel<number>();
    void pipe([100, 101, 102], ch);
    const values = await all(merge([0, 1, 2], probe([10, 11, 12]), ch));
    expect(values.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 10, 11, 12, 100, 101, 102]);
    for (const tens of [0, 10, 100]) {
      const own = values.filter((n) => n >= tens && n <= tens + 2);
      expect(own).toEqual([tens, tens + 1, tens + 2]);
    }
  });

  it("gives values as they come: a silent source holds up nobody", async () => {
    let open: (value: number) => void = () => {};
    const late = new Promise<number>((resolve) => (open = resolve));
    await using numbers = merge(probe([late]), [1, 2, 3]);
    for (const n of [1, 2, 3]) expect(await outcome(numbers.receive())).toEqual(got(n));
    const last = numbers.receive();
    expect(await outcome(last)).toEqual(pending);
    open(99);
    expect(await outcome(last)).toEqual(got(99));
    expect(await outcome(numbers.receive())).toEqual(done);
  });

  it("of no source is closed, of one is like it", async () => {
    expect(await outcome(merge().receive())).toEqual(done);
    expect(await all(merge([1, 2]))).toEqual([1, 2]);
  });

  it("pulls each source one value ahead, no more", async () => {
    const sources = [probe(count()), probe(count()), probe(count())] as const;
    await using numbers = merge(...sources);
    await rest();
    expect(sources.map(({ pulls }) => pulls)).toEqual([1, 1, 1]);
    await numbers.receive();
    await rest();
    expect(sources.reduce((sum, { pulls }) => sum + pulls, 0)).toBe(4);
  });

  it("serves its sources in turn: a fast one does not starve the others", async () => {
    await using numbers = merge(
      probe(
        (function* () {
          for (;;) yield "a";
        })(),
      ),
      probe(
        (function* () {
          for (;;) yield "b";
        })(),
      ),
    );
    const counts = { a: 0, b: 0 };
    for (let i = 0; i < 100; i++) counts[((await numbers.receive()).value as "a" | "b") ?? "a"]++;
    expect(counts).toEqual({ a: 50, b: 50 });
  });

  it("takes one source's error for the cause of closing, and closes the others", async () => {
    const others = [probe(count()), silent()] as const;
    const ch = channel<number>();
    const numbers = merge(...others, ch, failing<number>());
    await rest();
    expect(await reasonOf(all(numbers))).toBe(why);
    expect(others.map(({ closes }) => closes)).toEqual([1, 1]);
    expect([ch.closed, quiet(ch)]).toEqual([false, true]);
  });

  it("disposed closes its sources by return(), but leaves channels open and no waiter on them", async () => {
    const sources = [probe(count()), silent(), probe([])] as const;
    const ch = channel<number>();
    const numbers = merge<number>(...sources, ch);
    await rest();
    await numbers[Symbol.asyncDispose]();
    expect(sources.map(({ closes }) => closes)).toEqual([1, 1, 0]);
    expect([ch.closed, quiet(ch)]).toEqual([false, true]);
    expect(await outcome(numbers.receive())).toEqual(done);
  });

  it("takes the same channel twice, and gives each of its values once", async () => {
    const ch = channel<number>();
    void pipe(count(10), ch);
    expect((await all(merge(ch, ch))).toSorted((a, b) => a - b)).toEqual([...count(10)]);
  });

  it("with a wrong source throws at the call, and leaves the others as they were", async () => {
    const ch = channel<number>();
    const stream = new ReadableStream<number>();
    expect(() => merge(ch, stream as unknown as AsyncIterable<number>, 5 as never)).toThrow(TypeError);
    await rest();
    expect(quiet(ch)).toBe(true);
    expect(stream.locked).toBe(false);
  });
});

describe("broadcast()", () => {
  it("gives everything to who subscribes in the turn of the call, and closes at the end", async () => {
    const news = broadcast([1, 2, 3]);
    const first = news.subscribe();
    for (let i = 0; i < 10; i++) await Promise.resolve();
    const second = news.subscribe(); // still the same turn of the event loop
    expect(await Promise.all([all(first), all(second)])).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  it("gives to who subscribes later what comes later", async () => {
    const ch = channel<number>();
    const news = broadcast(ch, { capacity: 9 });
    const early = news.subscribe();
    await rest();
    await ch.send(1);
    await rest();
    const late = news.subscribe();
    await ch.send(2);
    ch.close();
    expect(await all(early)).toEqual([1, 2]);
    expect(await all(late)).toEqual([2]);
  });

  it("does not give a value that is already on its way to who subscribes then", async () => {
    const news = broadcast([1, 2]);
    const first = news.subscribe();
    await rest(); // 1 waits for the first
    const second = news.subscribe();
    const seconds = all(second);
    expect(await all(first)).toEqual([1, 2]);
    expect(await seconds).toEqual([2]);
  });

  it("reads its options once, at the call", () => {
    const options = { capacity: 1 };
    const news = broadcast(channel<number>(), options);
    options.capacity = -1;
    expect(() => news.subscribe()).not.toThrow();
  });

  it("where nobody has subscribed, lets values go, as on the radio", async () => {
    const source = probe(count(5));
    const news = broadcast(source);
    await rest();
    expect(source.pulls).toBe(6);
    expect(await all(news.subscribe())).toEqual([]);
  });

  it("is held up by the slowest subscriber", async () => {
    const source = probe(count());
    const news = broadcast(source);
    const [fast, slow] = [news.subscribe(), news.subscribe()];
    const fasts: number[] = [];
    void (async () => {
      for await (const n of fast) fasts.push(n);
    })();
    await rest();
    expect([source.pulls, fasts]).toEqual([1, [0]]);
    await slow.receive();
    await rest();
    expect([source.pulls, fasts]).toEqual([2, [0, 1]]);
    await news[Symbol.asyncDispose]();
  });

  it("runs ahead of the slowest subscriber by its capacity", async () => {
    const source = probe(count());
    const news = broadcast(source, { capacity: 3 });
    news.subscribe();
    void all(news.subscribe());
    await rest();
    expect(source.pulls).toBe(4);
    await news[Symbol.asyncDispose]();
  });

  it.for([
    ["drop-oldest", [6, 7, 8, 9]],
    ["drop-newest", [0, 1, 2, 3]],
  ] as const)('with overflow "%s" is held up by nobody', async ([overflow, kept]) => {
    const source = probe(count(10));
    const news = broadcast(source, { capacity: 4, overflow });
    const slow = news.subscribe();
    await rest();
    expect(source.pulls).toBe(11);
    expect(await all(slow)).toEqual(kept);
  });

  it("takes options per subscription in place of its own", async () => {
    const source = probe(count(10));
    const news = broadcast(source);
    const last = news.subscribe({ capacity: 1, overflow: "drop-oldest" });
    await rest();
    expect(source.pulls).toBe(11);
    expect(await all(last)).toEqual([9]);

    const other = probe(count(10));
    broadcast(other, { capacity: 4, overflow: "drop-oldest" }).subscribe({ name: "unbuffered" });
    await rest();
    expect(other.pulls, "none of the options of broadcast hold").toBe(1);
  });

  it("is not held up by one that leaves, who gets done and what was buffered", async () => {
    const source = probe(count());
    const news = broadcast(source);
    const stays = news.subscribe();
    const got: number[] = [];
    void (async () => {
      for await (const n of stays) got.push(n);
    })();
    {
      using leaves = news.subscribe({ capacity: 1 });
      await rest();
      expect(got, "held up by the one that leaves").toEqual([0, 1]);
      leaves[Symbol.dispose]();
      expect(await all(leaves)).toEqual([0]);
    }
    await rest();
    expect(got.length).toBeGreaterThan(2);
    await news[Symbol.asyncDispose]();
  });

  it("gives done to one that waits and leaves; leaving twice does nothing", async () => {
    const news = broadcast(silent());
    const leaves = news.subscribe();
    const waiting = [leaves.receive(), select({ leaves })];
    leaves[Symbol.dispose]();
    leaves[Symbol.dispose]();
    expect(await outcomes<unknown>(waiting)).toEqual([
      done,
      fulfilled({ case: "leaves", done: true, value: undefined }),
    ]);
    await news[Symbol.asyncDispose]();
  });

  it("hands a source's error on to all as the cause of closing, also to who comes later", async () => {
    const news = broadcast(failing(1, 2), { capacity: 5 });
    const subscriptions = [news.subscribe(), news.subscribe()];
    await rest();
    for (const subscription of subscriptions) {
      expect([await subscription.receive(), await subscription.receive()]).toEqual(
        [1, 2].map((value) => ({ done: false, value })),
      );
    }
    for (const subscription of [...subscriptions, news.subscribe()]) {
      expect(await reasonOf(subscription.receive())).toBe(why);
    }
  });

  it("disposed closes its source by return() and gives done to all", async () => {
    for (const source of [probe(count()), silent()]) {
      const news = broadcast(source);
      const slow = news.subscribe();
      const waits = news.subscribe();
      await rest();
      await news[Symbol.asyncDispose]();
      expect(source.closes).toBe(1);
      await waits.receive();
      expect(await outcomes([slow.receive(), waits.receive(), news.subscribe().receive()])).toEqual([done, done, done]);
      await news[Symbol.asyncDispose]();
      expect(source.closes).toBe(1);
    }
  });

  it("disposed before it began pulls nothing", async () => {
    const source = probe(count());
    const news = broadcast(source);
    await news[Symbol.asyncDispose]();
    expect(source.pulls).toBe(0);
  });

  it("disposed leaves a channel open, with no waiter on it", async () => {
    const ch = channel<number>();
    const news = broadcast(ch);
    news.subscribe();
    await rest();
    await news[Symbol.asyncDispose]();
    expect([ch.closed, quiet(ch)]).toEqual([false, true]);
  });
});

describe("batch()", () => {
  /** A channel with room that holds `0 … count - 1`. */
  function filled(length: number): Channel<number> {
    const ch = channel<number>(100);
    for (const n of count(length)) ch.trySend(n);
    return ch;
  }

  it("gives what is there now, from 1 to max values, in their order", async () => {
    const ch = filled(5);
    const batches = batch(ch, { max: 3 });
    expect(await batches.next()).toEqual({ done: false, value: [0, 1, 2] });
    expect(await batches.next()).toEqual({ done: false, value: [3, 4] });
    const next = batches.next();
    expect(await outcome(next)).toEqual(pending);
    ch.trySend(5);
    expect(await outcome(next)).toEqual(got([5]));
  });

  it("fills its batches from a source that gives one by one what it has", async () => {
    async function* generator() {
      yield* count(5);
    }
    for (const source of [[0, 1, 2, 3, 4], generator(), probe(count(5)), from(count(5), { capacity: 5 })]) {
      await rest();
      expect(await all(batch(source, { max: 2 }))).toEqual([[0, 1], [2, 3], [4]]);
    }
  });

  it("takes the values of waiting senders, too", async () => {
    const ch = channel<number>();
    const sends = [1, 2, 3].map((n) => ch.send(n));
    expect(await batch(ch, { max: 9 }).next()).toEqual({ done: false, value: [1, 2, 3] });
    await Promise.all(sends);
  });

  it("takes from a channel only what it hands out", async () => {
    const ch = filled(10);
    for await (const some of batch(ch, { max: 4 })) {
      expect(some).toEqual([0, 1, 2, 3]);
      expect(ch.length).toBe(6);
      break;
    }
    expect(ch.closed).toBe(false);
    expect(drain(ch)).toEqual([4, 5, 6, 7, 8, 9]);
    expect(quiet(ch)).toBe(true);
  });

  it("by default does not wait for more after the first", async () => {
    vi.useFakeTimers();
    const ch = channel<number>();
    for (const options of [{ max: 9 }, { max: 9, within: 0 }, { max: 9, within: undefined as never }]) {
      const next = batch(ch, options).next();
      await rest();
      ch.trySend(1);
      expect(await outcome(next)).toEqual(got([1]));
      expect(vi.getTimerCount()).toBe(0);
    }
  });

  it("by default takes from a channel what is there now, without a turn of the event loop", async () => {
    const ch = filled(2);
    let batched: unknown;
    void batch(ch, { max: 9 })
      .next()
      .then(({ value }) => (batched = value));
    await settle();
    expect(batched).toEqual([0, 1]);
  });

  describe("within some milliseconds", () => {
    it("waits for more, counted from the first value", async () => {
      vi.useFakeTimers();
      const ch = channel<number>();
      const next = batch(ch, { max: 9, within: 100 }).next();
      await rest();
      vi.advanceTimersByTime(500);
      expect(await outcome(next)).toEqual(pending);
      for (const n of [1, 2, 3]) {
        ch.trySend(n);
        await rest();
        vi.advanceTimersByTime(33);
        expect(await outcome(next)).toEqual(pending);
      }
      vi.advanceTimersByTime(1);
      expect(await outcome(next)).toEqual(got([1, 2, 3]));
      expect([vi.getTimerCount(), quiet(ch)]).toEqual([0, true]);
    });

    it("does not wait once there are max values", async () => {
      vi.useFakeTimers();
      const ch = filled(1);
      const next = batch(ch, { max: 2, within: 100 }).next();
      expect(await outcome(next)).toEqual(pending);
      ch.trySend(1);
      ch.trySend(2);
      expect(await outcome(next)).toEqual(got([0, 1]));
      expect([vi.getTimerCount(), ch.length]).toEqual([0, 1]);
    });

    it("does not wait once the channel is closed", async () => {
      vi.useFakeTimers();
      const ch = filled(2);
      const batches = batch(ch, { max: 9, within: 100 });
      const next = batches.next();
      expect(await outcome(next)).toEqual(pending);
      ch.close();
      expect(await outcome(next)).toEqual(got([0, 1]));
      expect(await outcome(batches.next())).toEqual(done);
      expect(vi.getTimerCount()).toBe(0);
    });

    it("may be Infinity: until the batch is full or the channel closed", async () => {
      vi.useFakeTimers();
      const ch = filled(1);
      const next = batch(ch, { max: 2, within: Infinity }).next();
      vi.advanceTimersByTime(1e12);
      expect(await outcome(next)).toEqual(pending);
      expect(vi.getTimerCount()).toBe(0);
      ch.trySend(1);
      expect(await outcome(next)).toEqual(got([0, 1]));
    });
  });

  it("ends with the last values, then with done", async () => {
    const ch = filled(3);
    ch.close();
    const batches = batch(ch, { max: 2 });
    expect(await outcomes([batches.next(), batches.next(), batches.next(), batches.next()])).toEqual([
      got([0, 1]),
      got([2]),
      done,
      done,
    ]);
  });

  it("gives the values before a failure first, then the error once, then done", async () => {
    const ch = filled(3);
    ch.close(why);
    const batches = batch(ch, { max: 2 });
    expect(await batches.next()).toEqual({ done: false, value: [0, 1] });
    expect(await batches.next()).toEqual({ done: false, value: [2] });
    expect(await reasonOf(batches.next())).toBe(why);
    expect(await outcome(batches.next())).toEqual(done);

    const even = filled(2);
    even.close(why);
    const whole = batch(even, { max: 2 });
    expect(await whole.next()).toEqual({ done: false, value: [0, 1] });
    expect(await reasonOf(whole.next())).toBe(why);
  });

  it("gives the values before a failure first also when that comes while it waits for more", async () => {
    vi.useFakeTimers();
    const ch = filled(1);
    const batches = batch(ch, { max: 9, within: 100 });
    const next = batches.next();
    await rest();
    ch.close(why);
    expect(await outcome(next)).toEqual(got([0]));
    expect(await reasonOf(batches.next())).toBe(why);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("serves concurrent next() calls in order", async () => {
    const ch = channel<number>();
    const batches = batch(ch, { max: 2 });
    const nexts = [batches.next(), batches.next(), batches.next()];
    for (const n of count(5)) await ch.send(n);
    ch.close();
    const values = (await Promise.all(nexts)).flatMap((result) => (result.done ? [] : result.value));
    expect(values).toEqual([...count(values.length)]);
  });

  it("pulls another source up to max values ahead, and one on its way", async () => {
    const source = probe(count());
    const batches = batch(source, { max: 4 });
    await rest();
    expect(source.pulls).toBe(5);
    expect(await batches.next()).toEqual({ done: false, value: [0, 1, 2, 3, 4].slice(0, 4) });
    await batches.return?.();
  });

  it("left by break, closes a source that is not a channel, and waits for it", async () => {
    const log: string[] = [];
    async function* numbers() {
      try {
        for (;;) yield 1;
      } finally {
        await rest();
        log.push("closed");
      }
    }
    for await (const _ of batch(numbers(), { max: 2 })) break;
    expect(log).toEqual(["closed"]);

    const source = silent();
    await batch(source, { max: 2 }).return?.();
    expect(source.closes).toBe(1);
  });

  it("left while it waits for a first value, takes nothing", async () => {
    const ch = channel<number>();
    const batches = batch(ch, { max: 2 });
    const next = batches.next();
    await rest();
    const left = batches.return?.();
    expect(await outcome(next)).toEqual(done);
    expect(await outcome(left as Promise<unknown>)).toEqual(done);
    expect([quiet(ch), ch.closed]).toEqual([true, false]);
    expect(await outcome(batches.next())).toEqual(done);
  });

  it("left while a batch is being collected, hands that out", async () => {
    vi.useFakeTimers();
    const ch = filled(2);
    const batches = batch(ch, { max: 9, within: 1_000 });
    const next = batches.next();
    await rest();
    const left = batches.return?.();
    expect(await outcome(next)).toEqual(got([0, 1]));
    expect(await outcome(left as Promise<unknown>)).toEqual(done);
    ch.trySend(2);
    expect(await outcome(batches.next())).toEqual(done);
    expect([drain(ch), vi.getTimerCount()]).toEqual([[2], 0]);
  });

  it("left while a batch is being collected, is left only when that has been handed out", async () => {
    vi.useFakeTimers();
    const batches = batch(filled(2), { max: 9, within: 1_000 });
    const order: string[] = [];
    void batches.next().then(() => order.push("batch"));
    await rest();
    void batches.return?.().then(() => order.push("left"));
    await rest();
    expect(order).toEqual(["batch", "left"]);
  });

  it("left when its source has failed after the last batch, is told nothing more", async () => {
    const ch = filled(1);
    ch.close(why);
    const batches = batch(ch, { max: 2 });
    expect(await outcome(batches.next())).toEqual(got([0]));
    await batches.return?.();
    expect(await outcome(batches.next())).toEqual(done);
  });

  it("takes a timer for a source like any receiver", async () => {
    vi.useFakeTimers();
    const next = batch(tick(10), { max: 2, within: 100 }).next();
    for (let i = 0; i < 2; i++) {
      await rest();
      vi.advanceTimersByTime(10);
    }
    expect((await outcome(next)).status).toBe("fulfilled");
  });
});
