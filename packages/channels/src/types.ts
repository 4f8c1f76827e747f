/// <reference lib="esnext.disposable" preserve="true" />
/** The vocabulary of the package, and what may be relied on. */

/** The options of everything that may wait. A `Context` of `@sluice/context` is such an object as it is. */
export interface WaitOptions {
  /**
   * Ends the wait: when it aborts first, the wait rejects with its reason itself, and nothing was sent or taken. A signal
   * that has already aborted wins over everything. One that aborts after the wait was served changes nothing.
   */
  readonly signal?: AbortSignal | undefined;
}

/** How to make a {@link channel}. */
export interface ChannelOptions {
  /** How many values the buffer holds: a non-negative integer or `Infinity`. Default 0: unbuffered. */
  readonly capacity?: number | undefined;
  /**
   * What a full buffer does with one value more: `"wait"` (the default) holds the sender up, `"drop-oldest"` makes room,
   * `"drop-newest"` refuses it. The two drop policies need a capacity above 0 and count in {@link Channel.dropped}.
   */
  readonly overflow?: "wait" | "drop-oldest" | "drop-newest" | undefined;
  /** Named in error messages and diagnostics. */
  readonly name?: string | undefined;
}

/** The sending direction of a channel: Go's `chan<- T`. The same object, seen with fewer methods. */
export interface Sender<in T> {
  /**
   * Sends `value`: resolves once a receiver has taken it or the buffer holds it.
   *
   * Blocks while the buffer is full; on an unbuffered channel until a receiver comes.
   *
   * Order: a call takes its place in line before it returns, and waiting senders are served first come, first served:
   * `void ch.send(1); void ch.send(2);` arrive in that order.
   *
   * Cancellation: when `signal` aborts first, rejects with its reason and the value was not sent.
   *
   * @param value - What to send. `undefined`, promises and thenables are values like any other.
   * @throws {@link ChannelClosedError} (a rejection) if the channel is closed, now or while waiting: the value was not sent.
   *
   * Semantics: Go specification, "Send statements"; rejects where Go panics.
   */
  send(value: T, options?: WaitOptions): Promise<void>;

  /**
   * Like send, but never waits and never throws: false if the channel is full (with no receiver waiting) or closed, or
   * if `"drop-newest"` dropped this very value.
   *
   * In a hot loop, `ch.trySend(v) || (await ch.send(v))` skips the promise whenever there is room.
   */
  trySend(value: T): boolean;

  /**
   * Closes the channel: there will be no more values. True if this call closed it, false if it was closed already.
   *
   * What is buffered can still be received. Waiting receivers get `done`, waiting senders reject with
   * {@link ChannelClosedError}, waiting selects are woken.
   *
   * @param cause - If given and not `undefined`: why the stream of values broke off. Once the buffer has drained, every
   * receive rejects with it in place of `done`.
   *
   * Semantics: Go's `close`, but closing twice does nothing where Go panics.
   */
  close(cause?: unknown): boolean;

  /** Whether `close` was called; values may still be buffered. */
  readonly closed: boolean;

  /**
   * Never set. It makes the compiler refuse a `Channel<number>` as a `Sender<number | string>`, which method syntax alone
   * would let pass.
   *
   * @internal
   */
  readonly "~in"?: (value: T) => void;
}

/** The receiving direction of a channel: Go's `<-chan T`. Also what timers and bridges give. */
export interface Receiver<out T> extends AsyncIterable<T> {
  /**
   * Receives a value: `{ done: false, value }`, or `{ done: true, value: undefined }` once the channel is closed and
   * drained.
   *
   * Blocks while there is nothing to receive.
   *
   * Order: values come in the order sent; waiting receivers are served first come, first served.
   *
   * Cancellation: when `signal` aborts first, rejects with its reason and took nothing.
   *
   * @throws the cause (a rejection), once the channel is drained, if it was closed with one.
   *
   * Semantics: Go specification, "Receive operator", the form `v, ok := <-ch`.
   */
  receive(options?: WaitOptions): Promise<IteratorResult<T, undefined>>;

  /**
   * Like receive, but never waits: `undefined` if there is nothing now.
   *
   * In a hot loop, `ch.tryReceive() ?? (await ch.receive())` skips the promise whenever a value is there.
   *
   * @throws the cause, once the channel is drained, if it was closed with one.
   */
  tryReceive(): IteratorResult<T, undefined> | undefined;

  /** `receive()` for the protocol of iteration. */
  next(): Promise<IteratorResult<T, undefined>>;

  /**
   * The receiver itself, so `for await (const value of ch)` receives until the channel is closed and drained. It has no
   * `return`: leaving the loop neither closes the channel nor takes anything more.
   */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined>;
}

/**
 * A queue between tasks: both directions in one object. Made by {@link channel}.
 *
 * - **Order**: values, waiting senders and waiting receivers are each first come, first served. A `select` waits in the
 *   same line as everybody else. Nobody overtakes.
 * - **Back-pressure**: a full channel holds its senders up, unless an overflow policy says otherwise.
 * - **Close**: what is buffered drains first. `using ch = channel()` closes on leaving the scope.
 * - **Cancellation**: every wait takes `{ signal }`; it completes or rejects with the signal's reason, never both.
 * - **Many parties**: any number of tasks may send, receive, iterate and select; each value goes to exactly one.
 * - **Fairness**: in a long busy loop, operations let the event loop have a turn about every 10 ms.
 */
export interface Channel<in out T> extends Sender<T>, Receiver<T>, Disposable {
  /** How many values the buffer can hold. */
  readonly capacity: number;
  /** How many values are buffered now. */
  readonly length: number;
  /** How many values an overflow policy has dropped so far. */
  readonly dropped: number;
  /** As given when it was made. */
  readonly name: string | undefined;
}

/** A case of {@link select} that sends. Made by {@link sending}. */
export interface SendCase {
  /** @internal */
  readonly "~sending": true;
}

/** One case of {@link select}: receive, send, an AbortSignal, or disabled (`undefined`, `null`, `false`). */
export type SelectCase = Receiver<unknown> | SendCase | AbortSignal | undefined | null | false;

/** The cases of {@link select}: named by the keys of a record, or by the indices of an array. */
export type Cases = { readonly [key: string]: SelectCase } | readonly SelectCase[];

/** The options of {@link select}. */
export interface SelectOptions extends WaitOptions {
  /**
   * Which of several ready cases is taken: `"random"` (the default), each equally likely, or `"listed"`: the first in the
   * order written.
   */
  readonly order?: "random" | "listed" | undefined;
}

/** What {@link select} gives: a union of the outcomes of its cases, told apart by `case`. */
export type Selected<C extends Cases> = C extends readonly SelectCase[]
  ? { [I in keyof C]: Outcome<IndexOf<I>, C[I]> }[number]
  : { [K in Keys<C>]-?: Outcome<K extends number ? `${K}` : K, C[K]> }[Keys<C>];

type Keys<C> = keyof C & (string | number);

type IndexOf<I> = I extends `${infer N extends number}` ? N : number;

type Outcome<K, C> =
  C extends Receiver<infer T>
    ? | { readonly case: K; readonly done: false; readonly value: T }
      | { readonly case: K; readonly done: true; readonly value: undefined }
    : C extends SendCase
      ? { readonly case: K; readonly done: false; readonly value: undefined }
      : C extends AbortSignal
        ? { readonly case: K; readonly done: false; readonly value: unknown }
        : never;
