/** A Receiver out of a case: whatever can be polled and parked at can be received from, selected and iterated over. */

import type { Case } from "./call.ts";
import { ReceiveCall } from "./call.ts";
import type { Waiter } from "./queue.ts";
import { signalOf } from "./signal.ts";
import { rejectedWith, resumedWith } from "./turn.ts";
import type { Channel, Receiver, WaitOptions } from "./types.ts";

/** The mark of a Receiver: found by `select` and by whoever iterates, also across two copies of the package. */
const RECEIVER: unique symbol = Symbol.for("@sluice/receiver") as never;

/** What a receive gives from a channel that is closed and drained. */
export const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

export abstract class ReceiverBase<T> implements Receiver<T>, Case {
  static {
    Object.defineProperty(this.prototype, RECEIVER, { value: 1 });
  }

  abstract ready(): boolean;
  abstract park(waiter: Waiter): void;
  abstract tryReceive(): IteratorResult<T, undefined> | undefined;

  poll(): IteratorResult<T, undefined> | undefined {
    return this.tryReceive();
  }

  receive(options?: WaitOptions): Promise<IteratorResult<T, undefined>> {
    const signal = signalOf(options);
    if (signal?.aborted) return rejectedWith(signal.reason);
    let result;
    try {
      result = this.tryReceive();
    } catch (cause) {
      return rejectedWith(cause);
    }
    if (result !== undefined) return resumedWith(result);
    const call = new ReceiveCall<T>();
    const promise = call.wait(signal);
    this.park(call);
    return promise;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return this.receive();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** The receiving end of a channel, as an object of its own. */
export abstract class ReceivingEnd<T> extends ReceiverBase<T> {
  protected readonly channel: Channel<T> & Case;

  constructor(channel: Channel<T>) {
    super();
    this.channel = channel as Channel<T> & Case;
  }

  ready(): boolean {
    return this.channel.ready();
  }

  park(waiter: Waiter): void {
    this.channel.park(waiter);
  }

  tryReceive(): IteratorResult<T, undefined> | undefined {
    return this.channel.tryReceive();
  }
}

/** Whether `it` is a Receiver of this package, whichever copy of it. */
export function isReceiver(it: object): it is Receiver<unknown> & Case {
  return (it as { [RECEIVER]?: unknown })[RECEIVER] === 1;
}
