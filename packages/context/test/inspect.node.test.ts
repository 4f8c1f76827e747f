import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { background, contextKey, withCancel, withTimeout, withValue } from "../src/index.ts";
import type { Context } from "../src/index.ts";

// What `${ctx}` gives; a linter would not have that, for a good reason.
const toString = (ctx: Context): string => Object.prototype.toString.call(ctx);

describe("printing a context", () => {
  it("gives one short line that says how it is", () => {
    const canceled = withCancel(background);
    canceled.cancel(new Error("why"));
    const cases: [Context, string][] = [
      [background, "Context <live>"],
      [withTimeout(background, 60_000), "Context <live>"],
      [canceled, "Context <canceled>"],
      [withTimeout(canceled, 60_000), "Context <canceled>"],
      [withTimeout(background, 0), "Context <deadline exceeded>"],
    ];
    for (const [ctx, line] of cases) {
      expect(inspect(ctx)).toBe(line);
      expect(inspect({ ctx }, { depth: 0 })).toBe(`{ ctx: ${line} }`);
      expect(JSON.stringify({ ctx })).toBe(JSON.stringify({ ctx: line }));
      expect(toString(ctx)).toBe("[object Context]");
    }
  });

  it("overflows no stack and stays short on a chain of 100,000", () => {
    let ctx = withCancel(background);
    const key = contextKey("k", 0);
    for (let depth = 0; depth < 100_000; depth++) ctx = withCancel(depth % 2 === 0 ? withValue(ctx, key, depth) : ctx);
    void ctx.signal;
    for (const text of [inspect(ctx, { depth: Infinity }), JSON.stringify(ctx), toString(ctx), inspect([ctx])]) {
      expect(text.length).toBeLessThan(50);
    }
  });

  it("makes no signal and does not watch it", () => {
    const foreign = new AbortController();
    let listened = 0;
    const { signal } = foreign;
    signal.addEventListener = () => {
      listened++;
    };
    const ctx = withCancel(signal);
    void [inspect(ctx), JSON.stringify(ctx), toString(ctx)];
    expect(listened).toBe(0);
  });

  it("shows the errors with their code", () => {
    const ctx = withCancel(background);
    ctx.cancel();
    expect(inspect(ctx.error)).toMatch(/AbortError.*: Cannot continue: context canceled\n[^]*code: 'ERR_CANCELED'/);
  });
});
