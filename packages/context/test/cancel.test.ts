import { afterEach, describe, expect, it, vi } from "vitest";
import {
  afterDone,
  background,
  CanceledError,
  contextKey,
  isCanceled,
  isDeadlineExceeded,
  withCancel,
  withoutCancel,
  withSignal,
  withTimeout,
  withValue,
} from "../src/index.ts";
import type { Context } from "../src/index.ts";
import { lateTimers, thrown, uncaught } from "./support.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe("background", () => {
  it("never ends: no error, no cause, no deadline, a signal that is not aborted", () => {
    expect([background.error, background.cause, background.deadline]).toEqual([undefined, undefined, undefined]);
    expect(background.remaining).toBe(Infinity);
    expect(background.signal.aborted).toBe(false);
    expect(background.signal).toBe(background.signal);
    expect(() => background.throwIfDone()).not.toThrow();
    expect("cancel" in background).toBe(false);
  });
});

describe("cancel()", () => {
  it("is seen at once, on the line after it, in every descendant", () => {
    const parent = withCancel(background);
    const child = withTimeout(withValue(parent, contextKey("k"), 1), 3_600_000_000);
    const watched = withCancel(child);
    const { signal } = watched;
    expect([parent.error, child.error, watched.error, signal.aborted]).toEqual([
      undefined,
      undefined,
      undefined,
      false,
    ]);
    parent.cancel();
    expect(isCanceled(parent.error)).toBe(true);
    expect(child.error).toBe(parent.error);
    expect(watched.error).toBe(parent.error);
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBe(watched.cause);
  });

  it("keeps error and cause apart: the cause is what was given, the error stays a CanceledError", () => {
    const ctx = withCancel(background);
    const why = new Error("user left");
    ctx.cancel(why);
    expect(ctx.cause).toBe(why);
    expect(ctx.error).toBeInstanceOf(CanceledError);
    expect(ctx.error).toBe(ctx.error);
    expect(ctx.signal.reason).toBe(why);
    expect(thrown(() => ctx.throwIfDone())).toBe(why);
  });

  it("without a cause has the error as its cause", () => {
    const ctx = withCancel(background);
    ctx.cancel();
    expect(ctx.cause).toBe(ctx.error);
    expect(ctx.signal.reason).toBe(ctx.error);
    expect(thrown(() => ctx.throwIfDone())).toBe(ctx.error);
  });

  it.for([null, 0, "", false, "a string", Number.NaN].map((cause) => ({ cause })))(
    "takes $cause as a cause",
    ({ cause }) => {
      const ctx = withCancel(background);
      const { signal } = ctx;
      ctx.cancel(cause);
      expect(ctx.cause).toBe(cause);
      expect(signal.reason).toBe(cause);
      expect(thrown(() => ctx.throwIfDone())).toBe(cause);
      expect(isCanceled(ctx.error)).toBe(true);
    },
  );

  it("takes undefined for no cause", () => {
    const ctx = withCancel(background);
    ctx.cancel(undefined);
    expect(ctx.cause).toBe(ctx.error);
  });

  it("does not touch the parent or the siblings", () => {
    const parent = withCancel(background);
    const child = withCancel(parent);
    const sibling = withCancel(parent);
    void child.signal.aborted;
    void sibling.signal.aborted;
    child.cancel();
    expect(parent.error).toBeUndefined();
    expect(sibling.error).toBeUndefined();
    expect(sibling.signal.aborted).toBe(false);
  });

  it("happens on leaving the scope of `using`", () => {
    let seen: Context;
    {
      using ctx = withCancel(background);
      seen = ctx;
      expect(ctx.error).toBeUndefined();
    }
    expect(isCanceled(seen.error)).toBe(true);
  });
});

describe("the first ending wins", () => {
  it("over a second cancel", () => {
    const ctx = withCancel(background);
    ctx.cancel("first");
    const { error } = ctx;
    ctx.cancel("second");
    expect(ctx.cause).toBe("first");
    expect(ctx.error).toBe(error);
  });

  it("at every level: a parent's later end does not reach a child that has ended", () => {
    for (const watch of [false, true]) {
      const parent = withCancel(background);
      const child = withCancel(parent);
      if (watch) void child.signal.aborted;
      child.cancel("child");
      parent.cancel("parent");
      expect([child.cause, parent.cause]).toEqual(["child", "parent"]);
      expect(child.signal.reason).toBe("child");
    }
  });

  it("at every level: a child's later cancel does not hide its parent's", () => {
    for (const watch of [false, true]) {
      const parent = withCancel(background);
      const child = withCancel(withCancel(parent));
      if (watch) void child.signal.aborted;
      parent.cancel("parent");
      child.cancel("child");
      expect(child.cause).toBe("parent");
    }
  });

  it("when the deadline has passed before cancel()", () => {
    vi.useFakeTimers();
    const ctx = withTimeout(background, 10);
    void ctx.signal.aborted;
    vi.advanceTimersByTime(10);
    ctx.cancel("late");
    expect(isDeadlineExceeded(ctx.error)).toBe(true);
    expect(ctx.cause).toBe(ctx.error);
  });

  it("when the deadline has passed by the clock before cancel(), though its timer is late", () => {
    const clock = lateTimers();
    for (const watch of [false, true]) {
      const ctx = withTimeout(background, 10);
      if (watch) void ctx.signal.aborted;
      clock.pass(10);
      ctx.cancel("late");
      expect(isDeadlineExceeded(ctx.error)).toBe(true);
      expect(ctx.signal.reason).toBe(ctx.error);
    }
  });

  it("when a child's deadline has passed by the clock before the parent's cancel()", () => {
    const clock = lateTimers();
    for (const watch of [false, true]) {
      const parent = withCancel(background);
      const before = withTimeout(parent, 10);
      const grandchild = withCancel(before);
      const after = withTimeout(parent, 1_000);
      if (watch) for (const ctx of [before, grandchild, after]) void ctx.signal.aborted;
      clock.pass(500);
      parent.cancel("stop");
      clock.pass(1_000);
      expect(isDeadlineExceeded(before.error)).toBe(true);
      expect(grandchild.error).toBe(before.error);
      expect(after.cause).toBe("stop");
    }
  });

  it("when the parent was canceled before the deadline passed, though nobody looked until later", () => {
    const clock = lateTimers();
    const parent = withCancel(background);
    const middle = withCancel(parent);
    const child = withTimeout(middle, 10);
    parent.cancel("stop");
    clock.pass(20);
    expect(child.cause).toBe("stop");
  });

  it("when a parent's cancel and the birth of a child with no time left fall on one tick of the clock", () => {
    lateTimers();
    const parent = withCancel(background);
    const middle = withCancel(parent);
    const early = withTimeout(middle, 0);
    parent.cancel("stop");
    const late = withTimeout(middle, 0);
    expect(isDeadlineExceeded(early.error)).toBe(true);
    expect(late.cause).toBe("stop");
  });

  it("when the deadline would pass after cancel()", () => {
    vi.useFakeTimers();
    const ctx = withTimeout(background, 10);
    void ctx.signal.aborted;
    ctx.cancel("early");
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(20);
    expect(ctx.cause).toBe("early");
    expect(isCanceled(ctx.error)).toBe(true);
  });
});

describe("the two phases of cancel()", () => {
  it("mark the whole subtree before the first listener or callback runs", () => {
    const root = withCancel(background);
    const child = withCancel(root);
    const leaf = withTimeout(child, 60_000);
    const idle = withCancel(leaf);
    const seen: unknown[] = [];
    const look = () =>
      seen.push([root, child, leaf, idle].map((ctx) => ctx.cause === "stop" && ctx.signal.reason === "stop"));
    root.signal.addEventListener("abort", look);
    afterDone(root, look);
    afterDone(leaf, look);
    root.cancel("stop");
    expect(seen).toEqual(Array.from({ length: 3 }, () => [true, true, true, true]));
  });

  it("fire a parent's events before its children's, siblings' in the order made, callbacks in the order registered", () => {
    const events: string[] = [];
    const root = withCancel(background);
    const tree: Record<string, Context> = { root };
    for (const name of ["a", "b", "c"]) {
      const child = withCancel(root);
      tree[name] = child;
      for (const n of ["1", "2"]) tree[name + n] = withCancel(child);
    }
    // Watched in an order that is neither that of making nor its reverse.
    for (const name of ["b2", "c1", "a2", "b1", "c", "root", "a1", "c2", "b", "a"]) {
      const ctx = tree[name] as Context;
      afterDone(ctx, () => events.push(name));
      ctx.signal.addEventListener("abort", () => events.push(`signal ${name}`));
      afterDone(ctx, () => events.push(`${name} again`));
    }
    root.cancel();
    expect(events).toEqual(
      ["root", "a", "a1", "a2", "b", "b1", "b2", "c", "c1", "c2"].flatMap((name) => [
        `signal ${name}`,
        name,
        `${name} again`,
      ]),
    );
  });

  it("keep the order made when children are stopped and watched again", () => {
    const events: number[] = [];
    const root = withCancel(background);
    const children = Array.from({ length: 5 }, () => withCancel(root));
    const watch = (n: number) => afterDone(children[n] as Context, () => events.push(n));
    const stops = [3, 1, 4, 0, 2].map(watch);
    stops[0]?.();
    stops[1]?.();
    watch(1);
    watch(3);
    root.cancel();
    expect(events).toEqual([0, 1, 2, 3, 4]);
  });

  it("let a callback stop one that has not run yet", () => {
    const root = withCancel(background);
    const child = withCancel(root);
    const ran: string[] = [];
    const stopped: boolean[] = [];
    afterDone(root, () => {
      stopped.push(stopSecond(), stopChild(), stopChild());
    });
    const stopSecond = afterDone(root, () => ran.push("second"));
    const stopChild = afterDone(child, () => ran.push("child"));
    afterDone(child, () => ran.push("other"));
    root.cancel();
    expect(stopped).toEqual([true, true, false]);
    expect(ran).toEqual(["other"]);
  });

  it("bear calls from within: cancel again, cancel the parent, derive, register and stop", () => {
    const parent = withCancel(background);
    const ctx = withCancel(parent);
    const child = withCancel(ctx);
    let calls = 0;
    const born: Context[] = [];
    const late = vi.fn();
    ctx.signal.addEventListener("abort", () => {
      calls++;
      ctx.cancel("again");
      child.cancel("child");
      parent.cancel("parent");
      born.push(withCancel(ctx), withTimeout(ctx, 1_000), withSignal(ctx, new AbortController().signal));
      expect(afterDone(ctx, late)()).toBe(true);
    });
    afterDone(child, () => calls++);
    afterDone(parent, () => calls++);
    ctx.cancel("first");
    expect(calls).toBe(3);
    expect([ctx.cause, child.cause, parent.cause]).toEqual(["first", "first", "parent"]);
    expect(born.map(({ cause, signal }) => [cause, signal.reason])).toEqual(
      Array.from({ length: 3 }, () => ["first", "first"]),
    );
    expect(late).not.toHaveBeenCalled();
  });

  it("let a child end another part of the tree while its own is being canceled", () => {
    const root = withCancel(background);
    const left = withCancel(root);
    const right = withCancel(root);
    const events: string[] = [];
    afterDone(left, () => {
      events.push("left");
      root.cancel("from left");
    });
    afterDone(right, () => events.push(`right: ${String(right.cause)}`));
    left.cancel("left");
    expect(events).toEqual(["left", "right: from left"]);
    expect([left.cause, root.cause]).toEqual(["left", "from left"]);
  });
});

describe("a child of a done parent", () => {
  it("is born done, with the same error and cause, with neither timer nor listener", () => {
    vi.useFakeTimers();
    const parent = withCancel(background);
    parent.cancel("over");
    for (const child of [
      withCancel(parent),
      withTimeout(parent, 50),
      withCancel(withValue(parent, contextKey("k"), 1)),
    ]) {
      expect(child.error).toBe(parent.error);
      expect(child.cause).toBe("over");
      expect(child.signal.aborted).toBe(true);
      expect(child.signal.reason).toBe("over");
    }
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is born done under an ancestor that has ended while nobody watched", () => {
    const top = withCancel(background);
    const middle = withCancel(withCancel(top));
    top.cancel("over");
    expect(withCancel(middle).cause).toBe("over");
    expect(middle.cause).toBe("over");
  });

  it("made while its parent is being canceled is born done, with the final cause", () => {
    const parent = withCancel(background);
    const causes: unknown[] = [];
    parent.signal.addEventListener("abort", () => causes.push(withCancel(parent).cause, parent.cause));
    parent.cancel("over");
    expect(causes).toEqual(["over", "over"]);
  });
});

describe("a listener or callback that throws", () => {
  it("keeps no other from running, and is reported as uncaught, not by cancel()", () => {
    const errors = uncaught();
    const root = withCancel(background);
    const child = withCancel(root);
    const ran: string[] = [];
    afterDone(root, () => {
      throw new Error("one");
    });
    afterDone(root, () => ran.push("root"));
    afterDone(child, () => {
      throw new Error("two");
    });
    afterDone(child, () => ran.push("child"));
    expect(() => root.cancel()).not.toThrow();
    expect(ran).toEqual(["root", "child"]);
    expect(errors).toEqual([new Error("one"), new Error("two")]);
  });

  it("is reported too when the context was done already", async () => {
    const errors = uncaught();
    const ctx = withCancel(background);
    ctx.cancel();
    afterDone(ctx, () => {
      throw new Error("late");
    });
    await Promise.resolve();
    expect(errors).toEqual([new Error("late")]);
  });
});

describe("withoutCancel()", () => {
  it("keeps the values and drops cancellation and deadline", () => {
    vi.useFakeTimers();
    const key = contextKey("k", "none");
    const parent = withTimeout(withValue(background, key, "kept"), 10, { cause: "slow" });
    const detached = withoutCancel(parent);
    vi.advanceTimersByTime(20);
    parent.cancel("over");
    expect(detached.value(key)).toBe("kept");
    expect([detached.error, detached.cause, detached.deadline, detached.remaining]).toEqual([
      undefined,
      undefined,
      undefined,
      Infinity,
    ]);
    expect(detached.signal.aborted).toBe(false);
    expect("cancel" in detached).toBe(false);
  });

  it("starts a tree of its own, with a signal of its own", () => {
    const detached = withoutCancel(background);
    const child = withCancel(detached);
    const { signal } = child;
    child.cancel("child");
    expect(signal.reason).toBe("child");
    expect(detached.error).toBeUndefined();
    expect(detached.signal).toBe(detached.signal);
    expect(detached.signal).not.toBe(background.signal);
    expect(withCancel(detached.signal).error).toBeUndefined();
  });
});

describe("wrong parents", () => {
  const wrong: unknown[] = [undefined, null, 0, "ctx", {}, [], () => {}, { signal: {} }, { signal: null }, new Date()];
  const derive: [string, (parent: never) => unknown][] = [
    ["withCancel", (parent) => withCancel(parent)],
    ["withTimeout", (parent) => withTimeout(parent, 1)],
    ["withValue", (parent) => withValue(parent, contextKey("k"), 1)],
    ["withoutCancel", (parent) => withoutCancel(parent)],
    ["withSignal", (parent) => withSignal(parent)],
    ["afterDone", (parent) => afterDone(parent, () => {})],
  ];

  it.for(derive)("are a TypeError of %s, at the call", ([, call]) => {
    for (const parent of wrong) expect(() => call(parent as never)).toThrow(TypeError);
    expect(() => call({} as never)).toThrow("Cannot use as a context: it is neither a context nor an AbortSignal");
  });

  it("whose getters throw give that error at the call", () => {
    const error = new Error("trap");
    const trap = {
      get signal(): never {
        throw error;
      },
    };
    expect(thrown(() => withCancel(trap as never))).toBe(error);
  });

  it("such as a method that was torn off its context are a TypeError", () => {
    const { cancel } = withCancel(background);
    expect(() => cancel()).toThrow(TypeError);
  });
});
