// Follows tests of Go's context package: causes, and contexts that drop the cancellation.
import { afterEach, assert, beforeEach, describe, expect, it, vi } from "vitest";
import { macro } from "../../../../test/support.ts";
import {
  afterDone,
  background,
  type CancelableContext,
  type Context,
  contextKey,
  isCanceled,
  isDeadlineExceeded,
  type Parent,
  withCancel,
  withDeadline,
  withoutCancel,
  withSignal,
  withTimeout,
  withValue,
} from "../../src/index.ts";
import { lateTimers } from "../support.ts";
import { listening, tracked, Wrapper } from "./foreign.ts";
import { placements, yields } from "./steps.ts";

beforeEach(() => void vi.useFakeTimers({ now: Date.UTC(2030, 0, 1) }));
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Stands for the cause that nobody has given: then it is the error itself. */
const OWN = Symbol("the error itself");
type End = "live" | { kind: "canceled" | "deadline exceeded"; cause: unknown };

function check(ctx: Context, end: End): void {
  const { error, signal } = ctx;
  if (end === "live") {
    assert.deepEqual([error, ctx.cause, signal.aborted], [undefined, undefined, false]);
    return;
  }
  const cause = end.cause === OWN ? error : end.cause;
  assert.isTrue(end.kind === "canceled" ? isCanceled(error) : isDeadlineExceeded(error));
  assert.isTrue(Object.is(ctx.cause, cause), `cause ${String(ctx.cause)}`);
  assert.isTrue(signal.aborted && Object.is(signal.reason, cause), `reason ${String(signal.reason)}`);
  try {
    ctx.throwIfDone();
  } catch (thrown) {
    assert.isTrue(Object.is(thrown, cause), `thrown ${String(thrown)}`);
    return;
  }
  assert.fail("throwIfDone() does not throw");
}

const canceled = (cause: unknown): End => ({ kind: "canceled", cause });
const exceeded = (cause: unknown): End => ({ kind: "deadline exceeded", cause });

/** Whether somebody watches before anything happens: not at all, all of them, or the child alone. */
const watching: Record<string, (parent: Context, child: Context) => void> = {
  "nobody watches": () => {},
  "the child is watched": (_, child) => void child.signal.aborted,
  "the parent is watched": (parent) => void parent.signal.aborted,
  "both are watched, the child first": (parent, child) => void [child.signal, parent.signal],
  "both have callbacks": (parent, child) => {
    afterDone(parent, () => {});
    afterDone(child, () => {});
  },
};

const pairs: [string, [unknown, unknown]][] = [
  ["errors", [new Error("parentCause"), new Error("childCause")]],
  ["texts", ["parentCause", "childCause"]],
  ["null and false", [null, false]],
  ["0 and NaN", [0, Number.NaN]],
  ["the empty string and a promise", ["", Promise.resolve("cause")]],
];

describe("P-113 TestCause, cancel", () => {
  type Step = (parent: CancelableContext, child: CancelableContext) => void;
  interface Row {
    readonly row: string;
    readonly steps: readonly Step[];
    readonly child: End;
    readonly parent: End;
  }
  /** The rows of Go's table, but for its two roots. Each tells of the parent, too. */
  const rows = (parentCause: unknown, childCause: unknown): Row[] => {
    const cancelParent: Step = (ctx) => ctx.cancel();
    const parentWith: Step = (ctx) => ctx.cancel(parentCause);
    const cancelChild: Step = (_, ctx) => ctx.cancel();
    const childWith: Step = (_, ctx) => ctx.cancel(childCause);
    return [
      { row: "canceled without a cause", steps: [cancelChild], child: canceled(OWN), parent: "live" },
      { row: "canceled with a cause", steps: [childWith], child: canceled(childCause), parent: "live" },
      {
        row: "canceled with the cause undefined, Go's nil",
        steps: [(_, ctx) => ctx.cancel(undefined)],
        child: canceled(OWN),
        parent: "live",
      },
      {
        row: "parent with a cause, then child with a cause",
        steps: [parentWith, childWith],
        child: canceled(parentCause),
        parent: canceled(parentCause),
      },
      {
        row: "child with a cause, then parent with a cause",
        steps: [childWith, parentWith],
        child: canceled(childCause),
        parent: canceled(parentCause),
      },
      {
        row: "parent with a cause, then child without",
        steps: [parentWith, cancelChild],
        child: canceled(parentCause),
        parent: canceled(parentCause),
      },
      {
        row: "child without a cause, then parent with one",
        steps: [cancelChild, parentWith],
        child: canceled(OWN),
        parent: canceled(parentCause),
      },
      {
        row: "parent without a cause, then child with one",
        steps: [cancelParent, childWith],
        child: canceled(OWN),
        parent: canceled(OWN),
      },
      {
        row: "child with a cause, then parent without",
        steps: [childWith, cancelParent],
        child: canceled(childCause),
        parent: canceled(OWN),
      },
    ];
  };

  it("P-113 background: neither error nor cause (there is no TODO)", () => {
    check(background, "live");
    check(withValue(background, contextKey("key"), 1), "live");
  });

  it.for(rows("", "").map(({ row }, at) => [row, at] as const))("P-113 %s", ([, at]) => {
    let checked = 0;
    for (const [, [parentCause, childCause]] of pairs) {
      for (const watch of Object.values(watching)) {
        const { steps, ...ends } = rows(parentCause, childCause)[at] ?? assert.fail();
        const parent = withCancel(background);
        const child = withCancel(parent);
        watch(parent, child);
        for (const step of steps) {
          step(parent, child);
          step(parent, child); // the first one counts, also of two alike
        }
        check(child, ends.child);
        check(parent, ends.parent);
        // What is born afterwards ends as what it is born of.
        for (const [of, end] of [
          [child, ends.child],
          [parent, ends.parent],
        ] as const) {
          const late = withCancel(of);
          check(late, end);
          if (end !== "live") assert.strictEqual(late.error, of.error);
        }
        checked++;
      }
    }
    expect(checked).toBe(pairs.length * Object.keys(watching).length);
  });

  it("P-113 with causes, too, the child's error is the parent's, if it ended with it", () => {
    const parent = withCancel(background);
    const children = [withCancel(parent), withTimeout(parent, 1_000), withValue(parent, contextKey("key"), 1)];
    parent.cancel(new Error("why"));
    for (const child of children) expect(child.error).toBe(parent.error);
  });
});

describe("P-114 TestCause, timeout", () => {
  const tooSlow = new Error("tooSlow");
  const finishedEarly = new Error("finishedEarly");
  const MILLION_SECONDS = 1e9;

  type Make = (watch: (...contexts: Context[]) => void) => CancelableContext;
  const single =
    (ms: number, options?: { cause?: unknown }): Make =>
    (watch) => {
      const ctx = withTimeout(background, ms, options);
      watch(ctx);
      ctx.cancel();
      return ctx;
    };
  const stacked =
    (ms: number): Make =>
    (watch) => {
      const parent = withCancel(background);
      const ctx = withTimeout(parent, ms, { cause: tooSlow });
      watch(parent, ctx);
      parent.cancel(finishedEarly);
      check(parent, canceled(finishedEarly));
      return ctx;
    };
  const table: [string, Make, End][] = [
    ["a timeout of 0, then canceled", single(0), exceeded(OWN)],
    ["a timeout of 1e6 s, canceled", single(MILLION_SECONDS), canceled(OWN)],
    ["a timeout of 0 with a cause, then canceled", single(0, { cause: tooSlow }), exceeded(tooSlow)],
    ["a timeout of 1e6 s with a cause, canceled", single(MILLION_SECONDS, { cause: tooSlow }), canceled(OWN)],
    ["a timeout of 0 with a cause, then its parent canceled with another", stacked(0), exceeded(tooSlow)],
    [
      "a timeout of 1e6 s with a cause, its parent canceled with another",
      stacked(MILLION_SECONDS),
      canceled(finishedEarly),
    ],
  ];

  it.for(table)("P-114 %s", ([, make, end]) => {
    for (const watch of [() => {}, (...contexts: Context[]) => contexts.forEach(({ signal }) => void signal.aborted)]) {
      const ctx = make(watch);
      check(ctx, end);
      check(withCancel(ctx), end);
      vi.advanceTimersByTime(2 * MILLION_SECONDS);
      check(ctx, end);
      expect(vi.getTimerCount()).toBe(0);
    }
  });

  it("P-114 a timeout of 0 is over when the call returns, before anybody else may have a say", () => {
    for (const ms of [0, -1]) {
      const ctx = withTimeout(background, ms, { cause: tooSlow });
      ctx.cancel("canceled");
      check(ctx, exceeded(tooSlow));
    }
  });

  it("P-114 a timeout of 10 with a cause: before its time the cancellation counts, afterwards the timeout, though timers are late", () => {
    for (const watched of [true, false]) {
      vi.useRealTimers();
      const clock = lateTimers();
      const make = (): [CancelableContext, CancelableContext] => {
        const parent = withCancel(background);
        const ctx = withTimeout(parent, 10, { cause: tooSlow });
        if (watched) void ctx.signal.aborted;
        return [parent, ctx];
      };
      const [early, earlyParent, late, lateParent] = [make(), make(), make(), make()];
      clock.pass(9);
      early[1].cancel("early");
      earlyParent[0].cancel("early");
      clock.pass(2);
      late[1].cancel("late");
      lateParent[0].cancel("late");
      check(early[1], canceled("early"));
      check(earlyParent[1], canceled("early"));
      check(late[1], exceeded(tooSlow));
      check(lateParent[1], exceeded(tooSlow));
      check(lateParent[0], canceled("late"));
    }
  });
});

describe("P-115 TestCause, without cancel", () => {
  const rows: [string, () => Context][] = [
    ["of background", () => withoutCancel(background)],
    [
      "of a context that is canceled with a cause later",
      () => {
        const parent = withCancel(background);
        const ctx = withoutCancel(parent);
        parent.cancel(new Error("parentCause"));
        return ctx;
      },
    ],
    ["of a timeout of 0 with a cause", () => withoutCancel(withTimeout(background, 0, { cause: "tooSlow" }))],
    [
      "of a watched context that is canceled later",
      () => {
        const parent = withTimeout(background, 10);
        void parent.signal.aborted;
        const ctx = withoutCancel(parent);
        void ctx.signal.aborted;
        parent.cancel("over");
        return ctx;
      },
    ],
    ["of a signal that has aborted", () => withoutCancel(AbortSignal.abort("over"))],
  ];

  it.for(rows)("P-115 %s: neither error nor cause", ([, make]) => {
    const ctx = make();
    check(ctx, "live");
    expect([ctx.deadline, ctx.remaining]).toEqual([undefined, Infinity]);
    vi.advanceTimersByTime(1_000);
    check(ctx, "live");
    check(withCancel(ctx), "live");
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("P-116 TestCauseRace", { timeout: 30_000 }, () => {
  const why = new Error("why");
  const roads: Record<string, (parent: CancelableContext) => Context> = {
    itself: (ctx) => ctx,
    "a child": (ctx) => withCancel(ctx),
    "a child with a deadline": (ctx) => withTimeout(ctx, 1_000, { cause: "slow" }),
    "a grandchild with a value": (ctx) => withValue(withCancel(ctx), contextKey("key"), 1),
    "a child of its signal": (ctx) => withCancel(ctx.signal),
    "a child of a wrapper": (ctx) => withCancel(new Wrapper(ctx)),
    "a child that follows it": (ctx) => withSignal(background, ctx.signal),
  };

  it.for(Object.keys(roads))(
    "P-116 the first cause that is seen is the cause, whenever one looks: %s",
    async (name) => {
      let polls = 0;
      for (const [before = 0, between = 0] of placements(2)) {
        for (const cause of [why, "text", 0, null]) {
          for (const watch of [true, false]) {
            for (const errorFirst of [true, false]) {
              const parent = withCancel(background);
              const ctx = roads[name]?.(parent) as Context;
              if (watch) void ctx.signal.aborted;
              const task = (async () => {
                await yields(before);
                parent.cancel(cause);
              })();
              let seen: unknown;
              do {
                if (errorFirst) void ctx.error;
                seen = ctx.cause;
                polls++;
                await yields(between || 1);
              } while (seen === undefined);
              await task;
              check(ctx, canceled(cause));
              if (!Object.is(seen, cause)) assert.fail("saw something else first");
            }
          }
        }
      }
      expect(polls).toBeGreaterThan(37 * 16 * 1.5);
    },
  );

  it("P-116 without a cause the first that is seen is the error, and stays", async () => {
    for (const [before = 0, between = 0] of placements(2)) {
      const ctx = withCancel(background);
      const task = (async () => {
        await yields(before);
        ctx.cancel();
      })();
      let seen: unknown;
      for (seen = ctx.cause; seen === undefined; seen = ctx.cause) await yields(between || 1);
      await task;
      assert.strictEqual(seen, ctx.error);
      check(ctx, canceled(OWN));
    }
  });

  it.for(["a cancellation", "a cancellation from a timer", "a deadline", "a foreign signal"])(
    "P-116 inside the very first listener all below have their final cause, and their signals say the same: %s",
    (by) => {
      const root = tracked();
      const top = by === "a deadline" ? withTimeout(background, 10, { cause: why }) : withCancel(root.signal);
      const tree: Context[] = [top];
      for (const derive of Object.values(roads)) tree.push(derive(top));
      for (const ctx of tree.slice(1)) tree.push(withCancel(ctx));
      const end = by === "a deadline" ? exceeded(why) : canceled(why);
      const signals = new Set(tree.map(({ signal }) => signal));
      let looked = 0;
      const look = () => {
        looked++;
        // First those that somebody holds: asking the context anew could put them right.
        for (const signal of signals) {
          let told: unknown;
          try {
            signal.throwIfAborted();
          } catch (error) {
            told = error;
          }
          assert.deepEqual([signal.aborted, signal.reason, told], [true, why, why]);
        }
        for (const ctx of tree) check(ctx, end);
      };
      // Each has a listener, so each is the first to see the end of what comes after it.
      for (const signal of signals) signal.addEventListener("abort", look);
      for (const ctx of tree) afterDone(ctx, look);

      if (by === "a cancellation") top.cancel(why);
      else if (by === "a foreign signal") root.controller.abort(why);
      else if (by === "a deadline") vi.advanceTimersByTime(10);
      else {
        setTimeout(() => top.cancel(why), 5);
        vi.advanceTimersByTime(5);
      }
      expect(looked).toBe(signals.size + tree.length);
      expect(vi.getTimerCount()).toBe(0);
    },
  );
});

describe("P-108 TestWithCancelCanceledParent", () => {
  it("P-108 a child of a canceled parent is born done: canceled, with the parent's cause itself", () => {
    const because = new Error("Because!");
    const parent = withCancel(background);
    parent.cancel(because);
    for (const of of [parent, parent.signal, new Wrapper(parent), { ...parent }] as Parent[]) {
      for (const child of [
        withCancel(of),
        withTimeout(of, 1_000),
        withDeadline(of, Date.now() + 1_000),
        withValue(of, contextKey("key"), 1),
        withSignal(of, new AbortController().signal),
        withSignal(background, parent.signal),
      ]) {
        check(child, canceled(because));
        assert.strictEqual(child.error, parent.error);
      }
    }
    expect(vi.getTimerCount()).toBe(0);
  });

  it("P-108 also where its timeout is over, too: the parent was first", () => {
    const parent = withCancel(background);
    parent.cancel("Because!");
    check(withTimeout(parent, 0, { cause: "slow" }), canceled("Because!"));
    check(withDeadline(parent, 0, { cause: "slow" }), canceled("Because!"));
  });
});

describe("P-109 TestWithCancelSimultaneouslyCanceledParent", { timeout: 30_000 }, () => {
  const cause = new Error("cause");
  const far = 1_000_000;
  const derive: Record<string, (parent: Context) => Context> = {
    withCancel: (parent) => withCancel(parent),
    withTimeout: (parent) => withTimeout(parent, far),
    withDeadline: (parent) => withDeadline(parent, Date.now() + far),
    withValue: (parent) => withValue(parent, contextKey("key"), 1),
    withSignal: (parent) => withSignal(parent, new AbortController().signal),
    "withSignal of the parent's": (parent) => withSignal(background, parent.signal),
    "withCancel of its signal": (parent) => withCancel(parent.signal),
    "withCancel of a wrapper": (parent) => withCancel(new Wrapper(parent)),
    "withCancel of a child": (parent) => withCancel(withCancel(parent)),
  };
  const names = Object.keys(derive);

  it.for(names)(
    "P-109 %s and a cancellation, in every order of their steps: the child is canceled with the cause",
    async (name) => {
      let children = 0;
      let told = 0;
      let watchedLive = 0;
      for (const [cancelAt = 0, makeAt = 0, watchAt = 0] of placements(3)) {
        const root = tracked();
        const parent = withCancel(root.signal);
        const cancelTask = (async () => {
          await yields(cancelAt);
          parent.cancel(cause);
        })();
        await yields(makeAt);
        const child = derive[name]?.(parent) as Context;
        await yields(watchAt);
        if (!child.signal.aborted) watchedLive++;
        child.signal.addEventListener("abort", () => told++);
        await cancelTask;
        check(child, canceled(cause));
        assert.equal(root.listeners(), 0);
        children++;
      }
      expect(children).toBe(6 ** 3 + 1);
      expect(told).toBe(watchedLive);
      expect(Math.min(told, children - told)).toBeGreaterThan(10);
      expect(vi.getTimerCount()).toBe(0);
      await macro();
    },
  );

  it.for(names)(
    "P-109 %s inside a listener or callback that runs in the midst of the cancellation: born done",
    (name) => {
      const root = tracked();
      const parent = withCancel(root.signal);
      const [older, younger] = [withCancel(parent), withCancel(parent)];
      const born: Context[] = [];
      const bear = () => void born.push(...[parent, older, younger].map((of) => derive[name]?.(of) as Context));
      for (const ctx of [older, parent, younger]) {
        ctx.signal.addEventListener("abort", bear);
        afterDone(ctx, bear);
      }
      parent.cancel(cause);
      expect(born).toHaveLength(18);
      for (const ctx of born) check(ctx, canceled(cause));
      expect([root.listeners(), vi.getTimerCount()]).toEqual([0, 0]);
    },
  );

  it("P-109 canceled by what is asked while the child is being made, it makes a child that is done", () => {
    const making: Record<string, (parent: CancelableContext, cancel: () => undefined) => Context> = {
      "a getter of the parent's signal": (parent, cancel) =>
        withCancel({
          get signal() {
            cancel();
            return parent.signal;
          },
        } as Context),
      "a getter of the parent's value": (parent, cancel) =>
        withCancel({
          signal: parent.signal,
          get value() {
            return cancel();
          },
        } as unknown as Context),
      "a getter of the parent's deadline": (parent, cancel) =>
        withCancel({
          signal: parent.signal,
          get deadline() {
            cancel();
            return Date.now() + far;
          },
        } as Context),
      "a Date": (parent, cancel) =>
        withDeadline(
          parent,
          new (class extends Date {
            override getTime(): number {
              cancel();
              return super.getTime() + far;
            }
          })(),
        ),
      "a getter of the options": (parent, cancel) =>
        withTimeout(parent, far, {
          get cause() {
            cancel();
            return "slow";
          },
        }),
      "a getter of a signal": (parent, cancel) =>
        withSignal(parent, {
          get aborted() {
            cancel();
            return false;
          },
          addEventListener() {},
          removeEventListener() {},
        } as unknown as AbortSignal),
    };
    for (const [name, make] of Object.entries(making)) {
      for (const watched of [true, false]) {
        const root = tracked();
        const parent = withCancel(root.signal);
        if (watched) void parent.signal.aborted;
        const child = make(parent, () => {
          parent.cancel(cause);
          return undefined;
        });
        check(child, canceled(cause));
        expect([root.listeners(), vi.getTimerCount()], name).toEqual([0, 0]);
      }
    }
  });
});

describe("P-117 TestWithoutCancel", () => {
  it("P-117 keeps the values, and has neither deadline nor end", () => {
    const key = contextKey("key", "none");
    const root = tracked();
    const parent = withTimeout(withValue(root.signal, key, "value"), 10);
    const onParent = listening(parent.signal);
    assert.equal(vi.getTimerCount(), 1);
    const ctx = withoutCancel(parent);
    check(ctx, "live");
    expect(ctx.value(key)).toBe("value");
    expect([ctx.deadline, ctx.remaining]).toEqual([undefined, Infinity]);
    expect("cancel" in ctx).toBe(false);
    expect(onParent.added()).toBe(0);
    vi.advanceTimersByTime(20);
    check(parent, exceeded(OWN));
    check(ctx, "live");
    expect(ctx.value(key)).toBe("value");
    expect([root.listeners(), vi.getTimerCount()]).toEqual([0, 0]);
  });

  it("P-117 its children end on their own, and leave it as it was", () => {
    const key = contextKey("key", "none");
    const parent = withCancel(withValue(background, key, "value"));
    const ctx = withoutCancel(parent);
    const callback = vi.fn();
    const stop = afterDone(ctx, callback);
    const [canceledChild, timedChild] = [withCancel(ctx), withTimeout(ctx, 10)];
    check(timedChild, "live");
    parent.cancel("over");
    canceledChild.cancel("mine");
    vi.advanceTimersByTime(10);
    check(canceledChild, canceled("mine"));
    check(timedChild, exceeded(OWN));
    expect([canceledChild, timedChild].map((child) => child.value(key))).toEqual(["value", "value"]);
    check(ctx, "live");
    expect([callback.mock.calls.length, stop(), vi.getTimerCount()]).toEqual([0, true, 0]);
  });
});
