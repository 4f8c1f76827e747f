// Follows tests of Go's context package: values. In Go any comparable value is a key; here `contextKey` makes them, which
// also know the type of what they name.
import { assert, describe, expect, it } from "vitest";
import {
  background,
  type Context,
  contextKey,
  type ContextKey,
  withCancel,
  withoutCancel,
  withSignal,
  withTimeout,
  withValue,
} from "../../src/index.ts";
import { Wrapper } from "./foreign.ts";

type Key = ContextKey<unknown>;

/** Go's chains: c1 sets k1, c2 sets k2, c3 sets k3, c4 hides k1. */
const k1: Key = contextKey("1");
const k2: Key = contextKey("1"); // the same name, another key
const k3: Key = contextKey("3");
const none: Record<string, unknown> = { k1: undefined, k2: undefined, k3: undefined };

function check(ctx: Context, expected: Record<string, unknown>): void {
  assert.deepEqual({ k1: ctx.value(k1), k2: ctx.value(k2), k3: ctx.value(k3) }, { ...none, ...expected } as never);
}

describe("P-101 TestValues", () => {
  const between: Record<string, (ctx: Context) => Context> = {
    "one on the other": (ctx) => ctx,
    "with wrappers between them": (ctx) => new Wrapper(ctx),
    "with two wrappers between them": (ctx) => new Wrapper(new Wrapper(ctx)),
    "with cancelations between them": (ctx) => withCancel(ctx),
    "with deadlines between them": (ctx) => withTimeout(ctx, 3_600_000),
    "with signals between them": (ctx) => withSignal(ctx, new AbortController().signal),
    "with withoutCancel between them": (ctx) => withoutCancel(ctx),
    "with a wrapper and a cancelation between them": (ctx) => withCancel(new Wrapper(withCancel(ctx))),
  };

  it.for(Object.entries(between))("P-101 the nearest setting counts, and keys of one name are two: %s", ([, lay]) => {
    const c0 = lay(background);
    check(c0, {});
    const c1 = lay(withValue(c0, k1, "c1k1"));
    check(c1, { k1: "c1k1" });
    const c2 = lay(withValue(c1, k2, "c2k2"));
    check(c2, { k1: "c1k1", k2: "c2k2" });
    const c3 = lay(withValue(c2, k3, "c3k3"));
    check(c3, { k1: "c1k1", k2: "c2k2", k3: "c3k3" });
    const c4 = lay(withValue(c3, k1, undefined));
    check(c4, { k2: "c2k2", k3: "c3k3" });
    const c5 = lay(withValue(c4, k1, null));
    check(c5, { k1: null, k2: "c2k2", k3: "c3k3" });
    const c6 = lay(withValue(c5, k1, "again"));
    check(c6, { k1: "again", k2: "c2k2", k3: "c3k3" });
    // Those below have not changed.
    check(c3, { k1: "c1k1", k2: "c2k2", k3: "c3k3" });
    check(c1, { k1: "c1k1" });
    check(c0, {});
  });

  it.for(Object.entries(between))("P-101 an explicit undefined hides a value, and the default, too: %s", ([, lay]) => {
    const key = contextKey<number | undefined>("key", 7);
    const unset = lay(background);
    const set = lay(withValue(unset, key, 1));
    const hidden = lay(withValue(set, key, undefined));
    const hiddenDefault = lay(withValue(unset, key, undefined));
    expect([unset, set, hidden, hiddenDefault].map((ctx) => ctx.value(key))).toEqual([7, 1, undefined, undefined]);
  });

  it("P-101 what is falsy is a value", () => {
    const key = contextKey<unknown>("key", "default");
    for (const value of [undefined, null, 0, -0, Number.NaN, "", false, 0n]) {
      expect(withCancel(withValue(background, key, value)).value(key)).toBe(value);
    }
  });

  it("P-101 a context's text tells nothing of its values (Go lists them)", () => {
    const ctx = withValue(withValue(background, k1, "secret"), k2, "secret");
    expect(JSON.stringify(ctx)).toBe('"Context <live>"');
  });
});

describe("P-110 TestWithValueChecksKey", () => {
  const wrong = [undefined, null, "key", 1, Number.NaN, true, Symbol("key"), 1n, [], {}, () => {}];

  it("P-110 what contextKey has not made is no key: a TypeError at the call (in Go, what cannot be compared)", () => {
    for (const key of wrong) {
      expect(() => withValue(background, key as never, 1)).toThrow(TypeError);
      expect(() => background.value(key as never)).toThrow(TypeError);
    }
    expect(() => withValue(background, undefined as never, 1)).toThrow("Cannot set a value: key is not a context key");
  });

  it("P-110 a key finds itself, whatever its name and its value are", () => {
    for (const name of ["", "NaN", "undefined", "key"]) {
      const [key, other] = [contextKey<unknown>(name), contextKey<unknown>(name)];
      const ctx = withValue(background, key, key);
      expect(ctx.value(key)).toBe(key);
      expect(ctx.value(other)).toBeUndefined();
    }
  });
});

describe("P-127 ExampleWithValue", () => {
  it("P-127 the key that was set is found, the other gives undefined", () => {
    const language = contextKey<string>("language");
    const color = contextKey<string>("color");
    const ctx = withValue(background, language, "Go");
    const search = (key: ContextKey<string | undefined>): string => {
      const value = ctx.value(key);
      return value === undefined ? `key not found: ${key.name}` : `found value: ${value}`;
    };
    expect([search(language), search(color)]).toEqual(["found value: Go", "key not found: color"]);
  });
});

describe("P-186 keys that are called as what every object has", () => {
  const names = [
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "valueOf",
    "then",
    "name",
    "defaultValue",
    "",
  ];

  it("P-186 give undefined where nobody has set them: nothing is inherited", () => {
    for (const name of names) {
      const key = contextKey(name);
      for (const ctx of [background, withCancel(background), withValue(background, contextKey(name), 1)]) {
        expect(ctx.value(key), name).toBeUndefined();
      }
      expect(key.name).toBe(name);
    }
  });

  it("P-186 hold their own values, each apart from the others", () => {
    const keys = names.map((name) => contextKey<string>(name));
    let ctx: Context = background;
    for (const key of keys) ctx = withValue(ctx, key, `value of ${key.name}`);
    expect(keys.map((key) => ctx.value(key))).toEqual(names.map((name) => `value of ${name}`));
    expect(Object.getPrototypeOf(ctx)).toBe(Object.getPrototypeOf(background));
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("P-186 a name is a text: a symbol, or nothing, is a TypeError at the call (the key is what is unique)", () => {
    for (const name of [Symbol("key"), undefined, null, 1, {}]) {
      expect(() => contextKey(name as never)).toThrow(TypeError);
    }
  });

  it("P-186 a key cannot be changed afterwards", () => {
    const key = contextKey("toString", "default");
    expect(() => Object.assign(key, { defaultValue: "other" })).toThrow(TypeError);
    expect(background.value(key)).toBe("default");
  });
});
