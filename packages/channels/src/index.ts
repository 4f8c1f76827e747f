/**
 * CSP channels with `select`, as in Go, on the platform's own interfaces.
 *
 * A **channel** is a queue between tasks. {@link channel} makes one: unbuffered, so that sender and receiver meet, or with
 * room for some values, so that a sender is held up only while it is full. `send` and `receive` wait; `trySend` and
 * `tryReceive` never do. `close` says that there is no more to come; what is buffered still drains.
 *
 * **{@link select}** waits for the first of several: a value from one channel, room in another, an instant, a signal.
 * Exactly one takes effect; the others leave nothing behind. {@link trySelect} is the same without waiting.
 *
 * **Cancellation** is the platform's `AbortSignal`: whatever may wait takes `{ signal }`. It either completes or rejects
 * with the signal's reason, and what was cancelled was neither sent nor taken.
 *
 * **Time** comes as receivers too: {@link after}, {@link at}, {@link tick}; {@link never} is the one that never comes.
 *
 * **Streams**: a channel is an async iterator of its values, and {@link from}, {@link pipe}, {@link merge},
 * {@link broadcast} and {@link batch} take any async iterable or iterable.
 *
 * What a receive gives is an `IteratorResult`: `{ done: false, value }`, or `{ done: true, value: undefined }` once the
 * channel is closed and drained. So `undefined`, `null`, promises and thenables are values like any other.
 *
 * @packageDocumentation
 */

export { channel } from "./channel.ts";
export type { Channel, ChannelOptions, Receiver, Sender, WaitOptions } from "./types.ts";

export { select, sending, trySelect } from "./select.ts";
export type { Cases, SelectCase, Selected, SelectOptions, SendCase } from "./types.ts";

export { after, at, never, tick } from "./timers.ts";

export { from, merge, pipe } from "./bridges.ts";
export type { FromOptions, PipeOptions } from "./bridges.ts";
export { broadcast } from "./broadcast.ts";
export type { Broadcast } from "./broadcast.ts";
export { batch } from "./batch.ts";
export type { BatchOptions } from "./batch.ts";

export { ChannelClosedError } from "./errors.ts";
