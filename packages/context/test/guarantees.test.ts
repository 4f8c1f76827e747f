// Promises of the package that are about no one function of it.
import { catchAbortError, isAbortError } from "abort-controller-x";
import PQueue from "p-queue";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import {
  afterDone,
  background,
  CanceledError,
  contextKey,
  DeadlineExceededError,
  isDeadlineExceeded,
  sleep,
  withCancel,
  withDeadline,
  withSignal,
  withTimeout,
  withValue,
} from "../src/index.ts";
import type { Context } from "../src/index.ts";
import { counted } from "./support.ts";

const why = new Error("why");

beforeAll(async () => {
  await fetch("data:,"); // Node loads it at the first use, which takes its time
});

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("a context as the options of others", () => {
  it("ends a fetch with its cause", async () => {
    const ctx = withTimeout(background, 60_000);
    const responses = [fetch("data:,x", ctx), fetch("data:,x", { ...ctx, method: "GET" })];
    ctx.cancel(why);
    responses.push(fetch("data:,x", ctx));
    for (const response of responses) await expect(response).rejects.toBe(why);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("ends what waits in a p-queue, which copies its options before it looks at them", async () => {
    const queue = new PQueue({ concurrency: 1 });
    const ctx = withCancel(background);
    const task = vi.fn<() => void>();
    const held = queue.add(() => new Promise<void>((resolve) => afterDone(ctx, resolve)));
    const queued = queue.add(task, ctx);
    ctx.cancel(why);
    await expect(queued).rejects.toBe(why);
    await held;
    expect(task).not.toHaveBeenCalled();
  });
});

describe("a context nobody watches", () => {
  it("starts no timer and adds no listener, whatever it is asked", () => {
    const [foreign, other] = [counted(), counted()];
    const timers = vi.spyOn(globalThis, "setTimeout");
    const key = contextKey("k", 0);
    const timed = withTimeout(foreign.signal, 60_000);
    const contexts = [
      timed,
      withCancel(timed),
      withValue(timed, key, 1),
      withDeadline(withCancel(timed), Date.now() + 5),
      withSignal(timed, other.signal),
    ];
    for (const ctx of contexts) {
      void [ctx.error, ctx.cause, ctx.deadline, ctx.remaining, ctx.value(key)];
      ctx.throwIfDone();
    }
    vi.advanceTimersByTime(10);
    expect(contexts.map(({ error }) => error !== undefined)).toEqual([false, false, false, true, false]);
    expect([foreign.listeners(), other.listeners()]).toEqual([0, 0]);
    expect(timers).not.toHaveBeenCalled();
  });
});

describe("a child that is made while its parent is being canceled", () => {
  it.for([false, true])("has neither timer nor listener, though it is watched; with a foreign parent: %s", (direct) => {
    const foreign = counted();
    const parent = withCancel(foreign.signal);
    const seen: unknown[] = [];
    parent.signal.addEventListener("abort", () => {
      const child = withTimeout(direct ? foreign.signal : parent, 60_000);
      const follower = withSignal(background, direct ? foreign.signal : parent.signal);
      afterDone(child, () => {});
      afterDone(follower, () => {});
      seen.push(child.signal.reason, follower.signal.reason, vi.getTimerCount(), foreign.listeners());
    });
    if (direct) foreign.abort(why);
    else parent.cancel(why);
    expect(seen).toEqual([why, why, 0, 0]);
  });
});

describe("which of several endings came first", () => {
  const ends: [string, (a: AbortController, b: AbortController) => void][] = [
    ["b, then a", (a, b) => [b.abort("b"), a.abort("a")]],
    ["a, then b", (a, b) => [a.abort("a"), b.abort("b")]],
  ];

  it.for(ends)("of foreign signals counts while the context is watched, else the order of the list: %s", ([, end]) => {
    const causes = [true, false].map((watched) => {
      const [a, b] = [new AbortController(), new AbortController()];
      const ctx = withSignal(background, a.signal, b.signal);
      if (watched) afterDone(ctx, () => {});
      end(a, b);
      return ctx.cause;
    });
    expect(causes).toEqual([end === ends[0]?.[1] ? "b" : "a", "a"]);
  });

  it("of a foreign signal and a deadline counts while the context is watched, else the parent's comes first", () => {
    const endOf = (watched: boolean, derive: (signal: AbortSignal) => Context): unknown => {
      const foreign = new AbortController();
      const ctx = derive(foreign.signal);
      if (watched) afterDone(ctx, () => {});
      vi.advanceTimersByTime(5);
      foreign.abort("gone");
      vi.advanceTimersByTime(20);
      return isDeadlineExceeded(ctx.cause) ? "late" : ctx.cause;
    };
    const signalBelow = (signal: AbortSignal) => withSignal(withTimeout(background, 10), signal);
    const signalAbove = (signal: AbortSignal) => withTimeout(signal, 10);
    expect([endOf(true, signalBelow), endOf(true, signalAbove)]).toEqual(["gone", "gone"]);
    expect([endOf(false, signalBelow), endOf(false, signalAbove)]).toEqual(["late", "gone"]);
  });
});

describe("the errors", () => {
  it("are two classes without a base class of their own", () => {
    for (const type of [CanceledError, DeadlineExceededError]) expect(Object.getPrototypeOf(type)).toBe(Error);
    expect(new CanceledError()).not.toBeInstanceOf(DeadlineExceededError);
    expect(new DeadlineExceededError()).not.toBeInstanceOf(CanceledError);
  });

  it("pass for the platform's where others look at names", async () => {
    const ctx = withCancel(background);
    const nap = sleep(60_000, ctx);
    ctx.cancel();
    expect(isAbortError(ctx.error)).toBe(true);
    expect(await nap.catch(catchAbortError)).toBeUndefined();
    const late = withTimeout(background, 0).error;
    expect([late?.name, isAbortError(late)]).toEqual(["TimeoutError", false]);
  });

  it("are one per ending: shared by all that end with it, and by no other", () => {
    const [parent, other] = [withCancel(background), withCancel(background)];
    const children = [withCancel(parent), withTimeout(parent, 60_000)];
    parent.cancel();
    other.cancel();
    for (const { error } of children) expect(error).toBe(parent.error);
    expect(other.error).not.toBe(parent.error);
    expect(withTimeout(background, 0).error).not.toBe(withTimeout(background, 0).error);
  });
});

describe("a method", () => {
  it("needs its context: torn off, it is a TypeError", () => {
    const ctx = withCancel(background);
    const key = contextKey("k", 0);
    const { cancel, value, throwIfDone, [Symbol.dispose]: dispose } = ctx;
    for (const call of [() => cancel(), () => value(key), () => throwIfDone(), () => dispose()]) {
      expect(call).toThrow(TypeError);
    }
    expect(ctx.error).toBeUndefined();
  });
});
