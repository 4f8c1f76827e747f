/** Values by key. They have a list of their own, apart from the tree: looking one up meets no other context. */

import type { ContextKey } from "./types.ts";

/** The values of a context, nearest first; at the far end perhaps a foreign context that answers for the rest. */
export type Values = Binding | Elsewhere | undefined;

export class Binding {
  readonly key: ContextKey<unknown>;
  readonly value: unknown;
  readonly next: Values;

  constructor(key: ContextKey<unknown>, value: unknown, next: Values) {
    this.key = key;
    this.value = value;
    this.next = next;
  }
}

export class Elsewhere {
  readonly context: { value(key: ContextKey<unknown>): unknown };

  constructor(context: { value(key: ContextKey<unknown>): unknown }) {
    this.context = context;
  }
}

/** The nearest value of `key`, else its default. */
export function lookUp(values: Values, key: ContextKey<unknown>): unknown {
  let at = values;
  while (at instanceof Binding) {
    if (at.key === key) return at.value; // an explicit undefined, too
    at = at.next;
  }
  return at === undefined ? key.defaultValue : at.context.value(key);
}

/** Whether `it` is a key, perhaps of another copy of this package. */
export function isKey(it: unknown): it is ContextKey<unknown> {
  return typeof it === "object" && it !== null && "defaultValue" in it;
}

/**
 * Makes a key for `withValue`. The name is for people; the key itself is what counts.
 *
 * @param defaultValue - What contexts without the value give. Without it, they give undefined, and the type says so.
 * @throws TypeError if the name is not a string.
 *
 * Semantics: Go's advice to use an unexported type as key, with the type assertion built in.
 *
 * @example
 * ```ts
 * import { background, contextKey, withValue } from "@sluice/context";
 *
 * const user = contextKey<string>("user");
 * const attempts = contextKey("attempts", 3);
 *
 * const ctx = withValue(background, user, "ada");
 * console.log(ctx.value(user), ctx.value(attempts));
 *
 * // Output:
 * // ada 3
 * ```
 */
export function contextKey<T>(name: string): ContextKey<T | undefined>;
export function contextKey<T>(name: string, defaultValue: T): ContextKey<T>;
export function contextKey<T>(name: string, defaultValue?: T): ContextKey<T | undefined> {
  if (typeof name !== "string") throw new TypeError("Cannot make a context key: name is not a string");
  return Object.freeze({ name, defaultValue });
}
