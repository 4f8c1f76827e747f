/**
 * What a channel holds: a ring of values that grows with what is in it, not with the channel's capacity.
 *
 * Invariants, true whenever no method runs:
 * B1  The size of `#slots` is a power of two, so that `& mask` wraps an index.
 * B2  The values are in `#slots[#first]` and the `length - 1` slots after it, oldest first; all other slots hold `undefined`.
 */

const FEWEST_SLOTS = 8;
/** A ring larger than this shrinks again: what a burst of a million values took does not stay for ever. */
const KEPT_SLOTS = 1024;

export class Buffer<T> {
  #slots: (T | undefined)[] = new Array<T | undefined>(FEWEST_SLOTS).fill(undefined);
  #first = 0;
  length = 0;

  push(value: T): void {
    if (this.length === this.#slots.length) this.#resize(this.length * 2);
    this.#slots[(this.#first + this.length) & (this.#slots.length - 1)] = value;
    this.length++;
  }

  /** The oldest value; the buffer must not be empty. */
  shift(): T {
    const slots = this.#slots;
    const value = slots[this.#first] as T;
    slots[this.#first] = undefined; // keeps B2: the collector may have it
    this.#first = (this.#first + 1) & (slots.length - 1);
    this.length--;
    if (slots.length > KEPT_SLOTS && this.length <= slots.length / 4) this.#resize(slots.length / 2);
    return value;
  }

  #resize(size: number): void {
    const old = this.#slots;
    const slots = new Array<T | undefined>(size).fill(undefined);
    for (let i = 0; i < this.length; i++) slots[i] = old[(this.#first + i) & (old.length - 1)];
    this.#slots = slots;
    this.#first = 0;
  }
}
