/** batch: the values of a source, several at a time. */

import { from } from "./bridges.ts";
import { channel } from "./channel.ts";
import { ignore, isReceiverSource } from "./pump.ts";
import type { Source } from "./pump.ts";
import { DONE } from "./receiver.ts";
import { select } from "./select.ts";
import { after } from "./timers.ts";
import { nextTurn } from "./turn.ts";
import type { Receiver } from "./types.ts";

/** The options of {@link batch}. */
export interface BatchOptions {
  /** The most values in a batch: a positive integer. */
  readonly max: number;
  /** How long to wait for more after the first value of a batch, in milliseconds. Default 0: what is there now. */
  readonly within?: number | undefined;
}

class Batches<T> implements AsyncIterableIterator<T[]> {
  readonly #source: Receiver<T>;
  readonly #max: number;
  readonly #within: number;
  readonly #stop = new AbortController();
  /** Of a source that is not a channel: the values pulled ahead. */
  readonly #ahead: AsyncDisposable | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #ended = false;
  #failure: { readonly error: unknown } | undefined = undefined;

  constructor(source: Receiver<T>, max: number, within: number, ahead?: AsyncDisposable) {
    this.#source = source;
    this.#max = max;
    this.#within = within;
    this.#ahead = ahead;
  }

  next(): Promise<IteratorResult<T[], undefined>> {
    const result = this.#last.then(() => this.#collect());
    this.#last = result.catch(ignore);
    return result;
  }

  async return(): Promise<IteratorResult<T[], undefined>> {
    this.#ended = true;
    this.#stop.abort();
    await this.#last;
    this.#failure = undefined; // who has left is told nothing more
    await this.#ahead?.[Symbol.asyncDispose]();
    return DONE;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #collect(): Promise<IteratorResult<T[], undefined>> {
    if (this.#failure !== undefined) {
      const { error } = this.#failure;
      this.#failure = undefined;
      throw error;
    }
    const batch: T[] = [];
    const { signal } = this.#stop;
    try {
      if (this.#ended) return DONE;
      let result: IteratorResult<T, undefined> | undefined = await this.#source.receive({ signal });
      let late: Receiver<unknown> | undefined;
      if (this.#within > 0) late = after(this.#within);
      else if (this.#ahead !== undefined && this.#max > 1) late = endOfTurn(); // what it can give now, it gives one by one
      while (result !== undefined && !result.done && batch.push(result.value) < this.#max) {
        result = this.#source.tryReceive() ?? (late && (await this.#moreUntil(late, signal)));
      }
      if (result?.done) this.#ended = true;
    } catch (error) {
      // Stopped by return(): what is in the batch has been taken, so it is handed out.
      const failed = !signal.aborted;
      this.#ended = true;
      if (failed && batch.length === 0) throw error;
      if (failed) this.#failure = { error };
    }
    return batch.length > 0 ? { done: false, value: batch } : DONE;
  }

  async #moreUntil(late: Receiver<unknown>, signal: AbortSignal): Promise<IteratorResult<T, undefined> | undefined> {
    const picked = await select({ more: this.#source, late }, { signal, order: "listed" });
    return picked.case === "late" ? undefined : picked;
  }
}

function endOfTurn(): Receiver<undefined> {
  const turn = channel<undefined>(1);
  nextTurn(() => void turn.trySend(undefined));
  return turn;
}

/**
 * The values of `source` in batches: what is there now, from 1 to `max` values, in their order.
 *
 * Blocks until there is a first value; with `within`, then waits up to so many milliseconds for the batch to fill. From a
 * channel it takes only what it hands out. Any other source is pulled up to `max` values ahead, and what it can give in
 * this turn of the event loop is there now.
 *
 * When the source fails, the values before come first, then the error. Leaving the loop closes a source that is not a
 * channel, by its `return()`; a batch that is being collected then is handed out to whoever waits for it.
 *
 * @throws TypeError if `source` cannot be iterated over; RangeError if `max` is not a positive integer or `within` is
 * negative or NaN.
 *
 * @example
 * ```ts
 * import { batch, channel } from "@sluice/channels";
 *
 * const rows = channel<number>(10);
 * for (let n = 1; n <= 5; n++) rows.trySend(n);
 * rows.close();
 * for await (const some of batch(rows, { max: 2 })) console.log(some);
 *
 * // Output:
 * // [ 1, 2 ]
 * // [ 3, 4 ]
 * // [ 5 ]
 * ```
 */
export function batch<T>(source: Source<T>, options: BatchOptions): AsyncIterableIterator<T[]> {
  const { max, within = 0 } = options;
  if (typeof max !== "number" || typeof within !== "number")
    throw new TypeError("Cannot batch: max or within is not a number");
  if (!Number.isSafeInteger(max) || max < 1) throw new RangeError(`Cannot batch: max ${max} is not a positive integer`);
  if (!(within >= 0)) throw new RangeError(`Cannot batch: within ${within} is not a number of milliseconds from 0`);
  if (isReceiverSource(source)) return new Batches(source, max, within);
  const ahead = from(source, { capacity: max });
  return new Batches(ahead, max, within, ahead);
}
