import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  afterDone,
  background,
  contextKey,
  DeadlineExceededError,
  isCanceled,
  isDeadlineExceeded,
  sleep,
  withCancel,
  withDeadline,
  withTimeout,
  withValue,
} from "../src/index.ts";
import type { Context } from "../src/index.ts";
import { lateTimers, thrown } from "./support.ts";

const longest = 2 ** 31 - 1;
const day = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers({ now: new Date("2026-01-01T00:00:00Z") });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Watches `ctx` and says when it has ended, by the clock of the test. */
function endOf(ctx: Context): { at: number | undefined } {
  const end: { at: number | undefined } = { at: undefined };
  afterDone(ctx, () => {
    end.at = Date.now();
  });
  return end;
}

describe("withTimeout()", () => {
  it("ends the context after that time and not before", () => {
    const ctx = withTimeout(background, 5_000);
    const idle = withTimeout(background, 5_000);
    const { signal } = ctx;
    vi.advanceTimersByTime(4_999);
    expect([ctx.error, idle.error, signal.aborted]).toEqual([undefined, undefined, false]);
    vi.advanceTimersByTime(1);
    for (const { error } of [ctx, idle]) expect(error).toBeInstanceOf(DeadlineExceededError);
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBe(ctx.error);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("ends the descendants with it, with one and the same error", () => {
    const ctx = withTimeout(background, 10);
    const watched = withCancel(withValue(ctx, contextKey("k"), 1));
    const idle = withCancel(ctx);
    void watched.signal.aborted;
    vi.advanceTimersByTime(10);
    expect(isDeadlineExceeded(watched.error)).toBe(true);
    expect(watched.error).toBe(ctx.error);
    expect(idle.error).toBe(ctx.error);
  });

  it("gives the cause of its options, with a DeadlineExceededError all the same", () => {
    const slow = new Error("too slow");
    for (const ms of [0, 10]) {
      const ctx = withTimeout(background, ms, { cause: slow });
      const child = withCancel(ctx);
      const { signal } = child;
      vi.advanceTimersByTime(ms);
      ctx.cancel("late");
      for (const { cause, error } of [ctx, child]) {
        expect(cause).toBe(slow);
        expect(isDeadlineExceeded(error)).toBe(true);
      }
      expect(signal.reason).toBe(slow);
    }
  });

  it("does not use that cause when it is canceled before", () => {
    const ctx = withTimeout(background, 1_000_000, { cause: new Error("too slow") });
    ctx.cancel();
    expect(isCanceled(ctx.cause)).toBe(true);
  });

  it.for([0, -0, -1, -Infinity, -longest - 2])("of %s is over at once", (ms) => {
    const ctx = withTimeout(background, ms);
    const { signal } = ctx;
    expect(signal.aborted).toBe(true);
    expect(isDeadlineExceeded(ctx.error)).toBe(true);
    expect(ctx.remaining).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("of NaN is a RangeError, of anything but a number a TypeError, at the call", () => {
    expect(() => withTimeout(background, Number.NaN)).toThrow(RangeError);
    for (const ms of [undefined, null, "5", 5n, {}, new Date()]) {
      expect(() => withTimeout(background, ms as never)).toThrow(TypeError);
    }
  });

  it("of Infinity sets no deadline", () => {
    const ctx = withTimeout(background, Infinity);
    void ctx.signal.aborted;
    expect([ctx.deadline, ctx.remaining]).toEqual([undefined, Infinity]);
    expect(vi.getTimerCount()).toBe(0);
    ctx.cancel();
    expect(isCanceled(ctx.error)).toBe(true);
  });

  it("keeps fractions of a millisecond, and is never early", () => {
    const ctx = withTimeout(background, 1.5);
    const end = endOf(ctx);
    vi.advanceTimersByTime(1);
    expect(ctx.error).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect(end.at).toBeDefined();
  });
});

describe("withDeadline()", () => {
  it("takes a Date or milliseconds since the epoch", () => {
    const at = Date.now() + 50;
    for (const ctx of [withDeadline(background, new Date(at)), withDeadline(background, at)]) {
      expect(ctx.deadline).toBe(at);
      expect(ctx.remaining).toBe(50);
    }
    vi.advanceTimersByTime(49);
    const ends = [withDeadline(background, at), withDeadline(background, new Date(at))].map(endOf);
    vi.advanceTimersByTime(1);
    expect(ends).toEqual([{ at }, { at }]);
  });

  it("now or in the past is over at once", () => {
    for (const at of [Date.now(), new Date(), Date.now() - 1, 0, -Infinity, new Date(-8.64e15)]) {
      const ctx = withDeadline(background, at);
      expect(isDeadlineExceeded(ctx.error)).toBe(true);
      expect(ctx.signal.aborted).toBe(true);
    }
    expect(vi.getTimerCount()).toBe(0);
  });

  it("refuses an invalid Date or NaN with a RangeError, anything else with a TypeError, at the call", () => {
    expect(() => withDeadline(background, new Date("no date"))).toThrow(RangeError);
    expect(() => withDeadline(background, Number.NaN)).toThrow(RangeError);
    for (const at of [undefined, null, "2026-01-01", {}, 5n]) {
      expect(() => withDeadline(background, at as never)).toThrow(TypeError);
    }
  });

  it("of Infinity sets no deadline", () => {
    expect(withDeadline(background, Infinity).deadline).toBeUndefined();
  });

  it("gives the cause of its options", () => {
    expect(withDeadline(background, 0, { cause: "slow" }).cause).toBe("slow");
  });
});

describe("a deadline beyond 2^31-1 ms", () => {
  it.for([longest - 1, longest, longest + 1, 25 * day, 3_600_000_000, 2 * longest, 400 * day])(
    "is exact for %d ms",
    (ms) => {
      const start = Date.now();
      const end = endOf(withTimeout(background, ms));
      const idle = withTimeout(background, ms);
      vi.advanceTimersByTime(50);
      expect(end.at).toBeUndefined();
      vi.advanceTimersByTime(ms - 51);
      expect([end.at, idle.error]).toEqual([undefined, undefined]);
      vi.advanceTimersByTime(1);
      expect(end.at).toBe(start + ms);
      expect(isDeadlineExceeded(idle.error)).toBe(true);
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  it.for([2 ** 53, Number.MAX_VALUE])("never gives setTimeout a delay it can't keep: %d ms", (ms) => {
    const delays = vi.spyOn(globalThis, "setTimeout");
    const ctx = withTimeout(background, ms);
    const end = endOf(ctx);
    vi.advanceTimersByTime(3 * longest);
    expect(end.at).toBeUndefined();
    for (const [, delay] of delays.mock.calls) expect(delay).toBeLessThanOrEqual(longest);
    ctx.cancel();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is exact for the last Date there is", () => {
    const ctx = withDeadline(background, new Date(8.64e15));
    const end = endOf(ctx);
    vi.advanceTimersByTime(longest);
    expect(end.at).toBeUndefined();
    ctx.cancel();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("the clock of a deadline", () => {
  it("is monotonic: setting the date changes neither what remains nor when it ends", () => {
    const ctx = withTimeout(background, 1_000);
    const end = endOf(ctx);
    vi.setSystemTime(new Date("2030-01-01"));
    expect(ctx.remaining).toBe(1_000);
    expect(ctx.error).toBeUndefined();
    vi.setSystemTime(new Date("2020-01-01"));
    vi.advanceTimersByTime(999);
    expect(end.at).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect(end.at).toBeDefined();
  });

  it("is looked up at each use, so fake clocks work, also those that leave `performance` alone", () => {
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const watched = withTimeout(background, 5_000);
    const idle = withTimeout(background, 5_000);
    const far = withTimeout(background, 30 * day);
    const end = endOf(watched);
    const farEnd = endOf(far);
    vi.advanceTimersByTime(4_999);
    expect([end.at, idle.error]).toEqual([undefined, undefined]);
    expect(idle.remaining).toBeCloseTo(1, 3);
    vi.advanceTimersByTime(1);
    expect(end.at).toBeDefined();
    expect(isDeadlineExceeded(idle.error)).toBe(true);
    vi.advanceTimersByTime(30 * day - 5_001);
    expect(farEnd.at).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect(farEnd.at).toBeDefined();
  });

  it("is not believed against a timer that has fired, where a fake clock moves nothing but the timers", () => {
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const ctx = withTimeout(background, 60_000);
    const far = withTimeout(ctx, longest + 5);
    void far.signal.aborted;
    vi.advanceTimersByTime(59_999);
    expect(ctx.error).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect(isDeadlineExceeded(ctx.error)).toBe(true);
    expect(far.error).toBe(ctx.error);
  });
});

describe("error, cause, throwIfDone(), remaining and cancel()", () => {
  it.for<[string, (ctx: Context) => unknown]>([
    ["error", (ctx) => ctx.error],
    ["cause", (ctx) => ctx.cause],
    ["throwIfDone()", (ctx) => thrown(() => ctx.throwIfDone())],
  ])("look at the clock: %s shows a passed deadline while its timer is late", ([, read]) => {
    const clock = lateTimers();
    const parent = withTimeout(background, 10);
    const idle = withCancel(withCancel(parent));
    const watched = withCancel(parent);
    const { signal } = watched;
    clock.pass(9.9);
    expect([idle.error, watched.error]).toEqual([undefined, undefined]);
    clock.pass(0.1);
    expect(isDeadlineExceeded(read(idle))).toBe(true);
    expect(isDeadlineExceeded(read(watched))).toBe(true);
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBe(parent.error);
  });

  it("fire the events of the passed deadline from the top, so that a parent's still come first", () => {
    const clock = lateTimers();
    const parent = withTimeout(background, 10);
    const child = withCancel(parent);
    const events: string[] = [];
    afterDone(child, () => events.push("child"));
    afterDone(parent, () => events.push("parent"));
    clock.pass(10);
    expect(child.error).toBe(parent.error);
    expect(events).toEqual(["parent", "child"]);
  });

  it("say what remains: never negative, Infinity without a deadline, 0 once done", () => {
    const clock = lateTimers();
    const ctx = withTimeout(background, 100);
    expect(ctx.remaining).toBe(100);
    clock.pass(60);
    expect(withCancel(ctx).remaining).toBe(40);
    clock.pass(60);
    expect(ctx.remaining).toBe(0);
    expect(withCancel(background).remaining).toBe(Infinity);
    const canceled = withTimeout(background, 100);
    canceled.cancel();
    expect(canceled.remaining).toBe(0);
    const last = withTimeout(background, 1);
    clock.pass(0.5);
    clock.run(0.4); // with each look
    expect(last.remaining).toBe(0);
    const unlimited = withCancel(background);
    unlimited.cancel();
    expect(unlimited.remaining).toBe(0);
  });
});

describe("a parent's earlier deadline", () => {
  it("is kept: the child reports it, ends with it and has no timer of its own", () => {
    const at = Date.now() + 1_000;
    const parent = withTimeout(background, 1_000);
    const child = withTimeout(parent, 3_600_000_000);
    const grandchild = withDeadline(withValue(child, contextKey("k"), 1), at + 5_000);
    for (const ctx of [parent, child, grandchild]) expect(ctx.deadline).toBe(at);
    const end = endOf(grandchild);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1_000);
    expect(end.at).toBe(at);
    expect(grandchild.error).toBe(parent.error);
  });

  it("does not hold back a child's that is earlier still", () => {
    const parent = withTimeout(background, 1_000);
    const child = withTimeout(parent, 10, { cause: "child" });
    const end = endOf(child);
    expect(child.deadline).toBe(Date.now() + 10);
    vi.advanceTimersByTime(10);
    expect(end.at).toBe(Date.now());
    expect([child.cause, parent.error]).toEqual(["child", undefined]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is still the parent's after a child with it has been canceled", () => {
    const parent = withTimeout(background, 1_000);
    const child = withTimeout(parent, 2_000);
    void child.signal.aborted;
    child.cancel();
    expect(vi.getTimerCount()).toBe(0);
    const end = endOf(parent);
    vi.advanceTimersByTime(1_000);
    expect(end.at).toBeDefined();
  });
});

describe("a parent whose deadline has passed unnoticed", () => {
  it("was first, also for a child with a deadline that is long past", () => {
    const clock = lateTimers();
    const parent = withTimeout(background, 10, { cause: "parent" });
    clock.pass(20);
    const child = withTimeout(parent, -1_000, { cause: "child" });
    expect(child.cause).toBe("parent");
    expect(child.deadline).toBe(Date.now() - 1_000);
  });
});

describe("many layers", () => {
  it("end by the earliest of their timeouts and leave no timer", () => {
    let ctx: Context = background;
    const layers: Context[] = [];
    for (const ms of [500, 300, 400, 100, 200, 150]) layers.push((ctx = withTimeout(ctx, ms)));
    const end = endOf(ctx);
    expect(vi.getTimerCount()).toBe(3);
    vi.advanceTimersByTime(99);
    expect(end.at).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect(end.at).toBe(Date.now());
    expect(layers.map(({ error }) => error !== undefined)).toEqual([false, false, false, true, true, true]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("bear a sleep that is longer than the deadline above it", async () => {
    const ctx = withTimeout(background, 10);
    const slept = sleep(1_000, withCancel(ctx)).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(10);
    expect(await slept).toBe(ctx.error);
    expect(vi.getTimerCount()).toBe(0);
  });
});
