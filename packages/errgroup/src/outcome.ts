/** How tasks and groups end: well, with a failure, or by obeying a cancellation. */

import type { Context } from "@sluice/context";

/** How something ended, if not well. An object, because a task may throw `undefined`. */
export interface Failure {
  readonly error: unknown;
}

/** What `group.wait()` would throw, if anything. */
export async function ending(group: { wait(): Promise<void> }): Promise<Failure | undefined> {
  try {
    await group.wait();
    return undefined;
  } catch (error) {
    return { error };
  }
}

/**
 * Whether `error` is an echo of the cancellation of `context`: its cause, its error, or an AbortError made of it. Node wraps
 * the cause in one; fetch clients, AWS's SDK and abort-controller-x also throw bare ones, which tell only that they obeyed.
 * An AbortError with a cause of its own is a failure, and so is everything thrown while the context is live.
 */
export function isCancellation(error: unknown, context: Context): boolean {
  if (context.error === undefined) return false;
  if (error === context.cause || error === context.error) return true;
  if (typeof error !== "object" || error === null) return false;
  const { name, code, cause } = error as { name?: unknown; code?: unknown; cause?: unknown };
  if (name !== "AbortError" && code !== "ABORT_ERR") return false;
  return cause === undefined || cause === context.cause || cause === context.error;
}

/** Whether the result of a task is to be waited for. */
export function isThenable(result: unknown): result is PromiseLike<unknown> {
  if (result === null || (typeof result !== "object" && typeof result !== "function")) return false;
  return typeof (result as { then?: unknown }).then === "function";
}
