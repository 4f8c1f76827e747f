// Follows tests of Go's context package: cancellation, and what it leaves in the tree.
import { afterEach, assert, beforeEach, describe, expect, it, vi } from "vitest";
import { macro, seeded, settle } from "../../../../test/support.ts";
import {
  afterDone,
  background,
  type CancelableContext,
  CanceledError,
  type Context,
  contextKey,
  type ContextKey,
  type Parent,
  sleep,
  withCancel,
  withDeadline,
  withoutCancel,
  withSignal,
  withTimeout,
  withValue,
} from "../../src/index.ts";
import { listening, tracked, Wrapper } from "./foreign.ts";
import { placements, yields } from "./steps.ts";

/** Go's veryLongDuration, 1000 hours: more than `setTimeout` can do. */
const VERY_LONG = 3_600_000_000;

beforeEach(() => void vi.useFakeTimers({ now: Date.UTC(2030, 0, 1) }));
afterEach(() => void vi.useRealTimers());

/** What JavaScript makes of it in a text. */
const tag = (ctx: Context): string => Object.prototype.toString.call(ctx);

/** What a context tells of its ending, in every way it has. */
function told(ctx: Context): readonly unknown[] {
  let thrown: unknown = LIVE;
  try {
    ctx.throwIfDone();
  } catch (error) {
    thrown = error;
  }
  const { error, signal } = ctx;
  return [error === undefined ? LIVE : error.code, ctx.cause ?? LIVE, signal.aborted, signal.reason ?? LIVE, thrown];
}

const LIVE = "live";

// Plain comparisons: some tests ask ten thousands of contexts.
function check(ctx: Context, expected: readonly unknown[]): void {
  const actual = told(ctx);
  if (!actual.every((value, i) => Object.is(value, expected[i]))) assert.deepEqual(actual, expected);
}

function checkLive(ctx: Context): void {
  check(ctx, [LIVE, LIVE, false, LIVE, LIVE]);
}

/** Canceled for that cause, or else for none. */
function checkCanceled(ctx: Context, ...given: [cause?: unknown]): void {
  const cause = given.length === 0 ? ctx.error : given[0];
  check(ctx, ["ERR_CANCELED", cause, true, cause, cause]);
  if (!(ctx.error instanceof CanceledError) || ctx.remaining !== 0) assert.fail("done, but not as it should be");
}

describe("P-094 TestBackground, TestTODO", () => {
  it("P-094 background never ends, whatever ends below it (there is no TODO, and its text is JavaScript's)", async () => {
    const aborts = vi.fn();
    background.signal.addEventListener("abort", aborts);
    expect(background.signal).toBe(background.signal);
    const child = withTimeout(withCancel(background), 10);
    checkLive(child);
    await vi.advanceTimersByTimeAsync(10 * 366 * 86_400_000);
    expect(child.error?.code).toBe("ERR_DEADLINE_EXCEEDED");
    checkLive(background);
    expect([background.deadline, background.remaining]).toEqual([undefined, Infinity]);
    expect("cancel" in background).toBe(false);
    expect([tag(background), JSON.stringify(background)]).toEqual(["[object Context]", '"Context <live>"']);
    expect(aborts).not.toHaveBeenCalled();
    background.signal.removeEventListener("abort", aborts);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("P-095 TestWithCancel", () => {
  const wrappers: Record<string, (ctx: Context) => Parent> = {
    "a user's class": (ctx) => new Wrapper(ctx),
    "two of them": (ctx) => new Wrapper(new Wrapper(ctx)),
    "its signal": (ctx) => ctx.signal,
    "a copy": (ctx) => ({ ...ctx }),
    "an object with its signal": (ctx) => ({ signal: ctx.signal }) as Context,
    nothing: (ctx) => ctx,
  };

  it.for(Object.keys(wrappers))("P-095 is seen on the line after cancel(), through %s as well", (name) => {
    const c1 = withCancel(background);
    const o = wrappers[name]?.(c1) as Parent;
    const c2 = withCancel(o);
    const idle = withCancel(o); // nobody watches this one
    const contexts = [c1, c2, ...(o instanceof Wrapper ? [o] : [])];
    contexts.forEach(checkLive);
    assert.isUndefined(idle.error);
    c1.cancel();
    for (const ctx of [...contexts, idle]) {
      checkCanceled(ctx, c1.error);
      assert.strictEqual(ctx.error, name === "nothing" || o instanceof Wrapper ? c1.error : ctx.error);
    }
    expect(c2.error).toBe(c1.error); // one object for all, as Go's Canceled is
  });

  it("P-095 a context's text is one line and says how it stands (Go names its ancestors)", () => {
    const ctx = withCancel(background);
    expect([tag(ctx), JSON.stringify(ctx)]).toEqual(["[object Context]", '"Context <live>"']);
    ctx.cancel(new Error("secret"));
    expect([tag(ctx), JSON.stringify(ctx)]).toEqual(["[object Context]", '"Context <canceled>"']);
    expect(JSON.stringify(withTimeout(background, 0))).toBe('"Context <deadline exceeded>"');
  });
});

describe("P-096 TestParentFinishesChild", () => {
  it("P-096 ends its children with it, and keeps none of them", () => {
    const root = tracked();
    const parent = withCancel(root.signal);
    const key = contextKey("key", "none");
    const cancelChild = withCancel(parent);
    const valueChild = withValue(parent, key, "value");
    const timerChild = withTimeout(valueChild, VERY_LONG);
    const children = [cancelChild, valueChild, timerChild];
    expect(root.listeners()).toBe(0); // nobody watches yet, so nobody is told
    const onParent = listening(parent.signal);
    [parent, ...children].forEach(checkLive);
    expect([root.listeners(), vi.getTimerCount()]).toEqual([1, 1]);
    parent.cancel();
    for (const ctx of [parent, ...children]) checkCanceled(ctx, parent.error);
    expect([root.listeners(), vi.getTimerCount()]).toEqual([0, 0]);
    expect(onParent.added()).toBe(0); // children do not hang on the parent's signal

    const late = withValue(parent, key, "late");
    checkCanceled(late, parent.error);
    expect(late.value(key)).toBe("late");
  });

  it("P-096 is followed by exactly two: the parent is watched until the second has gone", () => {
    const root = tracked();
    const parent = withCancel(root.signal);
    const cancelChild = withCancel(parent);
    const timerChild = withTimeout(withValue(parent, contextKey("key"), 1), VERY_LONG);
    const seen: number[] = [];
    for (const step of [
      () => checkLive(cancelChild),
      () => checkLive(timerChild),
      () => cancelChild.cancel(),
      () => timerChild.cancel(),
    ]) {
      step();
      seen.push(root.listeners());
    }
    expect(seen).toEqual([1, 1, 1, 0]);
    assert.isUndefined(parent.error);
    expect([root.added(), vi.getTimerCount()]).toEqual([1, 0]);
  });
});

describe("P-097 TestChildFinishesFirst", () => {
  it.for(["background", "a cancelable context", "a deadline", "a foreign signal"])(
    "P-097 a child that ends first leaves its parent as it was: %s",
    (kind) => {
      const root = tracked();
      const parents: Record<string, Context> = {
        background,
        "a cancelable context": withCancel(root.signal),
        "a deadline": withTimeout(root.signal, VERY_LONG),
        "a foreign signal": withValue(root.signal, contextKey("key"), 1),
      };
      const parent = parents[kind] as Context;
      const child = withCancel(parent);
      checkLive(child);
      expect(root.listeners()).toBe(kind === "background" ? 0 : 1);
      child.cancel();
      checkCanceled(child);
      assert.isUndefined(parent.error);
      assert.isUndefined(parent.cause);
      expect([root.listeners(), vi.getTimerCount()]).toEqual([0, 0]);
      checkLive(parent);
    },
  );

  it("P-097 a child that ends first, as the first or the last of ten, takes no sibling along", () => {
    for (const first of [0, 4, 9]) {
      const root = tracked();
      const parent = withCancel(root.signal);
      const children = Array.from({ length: 10 }, () => withCancel(parent));
      children.forEach(checkLive);
      children[first]?.cancel("mine");
      children.forEach((child, i) => (i === first ? checkCanceled(child, "mine") : checkLive(child)));
      expect(root.listeners()).toBe(1);
      parent.cancel("all");
      children.forEach((child, i) => checkCanceled(child, i === first ? "mine" : "all"));
      expect(root.listeners()).toBe(0);
    }
  });
});

/** `top` and what was derived from it, in a tree of four children per node that was filled breadth first. */
function family<T>(nodes: readonly T[], top: T): T[] {
  const at = nodes.indexOf(top);
  return [top, ...nodes.slice(4 * at + 1, 4 * at + 5).flatMap((child) => family(nodes, child))];
}

describe("P-102 TestSimultaneousCancels", { timeout: 30_000 }, () => {
  it("P-102 a tree of a hundred, canceled node by node in 200 random orders: all are done, each told once", async () => {
    let told = 0;
    let rejected = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const random = seeded(seed);
      const root = tracked();
      const nodes: CancelableContext[] = [withCancel(root.signal)];
      for (let at = 0; nodes.length < 100; at++) {
        for (let child = 0; child < 4; child++) {
          nodes.push(withCancel(nodes[at] as CancelableContext));
        }
      }
      const aborts = random.shuffle(nodes).map(
        ({ signal }) =>
          new Promise<void>((resolve) => {
            signal.addEventListener("abort", () => {
              told++;
              resolve();
            });
          }),
      );
      const waits = random.shuffle(nodes).map((ctx) =>
        sleep(Infinity, ctx).catch((reason: unknown) => {
          if (reason === ctx.cause) rejected++;
        }),
      );
      const cancels = random.shuffle(nodes).map(async (ctx) => {
        await yields(random.int(5));
        ctx.cancel();
        for (const node of family(nodes, ctx)) {
          if (!node.signal.aborted) assert.fail(`seed ${seed}: canceled, and something there lives`);
        }
      });
      expect([nodes.length, root.listeners()], `seed ${seed}`).toEqual([101, 1]);
      await Promise.all([...cancels, ...random.shuffle([...aborts, ...waits])]);
      for (const { error } of nodes) if (!(error instanceof CanceledError)) assert.fail(`seed ${seed}: ${error}`);
      assert.equal(root.listeners(), 0, `seed ${seed}: something is still followed`);
    }
    expect([told, rejected]).toEqual([200 * 101, 200 * 101]);
  });
});

describe("P-103 TestInterlockedCancels", () => {
  it("P-103 a task that cancels the child at its parent's end, and a cancellation of the parent, do not lock", async () => {
    let ran = 0;
    for (const [first = 0, second = 0, third = 0] of placements(3)) {
      const root = tracked();
      const parent = withCancel(root.signal);
      const child = withCancel(parent);
      const task = (async () => {
        await yields(first);
        await sleep(Infinity, parent).catch(() => {});
        await yields(second);
        child.cancel("by the task");
        ran++;
      })();
      await yields(third);
      parent.cancel("by main");
      await task;
      checkCanceled(child, "by main");
      assert.equal(root.listeners(), 0);
    }
    expect(ran).toBe(6 ** 3 + 1);
  });

  it.for(["a listener", "a callback"] as const)(
    "P-103 %s of the parent that cancels the child in the middle of the parent's cancellation finds it done already",
    (how) => {
      const parent = withCancel(background);
      const child = withCancel(parent);
      const grandchild = withCancel(child);
      const events: string[] = [];
      const meddle = () => {
        events.push(`parent, child ${child.error?.code}, grandchild ${grandchild.error?.code}`);
        child.cancel("too late");
        grandchild.cancel("too late");
        events.push("meddled");
      };
      if (how === "a callback") afterDone(parent, meddle);
      else parent.signal.addEventListener("abort", meddle);
      child.signal.addEventListener("abort", () => events.push("child"));
      grandchild.signal.addEventListener("abort", () => events.push("grandchild"));
      parent.cancel("why");
      for (const ctx of [parent, child, grandchild]) checkCanceled(ctx, "why");
      expect(events).toEqual(["parent, child ERR_CANCELED, grandchild ERR_CANCELED", "meddled", "child", "grandchild"]);
    },
  );
});

describe("P-104 TestLayersCancel", { timeout: 30_000 }, () => {
  const kinds = ["value", "cancel", "timeout"] as const;

  it("P-104 of 500 random stacks, the layers from the canceled one up are done, those below it live; values stay", () => {
    const layers = { value: 0, cancel: 0, timeout: 0 };
    let chosen = 0;
    for (let seed = 1; seed <= 500; seed++) {
      const random = seeded(seed);
      const root = tracked();
      const stack: Context[] = [];
      const cancelable: number[] = [];
      const values = new Map<ContextKey<string | undefined>, { value: string; from: number }>();
      const counts = { value: 0, cancel: 0, timeout: 0 };
      let top: Parent = random.int(2) === 0 ? background : root.signal;
      while (stack.length < 30 || Object.values(counts).includes(0)) {
        const kind = kinds[random.int(3)] as (typeof kinds)[number];
        counts[kind]++;
        layers[kind]++;
        if (kind === "value") {
          const key = contextKey<string>("one name for all");
          values.set(key, { value: `set by ${stack.length}`, from: stack.length });
          top = withValue(top, key, `set by ${stack.length}`);
        } else {
          cancelable.push(stack.length);
          top = kind === "cancel" ? withCancel(top) : withTimeout(top, VERY_LONG);
        }
        stack.push(top);
      }
      const watched = stack.filter(() => random.int(3) === 0);
      const told = new Map<Context, number>();
      const listeners = watched.map((ctx) => [ctx.signal, () => void told.set(ctx, (told.get(ctx) ?? 0) + 1)] as const);
      for (const [signal, listener] of listeners) signal.addEventListener("abort", listener);
      const checkValues = () => {
        for (const [key, { value, from }] of values) {
          stack.forEach((ctx, i) => {
            if (ctx.value(key) !== (i < from ? undefined : value)) assert.fail(`seed ${seed}: value of layer ${i}`);
          });
        }
      };
      checkValues();
      for (const ctx of stack) if (ctx.error !== undefined) assert.fail(`seed ${seed}: one is done already`);

      const at = cancelable[random.int(cancelable.length)] ?? 0;
      chosen += at;
      (stack[at] as CancelableContext).cancel(seed);
      // Layers that only add a value end with the one below them, and that was not canceled.
      stack.forEach((ctx, i) => {
        if (i >= at) checkCanceled(ctx, seed);
        else if (ctx.error !== undefined) assert.fail(`seed ${seed}: layer ${i} below ${at}`);
      });
      const expected = watched.filter((ctx) => stack.indexOf(ctx) >= at);
      assert.deepEqual(
        [...told],
        expected.map((ctx) => [ctx, 1]),
        `seed ${seed}: told wrongly`,
      );
      for (const [signal, listener] of listeners) signal.removeEventListener("abort", listener);
      checkValues();
      (stack[cancelable[0] ?? 0] as CancelableContext).cancel();
      for (const ctx of stack.slice(cancelable[0])) if (ctx.error === undefined) assert.fail(`seed ${seed}: one lives`);
      assert.equal(vi.getTimerCount(), 0, `seed ${seed}: a timer is left`);
    }
    expect(Math.min(...Object.values(layers))).toBeGreaterThan(4_000);
    expect(chosen / 500).toBeGreaterThan(10);
    expect(chosen / 500).toBeLessThan(20);
  });
});

describe("P-106 TestCancelRemoves", () => {
  const derived: Record<string, (parent: Context) => { watch: () => void; leave: () => void }> = {
    "a canceled child": (parent) => {
      const child = withCancel(parent);
      return { watch: () => void child.signal.aborted, leave: () => child.cancel() };
    },
    "a canceled child with a timeout": (parent) => {
      const child = withTimeout(parent, 3_600_000);
      return { watch: () => void child.signal.aborted, leave: () => child.cancel() };
    },
    "a callback that is stopped": (parent) => {
      let stop: (() => boolean) | undefined;
      return {
        watch: () => {
          stop = afterDone(parent, () => {});
        },
        leave: () => assert.isTrue(stop?.()),
      };
    },
    "a callback on a child that is stopped": (parent) => {
      const child = withTimeout(withCancel(parent), 3_600_000);
      let stop: (() => boolean) | undefined;
      return {
        watch: () => {
          stop = afterDone(child, () => {});
        },
        leave: () => assert.isTrue(stop?.()),
      };
    },
    "a grandchild whose parent is canceled": (parent) => {
      const child = withCancel(parent);
      const grandchild = withTimeout(child, 3_600_000);
      return { watch: () => void grandchild.signal.aborted, leave: () => child.cancel() };
    },
  };

  it.for(Object.keys(derived))("P-106 %s is nothing to its parent, then one, then nothing", (name) => {
    const root = tracked();
    const parent = withCancel(root.signal);
    for (let round = 1; round <= 3; round++) {
      const { watch, leave } = derived[name]?.(parent) ?? assert.fail();
      const seen = [root.listeners()];
      watch();
      seen.push(root.listeners());
      leave();
      seen.push(root.listeners());
      expect(seen).toEqual([0, 1, 0]);
      expect([root.added(), vi.getTimerCount()]).toEqual([round, 0]);
    }
    checkLive(parent);
  });

  it("P-106 an interrupted sleep and one that is over are nothing to their context, either", async () => {
    const root = tracked();
    const parent = withCancel(root.signal);
    const child = withCancel(parent);
    const naps = [sleep(1_000, parent), sleep(1_000, child).catch(() => "woken")];
    expect([root.listeners(), vi.getTimerCount()]).toEqual([1, 2]);
    child.cancel();
    expect([root.listeners(), vi.getTimerCount()]).toEqual([1, 1]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await Promise.all(naps)).toEqual([undefined, "woken"]);
    expect([root.listeners(), vi.getTimerCount()]).toEqual([0, 0]);
  });
});

describe("P-107 TestCustomContextGoroutines", () => {
  it("P-107 from a signal or an object that has one: one listener for all that derive from it, no timer (in Go, a goroutine for each)", () => {
    const root = tracked();
    const wrapper = { signal: root.signal } as Context;
    const contexts = [root.signal, wrapper, { ...wrapper }].flatMap((parent) => [
      withCancel(parent),
      withValue(parent, contextKey("key"), 1),
      withSignal(background, root.signal),
      withCancel(withCancel(parent)),
    ]);
    expect(root.added()).toBe(0);
    contexts.forEach(checkLive);
    expect([root.added(), root.listeners(), vi.getTimerCount()]).toEqual([1, 1, 0]);
    root.controller.abort("why");
    for (const ctx of contexts) checkCanceled(ctx, "why");
    expect([root.added(), root.listeners()]).toEqual([1, 0]);
  });

  it("P-107 from a context behind any number of wrappers: none at all", () => {
    const ctx = withCancel(background);
    const on = listening(ctx.signal);
    const children = [ctx, new Wrapper(ctx), new Wrapper(new Wrapper(withValue(ctx, contextKey("key"), 1)))].map(
      (parent) => withCancel(parent),
    );
    children.forEach(checkLive);
    expect([on.added(), vi.getTimerCount()]).toEqual([0, 0]);
    ctx.cancel("why");
    for (const child of children) checkCanceled(child, "why");
  });

  it("P-107 from one that is done: none", () => {
    const root = tracked();
    root.controller.abort("gone");
    for (const parent of [root.signal, { signal: root.signal } as Context]) {
      for (const child of [withCancel(parent), withTimeout(parent, 10), withSignal(background, root.signal)]) {
        checkCanceled(child, "gone");
      }
    }
    expect([root.added(), vi.getTimerCount()]).toEqual([0, 0]);
  });
});

describe("P-111 TestInvalidDerivedFail", () => {
  const noParent = { undefined, null: null, "a string": "ctx", "an object": {}, "a function": () => {}, "a number": 0 };
  const derive: Record<string, (parent: Context) => unknown> = {
    withCancel: (parent) => withCancel(parent),
    withTimeout: (parent) => withTimeout(parent, 10),
    withDeadline: (parent) => withDeadline(parent, Date.now() + 10),
    withValue: (parent) => withValue(parent, contextKey("key"), 1),
    withoutCancel: (parent) => withoutCancel(parent),
    withSignal: (parent) => withSignal(parent, new AbortController().signal),
    afterDone: (parent) => afterDone(parent, () => assert.fail("called")),
  };

  it.for(Object.keys(derive))("P-111 %s of no context is a TypeError at the call", async (name) => {
    for (const [kind, wrong] of Object.entries(noParent)) {
      expect(() => derive[name]?.(wrong as never), kind).toThrow(TypeError);
    }
    await settle();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("P-111 an invalid Date is a RangeError, and so is a time that is NaN", () => {
    for (const wrong of [new Date(Number.NaN), new Date("no date"), Number.NaN]) {
      expect(() => withDeadline(background, wrong)).toThrow(RangeError);
    }
    expect(() => withTimeout(background, Number.NaN)).toThrow(RangeError);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("P-118 TestCustomContextPropagation", () => {
  /** Wraps a context, but ends by a signal of its own. */
  class Own extends Wrapper {
    readonly controller = new AbortController();

    override get signal(): AbortSignal {
      return this.controller.signal;
    }
  }

  it("P-118 a user's context is followed through its own signal, not through what it wraps", () => {
    const key = contextKey("key", "none");
    const ctx1 = withCancel(withValue(background, key, "value"));
    const ctx2 = new Own(ctx1);
    const ctx3 = withCancel(ctx2);
    checkLive(ctx3);
    const why = new Error("why");
    ctx1.cancel(why);
    checkLive(ctx3);
    ctx2.controller.abort(ctx1.cause);
    checkCanceled(ctx3, why);
    expect(ctx3.value(key)).toBe("value");
  });

  it("P-118 without a reason of its own the cause is the platform's AbortError", () => {
    const ctx2 = new Own(withCancel(background));
    const ctx3 = withCancel(ctx2);
    ctx2.controller.abort();
    checkCanceled(ctx3, ctx2.signal.reason);
    expect((ctx3.cause as DOMException).name).toBe("AbortError");
  });
});

describe("P-151 Tokio, cancel_only_all_descendants", () => {
  it.for(["in the order made", "the other way round"])(
    "P-151 the node and all below it are done, and nobody else; each waiter is woken once; watched %s",
    async (how) => {
      const parent = withCancel(background);
      const token = withCancel(parent);
      const sibling = withCancel(parent);
      const child1 = withCancel(token);
      const child2 = withCancel(token);
      const grandchild1 = withCancel(child1);
      const grandchild2 = withCancel(child1);
      const greatGrandchild = withCancel(grandchild1);
      const all = { parent, token, sibling, child1, child2, grandchild1, grandchild2, greatGrandchild };
      const woken: Record<string, string[]> = { sleep: [], listener: [], callback: [] };
      const note = (how: string, name: string) => woken[how]?.push(name);
      const entries = Object.entries(all);
      for (const [name, ctx] of how === "in the order made" ? entries : entries.toReversed()) {
        sleep(Infinity, ctx).catch(() => note("sleep", name));
        ctx.signal.addEventListener("abort", () => note("listener", name));
        afterDone(ctx, () => note("callback", name));
      }
      token.cancel("why");
      await settle();
      const six = ["token", "child1", "child2", "grandchild1", "grandchild2", "greatGrandchild"];
      for (const [name, ctx] of Object.entries(all)) {
        if (six.includes(name)) checkCanceled(ctx, "why");
        else checkLive(ctx);
      }
      // Parents before children, siblings in the order made, and one branch after the other.
      const order = ["token", "child1", "grandchild1", "greatGrandchild", "grandchild2", "child2"];
      expect(woken).toEqual({ sleep: order, listener: order, callback: order });
      token.cancel("again");
      greatGrandchild.cancel("again");
      await macro();
      expect(Object.values(woken).map((names) => names.length)).toEqual([6, 6, 6]);

      parent.cancel();
      await settle();
      checkCanceled(parent);
      checkCanceled(sibling, parent.error);
      expect(Object.values(woken).map((names) => names.slice(6))).toEqual(Array(3).fill(["parent", "sibling"]));
    },
  );
});
