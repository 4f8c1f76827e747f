/// <reference lib="esnext.disposable" preserve="true" />
/** from, pipe, merge: any async iterable or iterable as a receiver, into a sender, and several into one. */

import { Cancellation } from "./call.ts";
import { channel } from "./channel.ts";
import { ignore, Pull, pump } from "./pump.ts";
import type { Source } from "./pump.ts";
import { ReceivingEnd } from "./receiver.ts";
import { queueOf, signalOf } from "./signal.ts";
import type { Channel, Receiver, Sender, WaitOptions } from "./types.ts";

/** A receiver that is fed by pumps, and stops them when it is disposed. */
class Fed<T> extends ReceivingEnd<T> implements AsyncDisposable {
  readonly #stop = new AbortController();
  readonly #stopped: Promise<void>;

  /** `feed` sends to `out` until `stop` aborts, and closes it; it must not reject. */
  constructor(out: Channel<T>, feed: (stop: AbortController) => Promise<void>) {
    super(out);
    this.#stopped = feed(this.#stop);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.channel.close();
    this.#stop.abort();
    await this.#stopped;
  }
}

/** The options of {@link from}. */
export interface FromOptions extends WaitOptions {
  /** How many values may be pulled ahead: a non-negative integer or `Infinity`. Default 0. */
  readonly capacity?: number | undefined;
}

/**
 * A receiver of the values of any async iterable or iterable, so that it can stand in a `select`.
 *
 * It pulls as far as its capacity, and may have one value more on its way. When the source ends the receiver closes; when
 * the source fails, its error becomes the cause of closing. Like `for await`, it awaits the elements of a plain iterable.
 *
 * Cancellation: when `signal` aborts, the receiver closes with its reason and the source is closed by `return()`. Disposing
 * it (`await using numbers = from(stream)`) closes both as well, without an error. A channel as a source stays open.
 *
 * @throws TypeError if `source` cannot be iterated over, RangeError for a wrong capacity.
 *
 * @example
 * ```ts
 * import { after, from, select } from "@sluice/channels";
 *
 * async function* stream() {
 *   yield "first";
 *   yield "second";
 * }
 * const words = from(stream());
 * for (;;) {
 *   const picked = await select({ word: words, late: after(1_000) });
 *   if (picked.case === "late" || picked.done) break;
 *   console.log(picked.value);
 * }
 *
 * // Output:
 * // first
 * // second
 * ```
 */
export function from<T>(source: Source<T>, options?: FromOptions): Receiver<T> & AsyncDisposable {
  const signal = signalOf(options);
  const out = channel<T>({ capacity: options?.capacity });
  const pull = new Pull(source);
  return new Fed(out, async (stop) => {
    const cancellation = new Cancellation({ fail: (reason) => stop.abort(reason) });
    if (signal?.aborted) stop.abort(signal.reason);
    else if (signal !== undefined) queueOf(signal).park(cancellation);
    await pipeInto(pull, out, { signal: stop.signal }, true).catch(ignore);
    cancellation.queue?.remove(cancellation);
  });
}

async function pipeInto<T>(pull: Pull<T>, to: Sender<T>, options: WaitOptions, close: boolean): Promise<void> {
  try {
    await pump(pull, options, (value) => to.send(value, options));
  } catch (error) {
    if (close) to.close(error);
    throw error;
  }
  if (close) to.close();
}

/** The options of {@link pipe}. */
export interface PipeOptions extends WaitOptions {
  /** Whether the target is closed when it is over. Default true. */
  readonly close?: boolean | undefined;
}

/**
 * Sends every value of `source` to `to`, and closes `to` at the end.
 *
 * Blocks until the source has ended. It takes a value only when the one before has been sent: back-pressure goes through.
 *
 * Cancellation: when `signal` aborts, rejects with its reason and closes the source by `return()`; a channel as a source
 * stays open. A value that was taken but not yet sent is lost.
 *
 * However it fails, `to` is closed with the error as cause, so that its receivers learn that values are missing; with
 * `close: false` it is left open in each case.
 *
 * @throws TypeError at the call for wrong arguments; as a rejection, the error of the source,
 * {@link ChannelClosedError} of the target, or the signal's reason.
 *
 * @example
 * ```ts
 * import { channel, pipe } from "@sluice/channels";
 *
 * const words = channel<string>(2);
 * await pipe(["a", "b"], words);
 * for await (const word of words) console.log(word);
 *
 * // Output:
 * // a
 * // b
 * ```
 */
export function pipe<T>(source: Source<T>, to: Sender<T>, options?: PipeOptions): Promise<void> {
  const signal = signalOf(options);
  if (typeof to !== "object" || to === null || typeof to.send !== "function") {
    throw new TypeError("Cannot pipe: the target is not a Sender");
  }
  return pipeInto(new Pull(source), to, { signal }, options?.close ?? true);
}

/**
 * The values of several sources in one receiver, as they come: fan-in.
 *
 * Each source is pulled one value at a time; each may have one value on its way. The receiver closes when all sources have
 * ended. When one fails, its error becomes the cause of closing, and the others are closed. Disposing it closes them all;
 * channels stay open, with nobody left waiting on them.
 *
 * Order: within each source as it gives them; between sources, as they become ready.
 *
 * @throws TypeError if a source cannot be iterated over.
 *
 * Semantics: the `merge` of "Go Concurrency Patterns: Pipelines and cancellation".
 *
 * @example
 * ```ts
 * import { merge } from "@sluice/channels";
 *
 * const all: number[] = [];
 * for await (const n of merge([1, 3], [2, 4])) all.push(n);
 * console.log(all.sort());
 *
 * // Output:
 * // [ 1, 2, 3, 4 ]
 * ```
 */
export function merge<T>(...sources: readonly Source<T>[]): Receiver<T> & AsyncDisposable {
  const pulls = sources.map((source) => new Pull(source));
  const out = channel<T>();
  return new Fed(out, async (stop) => {
    const options = { signal: stop.signal };
    const each = async (pull: Pull<T>) => {
      try {
        await pump(pull, options, (value) => out.send(value));
      } catch (error) {
        out.close(error);
        stop.abort();
      }
    };
    await Promise.all(pulls.map(each));
    out.close();
  });
}
