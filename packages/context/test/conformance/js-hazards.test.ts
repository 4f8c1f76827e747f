// Hazards of JavaScript: listeners that call back into what calls them, `using`, what a context looks like in JSON.
import { afterEach, assert, beforeEach, describe, expect, it, vi } from "vitest";
import { macro, settle } from "../../../../test/support.ts";
import {
  afterDone,
  background,
  type CancelableContext,
  type Context,
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
} from "../../src/index.ts";
import { thrown } from "../support.ts";
import { listening, tracked, Wrapper } from "./foreign.ts";

beforeEach(() => void vi.useFakeTimers({ now: Date.UTC(2030, 0, 1) }));
afterEach(() => void vi.useRealTimers());

describe("P-167 (context) what a listener may do in the midst of a cancellation", () => {
  const endings: Record<string, (top: CancelableContext, root: AbortController) => void> = {
    "cancel()": (top) => top.cancel("why"),
    "its deadline": () => vi.advanceTimersByTime(1_000),
    "a foreign signal": (_, root) => root.abort("why"),
  };

  it.for(Object.entries(endings))(
    "P-167 (context) cancel it again, its parent, derive from it, register and stop callbacks, sleep: ended by %s",
    async ([by, end]) => {
      const root = tracked();
      const grandparent = withCancel(root.signal);
      const parent = withCancel(grandparent);
      const ctx = withTimeout(parent, 1_000, { cause: "why" });
      const sibling = withCancel(parent);
      const child = withCancel(ctx);
      const events: string[] = [];
      const born: Context[] = [];
      const naps: Promise<unknown>[] = [];
      let depth = 0;
      const meddle = (name: string) => () => {
        events.push(name);
        assert.equal(++depth, name === "sibling" && by === "cancel()" ? 2 : depth);
        assert.isBelow(depth, 4);
        ctx.cancel("again");
        child.cancel("again");
        born.push(
          withCancel(ctx),
          withTimeout(ctx, 5),
          withValue(child, contextKey("key"), 1),
          withCancel(child.signal),
        );
        for (const newborn of born) assert.deepEqual([newborn.cause, newborn.signal.aborted], ["why", true]);
        assert.isTrue(afterDone(ctx, () => events.push("stopped"))());
        afterDone(ctx, () => events.push("late"));
        naps.push(
          sleep(1_000, ctx).catch((reason: unknown) => reason),
          sleep(1_000, withCancel(child)).catch((reason: unknown) => reason),
        );
        parent.cancel("parent");
        depth--;
      };
      for (const [name, of] of Object.entries({ grandparent, parent, ctx, child, sibling })) {
        of.signal.addEventListener("abort", meddle(name));
        afterDone(of, meddle(`${name}'s callback`));
      }
      expect(() => end(ctx, root.controller)).not.toThrow();
      const byForeign = by === "a foreign signal";
      const all = ["ctx", "child", "sibling", "parent", ...(byForeign ? ["grandparent"] : [])];
      const once = events.filter((name) => name !== "late");
      expect(new Set(once)).toEqual(new Set(all.flatMap((name) => [name, `${name}'s callback`])));
      expect(once).toHaveLength(all.length * 2);
      for (const of of [ctx, child]) expect([of.cause, of.signal.reason]).toEqual(["why", "why"]);
      for (const of of [parent, sibling]) expect(of.cause).toBe(byForeign ? "why" : "parent");
      expect(grandparent.cause).toBe(byForeign ? "why" : undefined);

      await settle();
      expect(events.filter((name) => name === "late")).toHaveLength(once.length);
      expect(events).not.toContain("stopped");
      expect(new Set(await Promise.all(naps))).toEqual(new Set(["why"]));
      grandparent.cancel();
      expect([root.listeners(), vi.getTimerCount()]).toEqual([0, 0]);
    },
  );

  it("P-167 (context) a chain of forty, each of whose listeners cancels the one above it, does not recurse without end", () => {
    // Browsers drop events that are nested deeper than about 44; the contexts would be done all the same.
    const chain: CancelableContext[] = [withCancel(background)];
    let told = 0;
    for (let at = 1; at <= 40; at++) {
      const above = chain[at - 1] as CancelableContext;
      const ctx = withCancel(above);
      ctx.signal.addEventListener("abort", () => {
        told++;
        above.cancel(`from ${at}`);
      });
      chain.push(ctx);
    }
    chain.at(-1)?.cancel("the last");
    expect(told).toBe(40);
    expect(chain.map(({ cause }) => cause)).toEqual([
      ...Array.from({ length: 40 }, (_, at) => `from ${at + 1}`),
      "the last",
    ]);
  });

  it("P-167 (context) a listener that another one takes away in the same event does not run", () => {
    const ctx = withCancel(background);
    const calls: string[] = [];
    const removed = () => calls.push("removed");
    ctx.signal.addEventListener("abort", () => {
      calls.push("first");
      ctx.signal.removeEventListener("abort", removed);
    });
    ctx.signal.addEventListener("abort", removed);
    ctx.signal.onabort = () => void calls.push("onabort");
    ctx.cancel();
    expect(calls).toEqual(["first", "onabort"]);
  });
});

describe("P-173 (context) many on one parent", () => {
  it("P-173 (context) 200 children, callbacks, timeouts and sleeps are one listener on a foreign signal, none on their parent's", async () => {
    const root = tracked();
    const parent = withCancel(root.signal);
    const on = listening(parent.signal);
    const children: CancelableContext[] = [];
    let [called, woken] = [0, 0];
    for (let i = 0; i < 200; i++) {
      children.push(withCancel(parent), withTimeout(parent, 3_600_000 + i), withSignal(background, parent.signal));
      afterDone(parent, () => called++);
      sleep(3_600_000, parent).catch(() => woken++);
    }
    for (const { signal } of children) assert.isFalse(signal.aborted);
    expect([root.listeners(), root.added(), on.added()]).toEqual([1, 1, 0]);
    parent.cancel("why");
    await settle();
    for (const { cause } of children) assert.equal(cause, "why");
    expect([called, woken, root.listeners(), vi.getTimerCount()]).toEqual([200, 200, 0, 0]);
  });
});

describe("P-177 (context) using", () => {
  it("P-177 (context) leaving the scope cancels, also by a throw, the last one first", () => {
    const seen: CancelableContext[] = [];
    const order: string[] = [];
    const boom = new Error("boom");
    const body = () => {
      using outer = withCancel(background);
      using timeout = withTimeout(outer, 60_000);
      using other = withDeadline(background, Date.now() + 60_000);
      using signal = withSignal(background, new AbortController().signal);
      seen.push(outer, timeout, other, signal);
      for (const [i, ctx] of seen.entries()) ctx.signal.addEventListener("abort", () => order.push(`${i}`));
      for (const ctx of seen) assert.isUndefined(ctx.error);
      throw boom;
    };
    expect(thrown(body)).toBe(boom);
    for (const ctx of seen) {
      expect(isCanceled(ctx.error)).toBe(true);
      expect(ctx.cause).toBe(ctx.error);
    }
    expect(order).toEqual(["3", "2", "1", "0"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("P-177 (context) one that is done already keeps its cause, and disposal by hand is cancel() without one", () => {
    let seen: CancelableContext;
    {
      using ctx = withCancel(background);
      seen = ctx;
      ctx.cancel("mine");
    }
    expect(seen.cause).toBe("mine");
    const byHand = withCancel(background);
    byHand[Symbol.dispose]();
    byHand[Symbol.dispose]();
    expect(byHand.cause).toBe(byHand.error);
    for (const ctx of [background, withValue(background, contextKey("key"), 1), withoutCancel(background)]) {
      expect(Symbol.dispose in ctx).toBe(false); // nobody owns these
    }
  });
});

describe("P-179 (context) falsy causes", () => {
  it.for([null, 0, -0, "", false, Number.NaN, 0n].map((cause) => ({ cause })))(
    "P-179 (context) $cause is a cause",
    async ({ cause }) => {
      for (const watched of [true, false]) {
        const parent = withCancel(background);
        const child = withTimeout(parent, 60_000);
        if (watched) void child.signal.aborted;
        const nap = sleep(Infinity, child).then(
          () => assert.fail(),
          (reason: unknown) => [reason],
        );
        parent.cancel(cause);
        parent.cancel("later");
        for (const ctx of [parent, child, withCancel(child)]) {
          expect([ctx.cause, ctx.signal.reason, thrown(() => ctx.throwIfDone())]).toEqual([cause, cause, cause]);
          expect(isCanceled(ctx.error)).toBe(true);
        }
        expect(await nap).toEqual([cause]);
        const late = withTimeout(background, 0, { cause });
        expect([late.cause, isDeadlineExceeded(late.error)]).toEqual([cause, true]);
        const follower = withSignal(background, AbortSignal.abort(cause));
        expect([follower.cause, isCanceled(follower.error)]).toEqual([cause, true]);
      }
    },
  );

  it("P-179 (context) undefined is none: the cause is the error", () => {
    const ctx = withCancel(background);
    ctx.cancel(undefined);
    const late = withTimeout(background, 0, { cause: undefined });
    for (const done of [ctx, late]) {
      expect(done.cause).toBe(done.error);
      expect(done.signal.reason).toBe(done.error);
    }
    expect([isCanceled(ctx.error), isDeadlineExceeded(late.error)]).toEqual([true, true]);
  });
});

describe("P-187 (context) what a context looks like in JSON", () => {
  it("P-187 (context) is one line, whatever hangs on it, makes no signal and starts nothing", async () => {
    const root = tracked();
    let deep: Context = withValue(root.signal, contextKey("key"), { secret: "x".repeat(10_000) });
    for (let depth = 0; depth < 10_000; depth++) {
      deep = depth % 2 === 0 ? withTimeout(deep, 60_000 - depth) : withValue(deep, contextKey("key"), depth);
    }
    expect(JSON.stringify(deep)).toBe('"Context <live>"');
    expect(JSON.stringify({ ctx: deep, list: [deep] })).toBe('{"ctx":"Context <live>","list":["Context <live>"]}');
    const text = Object.prototype.toString.call(deep);
    expect(text).toBe("[object Context]");
    expect([root.added(), vi.getTimerCount()]).toEqual([0, 0]);
    root.controller.abort("secret");
    expect(JSON.stringify(deep)).toBe('"Context <canceled>"');
    expect(JSON.stringify(new Wrapper(deep)).length).toBeLessThan(100);
    await macro();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("P-187 (context) a chain of 10,000, watched, ends and is asked at any depth", () => {
    const top = withCancel(background);
    const chain: Context[] = [top];
    for (let depth = 1; depth <= 10_000; depth++) chain.push(withCancel(chain[depth - 1] as Context));
    assert.isFalse(chain.at(-1)?.signal.aborted);
    top.cancel("why");
    expect(chain.at(-1)?.signal.reason).toBe("why");
    for (const depth of [1, 5_000, 9_999]) expect(JSON.stringify(chain[depth])).toBe('"Context <canceled>"');
  });

  it("P-187 (context) its errors give their name and code, not what they were made in", () => {
    const ctx = withCancel(background);
    ctx.cancel({ secret: 1 });
    expect(JSON.parse(JSON.stringify(ctx.error))).toEqual({ name: "AbortError", code: "ERR_CANCELED" });
  });
});
