/**
 * A pump takes values out of a source, one at a time, and hands each on before it takes the next: what all bridges are made
 * of. It ends with its source, or when its signal aborts or a hand-over fails; in these two cases it closes the source by
 * `return()`. A source that is a Receiver of this package is received from under the signal instead: nothing of the pump
 * stays on it, and the channel stays open.
 */

import { Cancellation } from "./call.ts";
import { DONE, isReceiver } from "./receiver.ts";
import { queueOf } from "./signal.ts";
import type { Receiver, WaitOptions } from "./types.ts";

/** What bridges read from. */
export type Source<T> = AsyncIterable<T> | Iterable<T>;

/** For rejections that are known elsewhere: as the cause of a closed channel, or after an error that came first. */
export function ignore(): void {}

/** The values of a source one by one: opens it for the first, and can close it while one is on its way. */
export class Pull<T> {
  readonly #source: Source<T>;
  #iterator: AsyncIterator<T> | undefined = undefined;
  #pulling = false;
  #ended = false;

  /** @throws TypeError if `source` cannot be iterated over. */
  constructor(source: Source<T>) {
    const { [Symbol.asyncIterator]: openAsync, [Symbol.iterator]: open } = Object(source) as Openable<T>;
    if (typeof openAsync !== "function" && typeof open !== "function") {
      throw new TypeError("Cannot iterate: the source is neither async iterable nor iterable");
    }
    this.#source = source;
  }

  /** The next value. Rejects with what the source failed with, or with the signal's reason. */
  async next(options: WaitOptions): Promise<IteratorResult<T, unknown>> {
    const source = this.#source;
    if (isReceiverSource(source)) return source.receive(options);
    const { signal } = options;
    if (signal?.aborted) throw signal.reason;
    this.#pulling = true;
    const result = await (signal === undefined ? this.#step() : abandonable(this.#step(), signal));
    if (result.done) this.#ended = true;
    return result;
  }

  async #step(): Promise<IteratorResult<T, unknown>> {
    try {
      const result = await (this.#iterator ??= iteratorOf(this.#source)).next();
      if (typeof result !== "object" || result === null) throw new TypeError("Cannot iterate: next() gave no object");
      return result;
    } catch (error) {
      this.#ended = true;
      throw error;
    } finally {
      this.#pulling = false;
    }
  }

  /**
   * Closes the source. Waits until it has closed, unless a value is on its way: an async generator puts `return()` off
   * until then, which may be never.
   */
  async close(): Promise<void> {
    if (this.#ended || isReceiverSource(this.#source)) return;
    this.#ended = true;
    const closed = Promise.resolve((this.#iterator ??= iteratorOf(this.#source)).return?.());
    if (this.#pulling) closed.catch(ignore);
    else await closed;
  }
}

type Openable<T> = Partial<AsyncIterable<T> & Iterable<T | PromiseLike<T>>>;

export function isReceiverSource<T>(source: Source<T>): source is Receiver<T> {
  return typeof source === "object" && source !== null && isReceiver(source);
}

/** The iterator that `for await` would use. */
function iteratorOf<T>(source: Source<T>): AsyncIterator<T> {
  const { [Symbol.asyncIterator]: openAsync } = source as Openable<T>;
  if (typeof openAsync === "function") return openAsync.call(source);
  const iterator = (source as Iterable<T | PromiseLike<T>>)[Symbol.iterator]();
  return {
    async next() {
      const result = iterator.next();
      if (result.done) return result;
      try {
        return { done: false, value: await result.value };
      } catch (error) {
        await this.return?.().catch(ignore); // the element has failed, not the iterator
        throw error;
      }
    },
    async return() {
      iterator.return?.();
      return DONE;
    },
  };
}

/** `pulled`, or a rejection with the signal's reason, whichever comes first. */
function abandonable<R>(pulled: Promise<R>, signal: AbortSignal): Promise<R> {
  return new Promise((resolve, reject) => {
    const cancellation = new Cancellation({ fail: reject });
    const leave = () => cancellation.queue?.remove(cancellation);
    if (signal.aborted) reject(signal.reason); // while it was being pulled
    else queueOf(signal).park(cancellation);
    pulled.then(
      (result) => {
        leave();
        resolve(result);
      },
      (error: unknown) => {
        leave();
        reject(error);
      },
    );
  });
}

/** Hands on every value of `pull`. Rejects with the first failure: of the source, of a hand-over, or by the signal. */
export async function pump<T>(
  pull: Pull<T>,
  options: WaitOptions,
  handOn: (value: T) => Promise<unknown>,
): Promise<void> {
  try {
    for (;;) {
      const result = await pull.next(options);
      if (result.done) return;
      await handOn(result.value);
    }
  } catch (error) {
    await pull.close().catch(ignore);
    throw error;
  }
}
