/**
 * Go's context for TypeScript: cancellation, deadlines and values, over the platform's `AbortSignal`.
 *
 * A *context* says whether work is still wanted, until when, and what it was asked with. It goes down through the calls as
 * first parameter; each layer may derive a narrower one. Whoever derives one may end it, and everything below ends with it.
 *
 * It needs no support from others: a context has a `signal`, so it can be handed as it is to whatever takes `{ signal }`.
 * The other way round, any `AbortSignal` is a parent: `withTimeout(request.signal, 5_000)`.
 *
 * | to | use |
 * |---|---|
 * | start a tree | {@link background} |
 * | cancel work | {@link withCancel} |
 * | limit its time | {@link withTimeout}, {@link withDeadline} |
 * | carry a value | {@link withValue}, {@link contextKey} |
 * | end with a signal, too | {@link withSignal} |
 * | outlive the request | {@link withoutCancel} |
 * | clean up at the end | {@link afterDone} |
 * | pass time | {@link sleep} |
 * | tell why it ended | {@link Context.error}, {@link Context.cause}, {@link isCanceled}, {@link isDeadlineExceeded} |
 *
 * @example
 * ```ts
 * import { background, isDeadlineExceeded, sleep, withTimeout } from "@sluice/context";
 * import type { Context } from "@sluice/context";
 *
 * async function poll(ctx: Context, what: string): Promise<void> {
 *   for (;;) {
 *     console.log("asking for", what);
 *     await sleep(60_000, ctx); // rejects as soon as ctx ends
 *   }
 * }
 *
 * const ctx = withTimeout(background, 20);
 * try {
 *   await poll(ctx, "news");
 * } catch (error) {
 *   console.log(isDeadlineExceeded(error) ? "out of time" : error);
 * } finally {
 *   ctx.cancel();
 * }
 *
 * // Output:
 * // asking for news
 * // out of time
 * ```
 *
 * @module
 */

export type { CancelableContext, Context, ContextKey, Parent, WaitOptions } from "./types.ts";

export { background, withCancel, withDeadline, withoutCancel, withSignal, withTimeout, withValue } from "./context.ts";
export type { DeadlineOptions } from "./context.ts";
export { contextKey } from "./values.ts";

export { afterDone, sleep } from "./wait.ts";

export { CanceledError, DeadlineExceededError, isCanceled, isDeadlineExceeded } from "./errors.ts";
