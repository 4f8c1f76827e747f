/**
 * The second phase of an ending: its events. All that ended is done before the first of them comes, and says so.
 */

import type { Link, List } from "./list.ts";

/** Something that ended and has events to come. */
export interface Ended {
  /** Not read unless a signal needs it: it may have to be made. */
  readonly cause: unknown;
  readonly controller: AbortController | undefined;
  readonly waiters: List<Callback> | undefined;
}

/** A callback in line. */
interface Callback extends Link<Callback> {
  run(): void;
}

/** Aborts signals and runs callbacks, in the order given. */
export function fire(all: readonly Ended[]): void {
  for (let at = 1; at < all.length; at++) foretell(all[at] as Ended);
  for (const ended of all) {
    const { controller, waiters } = ended;
    if (controller !== undefined) {
      retract(controller.signal);
      // The platform reports what listeners throw; but a stack that overflows in them overflows here.
      attempt(() => controller.abort(ended.cause));
    }
    for (let waiter = waiters?.first; waiter !== undefined; waiter = waiters?.first) {
      waiters?.remove(waiter);
      waiter.run();
    }
  }
}

// The platform cannot abort a signal without its event. So until its turn comes, a signal has a prototype which says that
// it has aborted; otherwise a listener of the parent would take it for live. (Properties of its own would do as well, and
// take three times as long.)
const foretold = new Map<AbortSignal, Ended>();
let telling: object | null = null;

function foretell(ended: Ended): void {
  const signal = ended.controller?.signal;
  if (signal === undefined) return;
  const prototype = Object.getPrototypeOf(signal) as object;
  if (telling === null || Object.getPrototypeOf(telling) !== prototype) {
    telling = Object.create(prototype, {
      aborted: { get: () => true },
      reason: { get: reasonOf },
      throwIfAborted: { value: throwReason },
    }) as object;
  }
  foretold.set(signal, ended);
  Object.setPrototypeOf(signal, telling);
}

function retract(signal: AbortSignal): void {
  if (foretold.delete(signal)) Object.setPrototypeOf(signal, Object.getPrototypeOf(Object.getPrototypeOf(signal)));
}

function reasonOf(this: AbortSignal): unknown {
  return foretold.get(this)?.cause;
}

function throwReason(this: AbortSignal): never {
  throw reasonOf.call(this);
}

/** Runs `callback`, and hands what it throws to whoever watches for uncaught errors. */
export function attempt(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    const { reportError } = globalThis as { reportError?: (error: unknown) => void };
    if (typeof reportError === "function") reportError(error);
    else
      queueMicrotask(() => {
        throw error;
      });
  }
}
