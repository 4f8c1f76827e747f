/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Contexts: a scope, which they end with, and values. Deriving one makes a scope of its own, except with a value alone.
 *
 * Here is what users see of them; the scopes do the work.
 */

import { now } from "./clock.ts";
import { Deadline } from "./deadline.ts";
import type { CanceledError, DeadlineExceededError } from "./errors.ts";
import { cancel, check, Scope } from "./scope.ts";
import { isSignal, Merged, scopeOfSignal, signalOf } from "./signal.ts";
import type { CancelableContext, Context, ContextKey, Parent } from "./types.ts";
import { Binding, Elsewhere, isKey, lookUp } from "./values.ts";
import type { Values } from "./values.ts";

class PlainContext implements Context {
  declare readonly signal: AbortSignal;
  readonly #scope: Scope;
  readonly #values: Values;

  // An own property, so that it survives `{ ...ctx }`, which many libraries do to their options: a cancellation lost in
  // silence is the worst outcome. This is the cheapest form; ns for an object of two fields, Node 20: without 17, this 170,
  // Reflect 175, configurable 188, before the fields 258, __defineGetter__ 233, a getter in a literal 1,570. A Proxy, 37,
  // would make every later access pay, and cannot hold private state.
  static readonly #lazySignal: PropertyDescriptor = {
    enumerable: true,
    get(this: PlainContext): AbortSignal {
      return signalOf(this.#scope);
    },
  };

  constructor(scope: Scope, values: Values) {
    this.#scope = scope;
    this.#values = values;
    Object.defineProperty(this, "signal", PlainContext.#lazySignal);
  }

  get deadline(): number | undefined {
    const at = this.#scope.deadline?.at;
    return at === Infinity ? undefined : at;
  }

  get remaining(): number {
    if (check(this.#scope) !== undefined) return 0;
    const due = this.#scope.deadline?.due;
    return due === undefined ? Infinity : Math.max(due - now(), 0);
  }

  get error(): CanceledError | DeadlineExceededError | undefined {
    return check(this.#scope)?.error;
  }

  get cause(): unknown {
    return check(this.#scope)?.cause;
  }

  value<T>(key: ContextKey<T>): T {
    if (!isKey(key)) throw new TypeError("Cannot look up a value: key is not a context key");
    return lookUp(this.#values, key) as T;
  }

  throwIfDone(): void {
    const ending = check(this.#scope);
    if (ending !== undefined) throw ending.cause;
  }

  get [Symbol.toStringTag](): string {
    return "Context";
  }

  // One line, whatever hangs on it. Without this, printing or serializing a context would make its signal.
  toJSON(): string {
    return `Context <${check(this.#scope)?.kind ?? "live"}>`;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toJSON();
  }

  static cancel(context: PlainContext, cause: unknown): void {
    cancel(context.#scope, cause);
  }

  /** What a context is derived from; undefined for anything that was not made here. */
  static origin(of: object): Origin | undefined {
    return #scope in of ? { scope: of.#scope, values: of.#values } : undefined;
  }
}

interface Origin {
  readonly scope: Scope;
  readonly values: Values;
}

class OwnedContext extends PlainContext implements CancelableContext {
  cancel(cause?: unknown): void {
    PlainContext.cancel(this, cause);
  }

  [Symbol.dispose](): void {
    this.cancel();
  }
}

/** Never ends, so it keeps neither children nor callbacks. */
class Endless extends Scope {
  override stem(): undefined {}
}

/**
 * The deadline that a foreign context says it has. Due a millisecond late, since its `deadline` counts whole ones: its own
 * timer shall be first, and then gives the cause through its signal. Where timers are late, it is asked.
 */
class ForeignDeadline extends Deadline {
  readonly #context: Partial<Context>;

  constructor(context: Partial<Context>, at: number) {
    super(at, now() + Math.max(at - globalThis.Date.now(), 0) + 1);
    this.#context = context;
  }

  protected override cause(): unknown {
    try {
      return this.#context.cause;
    } catch {
      return undefined;
    }
  }
}

/** What to derive from, or to wait on. Looks once at each property of a foreign object. */
function originOf(parent: Parent): Origin {
  if (typeof parent !== "object" || parent === null) throw notAParent();
  const own = PlainContext.origin(parent);
  if (own !== undefined) return own;
  if (isSignal(parent)) return { scope: scopeOfSignal(parent), values: undefined };

  const foreign: Partial<Context> = parent;
  const { signal } = foreign;
  if (!isSignal(signal)) throw notAParent();
  const { value, deadline } = foreign;
  let scope = scopeOfSignal(signal);
  if (typeof deadline === "number" && deadline < (scope.deadline?.at ?? Infinity)) {
    scope = new Scope(scope, new ForeignDeadline(foreign, deadline));
  }
  return { scope, values: typeof value === "function" ? new Elsewhere(parent) : undefined };
}

function notAParent(): TypeError {
  return new TypeError("Cannot use as a context: it is neither a context nor an AbortSignal");
}

/** The scope of a context that was made here. */
export function ownScope(ctx: object): Scope | undefined {
  return PlainContext.origin(ctx)?.scope;
}

/** The scope that `ctx` ends with. */
export function scopeOf(ctx: Parent): Scope {
  return originOf(ctx).scope;
}

/**
 * The context that never ends and has no values: where trees of contexts start.
 *
 * Semantics: Go's `context.Background()`.
 */
export const background: Context = new PlainContext(new Endless(undefined), undefined);

/**
 * Derives a context that its owner can cancel.
 *
 * Call `cancel` when the work is over, however it went, or let `using` do so: until then the parent may hold on to it.
 *
 * @throws TypeError if the parent is neither a context nor a signal.
 *
 * Semantics: Go's `context.WithCancelCause`, with `cancel` as a method.
 *
 * @example
 * ```ts
 * import { background, withCancel } from "@sluice/context";
 *
 * const ctx = withCancel(background);
 * const child = withCancel(ctx);
 * child.signal.addEventListener("abort", () => console.log("stop:", child.cause));
 *
 * ctx.cancel("user left");
 * console.log(child.error?.code);
 *
 * // Output:
 * // stop: user left
 * // ERR_CANCELED
 * ```
 */
export function withCancel(parent: Parent): CancelableContext {
  const { scope, values } = originOf(parent);
  return new OwnedContext(new Scope(scope), values);
}

/** Options of {@link withTimeout} and {@link withDeadline}. */
export interface DeadlineOptions {
  /** What the context ends with when the deadline passes. Default: a `DeadlineExceededError`. */
  readonly cause?: unknown;
}

/**
 * Derives a context that ends by itself after `ms` milliseconds. Like {@link withDeadline}, but from now on.
 *
 * An earlier deadline of the parent is kept. A time of zero or less is over at once; Infinity sets no deadline; times of
 * more than 24.8 days are exact. The clock is monotonic: setting the computer's date changes nothing.
 *
 * @throws TypeError if the parent is neither a context nor a signal, or `ms` no number. RangeError if `ms` is NaN.
 *
 * Semantics: Go's `context.WithTimeoutCause`.
 *
 * @example
 * ```ts
 * import { background, sleep, withTimeout } from "@sluice/context";
 *
 * const ctx = withTimeout(background, 20, { cause: new Error("the server is too slow") });
 * try {
 *   await sleep(60_000, ctx);
 * } catch (error) {
 *   console.log(error === ctx.cause, ctx.error?.code);
 * }
 *
 * // Output:
 * // true ERR_DEADLINE_EXCEEDED
 * ```
 */
export function withTimeout(parent: Parent, ms: number, options?: DeadlineOptions): CancelableContext {
  if (typeof ms !== "number") throw new TypeError("Cannot set a timeout: ms is not a number");
  if (Number.isNaN(ms)) throw new RangeError("Cannot set a timeout: ms is NaN");
  return derive(parent, globalThis.Date.now() + ms, ms, options);
}

/**
 * Derives a context that ends by itself at an instant: a `Date`, or milliseconds since the epoch.
 *
 * An earlier deadline of the parent is kept. An instant that has passed ends it at once; Infinity sets no deadline.
 *
 * @throws TypeError if the parent is neither a context nor a signal, or `at` neither Date nor number. RangeError if `at`
 * is NaN or an invalid Date.
 *
 * Semantics: Go's `context.WithDeadlineCause`.
 *
 * @example
 * ```ts
 * import { background, withDeadline } from "@sluice/context";
 *
 * const parent = withDeadline(background, new Date("2100-01-01"));
 * const child = withDeadline(parent, new Date("2200-01-01"));
 * console.log(new Date(child.deadline ?? 0).getUTCFullYear());
 *
 * // Output:
 * // 2100
 * ```
 */
export function withDeadline(parent: Parent, at: Date | number, options?: DeadlineOptions): CancelableContext {
  const time: unknown = typeof at === "object" && at !== null ? at.getTime?.() : at;
  if (typeof time !== "number") throw new TypeError("Cannot set a deadline: it is neither a Date nor a number");
  if (Number.isNaN(time)) throw new RangeError("Cannot set a deadline: it is not a valid time");
  return derive(parent, time, time - globalThis.Date.now(), options);
}

function derive(parent: Parent, at: number, ms: number, options: DeadlineOptions | undefined): CancelableContext {
  const { scope, values } = originOf(parent);
  if (ms <= 0) check(scope); // a parent that is done was first, though nobody had noticed
  const deadline = ms === Infinity ? undefined : new Deadline(at, now() + ms, options?.cause);
  return new OwnedContext(new Scope(scope, deadline), values);
}

/**
 * Derives a context that carries a value, and ends with its parent: it has the parent's `signal`.
 *
 * Meant for what belongs to a request and passes through layers that do not know it, such as a trace id; not for options.
 *
 * @param value - Any value; an explicit undefined hides the parent's.
 * @throws TypeError if the parent is neither a context nor a signal, or `key` was not made by `contextKey`.
 *
 * Semantics: Go's `context.WithValue`.
 *
 * @example
 * ```ts
 * import { background, contextKey, withCancel, withValue } from "@sluice/context";
 *
 * const trace = contextKey("trace", "none");
 * const ctx = withCancel(withValue(background, trace, "4bf92f35"));
 * console.log(ctx.value(trace), background.value(trace));
 *
 * // Output:
 * // 4bf92f35 none
 * ```
 */
export function withValue<T>(parent: Parent, key: ContextKey<T>, value: T): Context {
  const { scope, values } = originOf(parent);
  if (!isKey(key)) throw new TypeError("Cannot set a value: key is not a context key");
  return new PlainContext(scope, new Binding(key, value, values));
}

/**
 * Derives a context that keeps the parent's values and nothing else: it never ends and has no deadline.
 *
 * For work that goes on when its request is over, such as writing the log.
 *
 * @throws TypeError if the parent is neither a context nor a signal.
 *
 * Semantics: Go's `context.WithoutCancel`.
 *
 * @example
 * ```ts
 * import { background, withCancel, withoutCancel } from "@sluice/context";
 *
 * const request = withCancel(background);
 * const log = withoutCancel(request);
 * request.cancel();
 * console.log(log.error);
 *
 * // Output:
 * // undefined
 * ```
 */
export function withoutCancel(parent: Parent): Context {
  // Not the background's scope: its signal would gather the listeners of all that never take theirs away.
  return new PlainContext(new Endless(undefined), originOf(parent).values);
}

/**
 * Derives a context that also ends when one of `signals` aborts, with the signal's reason as its cause.
 *
 * A parent that is done comes first, then the first aborted signal of the list. `error` follows the reason: an error
 * named `TimeoutError` gives a `DeadlineExceededError`, all else a `CanceledError`. However many contexts follow one
 * signal, it carries one listener, and none when they are done.
 *
 * @throws TypeError if the parent is neither a context nor a signal, or one of `signals` is no signal.
 *
 * Semantics: `AbortSignal.any()`; in Go, `context.AfterFunc` on a second context.
 *
 * @example
 * ```ts
 * import { background, withSignal, withTimeout } from "@sluice/context";
 *
 * const button = new AbortController();
 * const ctx = withSignal(withTimeout(background, 5_000), button.signal);
 *
 * button.abort("pressed");
 * console.log(ctx.cause, ctx.error?.code);
 *
 * // Output:
 * // pressed ERR_CANCELED
 * ```
 */
export function withSignal(parent: Parent, ...signals: AbortSignal[]): CancelableContext {
  const { scope, values } = originOf(parent);
  for (const signal of signals) {
    if (!isSignal(signal)) throw new TypeError("Cannot follow a signal: it is not an AbortSignal");
  }
  return new OwnedContext(new Merged(scope, signals), values);
}
