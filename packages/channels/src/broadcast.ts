/// <reference lib="esnext.disposable" preserve="true" />
/** broadcast: every value of one source to each of its subscribers. */

import { channel } from "./channel.ts";
import { ignore, Pull, pump } from "./pump.ts";
import type { Source } from "./pump.ts";
import { ReceivingEnd } from "./receiver.ts";
import { nextTurn } from "./turn.ts";
import type { Channel, ChannelOptions, Receiver } from "./types.ts";

/** What {@link broadcast} gives. Disposing it closes the source and ends all subscriptions. */
export interface Broadcast<T> extends AsyncDisposable {
  /**
   * A receiver of every value from now on. Disposing it leaves: `using news = all.subscribe()`.
   *
   * @param options - In place of the options given to `broadcast`.
   */
  subscribe(options?: ChannelOptions): Receiver<T> & Disposable;
}

class Subscription<T> extends ReceivingEnd<T> implements Disposable {
  readonly #leave: () => void;

  constructor(channel: Channel<T>, leave: () => void) {
    super(channel);
    this.#leave = leave;
  }

  [Symbol.dispose](): void {
    this.#leave();
    this.channel.close();
  }
}

class SourceBroadcast<T> implements Broadcast<T> {
  readonly #options: ChannelOptions;
  readonly #subscribed = new Set<Channel<T>>();
  readonly #stop = new AbortController();
  readonly #stopped: Promise<void>;
  #ended = false;
  #cause: unknown = undefined;

  constructor(pull: Pull<T>, options: ChannelOptions) {
    this.#options = options;
    this.#stopped = new Promise<void>((resolve) => nextTurn(resolve))
      .then(() => pump(pull, { signal: this.#stop.signal }, (value) => this.#handOn(value)))
      .then(
        () => this.#end(undefined),
        (cause: unknown) => this.#end(cause),
      );
  }

  subscribe(options?: ChannelOptions): Receiver<T> & Disposable {
    const to = channel<T>(options ?? this.#options);
    if (this.#ended) to.close(this.#cause);
    else this.#subscribed.add(to);
    return new Subscription(to, () => this.#subscribed.delete(to));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end(undefined);
    this.#stop.abort();
    await this.#stopped;
  }

  async #handOn(value: T): Promise<void> {
    const sent = Array.from(this.#subscribed, (to) => to.send(value).catch(ignore)); // rejected: it has left meanwhile
    await (sent.length > 0 ? Promise.all(sent) : sink.send(undefined)); // an endless source that nobody hears stays fair
  }

  #end(cause: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cause = cause;
    for (const to of this.#subscribed) to.close(cause);
    this.#subscribed.clear();
  }
}

const sink = /* @__PURE__ */ channel<undefined>({ capacity: 1, overflow: "drop-newest" });

/**
 * Gives every value of one source to each of its subscribers: fan-out.
 *
 * Who subscribes in the turn of the call gets everything; later ones get what comes later. Where nobody has subscribed,
 * values are gone, as on the radio. When the source ends or fails, all subscriptions close, with its error as the cause.
 *
 * Back-pressure: a value is pulled when every subscriber has taken the one before, or has room for it in its buffer: the
 * slowest holds up the source. With an `overflow` that drops, nobody holds up anybody; who leaves does not either.
 *
 * @param options - Capacity, overflow and name of each subscription. Default: unbuffered.
 * @throws TypeError if `source` cannot be iterated over; TypeError or RangeError for wrong options.
 *
 * @example
 * ```ts
 * import { broadcast } from "@sluice/channels";
 *
 * const news = broadcast(["calm", "storm"], { capacity: 8 });
 * const [ann, bob] = [news.subscribe(), news.subscribe()];
 * for await (const item of ann) console.log("ann:", item);
 * for await (const item of bob) console.log("bob:", item);
 *
 * // Output:
 * // ann: calm
 * // ann: storm
 * // bob: calm
 * // bob: storm
 * ```
 */
export function broadcast<T>(source: Source<T>, options: ChannelOptions = {}): Broadcast<T> {
  channel<T>(options); // wrong options are an error of this call
  return new SourceBroadcast(new Pull(source), { ...options });
}
