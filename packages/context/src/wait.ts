/** Waiting with a context: for its end, or for time to pass. */

import { Timer } from "./clock.ts";
import { ownScope, scopeOf } from "./context.ts";
import { check, Waiter } from "./scope.ts";
import type { Scope } from "./scope.ts";
import { isSignal, scopeOfSignal } from "./signal.ts";
import type { Context, WaitOptions } from "./types.ts";

/**
 * Calls `callback` once when `ctx` ends. Returns a function that stops it, and says whether it was in time.
 *
 * Order: on a live context it runs before `cancel` returns, after the signal's listeners and in the order registered. On
 * one that is done, it runs in a microtask, and can be stopped until then. It runs in the async context
 * (`AsyncLocalStorage`) of the call to `afterDone`, where the host has one. An error that it throws is reported as
 * uncaught and keeps nobody else from running.
 *
 * A callback is no wait: a deadline does not keep the process alive for it.
 *
 * @throws TypeError if `ctx` is no context, or `callback` no function.
 *
 * Semantics: Go's `context.AfterFunc`; differs in that the callback starts before `cancel` returns.
 *
 * @example
 * ```ts
 * import { afterDone, background, withCancel } from "@sluice/context";
 *
 * const ctx = withCancel(background);
 * const stop = afterDone(ctx, () => console.log("closing the connection"));
 *
 * ctx.cancel();
 * console.log(stop());
 *
 * // Output:
 * // closing the connection
 * // false
 * ```
 */
export function afterDone(ctx: Context, callback: () => void): () => boolean {
  if (typeof callback !== "function") throw new TypeError("Cannot call back: callback is not a function");
  const scope = scopeOf(ctx);
  const waiter = new Waiter(scope, bound(callback));
  if (check(scope) === undefined) waiter.join();
  else queueMicrotask(() => waiter.run());
  return () => waiter.stop();
}

/**
 * Resolves after `ms` milliseconds.
 *
 * Keeps the process alive. Zero gives the event loop a turn, as `setTimeout` does; less is over at once; Infinity waits
 * for the cancellation alone. More than 24.8 days are exact.
 *
 * Cancellation: rejects with the reason of `signal` itself, at once if it has aborted already, and leaves neither timer
 * nor listener behind. However many sleep on one signal, it carries one listener.
 *
 * @param options - `{ signal }`, for instance a context.
 * @throws TypeError if `ms` is no number or the options hold no signal. RangeError if `ms` is NaN.
 *
 * Semantics: Go's `time.Sleep`, which cannot be canceled; the signal works as in `setTimeout` of `node:timers/promises`,
 * but the reason is not wrapped.
 *
 * @example
 * ```ts
 * import { background, sleep, withCancel } from "@sluice/context";
 *
 * const ctx = withCancel(background);
 * const nap = sleep(60_000, ctx);
 * ctx.cancel("wake up");
 * await nap.catch((reason: unknown) => console.log(reason));
 *
 * // Output:
 * // wake up
 * ```
 */
export function sleep(ms: number, options?: WaitOptions): Promise<void> {
  if (typeof ms !== "number") throw new TypeError("Cannot sleep: ms is not a number");
  if (Number.isNaN(ms)) throw new RangeError("Cannot sleep: ms is NaN");
  const scope = scopeOfOptions(options);
  const ending = scope && check(scope);
  if (ending !== undefined) return Promise.reject(ending.cause);
  if (ms < 0) return Promise.resolve();

  return new Promise((resolve, reject) => {
    const deadline = scope?.deadline;
    const waiter =
      scope &&
      new Waiter(scope, () => {
        timer?.stop();
        deadline?.hold(-1);
        reject(scope.ending?.cause);
      });
    const wake = (): void => {
      waiter?.stop();
      deadline?.hold(-1);
      resolve();
    };
    const timer = ms === Infinity ? undefined : new Timer(ms, true, wake);
    waiter?.join();
    deadline?.hold(1);
  });
}

/** What a sleep waits on besides the time. A context is not asked for its signal: it can do without one. */
function scopeOfOptions(options: WaitOptions | undefined): Scope | undefined {
  if (options === undefined || options === null) return undefined;
  if (typeof options !== "object" || isSignal(options)) {
    // Else a signal in place of the options would be ignored in silence.
    throw new TypeError("Cannot sleep: the options are not an object of the form { signal }");
  }
  const own = ownScope(options);
  if (own !== undefined) return own;
  const { signal } = options;
  if (signal === undefined || signal === null) return undefined;
  if (!isSignal(signal)) throw new TypeError("Cannot sleep: options.signal is not an AbortSignal");
  return scopeOfSignal(signal);
}

/** What Node, Deno and Bun offer: runs things in the async context of where it was made. */
type AsyncResource = new (type: string) => { runInAsyncScope(callback: () => void): void };

/** Undefined: nobody has looked yet. Null: there is none. */
let asyncResource: AsyncResource | null | undefined;

/** `callback` in the async context of this call. (By a resource: `AsyncLocalStorage.bind` takes 200 times as long.) */
function bound(callback: () => void): () => void {
  if (asyncResource === undefined) asyncResource = hostAsyncResource() ?? null;
  if (asyncResource === null) return callback;
  const resource = new asyncResource("afterDone");
  return () => resource.runInAsyncScope(callback);
}

// Looked up, not imported, since there is no such module in browsers.
function hostAsyncResource(): AsyncResource | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  const hooks = process?.getBuiltinModule?.("node:async_hooks") as { AsyncResource?: AsyncResource } | undefined;
  return hooks?.AsyncResource;
}
