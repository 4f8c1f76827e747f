/**
 * Channels as one would explain them, with plain arrays: whatever the real ones do, these must be able to do as well.
 *
 * A lone send or receive is a select of one case. All calls that wait stand in one array, in the order in which they came:
 * the line at a channel is what one meets there from front to back. Where several outcomes are allowed (the random choice
 * among ready cases) the model asks `choose`.
 */

/** A channel; `cause` is what it was closed with. */
export interface ModelChannel {
  readonly name: string;
  readonly capacity: number;
  readonly overflow: "wait" | "drop-oldest" | "drop-newest";
  values: unknown[];
  dropped: number;
  closed: boolean;
  cause: unknown;
}

/** An AbortSignal. */
export interface ModelSignal {
  readonly name: string;
  aborted: boolean;
  reason: unknown;
}

type Key = string | number;
export type ModelCase =
  | { readonly key: Key; readonly kind: "receive"; readonly at: ModelChannel }
  | { readonly key: Key; readonly kind: "send"; readonly at: ModelChannel; readonly value: unknown }
  | { readonly key: Key; readonly kind: "signal"; readonly at: ModelSignal };

/** A call that may wait: its enabled cases, and the signal of its options. */
export interface ModelCall {
  readonly cases: readonly ModelCase[];
  readonly signal: ModelSignal | undefined;
  readonly order: "random" | "listed";
}

/** What a channel that is closed makes of a send. */
export class ModelClosed {
  readonly channel: ModelChannel;

  constructor(channel: ModelChannel) {
    this.channel = channel;
  }
}

export type Outcome =
  | { readonly case: Key; readonly done: boolean; readonly value: unknown }
  | { readonly error: unknown };

export class Model {
  readonly waiting: ModelCall[] = [];
  readonly outcomes = new Map<ModelCall, Outcome>();
  readonly #choose: (call: ModelCall, allowed: readonly ModelCase[]) => ModelCase | undefined;

  constructor(choose: (call: ModelCall, allowed: readonly ModelCase[]) => ModelCase | undefined) {
    this.#choose = choose;
  }

  /** send, receive, select: takes effect now, or waits. */
  call(call: ModelCall, order = call.order): void {
    if (call.signal?.aborted) this.outcomes.set(call, { error: call.signal.reason });
    else if (!this.try(call, order)) this.waiting.push(call);
  }

  /** tryReceive, trySelect: takes effect now, or not at all. */
  try(call: ModelCall, order = call.order): boolean {
    const ready = call.cases.filter((it) => this.#ready(it));
    if (ready.length === 0) return false;
    this.outcomes.set(call, this.#take(this.#pick(call, ready, order)));
    return true;
  }

  /** trySend: also false where a value is refused. */
  trySend(call: ModelCall, to: ModelChannel): boolean {
    const refused = to.overflow === "drop-newest" && to.values.length === to.capacity;
    return !to.closed && this.try(call) && !refused;
  }

  close(channel: ModelChannel, cause: unknown): boolean {
    if (channel.closed) return false;
    channel.closed = true;
    channel.cause = cause;
    this.#wake((call) => call.cases.some((it) => it.at === channel));
    return true;
  }

  abort(signal: ModelSignal, reason: unknown): void {
    signal.aborted = true;
    signal.reason = reason;
    this.#wake((call) => call.signal === signal || call.cases.some((it) => it.at === signal));
  }

  #ready(it: ModelCase): boolean {
    switch (it.kind) {
      case "signal":
        return it.at.aborted;
      case "receive":
        return it.at.values.length > 0 || it.at.closed || this.#first("send", it.at) !== undefined;
      case "send": {
        const room = it.at.values.length < it.at.capacity || it.at.overflow !== "wait";
        return room || it.at.closed || this.#first("receive", it.at) !== undefined;
      }
    }
  }

  /** Lets a ready case take effect, and says what its call gets. */
  #take(it: ModelCase): Outcome {
    if (it.kind === "signal") return { case: it.key, done: false, value: it.at.reason };
    const channel = it.at;
    if (it.kind === "receive") {
      const sender = this.#first("send", channel);
      if (sender !== undefined) channel.values.push(this.#serve(sender, "send", channel, undefined));
      if (channel.values.length > 0) return { case: it.key, done: false, value: channel.values.shift() };
      return channel.cause === undefined ? { case: it.key, done: true, value: undefined } : { error: channel.cause };
    }
    if (channel.closed) return { error: new ModelClosed(channel) };
    const receiver = this.#first("receive", channel);
    if (receiver !== undefined) {
      this.#serve(receiver, "receive", channel, it.value);
    } else if (channel.values.length < channel.capacity) {
      channel.values.push(it.value);
    } else {
      channel.dropped++;
      if (channel.overflow === "drop-oldest") channel.values = [...channel.values.slice(1), it.value];
    }
    return { case: it.key, done: false, value: undefined };
  }

  /** The first in line at `channel`. */
  #first(kind: "send" | "receive", channel: ModelChannel): ModelCall | undefined {
    return this.waiting.find((call) => call.cases.some((it) => it.kind === kind && it.at === channel));
  }

  /** Lets a call that waits go on by a case of that kind, which receives `value`; gives what it sends. */
  #serve(call: ModelCall, kind: "send" | "receive", channel: ModelChannel, value: unknown): unknown {
    this.waiting.splice(this.waiting.indexOf(call), 1);
    const it = this.#pick(
      call,
      call.cases.filter((other) => other.kind === kind && other.at === channel),
    );
    this.outcomes.set(call, { case: it.key, done: false, value });
    return it.kind === "send" ? it.value : undefined;
  }

  #pick(call: ModelCall, allowed: readonly ModelCase[], order = call.order): ModelCase {
    const listed = order === "listed" ? allowed[0] : undefined;
    const picked = listed ?? this.#choose(call, allowed) ?? allowed[0];
    if (picked === undefined) throw new Error("The model has nothing to choose from");
    return picked;
  }

  /**
   * Lets calls that wait look again: each has a case that is ready now, or a signal that has aborted. Where several have
   * become ready at once (a channel was closed to which a select sends, and from which it receives) any may be taken.
   */
  #wake(concerned: (call: ModelCall) => boolean): void {
    for (const call of this.waiting.filter(concerned)) {
      this.waiting.splice(this.waiting.indexOf(call), 1);
      this.call(call, "random");
    }
  }
}
