// Follows tests of Go's context package: AfterFunc, here afterDone.
import { afterEach, assert, beforeEach, describe, expect, it, vi } from "vitest";
import { macro, pending } from "../../../../test/support.ts";
import {
  afterDone,
  background,
  type CancelableContext,
  type Context,
  contextKey,
  isCanceled,
  isDeadlineExceeded,
  withCancel,
  withSignal,
  withTimeout,
  withValue,
} from "../../src/index.ts";
import { uncaught } from "../support.ts";
import { tracked, Wrapper } from "./foreign.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** What a callback may be registered with: a context and what ends it. */
const contexts: Record<string, () => [Context, cancel: () => void]> = {
  "a context": () => {
    const ctx = withCancel(background);
    return [ctx, () => ctx.cancel()];
  },
  "a child": () => {
    const parent = withCancel(background);
    return [withCancel(parent), () => parent.cancel()];
  },
  "a value": () => {
    const parent = withCancel(background);
    return [withValue(parent, contextKey("key"), 1), () => parent.cancel()];
  },
  "a wrapper": () => {
    const ctx = withCancel(background);
    return [new Wrapper(ctx), () => ctx.cancel()];
  },
  "a foreign signal": () => {
    const controller = new AbortController();
    return [withCancel(controller.signal), () => controller.abort()];
  },
};

describe("P-119 TestAfterFuncCalledAfterCancel", () => {
  it.for(Object.entries(contexts))(
    "P-119 of %s is called once, with nothing, by the time cancel() returns (in Go, in a goroutine of its own)",
    async ([, make]) => {
      const [ctx, cancel] = make();
      const callback = vi.fn();
      const stop = afterDone(ctx, callback);
      await vi.advanceTimersByTimeAsync(1_000);
      expect(callback).not.toHaveBeenCalled();
      cancel();
      expect(callback.mock.calls).toEqual([[]]);
      expect(stop()).toBe(false);
      cancel();
      await macro();
      expect(callback).toHaveBeenCalledOnce();
      expect(vi.getTimerCount()).toBe(0);
    },
  );
});

describe("P-120 TestAfterFuncCalledAfterTimeout", () => {
  it("P-120 is called when 1 ms is over, once, and not again by a cancellation", () => {
    const ctx = withTimeout(background, 1);
    const callback = vi.fn(() => expect(isDeadlineExceeded(ctx.error)).toBe(true));
    const stop = afterDone(ctx, callback);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(callback.mock.calls).toEqual([[]]);
    ctx.cancel();
    expect([stop(), callback.mock.calls.length, vi.getTimerCount()]).toEqual([false, 1, 0]);
  });
});

describe("P-121 TestAfterFuncCalledImmediately", () => {
  it.for(Object.entries(contexts))(
    "P-121 of %s that is done already is called in a microtask, when the caller knows how to stop it",
    async ([, make]) => {
      const [ctx, cancel] = make();
      cancel();
      const steps: string[] = [];
      const stop = afterDone(ctx, () => steps.push("called"));
      steps.push("returned");
      expect(steps).toEqual(["returned"]);
      await Promise.resolve();
      expect(steps).toEqual(["returned", "called"]);
      expect(stop()).toBe(false);
    },
  );

  it("P-121 until then it can be stopped: true, and it is not called", async () => {
    const ctx = withCancel(background);
    ctx.cancel();
    const callback = vi.fn();
    const stop = afterDone(ctx, callback);
    expect([stop(), stop()]).toEqual([true, false]);
    await macro();
    expect(callback).not.toHaveBeenCalled();
  });

  it("P-121 so it is for one that is registered by a listener in the midst of the cancellation", async () => {
    const ctx = withCancel(background);
    const child = withCancel(ctx);
    const steps: string[] = [];
    ctx.signal.addEventListener("abort", () => {
      for (const done of [ctx, child]) afterDone(done, () => steps.push("called"));
      afterDone(child, () => steps.push("stopped"))();
      steps.push("listener");
    });
    child.signal.addEventListener("abort", () => steps.push("child"));
    ctx.cancel();
    steps.push("canceled");
    await Promise.resolve();
    expect(steps).toEqual(["listener", "child", "canceled", "called", "called"]);
  });
});

describe("P-122 TestAfterFuncNotCalledAfterStop", () => {
  it.for(Object.entries(contexts))("P-122 of %s, stopped, is never called; stop says true once", async ([, make]) => {
    const [ctx, cancel] = make();
    const callback = vi.fn();
    const stop = afterDone(ctx, callback);
    expect([stop(), stop()]).toEqual([true, false]);
    cancel();
    await macro();
    expect(callback).not.toHaveBeenCalled();
    expect(stop()).toBe(false);
  });

  it("P-122 a callback may stop one that comes after it, and itself, too late", () => {
    const ctx = withCancel(background);
    const calls: string[] = [];
    const stops: Record<string, () => boolean> = {};
    const said: Record<string, boolean> = {};
    for (const name of ["first", "second", "third"]) {
      stops[name] = afterDone(ctx, () => {
        calls.push(name);
        for (const [other, stop] of Object.entries(stops))
          if (name === "first" && other !== "third") said[other] = stop();
      });
    }
    ctx.cancel();
    expect(calls).toEqual(["first", "third"]);
    expect(said).toEqual({ first: false, second: true });
  });
});

describe("P-123 TestAfterFuncCalledAsynchronously", () => {
  it("P-123 cancel() does not wait for a callback that waits for what comes after it", async () => {
    const ctx = withCancel(background);
    const steps: string[] = [];
    let serve!: () => void;
    const served = new Promise<void>((resolve) => {
      serve = resolve;
    });
    let finish!: () => void;
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const waiting = async () => {
      steps.push("begun");
      await served;
      steps.push("served");
      finish();
    };
    afterDone(ctx, () => void waiting());
    ctx.cancel();
    steps.push("canceled");
    expect(await pending(finished)).toBe(true);
    serve();
    await finished;
    expect(steps).toEqual(["begun", "canceled", "served"]);
  });

  it("P-123 what a callback throws does not come out of cancel(), nor out of a timer: it is reported, once", () => {
    const errors = uncaught();
    const [boom, bang] = [new Error("boom"), new Error("bang")];
    const ctx = withCancel(background);
    const after = vi.fn();
    afterDone(ctx, () => {
      throw boom;
    });
    afterDone(ctx, after);
    ctx.cancel();
    expect(isCanceled(ctx.error)).toBe(true);
    expect(after).toHaveBeenCalledOnce();
    afterDone(withTimeout(background, 1), () => {
      throw bang;
    });
    vi.advanceTimersByTime(1);
    expect(errors).toEqual([boom, bang]);
  });
});

describe("P-124 CustomContext with AfterFunc", () => {
  /** A user's context; what hangs on it stands on its signal. */
  function custom(): { ctx: Context; cancel: () => void; registered: () => number } {
    const { controller, signal, listeners } = tracked();
    return { ctx: { signal } as Context, cancel: () => controller.abort("custom"), registered: listeners };
  }

  it("P-124 children of a user's context end with it, and callbacks run", () => {
    const { ctx, cancel, registered } = custom();
    const children: CancelableContext[] = [withCancel(ctx), withTimeout(ctx, 3_600_000)];
    const callback = vi.fn();
    afterDone(ctx, callback);
    for (const child of children) assert.isFalse(child.signal.aborted);
    cancel();
    for (const child of children) {
      expect(isCanceled(child.error)).toBe(true);
      expect(child.cause).toBe("custom");
      expect(child.signal.aborted).toBe(true);
    }
    expect(callback).toHaveBeenCalledOnce();
    expect([registered(), vi.getTimerCount()]).toEqual([0, 0]);
  });

  it("P-124 two children are one registration, and none when both are canceled (in Go, two)", () => {
    const { ctx, registered } = custom();
    const [one, two] = [withCancel(ctx), withCancel(ctx)];
    const seen = [registered()];
    for (const step of [() => one.signal, () => two.signal, () => one.cancel(), () => two.cancel()]) {
      step();
      seen.push(registered());
    }
    expect(seen).toEqual([0, 1, 1, 1, 0]);
  });

  it("P-124 a child with a timeout is one, and none when it is canceled or over", () => {
    for (const end of [(child: CancelableContext) => child.cancel(), () => vi.advanceTimersByTime(60_000)]) {
      const { ctx, registered } = custom();
      const child = withTimeout(ctx, 60_000);
      void child.signal.aborted;
      expect([registered(), vi.getTimerCount()]).toEqual([1, 1]);
      end(child);
      expect([registered(), vi.getTimerCount()]).toEqual([0, 0]);
    }
  });

  it("P-124 a callback is one, and none when it is stopped", () => {
    const { ctx, registered } = custom();
    const stops = [afterDone(ctx, () => {}), afterDone(ctx, () => {})];
    expect(registered()).toBe(1);
    expect(stops.map((stop) => [stop(), registered()])).toEqual([
      [true, 1],
      [true, 0],
    ]);
  });
});

describe("P-128 ExampleAfterFunc_merge", () => {
  const key = contextKey("key", "none");

  /** As Go's example has it: ends with `ctx` or with `cancelCtx`, and has the values of `ctx`. */
  function merge(ctx: Context, cancelCtx: Context): CancelableContext {
    const merged = withCancel(ctx);
    const stop = afterDone(cancelCtx, () => merged.cancel(cancelCtx.cause));
    afterDone(merged, stop);
    return merged;
  }
  const merges: Record<string, (ctx: Context, cancelCtx: Context) => CancelableContext> = {
    "as in Go": merge,
    "by withSignal": (ctx, cancelCtx) => withSignal(ctx, cancelCtx.signal),
  };

  it.for(Object.entries(merges))(
    "P-128 %s: ends with the cause of the second, and has the values of the first",
    ([, join]) => {
      const root = tracked();
      const ctx1 = withCancel(withValue(background, key, "of ctx1"));
      const ctx2 = withCancel(withValue(root.signal, key, "of ctx2"));
      const merged = join(ctx1, ctx2);
      const platform = AbortSignal.any([ctx1.signal, ctx2.signal]);
      assert.isFalse(merged.signal.aborted);
      const why = new Error("ctx2 canceled");
      ctx2.cancel(why);
      expect([merged.cause, merged.signal.reason, platform.reason]).toEqual([why, why, why]);
      expect(isCanceled(merged.error)).toBe(true);
      expect(merged.value(key)).toBe("of ctx1");
      assert.isUndefined(ctx1.error);
      expect(root.listeners()).toBe(0);
    },
  );

  it.for(Object.entries(merges))(
    "P-128 %s: ends with the first, and by itself; then nothing hangs on the second",
    ([, join]) => {
      for (const how of ["the first", "itself"]) {
        const root = tracked();
        const ctx1 = withCancel(background);
        const parent2 = withCancel(root.signal);
        // What hangs on the second is seen at its parent's: it is watched through the merged one alone.
        const ctx2 = join === merge ? withCancel(parent2) : parent2;
        const merged = join(ctx1, join === merge ? ctx2 : ({ signal: root.signal } as Context));
        void merged.signal.aborted;
        expect(root.listeners(), how).toBe(1);
        if (how === "itself") merged.cancel();
        else ctx1.cancel("ctx1 canceled");
        expect(merged.cause, how).toBe(how === "itself" ? merged.error : "ctx1 canceled");
        expect(root.listeners(), how).toBe(0);
        parent2.cancel("too late");
        root.controller.abort("too late");
        expect(merged.cause, how).toBe(how === "itself" ? merged.error : "ctx1 canceled");
      }
    },
  );

  it("P-128 by withSignal the merged one is done when the second's first listener runs, where AbortSignal.any may not be", () => {
    const ctx2 = withCancel(background);
    const seen: boolean[] = [];
    ctx2.signal.addEventListener("abort", () => seen.push(merged.signal.aborted));
    const merged = withSignal(background, ctx2.signal);
    void merged.signal.aborted;
    ctx2.cancel("why");
    expect(seen).toEqual([true]);
  });
});
