/**
 * Values out of a source: pulled one at a time, and only while there is room for one more.
 *
 * Invariants, true whenever no method runs:
 * F1  At most one pull is pending, and only while fewer than `limit` values are held: pulled, and not yet released.
 * F2  Once the context is done, nobody is kept waiting by the source: a pending pull is given up.
 * F3  `#reader` is set while the source is open: it has neither ended nor failed, so somebody must close it.
 */

import { afterDone, type Context } from "@sluice/context";
import type { Source } from "./types.ts";

/** Marks a receiver of @sluice/channels, whose wait can be canceled, so that a pull given up takes no value with it. */
const RECEIVER = Symbol.for("@sluice/receiver");

interface Reader<T> {
  pull(ctx: Context): Promise<IteratorResult<T, unknown>>;
  close(): unknown;
}

export class Feed<T> {
  readonly #source: Source<T>;
  readonly #limit: number;
  #reader: Reader<T> | undefined;
  #held = 0;
  #pulling = false;
  /** Ends the wait of `run`, for room or for a value. */
  #wake: (() => void) | undefined;

  constructor(verb: string, source: Source<T>, limit: number) {
    requireSource(verb, source);
    this.#source = source;
    this.#limit = limit;
  }

  /** Gives each value to `take` until the source ends. Throws the source's error, or the cause once `ctx` is done. */
  async run(ctx: Context, take: (value: T) => void): Promise<void> {
    afterDone(ctx, () => this.#wake?.()); // never stopped: a group's context is done when its tasks have ended
    const reader = (this.#reader = open(this.#source));
    for (;;) {
      if (this.#held >= this.#limit) await this.#room();
      ctx.throwIfDone();
      const result = await this.#pull(reader, ctx);
      if (result?.done === true) {
        this.#reader = undefined;
        return;
      }
      ctx.throwIfDone();
      this.#held++;
      take((result as IteratorYieldResult<T>).value);
    }
  }

  /** Makes room: a value is held no more. */
  release(): void {
    if (this.#held-- === this.#limit) this.#wake?.();
  }

  /**
   * Closes the source if it is open. While a pull is pending, that is not waited for: async generators close only after the
   * pull, which may never end.
   */
  async close(): Promise<void> {
    const reader = this.#reader;
    if (reader === undefined) return;
    this.#reader = undefined;
    const pulling = this.#pulling;
    const closed = (async () => reader.close())();
    if (pulling) closed.catch(() => {});
    else await closed;
  }

  #room(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  /** One result of the source, or `undefined` if the wait was given up. */
  #pull(reader: Reader<T>, ctx: Context): Promise<IteratorResult<T, unknown> | undefined> {
    return new Promise((resolve, reject) => {
      this.#wake = () => resolve(undefined);
      this.#pulling = true;
      reader.pull(ctx).then(
        (result) => {
          this.#pulling = false;
          resolve(result);
        },
        (error) => {
          this.#pulling = false;
          this.#reader = undefined; // as in `for await`, who has failed is not closed
          reject(error);
        },
      );
    });
  }
}

function requireSource(verb: string, source: unknown): void {
  const iterable = Object(source) as { [Symbol.asyncIterator]?: unknown; [Symbol.iterator]?: unknown };
  if (typeof (iterable[Symbol.asyncIterator] ?? iterable[Symbol.iterator]) !== "function") {
    throw new TypeError(`Cannot ${verb}: the source is not iterable`);
  }
}

function open<T>(source: Source<T>): Reader<T> {
  if (isReceiver<T>(source)) return { pull: async (ctx) => source.receive(ctx), close: () => {} };
  const { [Symbol.asyncIterator]: iterate } = source as Partial<AsyncIterable<T>>;
  if (iterate !== undefined && iterate !== null) {
    const iterator = iterate.call(source);
    return { pull: async () => iterator.next(), close: () => iterator.return?.() };
  }
  const iterator = (source as Iterable<T | PromiseLike<T>>)[Symbol.iterator]();
  const close = (): unknown => iterator.return?.();
  return {
    async pull() {
      const result = iterator.next();
      if (result.done === true) return result;
      try {
        return { done: false, value: await result.value };
      } catch (error) {
        // The value has failed, not the iterator, which is still open.
        try {
          close();
        } catch {
          // The first error counts.
        }
        throw error;
      }
    },
    close,
  };
}

interface Receiver<T> {
  receive(ctx: Context): Promise<IteratorResult<T, unknown>>;
}

function isReceiver<T>(source: Source<T>): source is Source<T> & Receiver<T> {
  return typeof source === "object" && source !== null && RECEIVER in source;
}
