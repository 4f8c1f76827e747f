import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { runInNewContext } from "node:vm";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import * as one from "../src/index.ts";

let two: typeof one;

beforeAll(async () => {
  vi.resetModules();
  two = await import("../src/index.ts");
});

afterEach(() => {
  vi.useRealTimers();
});

describe("another copy of the package", () => {
  it("is another one", () => {
    expect(two.background).not.toBe(one.background);
    expect(two.CanceledError).not.toBe(one.CanceledError);
  });

  it("gives contexts that are parents here: end, cause, values, deadline", () => {
    const key = one.contextKey("k", "none");
    const parent = one.withTimeout(one.withValue(one.background, key, "kept"), 60_000);
    const child = two.withCancel(two.withTimeout(parent, 99_000));
    const { signal } = child;
    expect([child.value(key), child.deadline]).toEqual(["kept", parent.deadline]);
    parent.cancel("over");
    expect([child.cause, signal.reason]).toEqual(["over", "over"]);
    expect(two.withCancel(parent).cause).toBe("over");
  });

  it("has errors that are recognized here", () => {
    const canceled = two.withCancel(two.background);
    canceled.cancel();
    expect(one.isCanceled(canceled.error)).toBe(true);
    expect(one.isDeadlineExceeded(two.withTimeout(two.background, 0).error)).toBe(true);
    const child = one.withCancel(two.withTimeout(two.background, 0).signal);
    expect(one.isDeadlineExceeded(child.error)).toBe(true);
    expect(child.error).toBeInstanceOf(one.DeadlineExceededError);
  });

  it("passes on the cause of its own deadline, also while timers are late", () => {
    vi.useFakeTimers();
    for (const late of [false, true]) {
      for (const watch of [false, true]) {
        const cause = new Error("too slow");
        const parent = one.withTimeout(one.background, 50, { cause });
        const child = two.withCancel(parent);
        if (watch) void child.signal;
        if (late) {
          const time = performance.now() + 52;
          const clock = vi.spyOn(performance, "now").mockImplementation(() => time);
          expect(child.cause).toBe(cause);
          clock.mockRestore();
        } else {
          vi.advanceTimersByTime(52);
        }
        expect(child.cause).toBe(cause);
      }
    }
    expect(vi.getTimerCount()).toBe(0);
  });

  it("gives keys that work here", () => {
    const key = two.contextKey("k", 3);
    expect([one.background.value(key), one.withValue(one.background, key, 5).value(key)]).toEqual([3, 5]);
  });

  it("gives signals that sleep here", async () => {
    const ctx = two.withCancel(two.background);
    const naps = [one.sleep(60_000, ctx), one.sleep(60_000, { signal: ctx.signal })];
    ctx.cancel("over");
    for (const nap of naps) await expect(nap).rejects.toBe("over");
  });
});

describe("other realms and Node's own functions", () => {
  it("take part by the shape of their signals", () => {
    const listeners: (() => void)[] = [];
    const signal = runInNewContext(
      `({ aborted: false, reason: undefined, addEventListener: (_, f) => listeners.push(f), removeEventListener() {} })`,
      { listeners },
    ) as AbortSignal & { aborted: boolean; reason: unknown };
    const ctx = one.withTimeout(signal, 60_000);
    void ctx.signal;
    signal.aborted = true;
    signal.reason = "elsewhere";
    for (const listener of listeners) listener();
    expect(ctx.signal.reason).toBe("elsewhere");
  });

  it("accept a context as their options, and a Date of another realm is a deadline", async () => {
    const ctx = one.withCancel(one.background);
    const waits = [
      once(new EventTarget(), "x", ctx),
      once(new EventTarget(), "x", { ...ctx }),
      delay(60_000, undefined, ctx),
    ];
    ctx.cancel("over");
    for (const wait of waits) {
      const error = await wait.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(one.isCanceled(error)).toBe(true);
      expect((error as Error).cause).toBe("over");
    }
    const date = runInNewContext("new Date(8.64e14)") as Date;
    expect(one.withDeadline(one.background, date).deadline).toBe(8.64e14);
  });
});
