/// <reference lib="esnext.disposable" preserve="true" />
/** The words of this package and their contract. */

import type { CanceledError, DeadlineExceededError } from "./errors.ts";

/** What anything that may wait takes last. Every {@link Context} is one. */
export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Says whether work is still wanted, until when, and what it was asked with.
 *
 * - **Handing on**: a context is passed down, first parameter, called `ctx`. It has a `signal`, so it is itself the
 *   options of whatever takes `{ signal }`: `fetch(url, ctx)`, `ch.send(value, ctx)`, `sleep(100, ctx)`.
 * - **Ending**: it is live, then done, once. It ends with its parent, or earlier. Whoever is told second changes nothing.
 * - **Order**: a cancellation is synchronous and has two phases. First the whole subtree is done, then the events come:
 *   a parent's before its children's, siblings' in the order made, callbacks of one context in the order registered.
 * - **Cost**: a context nobody watches holds no `AbortController`, no listener and no timer, and its parent does not know
 *   it. Reading `signal`, `afterDone` and a wait watch it; so does a watched child.
 * - **Process**: a deadline does not keep the process alive, unless somebody waits for it: an operation of a channel,
 *   a `select` or a `sleep` on this context or on a descendant.
 *
 * Semantics: Go's `context.Context`, with `Done()` and `Err()` as `signal` and `error`.
 */
export interface Context {
  /** Aborts when this context ends, with `cause` as its reason. Made on first use; always the same object. */
  readonly signal: AbortSignal;
  /** When it ends at the latest, in milliseconds since the epoch: the earliest of its own and its ancestors' deadlines. */
  readonly deadline: number | undefined;
  /** Milliseconds left until the deadline, never negative; Infinity without one, 0 once done. */
  readonly remaining: number;
  /** The kind of ending; undefined while live. Looks at the clock, so a passed deadline shows even when timers are late. */
  readonly error: CanceledError | DeadlineExceededError | undefined;
  /** Why it ended: what was given to `cancel`, else `error`. Undefined while live. */
  readonly cause: unknown;
  /** The value of `key` that was set nearest, else the key's default. */
  value<T>(key: ContextKey<T>): T;
  /** Throws `cause` if done: the check for loops that never wait. */
  throwIfDone(): void;
}

/** A {@link Context} that its owner can end. Leaving the scope of `using ctx = withCancel(…)` cancels it. */
export interface CancelableContext extends Context, Disposable {
  /**
   * Ends this context and all its descendants before it returns. Does nothing on one that is done, also by a deadline
   * that has passed and whose timer is late. Never throws: errors of listeners and callbacks are reported as uncaught.
   *
   * @param cause - Why; any value, also null. Undefined is none: then the cause is a `CanceledError`.
   */
  cancel(cause?: unknown): void;
}

/**
 * What a context is derived from: another one, or a bare signal, as in `withTimeout(request.signal, 5_000)`.
 *
 * A context of another copy of this package, or an object of your own with a `signal`, is followed through that. Its
 * `value` method answers for values, and its `deadline` counts.
 */
export type Parent = Context | AbortSignal;

/** Names a value in contexts, and knows its type. Made by `contextKey`; two keys of one name are two keys. */
export interface ContextKey<T> {
  readonly name: string;
  readonly defaultValue: T;
  /** @internal Keeps a key of `number` from passing as one of `number | string`. There is nothing behind it. */
  readonly "~type"?: (value: T) => T;
}
