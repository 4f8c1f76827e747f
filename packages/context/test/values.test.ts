import { describe, expect, it } from "vitest";
import { background, contextKey, withCancel, withoutCancel, withTimeout, withValue } from "../src/index.ts";
import type { Context } from "../src/index.ts";

describe("value()", () => {
  const one = contextKey<number | undefined>("number");
  const other = contextKey("number", 7);

  it("gives what was set nearest", () => {
    const outer = withValue(background, one, 1);
    const inner = withValue(withCancel(outer), one, 2);
    expect([outer.value(one), inner.value(one), withCancel(inner).value(one)]).toEqual([1, 2, 2]);
  });

  it("tells keys apart that have the same name", () => {
    const ctx = withValue(withValue(background, one, 1), other, 2);
    expect([ctx.value(one), ctx.value(other)]).toEqual([1, 2]);
    expect(withValue(background, one, 1).value(other)).toBe(7);
  });

  it("gives the default only where the value is absent, and undefined without a default", () => {
    expect([background.value(other), background.value(one)]).toEqual([7, undefined]);
    expect(withValue(background, other, 0).value(other)).toBe(0);
  });

  it("lets an explicit undefined hide the parent's value, and the default", () => {
    const key = contextKey<string | undefined>("k", "default");
    const ctx = withValue(withValue(background, key, "outer"), key, undefined);
    expect(ctx.value(key)).toBeUndefined();
  });

  it("takes any value, a promise and NaN as they are", () => {
    const key = contextKey<unknown>("k");
    for (const value of [null, 0, "", false, Number.NaN, Promise.resolve(1), () => {}, {}]) {
      expect(withValue(background, key, value).value(key)).toBe(value);
    }
  });

  it("survives every kind of derivation, and the end of the context", () => {
    let ctx: Context = withValue(background, one, 1);
    const canceled = withCancel(ctx);
    ctx = withoutCancel(withTimeout(canceled, 1_000));
    canceled.cancel();
    expect([ctx.value(one), canceled.value(one)]).toEqual([1, 1]);
  });

  it("is unmoved by names that objects inherit", () => {
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty", ""]) {
      const key = contextKey<number>(name);
      expect(background.value(key)).toBeUndefined();
      expect(withValue(background, key, 5).value(key)).toBe(5);
    }
  });

  it("refuses what is not a key with a TypeError", () => {
    for (const key of [undefined, null, "user", Symbol("user"), {}, () => {}]) {
      expect(() => background.value(key as never)).toThrow(TypeError);
      expect(() => withValue(background, key as never, 1 as never)).toThrow(TypeError);
    }
    expect(() => contextKey(5 as never)).toThrow(TypeError);
  });
});

describe("withValue()", () => {
  it("shares the end and the signal of its parent", () => {
    const parent = withCancel(background);
    const ctx = withValue(withValue(parent, contextKey("a"), 1), contextKey("b"), 2);
    expect(ctx.signal).toBe(parent.signal);
    expect("cancel" in ctx).toBe(false);
    parent.cancel("over");
    expect(ctx.cause).toBe("over");
    expect(ctx.error).toBe(parent.error);
  });

  it("on the background shares its signal, which never aborts", () => {
    expect(withValue(background, contextKey("a"), 1).signal).toBe(background.signal);
  });
});
