// Hazards of JavaScript that need something of Node: its listeners' list, async context, `util.inspect`.
import { AsyncLocalStorage } from "node:async_hooks";
import { getEventListeners } from "node:events";
import { format, inspect } from "node:util";
import { afterEach, assert, describe, expect, it, vi } from "vitest";
import { macro, settle } from "../../../../test/support.ts";
import {
  afterDone,
  background,
  type Context,
  contextKey,
  sleep,
  withCancel,
  withTimeout,
  withValue,
} from "../../src/index.ts";

afterEach(() => void vi.useRealTimers());

describe("P-096 TestParentFinishesChild (listeners)", () => {
  it("P-096 no child stands on its parent's signal, nor on a foreign one after the end", () => {
    const { signal } = new AbortController();
    const parent = withCancel(signal);
    const children = [withCancel(parent), withTimeout(withValue(parent, contextKey("key"), 1), 3_600_000_000)];
    for (const child of [parent, ...children]) void child.signal.aborted;
    const count = (): number[] => [parent.signal, signal].map((of) => getEventListeners(of, "abort").length);
    expect(count()).toEqual([0, 1]);
    children[0]?.cancel();
    expect(count()).toEqual([0, 1]);
    parent.cancel();
    expect(count()).toEqual([0, 0]);
  });
});

describe("P-185 (context) async context", () => {
  const store = new AsyncLocalStorage<string>();

  it("P-185 (context) a callback runs in that of who registered it, whoever cancels, or whatever else ends it", async () => {
    const seen: Record<string, (string | undefined)[]> = {};
    const register = (name: string, ctx: Context) =>
      store.run(name, () => {
        afterDone(ctx, () => (seen[name] ??= []).push(store.getStore()));
      });
    const ctx = withCancel(background);
    const foreign = new AbortController();
    const done = store.run("canceler", () => {
      const over = withCancel(background);
      over.cancel();
      return over;
    });
    register("a", ctx);
    register("b", withCancel(ctx));
    register("c", withTimeout(background, 1));
    register("d", withCancel(foreign.signal));
    register("e", done);
    afterDone(ctx, () => (seen["none"] ??= []).push(store.getStore()));
    store.run("canceler", () => {
      ctx.cancel();
      foreign.abort();
    });
    await store.run("sleeper", () => sleep(5));
    const names = ["a", "b", "c", "d", "e"];
    expect(seen).toEqual({ ...Object.fromEntries(names.map((name) => [name, [name]])), none: [undefined] });
  });

  it("P-185 (context) what such a callback starts goes on in its context", async () => {
    const ctx = withCancel(background);
    const seen: (string | undefined)[] = [];
    const callback = async () => {
      await settle();
      seen.push(store.getStore());
      await macro();
      seen.push(store.getStore());
    };
    store.run("registrar", () => afterDone(ctx, () => void callback()));
    store.run("canceler", () => ctx.cancel());
    await macro();
    await macro();
    expect(seen).toEqual(["registrar", "registrar"]);
  });

  it("P-185 (context) who sleeps goes on in its own, woken or interrupted", async () => {
    vi.useFakeTimers();
    const ctx = withCancel(background);
    const nap = (name: string, ms: number) =>
      store.run(name, async () => {
        await sleep(ms, ctx).catch(() => {});
        return store.getStore();
      });
    const naps = [nap("a", 1), nap("b", 60_000), nap("c", Infinity), nap("d", -1)];
    await store.run("waker", () => vi.advanceTimersByTimeAsync(1));
    store.run("canceler", () => ctx.cancel());
    expect(await Promise.all([...naps, nap("e", 1)])).toEqual(["a", "b", "c", "d", "e"]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("P-187 (context) what a context looks like when it is printed", () => {
  const forms: Record<string, (ctx: unknown) => string> = {
    inspect: (ctx) => inspect(ctx),
    "inspect of all there is": (ctx) =>
      inspect(ctx, { depth: Infinity, showHidden: true, getters: true, showProxy: true }),
    "%o": (ctx) => format("%o", ctx),
    "%O": (ctx) => format("%O", ctx),
    "%j": (ctx) => format("%j", ctx),
    "%s": (ctx) => format("%s", ctx),
    "in an object": (ctx) => inspect({ ctx, list: [ctx] }, { depth: Infinity }),
  };

  it.for(Object.entries(forms))(
    "P-187 (context) is short at a depth of 10,000, and starts nothing: %s",
    ([, print]) => {
      vi.useFakeTimers();
      const { signal } = new AbortController();
      let deep: Context = withCancel(signal);
      for (let depth = 0; depth < 10_000; depth++) {
        if (depth % 3 === 0) deep = withValue(deep, contextKey("key"), "x".repeat(100));
        else deep = depth % 3 === 1 ? withTimeout(deep, 3_600_000) : withCancel(deep);
      }
      expect(print(deep)).toMatch(/^[^]{1,80}$/);
      expect(print(deep)).toContain(print === forms["%s"] ? "" : "Context <live>");
      expect([getEventListeners(signal, "abort").length, vi.getTimerCount()]).toEqual([0, 0]);
    },
  );

  it("P-187 (context) says how it ended; a key says its name; options without custom inspection work as well", () => {
    const ctx = withCancel(background);
    ctx.cancel(new Error("secret"));
    expect([inspect(ctx), inspect(withTimeout(background, 0))]).toEqual([
      "Context <canceled>",
      "Context <deadline exceeded>",
    ]);
    expect(inspect(contextKey("trace", "none"))).toContain("trace");
    const plain = inspect(withCancel(background), { customInspect: false, depth: Infinity });
    assert.isBelow(plain.length, 200);
    expect(plain).toContain("signal");
  });

  it("P-187 (context) an error is printed with its name and code", () => {
    const { error } = withTimeout(background, 0);
    expect(inspect(error)).toMatch(/TimeoutError\]?: Cannot continue: context deadline exceeded/);
    expect(inspect(error)).toContain("ERR_DEADLINE_EXCEEDED");
    expect(inspect(error).length).toBeLessThan(4_000);
  });
});
