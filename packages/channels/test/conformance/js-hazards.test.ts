// Hazards of JavaScript: iterators that are left or asked too often, timers beyond the host's range, signals that are not
// the platform's, handlers that throw.
import { afterEach, assert, beforeEach, describe, expect, it, vi } from "vitest";
import { macro } from "../../../../test/support.ts";
import {
  after,
  at,
  batch,
  broadcast,
  type Channel,
  channel,
  ChannelClosedError,
  from,
  merge,
  never,
  pipe,
  type Receiver,
  select,
  sending,
  tick,
  trySelect,
  type WaitOptions,
} from "../../src/index.ts";
import { outcome, rest } from "../support.ts";
import { parked } from "./turns.ts";

const DONE = { done: true, value: undefined };

describe("P-169 a handler that throws", () => {
  it("P-169 the code after a select may throw: the value was taken once, and nothing waits any more (handlers are no part of select)", async () => {
    const [jobs, other] = [channel<string>(), channel<string>()];
    const boom = new Error("boom");
    const handled = (async () => {
      const picked = await select({ job: jobs, other, sent: sending(other, "mine") });
      if (picked.case === "job") throw boom;
      return picked;
    })();
    await rest();
    expect(jobs.trySend("first")).toBe(true);
    expect(jobs.trySend("second")).toBe(false);
    await expect(handled).rejects.toBe(boom);
    expect(other.trySend("x")).toBe(false);
    expect(other.tryReceive()).toBeUndefined();
    const next = jobs.receive();
    expect(jobs.trySend("third")).toBe(true);
    expect(await next).toEqual({ done: false, value: "third" });
  });

  it("P-169 a body of for await that throws has taken its value and no more", async () => {
    const ch = channel<number>(3);
    for (let n = 1; n <= 3; n++) ch.trySend(n);
    const loop = (async () => {
      for await (const value of ch) throw new Error(`at ${value}`);
    })();
    await expect(loop).rejects.toThrow("at 1");
    expect([ch.length, ch.closed]).toEqual([2, false]);
    expect(await ch.receive()).toEqual({ done: false, value: 2 });
  });
});

describe("P-170 (channels) timers beyond the range of the host's", () => {
  beforeEach(() => void vi.useFakeTimers({ now: Date.UTC(2030, 0, 1) }));
  afterEach(() => void vi.useRealTimers());

  const DAY = 86_400_000;
  const delays = [2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 3.6e9, 25 * DAY, 2 ** 32 + 5];

  /** Waits for `timer` in three ways; tells which have fired. */
  function watch(timer: () => Receiver<Date>): string[] {
    const fired: string[] = [];
    void timer()
      .receive()
      .then(() => fired.push("receive"));
    void select({ timer: timer(), quiet: channel() }).then(() => fired.push("select"));
    void (async () => {
      for await (const _ of timer()) return fired.push("for await");
      return 0;
    })();
    return fired;
  }

  it.each(delays)("P-170 (channels) after(%i) fires at its time, not before", async (ms) => {
    const fired = watch(() => after(ms));
    await vi.advanceTimersByTimeAsync(50);
    expect(fired).toEqual([]);
    await vi.advanceTimersByTimeAsync(ms - 51);
    expect(fired).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(fired.toSorted()).toEqual(["for await", "receive", "select"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("P-170 (channels) at a point 25 days ahead fires then, not before", async () => {
    const time = Date.now() + 25 * DAY;
    const fired = [watch(() => at(time)), watch(() => at(new Date(time)))];
    await vi.advanceTimersByTimeAsync(50);
    expect(fired).toEqual([[], []]);
    vi.setSystemTime(time - 120_000); // it looks at the wall clock every minute, so days pass in no time
    await vi.advanceTimersByTimeAsync(119_999);
    expect(fired).toEqual([[], []]);
    await vi.advanceTimersByTimeAsync(1);
    expect(fired.map((ways) => ways.length)).toEqual([3, 3]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("P-170 (channels) tick(2^31) fires on its multiples", async () => {
    const period = 2 ** 31;
    using beat = tick(period);
    for (let n = 1; n <= 3; n++) {
      const received = beat.receive();
      await vi.advanceTimersByTimeAsync(period - 1);
      expect(await parked(received)).toBe(true);
      await vi.advanceTimersByTimeAsync(1);
      expect((await received).done).toBe(false);
    }
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    ["after(Infinity)", () => after(Infinity)],
    ["after(Number.MAX_VALUE)", () => after(Number.MAX_VALUE)],
    ["after(2^53)", () => after(2 ** 53)],
    ["tick(Infinity)", () => tick(Infinity)],
    ["tick(2^53)", () => tick(2 ** 53)],
  ])("P-170 (channels) %s does not fire within 25 days", async (_, timer) => {
    const fired = watch(timer);
    await vi.advanceTimersByTimeAsync(50);
    vi.advanceTimersByTime(25 * DAY);
    await rest();
    expect(fired).toEqual([]);
  });

  it.each([new Date(8.64e15), 8.64e15, Infinity])(
    "P-170 (channels) at(%o) does not fire within 100 years",
    async (time) => {
      const fired = watch(() => at(time));
      await vi.advanceTimersByTimeAsync(50);
      vi.setSystemTime(Date.now() + 100 * 365 * DAY);
      await vi.advanceTimersByTimeAsync(120_000);
      expect(fired).toEqual([]);
    },
  );

  it.each([
    ["after(-Infinity)", () => after(-Infinity)],
    ["after(-(2^53))", () => after(-(2 ** 53))],
    ["after(0)", () => after(0)],
    ["at(0)", () => at(0)],
    ["at(the first date there is)", () => at(new Date(-8.64e15))],
    ["at(-Infinity)", () => at(-Infinity)],
  ])("P-170 (channels) %s is ready at once", async (_, timer) => {
    const fired = watch(timer);
    await rest();
    expect(fired).toHaveLength(3);
    expect(timer().tryReceive()?.value).toBeInstanceOf(Date);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("P-174 what has a return, or is disposed, while a next is pending", () => {
  async function* stuck(): AsyncGenerator<number> {
    await new Promise(() => {});
    yield 1;
  }

  it("P-174 a channel's iterator, and every other receiver's, has neither return nor throw", () => {
    const receivers: AsyncIterable<unknown>[] = [channel(), after(1), at(1), tick(1), never, from([1]), merge([1])];
    receivers.push(broadcast(channel()).subscribe());
    for (const receiver of receivers) {
      const iterator = receiver[Symbol.asyncIterator]();
      expect([Reflect.has(iterator, "return"), Reflect.has(iterator, "throw")]).toEqual([false, false]);
      expect(iterator).toBe(receiver);
    }
  });

  it("P-174 batch over a channel: return and the pending next give done, and nobody waits at the channel", async () => {
    for (const early of [true, false]) {
      const ch = channel<number>();
      const batches = batch(ch, { max: 3 });
      const next = batches.next();
      if (!early) await rest();
      const returned = batches.return?.();
      expect(await outcome(next)).toEqual({ status: "fulfilled", value: DONE });
      expect(await returned).toEqual(DONE);
      expect(ch.trySend(1)).toBe(false);
      expect(ch.closed).toBe(false);
      const other = ch.receive();
      await ch.send(2);
      expect(await other).toEqual({ done: false, value: 2 });
      expect(await batches.next()).toEqual(DONE);
    }
  });

  it("P-174 batch over a generator that is stuck: return does not wait for it", async () => {
    const batches = batch(stuck(), { max: 3 });
    const next = batches.next();
    await rest();
    expect(await outcome(batches.return?.() ?? never.receive())).toEqual({ status: "fulfilled", value: DONE });
    expect(await next).toEqual(DONE);
  });

  it("P-174 batch with values at hand: what it has taken is handed out, by return as well", async () => {
    vi.useFakeTimers();
    try {
      const ch = channel<number>(5);
      ch.trySend(1);
      ch.trySend(2);
      const batches = batch(ch, { max: 5, within: 1_000 });
      const next = batches.next();
      expect(await parked(next)).toBe(true);
      const returned = batches.return?.();
      expect(await outcome(next)).toEqual({ status: "fulfilled", value: { done: false, value: [1, 2] } });
      expect(await returned).toEqual(DONE);
      expect(vi.getTimerCount()).toBe(0);
      ch.trySend(3);
      expect(ch.tryReceive()).toEqual({ done: false, value: 3 });
    } finally {
      vi.useRealTimers();
    }
  });

  it("P-174 batch: several pending nexts all give done at the return", async () => {
    const ch = channel<number>();
    const batches = batch(ch, { max: 2 });
    const nexts = [batches.next(), batches.next(), batches.next()];
    await rest();
    await batches.return?.();
    expect(await Promise.all(nexts)).toEqual([DONE, DONE, DONE]);
    expect(ch.trySend(1)).toBe(false);
  });

  const opened: Record<string, (source: AsyncIterable<number>) => Receiver<number> & AsyncDisposable> = {
    from: (source) => from(source),
    "from with capacity": (source) => from(source, { capacity: 3 }),
    merge: (source) => merge(source),
    "merge of two": (source) => merge(source, channel<number>()),
  };

  it.each(Object.entries(opened))(
    "P-174 %s over a channel: disposed, the pending next gives done and the channel goes on",
    async (_, open) => {
      for (const early of [true, false]) {
        const ch = channel<number>();
        const receiver = open(ch);
        const next = receiver.next();
        const picked = select({ receiver });
        if (!early) await rest();
        expect(await outcome(receiver[Symbol.asyncDispose]())).toMatchObject({ status: "fulfilled" });
        expect(await next).toEqual(DONE);
        expect(await picked).toMatchObject(DONE);
        expect(ch.closed).toBe(false);
        expect(ch.trySend(1)).toBe(false);
        const other = ch.receive();
        await ch.send(2);
        expect(await other).toEqual({ done: false, value: 2 });
      }
    },
  );

  it.each(Object.entries(opened))(
    "P-174 %s over a generator that is stuck: disposed, it does not wait for it",
    async (_, open) => {
      const receiver = open(stuck());
      const next = receiver.next();
      await rest();
      expect(await outcome(receiver[Symbol.asyncDispose]())).toMatchObject({ status: "fulfilled" });
      expect(await next).toEqual(DONE);
    },
  );

  it("P-174 a subscription that is disposed gives done to whoever waits, and takes nothing from the others", async () => {
    const source = channel<number>();
    const all = broadcast(source);
    const [a, b] = [all.subscribe(), all.subscribe()];
    const [next, other] = [a.next(), b.next()];
    await rest();
    a[Symbol.dispose]();
    expect(await next).toEqual(DONE);
    await source.send(1);
    expect(await other).toEqual({ done: false, value: 1 });
    const last = b.next();
    expect(await outcome(all[Symbol.asyncDispose]())).toMatchObject({ status: "fulfilled" });
    expect(await last).toEqual(DONE);
    expect(source.trySend(2)).toBe(false);
    expect(source.closed).toBe(false);
  });

  it("P-174 a ticker that is disposed gives done to whoever waits or comes", async () => {
    const beat = tick(1_000_000);
    const next = beat.next();
    beat[Symbol.dispose]();
    expect(await next).toEqual(DONE);
    expect(await beat.next()).toEqual(DONE);
  });
});

describe("P-175 next called again before the one before has settled", () => {
  const receivers: Record<string, (ch: Channel<number>) => Receiver<number>> = {
    "a channel": (ch) => ch,
    from: (ch) => from(ch),
    "from with capacity": (ch) => from(ch, { capacity: 10 }),
    merge: (ch) => merge(ch, []),
    "a subscription": (ch) => broadcast(ch).subscribe(),
  };

  it.each(Object.entries(receivers))("P-175 %s: results come in the order of the calls, then done", async (_, open) => {
    const ch = channel<number>();
    const receiver = open(ch);
    const iterator = receiver[Symbol.asyncIterator]();
    const order: number[] = [];
    const nexts = Array.from({ length: 5 }, async (_unused, call) => {
      const result = await iterator.next();
      order.push(call);
      return result;
    });
    for (let n = 1; n <= 3; n++) await ch.send(n);
    ch.close();
    const more = [iterator.next(), iterator.next()];
    const value = (n: number) => ({ done: false, value: n });
    expect(await Promise.all([...nexts, ...more])).toEqual([value(1), value(2), value(3), DONE, DONE, DONE, DONE]);
    expect(order).toEqual([0, 1, 2, 3, 4]);
    expect(await iterator.next()).toEqual(DONE);
  });

  it("P-175 batch: batches come in the order of the calls, then done", async () => {
    const ch = channel<number>();
    const batches = batch(ch, { max: 2 });
    const nexts = Array.from({ length: 5 }, () => batches.next());
    for (let n = 1; n <= 3; n++) await ch.send(n);
    ch.close();
    const results = await Promise.all([...nexts, batches.next(), batches.next()]);
    expect(results.flatMap((result) => result.value ?? [])).toEqual([1, 2, 3]);
    const firstDone = results.findIndex((result) => result.done);
    expect(firstDone).toBeGreaterThanOrEqual(2);
    expect(firstDone).toBeLessThanOrEqual(3);
    expect(results.slice(firstDone)).toEqual(results.slice(firstDone).map(() => DONE));
  });

  it("P-175 a failure is given once for each call that is left, in a channel that was closed with a cause", async () => {
    const ch = channel<number>();
    const cause = new Error("broken");
    const nexts = [ch.next(), ch.next(), ch.next()];
    await ch.send(1);
    ch.close(cause);
    expect(await nexts[0]).toEqual({ done: false, value: 1 });
    await expect(nexts[1]).rejects.toBe(cause);
    await expect(nexts[2]).rejects.toBe(cause);
    await expect(ch.next()).rejects.toBe(cause);
  });
});

describe("P-176 a loop that breaks", () => {
  it.each([0, 1, 3, 100])(
    "P-176 does not close the channel and swallows nothing, with capacity %i",
    async (capacity) => {
      const ch = channel<number>(capacity);
      const left: number[] = [];
      const stayed: number[] = [];
      const leaver = (async () => {
        for await (const value of ch) {
          left.push(value);
          break;
        }
      })();
      const stayer = (async () => {
        for await (const value of ch) stayed.push(value);
      })();
      for (let n = 0; n < 100; n++) await ch.send(n);
      await leaver;
      await rest();
      expect(ch.closed).toBe(false);
      ch.close();
      await stayer;
      expect(left).toHaveLength(1);
      expect(stayed).toHaveLength(99);
      expect(new Set([...left, ...stayed]).size).toBe(100);
      expect(stayed).toEqual(stayed.toSorted((a, b) => a - b));
    },
  );
});

/** A signal as somebody might write it: a plain EventTarget with two properties. */
class HomemadeSignal extends EventTarget {
  aborted = false;
  reason: unknown = undefined;

  abort(reason?: unknown): void {
    this.aborted = true;
    this.reason = reason;
    this.dispatchEvent(new Event("abort"));
  }
}

const asSignal = (signal: unknown): AbortSignal => signal as AbortSignal;

interface Foreign {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
}

const foreign: Record<string, () => Foreign> = {
  "an EventTarget with `aborted` and `reason`": () => {
    const homemade = new HomemadeSignal();
    return { signal: asSignal(homemade), abort: (reason) => homemade.abort(reason) };
  },
};
if (typeof document === "object") {
  foreign["an AbortSignal of another realm"] = () => {
    const frame = document.body.appendChild(document.createElement("iframe"));
    const Foreign = (frame.contentWindow as unknown as { AbortController: typeof AbortController }).AbortController;
    assert.notEqual(Foreign, AbortController);
    const controller = new Foreign();
    return { signal: controller.signal, abort: (reason) => controller.abort(reason) };
  };
}

describe.each(Object.entries(foreign))("P-182 %s", (_, make) => {
  const waits: Record<string, (options: WaitOptions) => Promise<unknown>> = {
    receive: (options) => channel().receive(options),
    send: (options) => channel<number>().send(1, options),
    select: (options) => select([channel()], options),
    "receive from a timer": (options) => after(1_000_000).receive(options),
  };

  it.each(Object.entries(waits))("P-182 cancels %s with its reason, before and while it waits", async (_name, wait) => {
    for (const reason of [new Error("stop"), "stop", 0]) {
      const { signal, abort } = make();
      const waiting = wait({ signal });
      expect(await parked(waiting)).toBe(true);
      abort(reason);
      expect(await outcome(waiting)).toEqual({ status: "rejected", reason });
      expect(await outcome(wait({ signal }))).toEqual({ status: "rejected", reason });
    }
  });

  it("P-182 is a case of select, before and after it aborts", async () => {
    const { signal, abort } = make();
    expect(trySelect({ stop: signal })).toBeUndefined();
    const picked = select({ stop: signal, quiet: channel() });
    await rest();
    const reason = new Error("stop");
    abort(reason);
    expect(await picked).toEqual({ case: "stop", done: false, value: reason });
    expect(trySelect([signal])).toEqual({ case: 0, done: false, value: reason });
  });

  it("P-182 leaves nothing behind where it did not abort", async () => {
    const { signal, abort } = make();
    const ch = channel<number>();
    const waits1 = [ch.receive({ signal }), select({ ch }, { signal }), select({ ch, signal })];
    for (let n = 0; n < 3; n++) ch.trySend(n);
    await Promise.all(waits1);
    abort(new Error("late"));
    await rest();
    expect(ch.trySend(9)).toBe(false);
  });
});

describe("P-182 signals that are not as expected", () => {
  it("P-182 a reason that is undefined is the reason", async () => {
    const homemade = new HomemadeSignal();
    const waiting = channel().receive({ signal: asSignal(homemade) });
    const picked = select([asSignal(homemade)]);
    homemade.abort();
    expect(await outcome(waiting)).toEqual({ status: "rejected", reason: undefined });
    expect(await picked).toEqual({ case: 0, done: false, value: undefined });
    expect(await outcome(channel(1).send(1, { signal: asSignal(homemade) }))).toEqual({
      status: "rejected",
      reason: undefined,
    });
  });

  it.each([
    ["a controller in place of its signal", { signal: new AbortController() }],
    ["an object that says aborted and no more", { signal: { aborted: false } }],
    ["a string", { signal: "abort" }],
    ["a function", { signal: () => true }],
    ["true", { signal: true }],
    ["a bare signal in place of the options", new AbortController().signal],
    ["a number in place of the options", 5],
  ])("P-182 %s is a TypeError at the call, never ignored, and the call has no effect", async (_, wrong) => {
    const options = wrong as unknown as WaitOptions;
    const ch = channel<number>(1);
    expect(() => ch.send(1, options)).toThrow(TypeError);
    expect(ch.length).toBe(0);
    ch.trySend(2);
    expect(() => ch.receive(options)).toThrow(TypeError);
    expect(() => select([ch], options)).toThrow(TypeError);
    expect(() => from(ch, options as object)).toThrow(TypeError);
    await macro();
    expect(ch.length).toBe(1);
  });

  it("P-182 an abort listener that closes, sends or selects finds every channel in order", async () => {
    const [a, b] = [channel<number>(), channel<number>()];
    const stop = new AbortController();
    const seen: unknown[] = [];
    stop.signal.addEventListener("abort", () => {
      // Its listener came before that of the library: the waits below are still there.
      seen.push(a.trySend(1), b.close(), trySelect([a, b]));
    });
    const waits = [a.receive(stop), select({ b, stop: stop.signal }), a.receive(stop)];
    stop.abort(new Error("stop"));
    expect(seen).toEqual([true, true, { case: 1, done: true, value: undefined }]);
    expect(await Promise.all(waits.map((wait) => outcome<unknown>(wait)))).toEqual([
      { status: "fulfilled", value: { done: false, value: 1 } },
      { status: "fulfilled", value: { case: "b", done: true, value: undefined } },
      { status: "rejected", reason: stop.signal.reason },
    ]);
    expect(a.trySend(2)).toBe(false);
  });

  it("P-182 a source whose next aborts the signal of from or pipe is given up as any other", async () => {
    for (const open of [
      (source: AsyncIterable<number>, options: WaitOptions) => from(source, options).receive(),
      (source: AsyncIterable<number>, options: WaitOptions) => pipe(source, channel<number>(), options),
    ]) {
      const stop = new AbortController();
      const reason = new Error("stop");
      let returned = 0;
      const source: AsyncIterableIterator<number> = {
        next: () => {
          stop.abort(reason);
          return new Promise(() => {});
        },
        return: async () => {
          returned++;
          return DONE as IteratorReturnResult<undefined>;
        },
        [Symbol.asyncIterator]: () => source,
      };
      expect(await outcome<unknown>(open(source, stop))).toEqual({ status: "rejected", reason });
      expect(returned).toBe(1);
    }
  });
});

describe("P-187 what a channel and a case look like in JSON", () => {
  it("P-187 JSON takes no value, wakes nobody and stays short, however much they hold", async () => {
    const full = channel<number>({ capacity: 100_000, name: "jobs" });
    for (let n = 0; n < 100_000; n++) full.trySend(n);
    const empty = channel<number>();
    const received = Array.from({ length: 1_000 }, () => empty.receive());
    const things = [
      full,
      empty,
      sending(full, 1),
      after(10),
      tick(10),
      never,
      from(full),
      new ChannelClosedError("jobs"),
    ];
    for (const thing of things) {
      const text = JSON.stringify(thing);
      expect(text.length).toBeLessThan(200);
    }
    expect(JSON.stringify({ full, nested: [empty] })).toContain('"name":"jobs"');
    expect(full.length).toBe(100_000 - 1); // from has taken one on its way
    for (let n = 0; n < 1_000; n++) expect(empty.trySend(n)).toBe(true);
    expect((await Promise.all(received)).map((result) => result.value)).toEqual(
      Array.from({ length: 1_000 }, (_, n) => n),
    );
  });
});
