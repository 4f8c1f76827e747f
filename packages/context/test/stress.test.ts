// Not by the clock, which tests share with others: what is linear shows in what is called how often, and in that a tree of
// a hundred thousand takes no stack. The times are in the benchmarks.
import { describe, expect, it } from "vitest";
import { afterDone, background, withCancel, withSignal, withTimeout } from "../src/index.ts";
import type { CancelableContext, Context } from "../src/index.ts";
import { counted } from "./support.ts";

const DEEP = 100_000;

/** A chain of contexts under `top`; the last one is the deepest. */
function chain(top: Context, length: number): CancelableContext[] {
  const contexts: CancelableContext[] = [];
  for (let parent = top; contexts.length < length;) {
    const child = withCancel(parent);
    contexts.push(child);
    parent = child;
  }
  return contexts;
}

describe("a chain 100,000 deep", () => {
  it("is canceled from the top down to a watched leaf", () => {
    const contexts = chain(background, DEEP);
    const leaf = contexts.at(-1) as Context;
    const { signal } = leaf;
    contexts[0]?.cancel("over");
    expect(signal.reason).toBe("over");
    expect(contexts[DEEP / 2]?.cause).toBe("over");
  });

  it("can be watched from the bottom, and let go again", () => {
    const foreign = counted();
    const leaf = chain(withCancel(foreign.signal), DEEP).at(-1) as Context;
    for (let round = 0; round < 2; round++) {
      const stop = afterDone(leaf, () => {});
      expect(foreign.listeners()).toBe(1);
      stop();
      expect(foreign.listeners()).toBe(0);
    }
  });

  it("can be watched at every level", () => {
    const contexts = chain(background, DEEP);
    let ran = 0;
    for (const ctx of contexts) afterDone(ctx, () => ran++);
    contexts[0]?.cancel();
    expect(ran).toBe(DEEP);
  });

  it("that nobody watches tells its leaf, and then all on the way have been told", () => {
    const contexts = chain(background, DEEP);
    contexts[0]?.cancel("over");
    // From the bottom: would each look all the way up, this would not end.
    expect(contexts.toReversed().every(({ cause }) => cause === "over")).toBe(true);
  });

  it("ends by a deadline at its top, and can then be asked at every level", () => {
    const top = withTimeout(background, 0);
    const contexts = chain(withCancel(top), DEEP);
    expect(contexts.toReversed().every(({ error }) => error === top.error)).toBe(true);
  });

  it("can be made of signals", () => {
    let ctx = withCancel(background);
    const top = ctx;
    for (let depth = 0; depth < 10_000; depth++) ctx = withSignal(background, ctx.signal);
    expect(ctx.error).toBeUndefined();
    const { signal } = ctx;
    top.cancel("over");
    expect([signal.reason, ctx.cause]).toEqual(["over", "over"]);
  });
});

describe("a fan of 1,000,000", () => {
  it("is canceled at once", () => {
    const root = withCancel(background);
    const first = withCancel(root);
    let last = first;
    for (let n = 0; n < 1_000_000; n++) last = withCancel(root);
    root.cancel("over");
    expect([first.cause, last.cause]).toEqual(["over", "over"]);
  });
});

describe("a fan of 100,000 that is watched", () => {
  it("is canceled, each callback once and in the order made, though watched in the reverse", () => {
    const root = withCancel(background);
    const contexts = Array.from({ length: 100_000 }, () => withCancel(root));
    const ran: number[] = [];
    for (let n = contexts.length; n-- > 0;) afterDone(contexts[n] as Context, () => ran.push(n));
    root.cancel();
    expect(ran.length).toBe(100_000);
    expect(ran.every((n, at) => n === at)).toBe(true);
  });

  it("is taken apart from any place", () => {
    const foreign = counted();
    const contexts = Array.from({ length: 100_000 }, () => withCancel(foreign.signal));
    for (const ctx of contexts) afterDone(ctx, () => {});
    for (let n = 0; n < contexts.length; n++) contexts[(n * 7_919) % contexts.length]?.cancel();
    expect(foreign.listeners()).toBe(0);
  });
});

describe("withSignal()", () => {
  it("follows 10,000 signals, and one signal by 10,000 contexts, with one listener each", () => {
    const many = Array.from({ length: 10_000 }, () => new AbortController());
    const wide = withSignal(background, ...many.map(({ signal }) => signal));
    void wide.signal.aborted;
    many[7_777]?.abort("that one");
    expect(wide.cause).toBe("that one");

    const foreign = counted();
    const contexts = Array.from({ length: 10_000 }, () => withSignal(background, foreign.signal));
    for (const ctx of contexts) void ctx.signal.aborted;
    expect(foreign.listeners()).toBe(1);
    foreign.abort("all");
    expect(contexts.every(({ cause }) => cause === "all")).toBe(true);
    expect(foreign.listeners()).toBe(0);
  });
});
