// What the tests of this package share.
import { macro, settle } from "../../../test/support.ts";
import type { Channel } from "../src/index.ts";

/**
 * Lets everything run that needs neither timers nor I/O. Unlike `settle` it gives the event loop some turns, so that on a
 * stalled machine an operation that was made to pause for one has also gone on.
 */
export async function rest(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) {
    await settle();
    await macro();
  }
  await settle();
}

export type Outcome<T> =
  | { readonly status: "pending" }
  | { readonly status: "fulfilled"; readonly value: T }
  | { readonly status: "rejected"; readonly reason: unknown };

/** What has become of each of `promises` when everything has come to rest. Counts as handling their rejections. */
export async function outcomes<T>(promises: readonly PromiseLike<T>[]): Promise<Outcome<T>[]> {
  const all = promises.map((): Outcome<T> => ({ status: "pending" }));
  promises.forEach((promise, i) => {
    promise.then(
      (value) => (all[i] = { status: "fulfilled", value }),
      (reason: unknown) => (all[i] = { status: "rejected", reason }),
    );
  });
  await rest();
  return all;
}

/** What has become of `promise` when everything has come to rest. Counts as handling its rejection. */
export async function outcome<T>(promise: PromiseLike<T>): Promise<Outcome<T>> {
  const [is] = await outcomes([promise]);
  return is as Outcome<T>;
}

/** The very reason with which `promise` has rejected; fails if it has not. */
export async function reasonOf(promise: PromiseLike<unknown>): Promise<unknown> {
  const is = await outcome(promise);
  if (is.status !== "rejected") throw new Error(`expected a rejection, it is ${is.status}`);
  return is.reason;
}

export const pending: Outcome<never> = { status: "pending" };
export const fulfilled = <T>(value: T): Outcome<T> => ({ status: "fulfilled", value });
export const rejected = (reason: unknown): Outcome<never> => ({ status: "rejected", reason });
export const got = <T>(value: T): Outcome<unknown> => fulfilled({ done: false, value });
export const done: Outcome<unknown> = fulfilled({ done: true, value: undefined });

/** The values at hand, without waiting. */
export function drain<T>(ch: Channel<T>): T[] {
  const values: T[] = [];
  for (let result = ch.tryReceive(); result !== undefined && !result.done; result = ch.tryReceive()) {
    values.push(result.value);
  }
  return values;
}

/** Whether nobody waits at `ch`, an open channel: neither a receiver, which would take a value, nor a sender, which has one. */
export function quiet<T>(ch: Channel<T>): boolean {
  if (ch.length > 0) throw new Error("only for a channel with nothing in it");
  if (ch.tryReceive() !== undefined) return false;
  if (ch.capacity === 0) return !ch.trySend(undefined as T);
  ch.trySend(undefined as T);
  return ch.tryReceive() !== undefined;
}

/** A signal, and how many "abort" listeners stand on it. */
export function watchedSignal(): {
  controller: AbortController;
  signal: AbortSignal;
  listeners: () => number;
  added: () => number;
} {
  const controller = new AbortController();
  const { signal } = controller;
  const standing = new Set<unknown>();
  let added = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    added++;
    standing.add(args[1]);
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    standing.delete(args[1]);
    removeEventListener.apply(signal, args);
  };
  return { controller, signal, listeners: () => standing.size, added: () => added };
}
