/// <reference lib="esnext.disposable" preserve="true" />
/**
 * channel(): a buffer, those who wait to send, those who wait to receive.
 *
 * Invariants, true whenever no method runs:
 * I1  Senders and receivers do not both wait, unless both are cases of one and the same select.
 * I2  While a value is buffered, no receiver waits.
 * I3  While there is room in the buffer, no sender waits.
 * I4  Nobody waits at a closed channel.
 *
 * Each method runs to its end before any other task goes on, and settling a waiter only resolves a promise: so there is
 * no lock, and no code of a user runs in the middle.
 */

import { Buffer } from "./buffer.ts";
import { SendCall } from "./call.ts";
import { ChannelClosedError } from "./errors.ts";
import type { Waiter } from "./queue.ts";
import { Queue } from "./queue.ts";
import { DONE, ReceiverBase } from "./receiver.ts";
import type { SendPlace } from "./select.ts";
import { SENDER } from "./select.ts";
import { signalOf } from "./signal.ts";
import { rejectedWith, resumed } from "./turn.ts";
import type { Channel, ChannelOptions, WaitOptions } from "./types.ts";

type Overflow = NonNullable<ChannelOptions["overflow"]>;

class BufferedChannel<T> extends ReceiverBase<T> implements Channel<T>, SendPlace {
  readonly capacity: number;
  readonly name: string | undefined;
  readonly #overflow: Overflow;
  // Each is made when it is first needed: an idle channel is one small object.
  #buffer: Buffer<T> | undefined = undefined;
  #senders: Queue | undefined = undefined;
  #receivers: Queue | undefined = undefined;
  #closed = false;
  #cause: unknown = undefined;
  #dropped = 0;

  constructor(capacity: number, overflow: Overflow, name: string | undefined) {
    super();
    this.capacity = capacity;
    this.name = name;
    this.#overflow = overflow;
  }

  static {
    Object.defineProperty(this.prototype, SENDER, { value: 1 });
  }

  get length(): number {
    return this.#buffer === undefined ? 0 : this.#buffer.length;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get dropped(): number {
    return this.#dropped;
  }

  send(value: T, options?: WaitOptions): Promise<void> {
    const signal = signalOf(options);
    if (signal?.aborted) return rejectedWith(signal.reason);
    if (this.#closed) return rejectedWith(this.#closedError());
    if (this.#accept(value) || this.#overflow !== "wait") return resumed();
    const call = new SendCall(value);
    const promise = call.wait(signal);
    this.parkSender(call);
    return promise;
  }

  trySend(value: T): boolean {
    return !this.#closed && this.#accept(value);
  }

  tryReceive(): IteratorResult<T, undefined> | undefined {
    const buffer = this.#buffer;
    if (buffer !== undefined && buffer.length > 0) {
      const value = buffer.shift();
      const sender = this.#senders?.shift();
      if (sender !== undefined) {
        buffer.push(sender.value as T); // keeps I3, and nobody overtakes
        sender.complete(undefined, false);
      }
      return { done: false, value };
    }
    const sender = this.#senders?.shift();
    if (sender !== undefined) {
      const value = sender.value as T;
      sender.complete(undefined, false);
      return { done: false, value };
    }
    if (!this.#closed) return undefined;
    if (this.#cause !== undefined) throw this.#cause;
    return DONE;
  }

  close(cause?: unknown): boolean {
    if (this.#closed) return false;
    this.#closed = true;
    this.#cause = cause;
    // Keeps I4. Where receivers wait, nothing is buffered (I2): the channel has drained.
    for (let receiver = this.#receivers?.shift(); receiver !== undefined; receiver = this.#receivers?.shift()) {
      if (cause === undefined) receiver.complete(undefined, true);
      else receiver.fail(cause);
    }
    for (let sender = this.#senders?.shift(); sender !== undefined; sender = this.#senders?.shift()) {
      sender.fail(this.#closedError());
    }
    return true;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  ready(): boolean {
    return this.length > 0 || this.#senders?.head !== undefined || this.#closed;
  }

  park(receiver: Waiter): void {
    (this.#receivers ??= new Queue()).push(receiver);
  }

  readyToSend(): boolean {
    return (
      this.#closed || this.#receivers?.head !== undefined || this.length < this.capacity || this.#overflow !== "wait"
    );
  }

  pollSend(value: T): boolean {
    if (this.#closed) throw this.#closedError();
    return this.#accept(value) || this.#overflow !== "wait";
  }

  parkSender(sender: Waiter): void {
    (this.#senders ??= new Queue()).push(sender);
  }

  /** Hands `value` to the first receiver that waits, or else buffers it. False: it is full, or dropped this very value. */
  #accept(value: T): boolean {
    const receiver = this.#receivers?.shift();
    if (receiver !== undefined) {
      receiver.complete(value, false);
      return true;
    }
    if (this.length < this.capacity) {
      (this.#buffer ??= new Buffer()).push(value);
      return true;
    }
    if (this.#overflow === "wait") return false;
    this.#dropped++;
    if (this.#overflow === "drop-newest") return false;
    const buffer = this.#buffer as Buffer<T>; // full, and of a capacity above 0
    buffer.shift();
    buffer.push(value);
    return true;
  }

  #closedError(): ChannelClosedError {
    return new ChannelClosedError(this.name, this.#cause === undefined ? undefined : { cause: this.#cause });
  }
}

/**
 * Makes a channel: a queue between tasks with room for `capacity` values.
 *
 * - **Unbuffered** (`capacity` 0, the default): a send completes when a receiver takes its value. The two meet.
 * - **Buffered**: a send completes at once while there is room. `Infinity` always has room. Memory grows with what is
 *   buffered, not with the capacity.
 * - **Overflow**: what a full buffer does with one value more. `"wait"` (the default) holds the sender up;
 *   `"drop-oldest"` and `"drop-newest"` never do, and count in `dropped` what they drop.
 *
 * @param capacity - How many values it holds: a non-negative integer or `Infinity`; or all options in one object.
 * @throws RangeError for any other capacity, and for a drop policy without a buffer. TypeError for a wrong option.
 *
 * Semantics: Go specification, "Channel types" and `make`; the overflow policies have no counterpart in Go.
 *
 * @example
 * ```ts
 * import { channel } from "@sluice/channels";
 *
 * const numbers = channel<number>();
 * void (async () => {
 *   for (let n = 1; n <= 3; n++) await numbers.send(n);
 *   numbers.close();
 * })();
 * for await (const n of numbers) console.log(n);
 *
 * // Output:
 * // 1
 * // 2
 * // 3
 * ```
 */
export function channel<T>(capacity?: number): Channel<T>;
export function channel<T>(options: ChannelOptions): Channel<T>;
export function channel<T>(capacityOrOptions: number | ChannelOptions = 0): Channel<T> {
  if (typeof capacityOrOptions === "number") return make(capacityOrOptions, "wait", undefined);
  if (typeof capacityOrOptions !== "object" || capacityOrOptions === null) {
    throw new TypeError("Cannot make a channel: the capacity is not a number");
  }
  const { capacity = 0, overflow = "wait", name } = capacityOrOptions;
  return make(capacity, overflow, name);
}

function make<T>(capacity: number, overflow: Overflow, name: string | undefined): Channel<T> {
  if (typeof capacity !== "number") throw new TypeError("Cannot make a channel: the capacity is not a number");
  if (!(capacity === Infinity || (Number.isSafeInteger(capacity) && capacity >= 0))) {
    throw new RangeError(`Cannot make a channel: capacity ${capacity} is neither a non-negative integer nor Infinity`);
  }
  if (overflow !== "wait" && overflow !== "drop-oldest" && overflow !== "drop-newest") {
    throw new TypeError('Cannot make a channel: overflow is none of "wait", "drop-oldest", "drop-newest"');
  }
  if (overflow !== "wait" && capacity === 0) {
    throw new RangeError(`Cannot make a channel: "${overflow}" needs a capacity above 0`);
  }
  if (name !== undefined && typeof name !== "string")
    throw new TypeError("Cannot make a channel: the name is not a string");
  return new BufferedChannel<T>(capacity, overflow, name);
}
