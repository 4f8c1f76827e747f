/**
 * One blocked call, whatever it waits for: a promise, and the places in which it is parked.
 *
 * A call of one case (send, receive) is its own waiter; a select has a waiter per case. Settling a call takes it out of
 * every place at which it waits (queues of channels, of timers, of its signal) before anything else happens. So:
 *
 * C1  A waiter found in a queue belongs to a call that still waits. Whoever takes it out and completes it has thereby
 *     decided the call: there is no flag "already done", no tombstone, and no way to complete a call twice.
 * C2  A call that has settled stands nowhere: quiet channels and long-lived signals hold nothing of it.
 */

import { Waiter } from "./queue.ts";
import { queueOf } from "./signal.ts";
import { resume } from "./turn.ts";

/** What a case can do for a call, wherever its values come from. */
export interface Case {
  /** Whether `poll` would give something (or throw) now. */
  ready(): boolean;
  /** Lets the case take effect now, if it can; throws where a wait would reject. */
  poll(): IteratorResult<unknown, undefined> | undefined;
  /** Puts a waiter in line. */
  park(waiter: Waiter): void;
}

/**
 * A call of one case: what `send` and `receive` wait with.
 *
 * Its fields are plain ones: with #private ones a hand-over between two tasks takes 8 % longer (Node 20).
 */
abstract class LoneCall extends Waiter {
  resolve: (value: never) => void = unset;
  reject: (reason: unknown) => void = unset;
  cancellation: Cancellation | undefined = undefined;

  /** The promise of this call, which from now on is rejected when `signal` aborts. The caller parks it where it waits. */
  protected begin<R>(signal: AbortSignal | undefined): Promise<R> {
    const promise = new Promise<R>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    if (signal !== undefined) queueOf(signal).park((this.cancellation = new Cancellation(this)));
    return promise;
  }

  protected settle<V>(value: V): void {
    this.leave();
    resume(this.resolve as (value: V) => void, value);
  }

  fail(reason: unknown): void {
    this.leave();
    resume(this.reject, reason);
  }

  private leave(): void {
    this.queue?.remove(this);
    this.cancellation?.queue?.remove(this.cancellation);
  }
}

function unset(): void {}

export class ReceiveCall<T> extends LoneCall {
  wait(signal: AbortSignal | undefined): Promise<IteratorResult<T, undefined>> {
    return this.begin(signal);
  }

  complete(value: T, done: boolean): void {
    this.settle({ done, value });
  }
}

export class SendCall extends LoneCall {
  constructor(value: unknown) {
    super();
    this.value = value;
  }

  wait(signal: AbortSignal | undefined): Promise<void> {
    return this.begin(signal);
  }

  complete(): void {
    this.settle(undefined);
  }
}

/** The waiter that stands at a call's option `signal`. */
export class Cancellation extends Waiter {
  readonly #call: { fail(reason: unknown): void };

  constructor(call: { fail(reason: unknown): void }) {
    super();
    this.#call = call;
  }

  complete(reason: unknown): void {
    this.#call.fail(reason);
  }

  fail(reason: unknown): void {
    this.#call.fail(reason);
  }
}
