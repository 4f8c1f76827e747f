// Follows tests of Go's context, synctest and time packages: deadlines. The clock is the test's, so nothing sleeps.
import { afterEach, assert, beforeEach, describe, expect, it, vi } from "vitest";
import { pending, seeded, settle } from "../../../../test/support.ts";
import {
  afterDone,
  background,
  type CancelableContext,
  type Context,
  contextKey,
  type ContextKey,
  DeadlineExceededError,
  isCanceled,
  isDeadlineExceeded,
  type Parent,
  sleep,
  withCancel,
  withDeadline,
  withTimeout,
  withValue,
} from "../../src/index.ts";
import { tracked, Wrapper } from "./foreign.ts";

const DAY = 86_400_000;
/** Go's veryLongDuration, 1000 hours: more than `setTimeout` can do. */
const VERY_LONG = 3_600_000_000;
const LONGEST_TIMER = 2 ** 31 - 1;

beforeEach(() => void vi.useFakeTimers({ now: Date.UTC(2030, 0, 1) }));
afterEach(() => void vi.useRealTimers());

function checkLive(ctx: Context): void {
  assert.deepEqual([ctx.error, ctx.cause, ctx.signal.aborted], [undefined, undefined, false]);
}

/** Ended by a deadline, with no cause of its own. */
function checkExceeded(ctx: Context): void {
  assert.instanceOf(ctx.error, DeadlineExceededError);
  assert.deepEqual([ctx.cause, ctx.signal.aborted, ctx.signal.reason], [ctx.error, true, ctx.error]);
  assert.equal(ctx.remaining, 0);
  assert.throws(() => ctx.throwIfDone(), DeadlineExceededError);
}

/** How contexts are given a time, both ways. */
const timed: Record<string, (parent: Parent, ms: number) => CancelableContext> = {
  withDeadline: (parent, ms) => withDeadline(parent, new Date(Date.now() + ms)),
  withTimeout: (parent, ms) => withTimeout(parent, ms),
};

/** Go's three forms of a context that ends in 1 ms. */
const forms: Record<string, (derive: (parent: Parent, ms: number) => Context) => Context> = {
  "as it is": (derive) => derive(background, 1),
  "behind a user's context": (derive) => new Wrapper(derive(background, 1)),
  "behind a user's context, under one of 1000 hours": (derive) => derive(new Wrapper(derive(background, 1)), VERY_LONG),
};

describe.each([
  ["P-098 TestDeadline", "withDeadline"],
  ["P-099 TestTimeout", "withTimeout"],
] as const)("%s", (scenario, name) => {
  const derive = timed[name] as (parent: Parent, ms: number) => CancelableContext;

  it.for(Object.keys(forms))(`${scenario}: ends after 1 ms, %s`, (form) => {
    for (const watched of [true, false]) {
      const ctx = forms[form]?.(derive) as Context;
      if (watched) checkLive(ctx);
      assert.isUndefined(ctx.error);
      assert.equal(ctx.deadline, Date.now() + 1);
      vi.advanceTimersByTime(1);
      checkExceeded(ctx);
      expect(vi.getTimerCount()).toBe(0);
    }
  });

  it.for([0, -1, -VERY_LONG, -(2 ** 53)])(`${scenario}: of %d ms is over at once, without a timer`, (ms) => {
    if (name === "withDeadline" && ms < -8e15) return;
    const ctx = derive(background, ms);
    checkExceeded(ctx);
    checkExceeded(derive(new Wrapper(ctx), VERY_LONG));
    const long = derive(background, VERY_LONG);
    checkExceeded(derive(new Wrapper(long), ms));
    long.cancel(); // its signal has been asked for, so it runs
    expect(vi.getTimerCount()).toBe(0);
  });

  it(`${scenario}: of 1000 hours alone is not over after 50 ms, nor a millisecond before its time`, () => {
    const ctx = derive(background, VERY_LONG);
    checkLive(ctx);
    vi.advanceTimersByTime(50);
    checkLive(ctx);
    vi.advanceTimersByTime(VERY_LONG - 51);
    checkLive(ctx);
    vi.advanceTimersByTime(1);
    checkExceeded(ctx);
    expect(vi.getTimerCount()).toBe(0);
  });

  it(`${scenario}: its text says how it ended (Go's names its ancestors)`, () => {
    expect(JSON.stringify([derive(background, 10), derive(background, 0)])).toBe(
      '["Context <live>","Context <deadline exceeded>"]',
    );
  });
});

describe("P-100 TestCanceledTimeout", () => {
  it("P-100 canceled by hand it is canceled, at once, and stays so", async () => {
    const inner = withTimeout(background, 1_000);
    const ctx = withTimeout(new Wrapper(inner), VERY_LONG);
    checkLive(ctx);
    const nap = sleep(Infinity, ctx).catch((error: unknown) => error);
    assert.equal(vi.getTimerCount(), 1);
    ctx.cancel();
    expect(isCanceled(ctx.error)).toBe(true);
    expect(isDeadlineExceeded(ctx.error)).toBe(false);
    expect([ctx.signal.aborted, ctx.signal.reason]).toEqual([true, ctx.error]);
    expect(await nap).toBe(ctx.error);
    expect(vi.getTimerCount()).toBe(1); // that of the inner one, which goes on
    vi.advanceTimersByTime(1_000);
    expect(isDeadlineExceeded(inner.error)).toBe(true);
    expect(isCanceled(ctx.error)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("P-100 so it is when the one around it is canceled, and their timer is cleared", () => {
    const outer = withTimeout(background, 1_000);
    const ctx = withTimeout(new Wrapper(outer), VERY_LONG);
    checkLive(ctx);
    outer.cancel();
    for (const { error, signal } of [outer, ctx]) {
      expect(isCanceled(error)).toBe(true);
      expect(signal.aborted).toBe(true);
    }
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("P-105 TestLayersTimeout", () => {
  it("P-105 of 50 random stacks, each layer ends by itself at the earliest of the times up to it; values stay", () => {
    const ended = { watched: 0, asked: 0 };
    for (let seed = 1; seed <= 50; seed++) {
      const random = seeded(seed);
      const root = tracked();
      const started = Date.now();
      const stack: { ctx: Context; due: number; watched: boolean; told: number[] }[] = [];
      const values: [ContextKey<number>, number][] = [];
      const counts = [0, 0, 0];
      let top: Parent = random.int(2) === 0 ? background : root.signal;
      let due = Infinity;
      while (stack.length < 30 || counts.includes(0)) {
        const kind = random.int(3);
        counts[kind] = (counts[kind] ?? 0) + 1;
        if (kind === 0) {
          const key = contextKey("one name for all", -1);
          values.push([key, stack.length]);
          top = withValue(top, key, stack.length);
        } else if (kind === 1) {
          top = withCancel(top);
        } else {
          const ms = 1 + random.int(20);
          due = Math.min(due, ms);
          top = withTimeout(top, ms);
        }
        stack.push({ ctx: top, due, watched: random.int(2) === 0, told: [] });
      }
      for (const { ctx, watched, told } of stack) {
        if (watched) afterDone(ctx, () => told.push(Date.now() - started));
      }
      for (let ms = 0; ms <= 20; ms++) {
        for (const [i, layer] of stack.entries()) {
          const done = isDeadlineExceeded(layer.ctx.error);
          if (done !== layer.due <= ms) assert.fail(`seed ${seed}: layer ${i} at ${ms} ms, due at ${layer.due}`);
          if (done) ended[layer.watched ? "watched" : "asked"]++;
        }
        vi.advanceTimersByTime(1);
      }
      for (const [i, { due: at, told, watched }] of stack.entries()) {
        assert.deepEqual(told, watched && at < Infinity ? [at] : [], `seed ${seed}: layer ${i}`);
      }
      for (const [key, value] of values) assert.equal((top as Context).value(key), value, `seed ${seed}`);
      checkExceeded(top as Context);
      expect(vi.getTimerCount(), `seed ${seed}: a timer is left`).toBe(0);
      root.controller.abort();
      expect(root.listeners(), `seed ${seed}: a listener is left`).toBe(0);
    }
    expect(Math.min(ended.watched, ended.asked)).toBeGreaterThan(1_000);
  });

  it("P-105 all with 1 ms, as in Go: one timer for the whole stack, and none afterwards", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const random = seeded(seed);
      let top: Context = withTimeout(background, 1);
      for (let layer = 1; layer < 30; layer++) {
        const key = contextKey("key", 0);
        top =
          [() => withValue(top, key, layer), () => withCancel(top), () => withTimeout(top, 1)][random.int(3)]?.() ??
          top;
      }
      checkLive(top);
      expect(vi.getTimerCount(), `seed ${seed}`).toBe(1);
      vi.advanceTimersByTime(1);
      expect(vi.getTimerCount(), `seed ${seed}`).toBe(0);
      checkExceeded(top);
    }
  });
});

describe("P-112 TestDeadlineExceededSupportsTimeout, IsNetError", () => {
  it("P-112 the error is an Error with a name and a code, and no text must be looked at to know a timeout (Go has methods)", () => {
    const ctx = withTimeout(background, 0);
    const { error } = ctx;
    assert.instanceOf(error, Error);
    assert.instanceOf(error, DeadlineExceededError);
    expect([error.name, error.code]).toEqual(["TimeoutError", "ERR_DEADLINE_EXCEEDED"]);
    expect([isDeadlineExceeded(error), isCanceled(error)]).toEqual([true, false]);
    expect(ctx.signal.reason).toBe(error);
    expect(String(error)).toContain("context deadline exceeded");
    expect(error.stack).toContain("context deadline exceeded");
  });

  it("P-112 the platform's errors count as the same, and other errors as neither", () => {
    const platform = new DOMException("slow", "TimeoutError");
    const canceled = new DOMException("stopped", "AbortError");
    expect([platform, canceled].map(isDeadlineExceeded)).toEqual([true, false]);
    expect([platform, canceled].map(isCanceled)).toEqual([false, true]);
    for (const other of [new Error("context deadline exceeded"), "TimeoutError", undefined, null, 0, {}, () => {}]) {
      expect([isDeadlineExceeded(other), isCanceled(other)]).toEqual([false, false]);
    }
  });
});

describe("P-126 ExampleWithDeadline, ExampleWithTimeout (context)", () => {
  it.for(Object.keys(timed))("P-126 %s: what waits for nothing else gets the deadline's error", async (name) => {
    const ctx = timed[name]?.(background, 1) as CancelableContext;
    const nap = sleep(1_000, ctx).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(1);
    expect(String(await nap)).toBe("TimeoutError: Cannot continue: context deadline exceeded");
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("P-142 synctest, contextAfterFunc", () => {
  it("P-142 the callback has not run when all is idle before the cancellation, and has when it is afterwards", async () => {
    for (const ctx of [withCancel(background), withTimeout(background, 10)]) {
      let called = 0;
      afterDone(ctx, () => called++);
      await settle();
      expect(called).toBe(0);
      ctx.cancel();
      await settle();
      expect(called).toBe(1);
      expect(vi.getTimerCount()).toBe(0);
    }
  });
});

describe("P-143 synctest, contextWithTimeout", () => {
  type Faked = NonNullable<Parameters<typeof vi.useFakeTimers>[0]>["toFake"];
  const clocks: [string, Faked][] = [
    ["everything", undefined],
    ["setTimeout, Date and performance", ["setTimeout", "clearTimeout", "Date", "performance"]],
    ["setTimeout and Date", ["setTimeout", "clearTimeout", "Date"]],
    ["setTimeout", ["setTimeout", "clearTimeout"]],
  ];

  it.for(clocks)("P-143 with a clock that fakes %s: live before 5,000 ms, over then", async ([, toFake]) => {
    vi.useRealTimers();
    vi.useFakeTimers({ now: Date.UTC(2030, 0, 1), ...(toFake && { toFake }) });
    const ctx = withTimeout(background, 5_000);
    const child = withCancel(ctx);
    const nap = sleep(5_000).then(() => "slept");
    checkLive(child);
    // Where only timers are faked, real time passes between the making of a context and the first look at it.
    const before = toFake?.includes("Date") === false ? 4_000 : 4_999;
    await vi.advanceTimersByTimeAsync(before);
    checkLive(ctx);
    checkLive(child);
    expect(await pending(nap)).toBe(true);
    await vi.advanceTimersByTimeAsync(5_000 - before);
    checkExceeded(ctx);
    checkExceeded(child);
    expect(await nap).toBe("slept");
    expect(vi.getTimerCount()).toBe(0);
  });

  it.for(clocks.slice(0, 3))("P-143 with a clock that fakes %s, though nobody watches", ([, toFake]) => {
    vi.useRealTimers();
    vi.useFakeTimers({ now: Date.UTC(2030, 0, 1), ...(toFake && { toFake }) });
    const ctx = withTimeout(background, 5_000);
    const child = withCancel(ctx);
    vi.advanceTimersByTime(4_999);
    expect([ctx.error, child.error]).toEqual([undefined, undefined]);
    expect(Math.ceil(child.remaining)).toBe(1);
    vi.advanceTimersByTime(1);
    for (const { error, remaining } of [child, ctx]) {
      expect(isDeadlineExceeded(error)).toBe(true);
      expect(remaining).toBe(0);
    }
  });

  it("P-143 a clock that is faked after the import and set back while the timeout runs is followed", () => {
    vi.setSystemTime(0);
    const ctx = withTimeout(background, 5_000);
    checkLive(ctx);
    vi.setSystemTime(DAY); // the computer's clock was set: no time has passed
    checkLive(ctx);
    vi.advanceTimersByTime(4_999);
    checkLive(ctx);
    vi.advanceTimersByTime(1);
    checkExceeded(ctx);
  });
});

describe("P-146 TestOverflowSleep", () => {
  const huge = [LONGEST_TIMER, 2 ** 31, 2 ** 31 + 1, 2 ** 32, 2 ** 32 + 5, 2 ** 53, Number.MAX_VALUE, Infinity];

  it.for(huge)("P-146 a timeout of %d ms and a sleep as long are not over after 50 ms", async (ms) => {
    const ctx = withTimeout(background, ms);
    const nap = sleep(ms, withCancel(ctx));
    checkLive(ctx);
    await vi.advanceTimersByTimeAsync(50);
    checkLive(ctx);
    expect(await pending(nap)).toBe(true);
    expect(ctx.remaining).toBe(ms - 50);
    ctx.cancel("enough");
    await expect(nap).rejects.toBe("enough");
    expect(vi.getTimerCount()).toBe(0);
  });

  it.for([-1, -LONGEST_TIMER - 1, -(2 ** 31) - 1, -(2 ** 32) + 1, -(2 ** 53), -Infinity])(
    "P-146 a timeout of %d ms is over at once, and a sleep as long in a microtask",
    async (ms) => {
      checkExceeded(withTimeout(background, ms));
      const nap = sleep(ms);
      expect(await pending(nap)).toBe(false);
      await nap;
      expect(vi.getTimerCount()).toBe(0);
    },
  );
});

describe("P-170 (context) timers beyond the range of the host's", () => {
  it.for([LONGEST_TIMER, 2 ** 31, 2 ** 31 + 1, VERY_LONG, 25 * DAY, 2 ** 32 + 5, 400 * DAY])(
    "P-170 (context) %d ms pass to the millisecond: for a watched timeout, a deadline, one that nobody watches, and a sleep",
    async (ms) => {
      const started = Date.now();
      const timeout = withTimeout(background, ms);
      const deadline = withDeadline(background, new Date(started + ms));
      const unwatched = withTimeout(background, ms);
      const fired: Record<string, number> = {};
      const note = (name: string) => () => {
        fired[name] = Date.now() - started;
      };
      afterDone(timeout, note("timeout"));
      deadline.signal.addEventListener("abort", note("deadline"));
      void sleep(ms).then(note("sleep"));
      void sleep(Infinity, deadline).catch(note("interrupted"));
      await vi.advanceTimersByTimeAsync(ms - 1);
      expect(fired).toEqual({});
      expect([timeout.error, deadline.error, unwatched.error]).toEqual([undefined, undefined, undefined]);
      await vi.advanceTimersByTimeAsync(1);
      expect(fired).toEqual({ timeout: ms, deadline: ms, sleep: ms, interrupted: ms });
      for (const ctx of [timeout, deadline, unwatched]) expect(isDeadlineExceeded(ctx.error)).toBe(true);
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  it("P-170 (context) the latest Date there is, and Infinity, are not over after 25 days; the Date is kept", async () => {
    const latest = withDeadline(background, new Date(8.64e15));
    const endless = [withTimeout(background, Infinity), withDeadline(background, Infinity)];
    for (const ctx of [latest, ...endless]) checkLive(ctx);
    expect([latest.deadline, ...endless.map(({ deadline }) => deadline)]).toEqual([8.64e15, undefined, undefined]);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(25 * DAY);
    for (const ctx of [latest, ...endless]) checkLive(ctx);
    latest.cancel();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("P-170 (context) canceled in the second slice, nothing of the timer is left", async () => {
    const ctx = withTimeout(background, 3 * LONGEST_TIMER);
    const nap = sleep(3 * LONGEST_TIMER, withCancel(ctx)).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(LONGEST_TIMER + 5);
    checkLive(ctx);
    expect(vi.getTimerCount()).toBe(2);
    ctx.cancel("enough");
    expect(vi.getTimerCount()).toBe(0);
    expect(await nap).toBe("enough");
  });
});
