/** The two errors a context ends with, and how to tell them apart from anybody else's. */

/**
 * A context was canceled: what {@link Context.error} says after `cancel()`, and its cause when none was given.
 *
 * Its name is the platform's, so code that looks for `AbortError` keeps working.
 *
 * Semantics: Go's `context.Canceled`, but a new object per cancellation, so that its stack tells which.
 *
 * @example
 * ```ts
 * import { background, CanceledError, withCancel } from "@sluice/context";
 *
 * const ctx = withCancel(background);
 * ctx.cancel();
 * try {
 *   ctx.throwIfDone();
 * } catch (error) {
 *   if (error instanceof CanceledError) console.log(error.name, error.code, error.message);
 * }
 *
 * // Output:
 * // AbortError ERR_CANCELED Cannot continue: context canceled
 * ```
 */
export class CanceledError extends Error {
  override readonly name: "AbortError" = "AbortError";
  readonly code: "ERR_CANCELED" = "ERR_CANCELED";

  constructor(message = "Cannot continue: context canceled", options?: { cause?: unknown }) {
    super(message, options);
  }
}

/**
 * The deadline of a context has passed: what {@link Context.error} says then, and its cause when none was given.
 *
 * Its name is the platform's, as of `AbortSignal.timeout()`.
 *
 * Semantics: Go's `context.DeadlineExceeded`, but a new object per ending.
 *
 * @example
 * ```ts
 * import { background, DeadlineExceededError, withTimeout } from "@sluice/context";
 *
 * const { error } = withTimeout(background, 0);
 * if (error instanceof DeadlineExceededError) console.log(error.name, error.code, error.message);
 *
 * // Output:
 * // TimeoutError ERR_DEADLINE_EXCEEDED Cannot continue: context deadline exceeded
 * ```
 */
export class DeadlineExceededError extends Error {
  override readonly name: "TimeoutError" = "TimeoutError";
  readonly code: "ERR_DEADLINE_EXCEEDED" = "ERR_DEADLINE_EXCEEDED";

  constructor(message = "Cannot continue: context deadline exceeded", options?: { cause?: unknown }) {
    super(message, options);
  }
}

/**
 * Whether `error` tells of a cancellation: by its `code`, or for foreign errors by the name `AbortError`.
 *
 * Holds for another copy of this package, and for what `fetch`, `AbortController` and Node reject with.
 *
 * Semantics: Go's `errors.Is(err, context.Canceled)`.
 *
 * @example
 * ```ts
 * import { isCanceled } from "@sluice/context";
 *
 * console.log(isCanceled(new DOMException("stopped", "AbortError")), isCanceled(new Error("broken")));
 *
 * // Output:
 * // true false
 * ```
 */
export function isCanceled(error: unknown): boolean {
  return kindOf(error) === "canceled";
}

/**
 * Whether `error` tells of a deadline that has passed: by its `code`, or for foreign errors by the name `TimeoutError`.
 *
 * Like {@link isCanceled}, it holds for other copies and for the platform's errors.
 *
 * Semantics: Go's `errors.Is(err, context.DeadlineExceeded)`.
 *
 * @example
 * ```ts
 * import { background, isDeadlineExceeded, withTimeout } from "@sluice/context";
 *
 * console.log(isDeadlineExceeded(withTimeout(background, 0).error), isDeadlineExceeded(new Error("broken")));
 *
 * // Output:
 * // true false
 * ```
 */
export function isDeadlineExceeded(error: unknown): boolean {
  return kindOf(error) === "deadline exceeded";
}

/** The two ways in which a context ends. */
export type Kind = "canceled" | "deadline exceeded";

/** @internal What `error` tells of, if anything. The code comes first: it is ours, where names are everybody's. */
export function kindOf(error: unknown): Kind | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const { code, name } = error as { code?: unknown; name?: unknown };
  if (code === "ERR_CANCELED") return "canceled";
  if (code === "ERR_DEADLINE_EXCEEDED") return "deadline exceeded";
  if (name === "AbortError") return "canceled";
  return name === "TimeoutError" ? "deadline exceeded" : undefined;
}
