import { afterEach, describe, expect, it, vi } from "vitest";
import {
  afterDone,
  background,
  contextKey,
  isCanceled,
  isDeadlineExceeded,
  sleep,
  withCancel,
  withDeadline,
  withoutCancel,
  withSignal,
  withTimeout,
  withValue,
} from "../src/index.ts";
import type { Context } from "../src/index.ts";
import { counted, lateTimers, thrown } from "./support.ts";

const WAITING = Symbol.for("@sluice/waiting");

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("signal", () => {
  const derived = (): Context[] => [
    background,
    withCancel(background),
    withTimeout(background, 60_000),
    withValue(background, contextKey("k"), 1),
    withoutCancel(background),
    withSignal(background, new AbortController().signal),
    withCancel(new AbortController().signal),
  ];

  it("is an own, enumerable property of every context, the only one, and survives `{ ...ctx }`", () => {
    for (const ctx of derived()) {
      expect(Reflect.ownKeys(ctx)).toEqual(["signal"]);
      expect(Object.keys(ctx)).toEqual(["signal"]);
      expect({ ...ctx }.signal).toBe(ctx.signal);
      expect(Object.assign({}, ctx).signal).toBe(ctx.signal);
      for (const ctx2 of [ctx, { ...ctx }]) expect(ctx2.signal).toBeInstanceOf(AbortSignal);
    }
  });

  it("is made on first use and always the same object, before the end and after it", () => {
    const ctx = withCancel(background);
    const { signal } = ctx;
    expect(ctx.signal).toBe(signal);
    ctx.cancel();
    expect(ctx.signal).toBe(signal);
    const late = withCancel(background);
    late.cancel("over");
    expect(late.signal).toBe(late.signal);
    expect([late.signal.aborted, late.signal.reason]).toEqual([true, "over"]);
  });

  it("makes no AbortController until somebody reads it", () => {
    const made = vi.fn();
    const Real = AbortController;
    vi.stubGlobal(
      "AbortController",
      class extends Real {
        constructor() {
          super();
          made();
        }
      },
    );
    try {
      const parent = withCancel(background);
      const ctx = withTimeout(withValue(parent, contextKey("k"), 1), 60_000);
      void [ctx.error, ctx.cause, ctx.remaining, ctx.deadline];
      afterDone(ctx, () => {});
      void sleep(5, ctx).catch(() => {});
      parent.cancel();
      expect(ctx.error).toBe(parent.error);
      expect(made).not.toHaveBeenCalled();
      void ctx.signal.aborted;
      expect(made).toHaveBeenCalledOnce();
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it("tells who uses it as options of the platform", () => {
    const ctx = withCancel(background);
    const target = new EventTarget();
    const heard = vi.fn();
    target.addEventListener("x", heard, ctx);
    target.dispatchEvent(new Event("x"));
    ctx.cancel();
    target.dispatchEvent(new Event("x"));
    expect(heard).toHaveBeenCalledOnce();
  });

  it("leads back to its context when it is a parent: deadline, cause and both phases", () => {
    vi.useFakeTimers();
    const ctx = withTimeout(background, 1_000);
    const child = withTimeout(ctx.signal, 5_000);
    expect(child.deadline).toBe(ctx.deadline);
    const seen: unknown[] = [];
    ctx.signal.addEventListener("abort", () => seen.push(child.cause, child.signal.reason));
    afterDone(child, () => seen.push("child"));
    expect(vi.getTimerCount()).toBe(1);
    ctx.cancel("over");
    expect(seen).toEqual(["over", "over", "child"]);
    expect(child.error).toBe(ctx.error);
  });

  it("leads back from a copy or a wrapper of a context as well", () => {
    const key = contextKey("k", "none");
    const ctx = withTimeout(withValue(background, key, "kept"), 60_000);
    class Wrapper {
      inner = ctx as Context;
      get signal() {
        return this.inner.signal;
      }
      get deadline() {
        return this.inner.deadline;
      }
      value(k: typeof key) {
        return this.inner.value(k);
      }
    }
    const wrapped = withCancel(new Wrapper() as unknown as Context);
    const copied = withCancel({ ...ctx } as Context);
    expect([wrapped.deadline, copied.deadline]).toEqual([ctx.deadline, ctx.deadline]);
    expect([wrapped.value(key), withValue(wrapped, contextKey("x"), 1).value(key)]).toEqual(["kept", "kept"]);
    ctx.cancel("over");
    expect([wrapped.cause, copied.cause]).toEqual(["over", "over"]);
    expect(wrapped.error).toBe(ctx.error);
  });
});

describe("a foreign signal as a parent", () => {
  it("ends the context at once, with its reason as the cause", () => {
    const foreign = new AbortController();
    const ctx = withCancel(foreign.signal);
    const idle = withCancel(withValue(foreign.signal, contextKey("k"), 1));
    const { signal } = ctx;
    foreign.abort("gone");
    expect(signal.aborted).toBe(true);
    expect([ctx.cause, idle.cause, signal.reason]).toEqual(["gone", "gone", "gone"]);
    expect(isCanceled(ctx.error)).toBe(true);
    expect(idle.error).toBe(ctx.error);
  });

  it("that has aborted already gives birth to done contexts and gets no listener", () => {
    const foreign = counted();
    foreign.abort("gone");
    const ctx = withTimeout(foreign.signal, 50);
    expect(ctx.signal.reason).toBe("gone");
    expect(withTimeout(foreign.signal, 0).cause).toBe("gone");
    expect(foreign.listeners()).toBe(0);
  });

  it("gives its reason's kind: a TimeoutError is a deadline exceeded, all else a cancellation", () => {
    const late = new DOMException("late", "TimeoutError");
    for (const [reason, test] of [
      [late, isDeadlineExceeded],
      [new Error("any"), isCanceled],
      [null, isCanceled],
    ] as const) {
      const foreign = new AbortController();
      const ctx = withCancel(foreign.signal);
      foreign.abort(reason);
      expect(ctx.cause).toBe(reason);
      expect(test(ctx.error)).toBe(true);
    }
    const plain = new AbortController();
    const ctx = withCancel(plain.signal);
    plain.abort();
    expect(ctx.cause).toBe(plain.signal.reason);
  });

  it("is the signal of contexts that only add a value to it", () => {
    const { signal } = new AbortController();
    expect(withValue(signal, contextKey("k"), 1).signal).toBe(signal);
  });

  it("carries one listener for all its contexts, and only while one of them is watched", () => {
    const foreign = counted();
    const a = withCancel(foreign.signal);
    const b = withCancel(withCancel(foreign.signal));
    expect(foreign.listeners()).toBe(0);
    void a.signal.aborted;
    const stop = afterDone(b, () => {});
    const more = Array.from({ length: 50 }, () => withTimeout(foreign.signal, 60_000));
    for (const ctx of more) void ctx.signal.aborted;
    const nap = sleep(60_000, { signal: foreign.signal }).catch(() => "woken");
    expect(foreign.listeners()).toBe(1);
    stop();
    a.cancel();
    for (const ctx of more) ctx.cancel();
    expect(foreign.listeners()).toBe(1);
    foreign.abort();
    expect(foreign.listeners()).toBe(0);
    return expect(nap).resolves.toBe("woken");
  });

  it("carries none when all its contexts are done or no longer watched", () => {
    const foreign = counted();
    for (let round = 0; round < 3; round++) {
      const ctx = withTimeout(foreign.signal, 60_000);
      const grandchild = withCancel(withCancel(ctx));
      const stop = afterDone(grandchild, () => {});
      expect(foreign.listeners()).toBe(1);
      stop();
      expect(foreign.listeners()).toBe(0);
      void grandchild.signal.aborted;
      ctx.cancel();
      expect(foreign.listeners()).toBe(0);
    }
  });

  it("ends whole subtrees in two phases", () => {
    const foreign = new AbortController();
    const a = withCancel(foreign.signal);
    const b = withSignal(background, foreign.signal);
    const events: unknown[] = [];
    a.signal.addEventListener("abort", () => events.push(["a", b.cause, b.signal.aborted]));
    b.signal.addEventListener("abort", () => events.push(["b", a.cause]));
    foreign.abort("gone");
    expect(events).toEqual([
      ["a", "gone", true],
      ["b", "gone"],
    ]);
  });

  it("say so by all their signals before the first event, and leave them as the platform made them", () => {
    const parent = withCancel(background);
    const child = withCancel(parent);
    const { signal } = child;
    const seen: unknown[] = [];
    parent.signal.addEventListener("abort", () => {
      seen.push(signal.aborted, signal.reason);
      expect(thrown(() => signal.throwIfAborted())).toBe("over");
    });
    signal.addEventListener("abort", ({ target }) => seen.push(target === signal, signal.reason));
    parent.cancel("over");
    expect(seen).toEqual([true, "over", true, "over"]);
    for (const it of [signal, parent.signal]) {
      expect(Object.getPrototypeOf(it)).toBe(AbortSignal.prototype);
      expect([it.aborted, it.reason]).toEqual([true, "over"]);
    }
  });

  it("is not believed to have aborted because of an event alone", () => {
    const foreign = new AbortController();
    const ctx = withCancel(foreign.signal);
    const { signal } = ctx;
    foreign.signal.dispatchEvent(new Event("abort"));
    expect([ctx.error, signal.aborted]).toEqual([undefined, false]);
    foreign.abort("gone");
    expect(signal.reason).toBe("gone");
  });

  it("may be a polyfill, without a reason even", () => {
    const listeners = new Set<() => void>();
    const polyfill = {
      aborted: false,
      addEventListener: (_: string, listener: () => void) => listeners.add(listener),
      removeEventListener: (_: string, listener: () => void) => listeners.delete(listener),
    };
    const ctx = withCancel(polyfill as unknown as AbortSignal);
    const { signal } = ctx;
    expect(listeners.size).toBe(1);
    polyfill.aborted = true;
    for (const listener of listeners) listener();
    expect(ctx.cause).toBe(ctx.error);
    expect(signal.reason).toBe(ctx.error);
    expect(listeners.size).toBe(0);
  });

  it("that aborts after the deadline has passed is too late, though the timer is late", () => {
    const clock = lateTimers();
    const foreign = new AbortController();
    const ctx = withTimeout(foreign.signal, 10);
    const { signal } = ctx;
    clock.pass(20);
    foreign.abort("gone");
    expect(isDeadlineExceeded(signal.reason)).toBe(true);
    expect(ctx.cause).toBe(signal.reason);
  });

  it("comes before a deadline where nobody watched which was first", () => {
    const clock = lateTimers();
    const foreign = new AbortController();
    const ctx = withTimeout(foreign.signal, 10);
    clock.pass(20);
    foreign.abort("gone");
    expect(ctx.cause).toBe("gone");
  });
});

describe("a foreign object with a signal as a parent", () => {
  it("is followed through its signal, its `value` method answers, its deadline counts", () => {
    vi.useFakeTimers();
    const key = contextKey("k", "none");
    const own = contextKey("own", 0);
    const controller = new AbortController();
    const foreign = {
      signal: controller.signal,
      deadline: Date.now() + 1_000,
      value: (asked: unknown) => (asked === key ? "foreign" : undefined),
    } as unknown as Context;
    const ctx = withValue(withTimeout(foreign, 60_000), own, 5);
    expect(ctx.deadline).toBe(Date.now() + 1_000);
    expect(withDeadline(foreign, Date.now() + 10).deadline).toBe(Date.now() + 10);
    expect([ctx.value(key), ctx.value(own), withoutCancel(ctx).value(key)]).toEqual(["foreign", 5, "foreign"]);
    controller.abort("gone");
    expect(ctx.cause).toBe("gone");
  });

  it("ends its children at its deadline even if its signal does not, a millisecond later", () => {
    vi.useFakeTimers();
    const cause = new Error("foreign");
    const foreign = { signal: new AbortController().signal, deadline: Date.now() + 10 };
    const watched = withCancel(foreign as unknown as Context);
    const idle = withCancel({ ...foreign, cause } as unknown as Context);
    const { signal } = watched;
    vi.advanceTimersByTime(10);
    expect(signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(isDeadlineExceeded(signal.reason)).toBe(true);
    expect(idle.cause).toBe(cause);
  });

  it("gives its cause, if it throws for it, none", () => {
    const foreign = {
      signal: new AbortController().signal,
      deadline: 0,
      get cause(): never {
        throw new Error("trap");
      },
    };
    vi.useFakeTimers();
    const ctx = withCancel(foreign as unknown as Context);
    vi.advanceTimersByTime(1);
    expect(ctx.cause).toBe(ctx.error);
    expect(isDeadlineExceeded(ctx.error)).toBe(true);
  });

  it("has no deadline where that is not a number", () => {
    for (const deadline of [undefined, null, "soon", Number.NaN, Infinity, new Date(0)]) {
      const ctx = withCancel({ signal: new AbortController().signal, deadline } as unknown as Context);
      expect([ctx.deadline, ctx.error]).toEqual([undefined, undefined]);
    }
  });
});

describe("withSignal()", () => {
  it("ends with the parent, with any of the signals, or by cancel(), whichever comes first", () => {
    for (const watch of [false, true]) {
      for (const which of [0, 1, 2, 3]) {
        const parent = withCancel(background);
        const [a, b] = [new AbortController(), new AbortController()];
        const ctx = withSignal(parent, a.signal, b.signal);
        if (watch) void ctx.signal.aborted;
        const ends = [() => parent.cancel(0), () => a.abort(1), () => b.abort(2), () => ctx.cancel(3)];
        ends[which]?.();
        expect(ctx.cause).toBe(which);
        for (const end of ends) end();
        expect([ctx.cause, ctx.signal.reason]).toEqual([which, which]);
      }
    }
  });

  it("takes no signal at all, and keeps the parent's values and deadline", () => {
    const key = contextKey("k", 0);
    const parent = withTimeout(withValue(background, key, 5), 60_000);
    const ctx = withSignal(parent);
    expect([ctx.value(key), ctx.deadline]).toEqual([5, parent.deadline]);
    parent.cancel("over");
    expect(ctx.cause).toBe("over");
  });

  it("prefers a done parent, then the first aborted signal of the list", () => {
    const parent = withCancel(background);
    const done = withCancel(background);
    done.cancel("own");
    const [first, second] = [AbortSignal.abort("first"), AbortSignal.abort("second")];
    expect(withSignal(parent, new AbortController().signal, first, second).cause).toBe("first");
    expect(withSignal(parent, second, first).cause).toBe("second");
    expect(withSignal(parent, done.signal, first).cause).toBe("own");
    const [slow, slower] = [withDeadline(background, 1_000), withDeadline(background, 500)];
    expect(withSignal(parent, slow.signal, slower.signal).cause).toBe(slow.cause);
    const later = new AbortController();
    const unwatched = withCancel(withSignal(parent, later.signal));
    later.abort("later");
    parent.cancel("parent");
    expect(withSignal(parent, second, first).cause).toBe("parent");
    expect(unwatched.cause).toBe("parent");
    expect(withSignal(AbortSignal.abort("signal parent"), first).cause).toBe("signal parent");
  });

  it("follows the kind of the reason, and has the reason itself as its cause", () => {
    const late = new DOMException("late", "TimeoutError");
    const timed = withSignal(background, AbortSignal.abort(late));
    expect(isDeadlineExceeded(timed.error)).toBe(true);
    expect(timed.cause).toBe(late);
    const stopped = withSignal(background, AbortSignal.abort("stop"));
    expect(isCanceled(stopped.error)).toBe(true);
    expect(stopped.cause).toBe("stop");
  });

  it("decides once: what it was found done by stays, for it and its children", () => {
    const parent = withCancel(background);
    const foreign = new AbortController();
    const ctx = withSignal(parent, foreign.signal);
    const child = withCancel(ctx);
    foreign.abort("signal");
    expect(child.cause).toBe("signal");
    parent.cancel("parent");
    expect(ctx.cause).toBe("signal");
  });

  it("with signals of contexts takes over their deadlines, and is marked in the same phase", () => {
    vi.useFakeTimers();
    const other = withTimeout(background, 100);
    const parent = withTimeout(background, 5_000);
    const ctx = withSignal(parent, other.signal, background.signal);
    expect(ctx.deadline).toBe(other.deadline);
    const seen: unknown[] = [];
    other.signal.addEventListener("abort", () => seen.push(ctx.error === other.error, ctx.signal.aborted));
    afterDone(ctx, () => seen.push("ctx"));
    vi.advanceTimersByTime(100);
    expect(seen).toEqual([true, true, "ctx"]);
    expect(parent.error).toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("fires in the order made among the children of each source", () => {
    const source = withCancel(background);
    const { signal } = source;
    const contexts = [withCancel(source), withSignal(background, signal), withCancel(source)];
    const order: number[] = [];
    for (const n of [2, 0, 1]) afterDone(contexts[n] as Context, () => order.push(n));
    source.cancel();
    expect(order).toEqual([0, 1, 2]);
  });

  it("bears following the same signal twice, its own parent's, and signals along its own line", () => {
    const top = withCancel(background);
    const foreign = counted();
    const twice = withSignal(foreign.signal, foreign.signal, foreign.signal);
    const own = withSignal(top, top.signal);
    const below = withSignal(withCancel(own), top.signal, own.signal);
    const sibling = withCancel(top);
    const runs: string[] = [];
    for (const [name, ctx] of Object.entries({ twice, own, below, sibling })) afterDone(ctx, () => runs.push(name));
    expect(foreign.listeners()).toBe(1);
    foreign.abort("gone");
    expect(foreign.listeners()).toBe(0);
    top.cancel("over");
    expect(runs).toEqual(["twice", "own", "below", "sibling"]);
    expect([twice.cause, own.cause, below.cause]).toEqual(["gone", "over", "over"]);
  });

  it("leaves no listener behind, however it ends", () => {
    const end: ((ctx: { cancel: () => void }, a: AbortController, parent: { cancel: () => void }) => void)[] = [
      (ctx) => ctx.cancel(),
      (_, a) => a.abort(),
      (_, __, parent) => parent.cancel(),
    ];
    for (const how of end) {
      const [a, b] = [counted(), counted()];
      const parent = withCancel(background);
      const ctx = withSignal(parent, a.signal, b.signal);
      expect([a.listeners(), b.listeners()]).toEqual([0, 0]);
      afterDone(ctx, () => {})();
      expect([a.listeners(), b.listeners()]).toEqual([0, 0]);
      void ctx.signal.aborted;
      expect([a.listeners(), b.listeners()]).toEqual([1, 1]);
      how(ctx, a, parent);
      expect([a.listeners(), b.listeners()]).toEqual([0, 0]);
    }
  });

  it("refuses what is not a signal with a TypeError, at the call", () => {
    for (const wrong of [undefined, null, {}, background, new AbortController(), "signal"]) {
      expect(() => withSignal(background, wrong as never)).toThrow(TypeError);
    }
  });
});

describe("the mark for waits on a signal", () => {
  type Marked = AbortSignal & { [WAITING]?: (change: 1 | -1) => void };

  it("is on signals of contexts with a deadline, their own or inherited, and on no other", () => {
    const timed = withTimeout(background, 60_000);
    for (const ctx of [timed, withCancel(timed), withValue(timed, contextKey("k"), 1), withTimeout(timed, 99_000)]) {
      expect((ctx.signal as Marked)[WAITING]).toBeTypeOf("function");
      expect(Object.keys(ctx.signal)).not.toContain(WAITING);
    }
    for (const ctx of [background, withCancel(background), withoutCancel(timed)]) {
      expect((ctx.signal as Marked)[WAITING]).toBeUndefined();
    }
    timed.cancel();
  });

  it("is passed on to another copy's signal, by contexts and sleeps below it", async () => {
    const changes: number[] = [];
    const foreign = new AbortController();
    Object.defineProperty(foreign.signal, WAITING, { value: (change: number) => changes.push(change) });
    const ctx = withCancel(foreign.signal);
    expect(ctx.deadline).toBeUndefined();
    expect(ctx.remaining).toBe(Infinity);
    (ctx.signal as Marked)[WAITING]?.(1);
    (ctx.signal as Marked)[WAITING]?.(-1);
    const naps = [sleep(Infinity, ctx), sleep(Infinity, { signal: foreign.signal })];
    expect(changes).toEqual([1, -1, 1, 1]);
    foreign.abort("gone");
    await Promise.allSettled(naps);
    expect(changes).toEqual([1, -1, 1, 1, -1, -1]);
  });
});
