/**
 * select: the first of several cases.
 *
 * Pass 1 looks: of the cases that are ready, one takes effect. Pass 2, if none is: a waiter is parked at each. There is
 * no third pass: whoever completes one waiter settles the call, and that takes the other waiters away (call.ts, C1).
 *
 * No task runs between the passes, so nothing can become ready in between, and a select cannot meet itself: its own
 * waiters are parked only after it has looked.
 */

import type { Case } from "./call.ts";
import { Cancellation } from "./call.ts";
import { Waiter } from "./queue.ts";
import { isSignal, queueOf, signalOf } from "./signal.ts";
import { rejectedWith, resume, resumedWith } from "./turn.ts";
import type { Cases, Selected, SelectOptions, SendCase, Sender } from "./types.ts";

/** The mark of a Sender that `sending` knows how to send to. */
export const SENDER: unique symbol = Symbol.for("@sluice/sender") as never;
const SENDING: unique symbol = Symbol.for("@sluice/sending") as never;
// That of receiver.ts. Imported from there it is no constant to the compiler, and a select of 64 takes a fifth longer.
const RECEIVER: unique symbol = Symbol.for("@sluice/receiver") as never;

/** The sending side of a channel, as a case needs it. */
export interface SendPlace {
  readyToSend(): boolean;
  pollSend(value: unknown): boolean;
  parkSender(waiter: Waiter): void;
}

const SENT: IteratorYieldResult<undefined> = Object.freeze({ done: false, value: undefined });

class Sending implements Case, SendCase {
  declare readonly "~sending": true;
  readonly #to: SendPlace;
  readonly #value: unknown;

  constructor(to: SendPlace, value: unknown) {
    this.#to = to;
    this.#value = value;
  }

  static {
    Object.defineProperty(this.prototype, SENDING, { value: 1 });
  }

  ready(): boolean {
    return this.#to.readyToSend();
  }

  poll(): IteratorResult<undefined, undefined> | undefined {
    return this.#to.pollSend(this.#value) ? SENT : undefined;
  }

  park(waiter: Waiter): void {
    waiter.value = this.#value;
    this.#to.parkSender(waiter);
  }
}

/**
 * The case of `select` that sends `value` to `to`.
 *
 * It has no effect until it stands in a `select` or `trySelect` that picks it, and may stand in several. If the channel
 * is closed, picking it makes `select` reject and `trySelect` throw.
 *
 * @throws TypeError if `to` is not a Sender of this package.
 *
 * Semantics: Go specification, "Select statements": the value is fixed when the case is made.
 *
 * @example
 * ```ts
 * import { channel, select, sending } from "@sluice/channels";
 *
 * const out = channel<string>(1);
 * const picked = await select({ sent: sending(out, "hello"), more: channel<number>() });
 * console.log(picked.case, out.length);
 *
 * // Output:
 * // sent 1
 * ```
 */
export function sending<T>(to: Sender<T>, value: T): SendCase {
  if (typeof to !== "object" || to === null || (to as { [SENDER]?: unknown })[SENDER] !== 1) {
    throw new TypeError("Cannot make a sending case: the first argument is not a Sender");
  }
  return new Sending(to as unknown as SendPlace, value);
}

/** The cases of one call, read once. */
interface Listed {
  readonly keys: readonly (string | number)[] | undefined; // undefined: the keys are the indices
  readonly cases: readonly (Case | undefined)[]; // undefined: disabled
}

/** A select that waits: what its waiters settle. */
class SelectCall {
  #waiters: SelectWaiter | undefined = undefined; // the first of a chain
  #cancellation: Cancellation | undefined = undefined;
  #resolve!: (picked: object) => void;
  #reject!: (reason: unknown) => void;

  /** Pass 2. */
  wait(listed: Listed, order: Order, signal: AbortSignal | undefined): Promise<object> {
    const promise = new Promise<object>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    try {
      // The option signal first: when it and a case become ready together, it wins.
      if (signal !== undefined) queueOf(signal).park((this.#cancellation = new Cancellation(this)));
      const alone = this.#park(listed, undefined);
      // Where two cases wait at one place, the first in line is served first: so they line up again, in random order.
      // (Not every time: a select of 64 that waits would take 1.4 times as long.)
      if (!alone && order === "random") {
        this.#leaveCases();
        this.#park(listed, shuffled(listed.cases.length));
      }
    } catch (error) {
      this.#leave(); // a foreign signal refused its listener
      throw error;
    }
    return promise;
  }

  settle(picked: object): void {
    this.#leave();
    resume(this.#resolve, picked);
  }

  fail(reason: unknown): void {
    this.#leave();
    resume(this.#reject, reason);
  }

  /** Parks a waiter at each case, in the order of `indices` or as listed. Whether each case has a place of its own. */
  #park(listed: Listed, indices: readonly number[] | undefined): boolean {
    const { cases } = listed;
    let alone = true;
    for (let i = 0; i < cases.length; i++) {
      const index = indices === undefined ? i : (indices[i] as number);
      const place = cases[index];
      if (place === undefined) continue;
      const waiter = new SelectWaiter(this, keyOf(listed, index), this.#waiters);
      this.#waiters = waiter;
      place.park(waiter);
      // Nobody else can have come in between: two cases at one place stand side by side.
      const { previous } = waiter;
      if (previous instanceof SelectWaiter && previous.call === this) alone = false;
    }
    return alone;
  }

  #leave(): void {
    this.#cancellation?.queue?.remove(this.#cancellation);
    this.#leaveCases();
  }

  #leaveCases(): void {
    for (let waiter = this.#waiters; waiter !== undefined; waiter = waiter.sibling) waiter.queue?.remove(waiter);
    this.#waiters = undefined;
  }
}

class SelectWaiter extends Waiter {
  readonly call: SelectCall;
  readonly key: string | number;
  /** The waiter of another case of the call. */
  readonly sibling: SelectWaiter | undefined;

  constructor(call: SelectCall, key: string | number, sibling: SelectWaiter | undefined) {
    super();
    this.call = call;
    this.key = key;
    this.sibling = sibling;
  }

  complete(value: unknown, done: boolean): void {
    this.call.settle({ case: this.key, done, value });
  }

  fail(reason: unknown): void {
    this.call.fail(reason);
  }
}

type Order = "random" | "listed";

/**
 * Waits until one of `cases` is ready, and lets exactly that one take effect.
 *
 * A case is a Receiver (receive from it), `sending(channel, value)`, an AbortSignal (ready once aborted; its value is the
 * reason), or `undefined`, `null` or `false`: disabled, as a nil channel is in Go. The cases are a record or an array;
 * the result names the picked one in `case`, by its key or index, and TypeScript narrows by it.
 *
 * Blocks until a case is ready; without an enabled case for ever, or until `signal` aborts.
 *
 * Order: among several ready cases a random one, each equally likely; with `order: "listed"` the first as written. A
 * select waits in the same line as everybody else.
 *
 * Cancellation: when `options.signal` aborts first, rejects with its reason and no case took effect. A signal that has
 * already aborted wins over a ready case.
 *
 * @throws TypeError at the call for a wrong case or option.
 * @throws {@link ChannelClosedError} (a rejection) if the picked case sends to a closed channel; the cause of
 * `close(cause)` if it receives from a drained channel that was closed with one.
 *
 * Semantics: Go specification, "Select statements"; `trySelect` is its `default`.
 *
 * @example
 * ```ts
 * import { after, channel, select } from "@sluice/channels";
 *
 * const jobs = channel<string>(1);
 * await jobs.send("sweep");
 * const picked = await select({ job: jobs, late: after(1_000) });
 * if (picked.case === "job" && !picked.done) console.log(picked.value);
 *
 * // Output:
 * // sweep
 * ```
 */
export function select<const C extends Cases>(cases: C, options?: SelectOptions): Promise<Selected<C>> {
  const signal = signalOf(options);
  const order = orderOf(options);
  const listed = read(cases);
  if (signal?.aborted) return rejectedWith(signal.reason);
  let picked;
  try {
    picked = pick(listed, order);
  } catch (reason) {
    return rejectedWith(reason);
  }
  const promise = picked === undefined ? new SelectCall().wait(listed, order, signal) : resumedWith(picked);
  return promise as Promise<Selected<C>>;
}

/**
 * Like select, but never waits: gives `undefined` where Go's `default` would run.
 *
 * @throws TypeError for a wrong case or option; where {@link select} would reject, that error.
 *
 * Semantics: Go specification, "Select statements" with a `default` case.
 *
 * @example
 * ```ts
 * import { channel, trySelect } from "@sluice/channels";
 *
 * const jobs = channel<string>();
 * console.log(trySelect({ job: jobs })?.case ?? "nothing to do");
 *
 * // Output:
 * // nothing to do
 * ```
 */
export function trySelect<const C extends Cases>(
  cases: C,
  options?: { readonly order?: Order | undefined },
): Selected<C> | undefined {
  const order = orderOf(options);
  return pick(read(cases), order) as Selected<C> | undefined;
}

/** Reads the cases once, before anything takes effect: getters of the caller's object run here and nowhere else. */
function read(cases: Cases): Listed {
  if (Array.isArray(cases)) {
    const list: unknown[] = (cases as readonly unknown[]).slice();
    for (let i = 0; i < list.length; i++) {
      const it = list[i];
      if (typeof it !== "object" || it === null || (it as { [RECEIVER]?: unknown })[RECEIVER] !== 1)
        list[i] = caseOf(it, i);
    }
    return { keys: undefined, cases: list as Listed["cases"] };
  }
  if (typeof cases !== "object" || cases === null || isCase(cases) || isSignal(cases)) {
    throw new TypeError("Cannot select: the cases are neither a record nor an array"); // a lone case would wait for ever
  }
  const record = cases as Readonly<Record<string, unknown>>;
  const keys: string[] = [];
  const list: (Case | undefined)[] = [];
  // Twice as fast as Object.keys for 64 cases, and as Object.hasOwn: in such a loop V8 knows where each property is.
  for (const key in record) {
    if (!Object.prototype.hasOwnProperty.call(record, key)) continue;
    keys.push(key);
    list.push(caseOf(record[key], key));
  }
  return { keys, cases: list };
}

function caseOf(it: unknown, key: string | number): Case | undefined {
  if (it === undefined || it === null || it === false) return undefined;
  if (typeof it === "object") {
    if (isCase(it)) return it;
    if (isSignal(it)) return queueOf(it);
  }
  throw new TypeError(
    `Cannot select: case ${JSON.stringify(key)} is no Receiver, sending(…), AbortSignal, undefined, null or false`,
  );
}

function isCase(it: object): it is Case {
  return (it as { [RECEIVER]?: unknown })[RECEIVER] === 1 || (it as { [SENDING]?: unknown })[SENDING] === 1;
}

function orderOf(options: { readonly order?: Order | undefined } | undefined): Order {
  const order = options?.order ?? "random";
  if (order !== "random" && order !== "listed")
    throw new TypeError('Cannot select: order is neither "random" nor "listed"');
  return order;
}

/** Pass 1: lets one ready case take effect. */
function pick(listed: Listed, order: Order): object | undefined {
  const { cases } = listed;
  // A shot at random: if it hits, each of the ready cases was as likely, and the others need not be looked at.
  let index = order === "random" ? (Math.random() * cases.length) | 0 : 0; // Math.floor: 4 % more of a select of 2
  let result = cases[index]?.poll();
  if (result === undefined) {
    index = order === "random" ? randomReady(cases) : cases.findIndex(isReady);
    // Not by looking up the index -1: that alone would make a select of 2 that waits a quarter slower.
    if (index < 0) return undefined;
    result = (cases[index] as Case).poll();
  }
  return result && { case: keyOf(listed, index), done: result.done === true, value: result.value };
}

/** The index of one of the cases that are ready, each as likely; -1 if there is none. */
function randomReady(cases: Listed["cases"]): number {
  let ready = 0;
  let index = -1;
  for (let i = 0; i < cases.length; i++) {
    if (isReady(cases[i])) {
      ready++;
      index = i;
    }
  }
  if (ready < 2) return index;
  // A random start with stepping would favour a case that follows unready ones: so the n-th ready case, n uniform.
  let nth = Math.floor(Math.random() * ready);
  return cases.findIndex((it) => isReady(it) && nth-- === 0);
}

function isReady(it: Case | undefined): boolean {
  return it !== undefined && it.ready();
}

function keyOf({ keys }: Listed, index: number): string | number {
  return keys === undefined ? index : (keys[index] as string);
}

/** The numbers below `length` in random order. */
function shuffled(length: number): number[] {
  const numbers = new Array<number>(length);
  for (let i = 0; i < length; i++) {
    const j = Math.floor(Math.random() * (i + 1));
    if (j !== i) numbers[i] = numbers[j] as number;
    numbers[j] = i;
  }
  return numbers;
}
