/**
 * Everything that waits on one AbortSignal, behind one listener.
 *
 * Adding N listeners to a signal takes N² time in Node and prints a warning from the eleventh on; a queue behind one
 * listener takes N, and joining or leaving it is O(1).
 *
 * Invariants, true whenever no method runs:
 * S1  There is one queue per signal, and it listens while anybody waits in it.
 * S2  A queue in which nobody waits stops listening at the end of the turn. (Not at once: a task that waits on the same
 *     signal over and over would pay for adding and removing the listener each time.)
 */

import type { Waiter } from "./queue.ts";
import { Queue } from "./queue.ts";
import { nextTurn } from "./turn.ts";
import type { WaitOptions } from "./types.ts";

/**
 * The mark under which a signal with a deadline says how to tell it that somebody waits on it (change 1) or no longer
 * does (change -1): a deadline keeps the process alive only while it is waited for.
 */
const WAITING: unique symbol = Symbol.for("@sluice/waiting") as never;

const queues = new WeakMap<AbortSignal, SignalQueue>();
let idle: SignalQueue[] = [];

/** The case of `select` that is ready once the signal has aborted. */
export class SignalQueue extends Queue {
  readonly signal: AbortSignal;
  #listening = false;
  #idle = false; // whether it stands in `idle`
  // A function, though an object could listen: signals that are not the platform's may know nothing else.
  readonly #onAbort = (): void => {
    for (let waiter = this.shift(); waiter !== undefined; waiter = this.shift())
      waiter.complete(this.signal.reason, false);
  };

  constructor(signal: AbortSignal) {
    super();
    this.signal = signal;
  }

  ready(): boolean {
    return this.signal.aborted;
  }

  poll(): IteratorResult<unknown, undefined> | undefined {
    return this.signal.aborted ? { done: false, value: this.signal.reason } : undefined;
  }

  park(waiter: Waiter): void {
    if (!this.#listening) this.#listen();
    this.push(waiter);
  }

  protected override emptied(): void {
    if (this.#idle) return;
    this.#idle = true;
    if (idle.push(this) === 1) nextTurn(stopIdleQueues); // keeps S2
  }

  #listen(): void {
    this.signal.addEventListener("abort", this.#onAbort);
    this.#listening = true;
    (this.signal as Waitable)[WAITING]?.(1);
  }

  /** Stops listening if still nobody waits. */
  stopIfIdle(): void {
    this.#idle = false;
    if (this.head !== undefined) return;
    this.signal.removeEventListener("abort", this.#onAbort);
    this.#listening = false;
    (this.signal as Waitable)[WAITING]?.(-1);
  }
}

type Waitable = AbortSignal & { readonly [WAITING]?: (change: 1 | -1) => void };

function stopIdleQueues(): void {
  const due = idle;
  idle = [];
  for (const queue of due) queue.stopIfIdle();
}

/** The one queue of `signal`. */
export function queueOf(signal: AbortSignal): SignalQueue {
  let queue = queues.get(signal);
  if (queue === undefined) queues.set(signal, (queue = new SignalQueue(signal)));
  return queue;
}

/** Whether `it` can be waited on as a signal: by its shape, since a signal may come from another realm or a polyfill. */
export function isSignal(it: object): it is AbortSignal {
  const { aborted, addEventListener, removeEventListener } = it as Partial<AbortSignal>;
  return (
    typeof aborted === "boolean" && typeof addEventListener === "function" && typeof removeEventListener === "function"
  );
}

/**
 * The signal of a call's options.
 *
 * A cancellation that is lost in silence is the worst outcome, so what looks like a slip (a bare signal in place of the
 * options, a controller in place of its signal) is an error.
 */
export function signalOf(options: WaitOptions | undefined): AbortSignal | undefined {
  if (options === undefined || options === null) return undefined;
  const { signal } = options;
  if (signal === undefined || signal === null) {
    if (typeof options !== "object" || isSignal(options)) {
      throw new TypeError("Cannot wait: the options are not an object of the form { signal }");
    }
    return undefined;
  }
  if (typeof signal !== "object" || !isSignal(signal))
    throw new TypeError("Cannot wait: options.signal is not an AbortSignal");
  return signal;
}
