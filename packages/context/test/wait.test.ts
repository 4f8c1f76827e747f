import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { pending, settle } from "../../../test/support.ts";
import {
  afterDone,
  background,
  contextKey,
  isDeadlineExceeded,
  sleep,
  withCancel,
  withoutCancel,
  withTimeout,
  withValue,
} from "../src/index.ts";
import type { Context } from "../src/index.ts";
import { counted, lateTimers } from "./support.ts";

const longest = 2 ** 31 - 1;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("afterDone()", () => {
  it("runs the callback once, without arguments, before cancel() returns", () => {
    const ctx = withCancel(background);
    const callback = vi.fn();
    const stop = afterDone(ctx, callback);
    expect(callback).not.toHaveBeenCalled();
    ctx.cancel();
    expect(callback.mock.calls).toEqual([[]]);
    expect(stop()).toBe(false);
    ctx.cancel();
    expect(callback).toHaveBeenCalledOnce();
  });

  it("runs it when the deadline passes", () => {
    const ctx = withTimeout(background, 10);
    const callback = vi.fn();
    afterDone(ctx, callback);
    vi.advanceTimersByTime(9);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledOnce();
  });

  it("runs it when an ancestor, a foreign signal or a context that shares its end is done", () => {
    const callback = vi.fn();
    const parent = withCancel(background);
    afterDone(withCancel(withCancel(parent)), callback);
    afterDone(withValue(parent, contextKey("k"), 1), callback);
    const foreign = new AbortController();
    afterDone(foreign.signal as never, callback);
    parent.cancel();
    foreign.abort();
    expect(callback).toHaveBeenCalledTimes(3);
  });

  it("does not run it once stopped; stopping says true the first time, then false", () => {
    const ctx = withCancel(background);
    const callback = vi.fn();
    const stop = afterDone(ctx, callback);
    expect([stop(), stop()]).toEqual([true, false]);
    ctx.cancel();
    expect(callback).not.toHaveBeenCalled();
  });

  it("stops one registration, not others of the same callback", () => {
    const ctx = withCancel(background);
    const callback = vi.fn();
    const stops = [1, 2, 3].map(() => afterDone(ctx, callback));
    expect(stops[1]?.()).toBe(true);
    ctx.cancel();
    expect(callback).toHaveBeenCalledTimes(2);
  });

  it("on a done context runs it in a microtask, and can be stopped until then", async () => {
    const ctx = withCancel(background);
    ctx.cancel();
    const [ran, stopped] = [vi.fn(), vi.fn()];
    const stop = afterDone(ctx, ran);
    expect(ran).not.toHaveBeenCalled();
    expect(afterDone(ctx, stopped)()).toBe(true);
    await settle();
    expect(ran).toHaveBeenCalledOnce();
    expect(stopped).not.toHaveBeenCalled();
    expect(stop()).toBe(false);
  });

  it("returns from cancel() while an async callback still runs", async () => {
    const ctx = withCancel(background);
    const steps: string[] = [];
    // oxlint-disable-next-line typescript/no-misused-promises -- what happens if somebody does
    afterDone(ctx, async () => {
      steps.push("started");
      await Promise.resolve();
      steps.push("finished");
    });
    ctx.cancel();
    steps.push("canceled");
    await settle();
    expect(steps).toEqual(["started", "canceled", "finished"]);
  });

  it("on a context that never ends never runs, and can be stopped", () => {
    for (const ctx of [background, withoutCancel(background), withValue(background, contextKey("k"), 1)]) {
      const stop = afterDone(ctx, () => {});
      expect([stop(), stop()]).toEqual([true, false]);
    }
  });

  it("leaves nothing behind when stopped: no timer, no listener", () => {
    const foreign = counted();
    const ctx = withTimeout(withCancel(foreign.signal), 60_000);
    const stop = afterDone(withCancel(ctx), () => {});
    expect([vi.getTimerCount(), foreign.listeners()]).toEqual([1, 1]);
    stop();
    expect([vi.getTimerCount(), foreign.listeners()]).toEqual([0, 0]);
  });

  it("merges two contexts, as in Go's example, and is gone from the second after the merged one is done", () => {
    const key = contextKey("k", 0);
    const merge = (ctx: Context, other: Context) => {
      const merged = withCancel(ctx);
      const stop = afterDone(other, () => merged.cancel(other.cause));
      afterDone(merged, stop);
      return merged;
    };
    const first = withValue(background, key, 1);
    const second = withCancel(background);
    const merged = merge(first, second);
    const done = merge(first, second);
    done.cancel("own");
    second.cancel("second");
    expect([merged.cause, done.cause, merged.value(key)]).toEqual(["second", "own", 1]);
  });

  it("refuses what is not a function with a TypeError, at the call", () => {
    for (const wrong of [undefined, null, {}, "callback"]) {
      expect(() => afterDone(background, wrong as never)).toThrow(TypeError);
    }
  });
});

describe("sleep()", () => {
  it("resolves after that time and not before", async () => {
    const nap = sleep(100);
    await vi.advanceTimersByTimeAsync(99);
    expect(await pending(nap)).toBe(true);
    await vi.advanceTimersByTimeAsync(1);
    await expect(nap).resolves.toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });

  it.for([longest, longest + 1, 25 * 86_400_000, 3 * longest + 7])("is exact beyond 2^31-1 ms: %d", async (ms) => {
    const nap = sleep(ms);
    vi.advanceTimersByTime(ms - 1);
    expect(await pending(nap)).toBe(true);
    vi.advanceTimersByTime(1);
    await nap;
    expect(vi.getTimerCount()).toBe(0);
  });

  it("of a negative time is over at once, but not synchronously, and takes no timer", async () => {
    let over = false;
    const naps = [sleep(-1), sleep(-Infinity)].map((nap) => nap.then(() => (over = true)));
    expect(over).toBe(false);
    await Promise.all(naps);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("of zero gives the event loop a turn", async () => {
    const nap = sleep(0);
    expect(await pending(nap)).toBe(true);
    await vi.advanceTimersByTimeAsync(0);
    await nap;
  });

  it("of Infinity waits for its signal alone", async () => {
    const ctx = withCancel(background);
    const nap = sleep(Infinity, ctx);
    expect(vi.getTimerCount()).toBe(0);
    expect(await pending(nap)).toBe(true);
    ctx.cancel("wake up");
    await expect(nap).rejects.toBe("wake up");
  });

  it("of NaN is a RangeError, of anything but a number a TypeError, at the call", () => {
    expect(() => sleep(Number.NaN)).toThrow(RangeError);
    for (const ms of [undefined, null, "5", 5n, {}]) expect(() => sleep(ms as never)).toThrow(TypeError);
  });

  it("refuses options that would be ignored in silence with a TypeError, at the call", () => {
    const { signal } = new AbortController();
    for (const options of [signal, "x", 5, () => {}, { signal: {} }, { signal: "x" }, { signal: background }]) {
      expect(() => sleep(1, options as never)).toThrow(TypeError);
    }
    for (const options of [{}, { signal: undefined }, { signal: null }, null]) {
      expect(sleep(-1, options as never)).toBeInstanceOf(Promise);
    }
  });

  it("rejects with the reason itself, and leaves neither timer nor listener", async () => {
    const reason = { why: "gone" };
    const foreign = counted();
    const ctx = withCancel(background);
    const naps = [sleep(60_000, ctx), sleep(60_000, { ...ctx }), sleep(60_000, foreign)];
    expect([vi.getTimerCount(), foreign.listeners()]).toEqual([3, 1]);
    ctx.cancel(reason);
    foreign.abort(reason);
    for (const nap of naps) await expect(nap).rejects.toBe(reason);
    expect([vi.getTimerCount(), foreign.listeners()]).toEqual([0, 0]);
  });

  it("rejects at once if the signal has aborted already, even with no time to sleep", async () => {
    const reason = { why: "gone" };
    const done = withCancel(background);
    done.cancel(reason);
    const foreign = counted();
    foreign.abort(reason);
    for (const options of [done, { signal: done.signal }, foreign]) {
      for (const ms of [-1, 0, 60_000, Infinity]) await expect(sleep(ms, options)).rejects.toBe(reason);
    }
    expect([vi.getTimerCount(), foreign.listeners()]).toEqual([0, 0]);
  });

  it("that ends well leaves neither timer nor listener", async () => {
    const foreign = counted();
    const ctx = withTimeout(foreign.signal, 60_000);
    const nap = sleep(10, ctx);
    expect([vi.getTimerCount(), foreign.listeners()]).toEqual([2, 1]);
    await vi.advanceTimersByTimeAsync(10);
    await nap;
    expect([vi.getTimerCount(), foreign.listeners()]).toEqual([0, 0]);
  });

  it("rejects with the deadline's cause when that comes first", async () => {
    const ctx = withTimeout(background, 10, { cause: "slow" });
    const nap = sleep(20, ctx).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(10);
    expect(await nap).toBe("slow");
  });

  it("looks at the clock first: after a late deadline it does not start", async () => {
    vi.useRealTimers();
    const clock = lateTimers();
    const ctx = withTimeout(background, 10);
    clock.pass(10);
    const error = await sleep(Infinity, ctx).catch((reason: unknown) => reason);
    expect(isDeadlineExceeded(error)).toBe(true);
  });

  it("however many sleep on one foreign signal, it carries one listener, and they leave in any order", async () => {
    const foreign = counted();
    const naps = [30, 10, 20, 40].map((ms) => sleep(ms, foreign));
    expect(foreign.listeners()).toBe(1);
    await vi.advanceTimersByTimeAsync(30);
    expect(foreign.listeners()).toBe(1);
    foreign.abort("gone");
    expect((await Promise.allSettled(naps)).map(({ status }) => status)).toEqual([
      "fulfilled",
      "fulfilled",
      "fulfilled",
      "rejected",
    ]);
    expect(foreign.listeners()).toBe(0);
  });

  it("works with a clock that fakes timers alone", async () => {
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const nap = sleep(60_000);
    vi.advanceTimersByTime(60_000);
    await nap;
    expect(vi.getTimerCount()).toBe(0);
  });
});
