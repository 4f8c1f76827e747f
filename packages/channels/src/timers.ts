/// <reference lib="esnext.disposable" preserve="true" />
/**
 * after, at, tick, never: receivers that hold an instant.
 *
 * Invariants, true whenever no method runs:
 * T1  A timer of the host is armed if and only if somebody waits and the instant is finite. So there is nothing to stop,
 *     a timer that loses a select costs nothing more, and the process is kept alive only while somebody waits.
 * T2  `#due` is the next instant that has not been received; Infinity if there is none.
 *
 * The host's clocks and timers are looked up at each use: fake clocks of test runners work.
 */

import type { Waiter } from "./queue.ts";
import { Queue } from "./queue.ts";
import { DONE, ReceiverBase } from "./receiver.ts";
import type { Receiver } from "./types.ts";

/** The longest delay a host's timer can have; longer ones fire at once. */
const LONGEST_DELAY = 2 ** 31 - 1;
/** The first instant that a Date can hold. */
const FIRST_DATE = -8.64e15;
/** `at` follows the wall clock, which may be set, or run on while the machine sleeps: so it looks again every minute. */
const WALL_CLOCK_CHECK = 60_000;

/** Runs `onEmptied` when the last waiter has left. */
class TimerQueue extends Queue {
  readonly #onEmptied: () => void;

  constructor(onEmptied: () => void) {
    super();
    this.#onEmptied = onEmptied;
  }

  protected override emptied(): void {
    this.#onEmptied();
  }
}

class Timer extends ReceiverBase<Date> implements Disposable {
  readonly #waiters: Queue = new TimerQueue(() => this.#disarm());
  readonly #clock: "monotonic" | "wall";
  readonly #period: number; // 0: once
  readonly #start: number; // ticks stay on the multiples of the period after it
  #ticks = 1; // the number of the tick that is due
  #due: number;
  #behind = 0; // how far the clock is behind the timers: not 0 only where a fake clock fakes the timers alone
  #armed: ReturnType<typeof setTimeout> | undefined = undefined;
  #stopped = false;

  constructor(clock: "monotonic" | "wall", due: number, period: number) {
    super();
    this.#clock = clock;
    this.#period = period;
    this.#start = due - period;
    this.#due = due;
  }

  ready(): boolean {
    return this.#isDue() || this.#stopped;
  }

  tryReceive(): IteratorResult<Date, undefined> | undefined {
    if (this.#stopped) return DONE;
    return this.#isDue() ? { done: false, value: this.#take(this.#now()) } : undefined;
  }

  park(waiter: Waiter): void {
    this.#waiters.push(waiter);
    if (this.#armed === undefined) this.#arm(); // keeps T1
  }

  [Symbol.dispose](): void {
    this.#stopped = true;
    for (let waiter = this.#waiters.shift(); waiter !== undefined; waiter = this.#waiters.shift()) {
      waiter.complete(undefined, true);
    }
  }

  #now(): number {
    return (this.#clock === "wall" ? Date.now() : performance.now()) + this.#behind;
  }

  /** Whether the instant is there for whoever comes now: those who wait come first, though the host's timer may be late. */
  #isDue(): boolean {
    return this.#waiters.head === undefined && this.#due !== Infinity && this.#now() >= this.#due;
  }

  #serve(now: number): void {
    while (now >= this.#due && this.#waiters.head !== undefined) {
      const date = this.#take(now);
      this.#waiters.shift()?.complete(date, false);
    }
  }

  /** The instant that is due, as a date. The next one is the first multiple of the period after `now`: others are dropped. */
  #take(now: number): Date {
    const date = new Date(Date.now() - (now - this.#due));
    // Fractions of milliseconds are rounded: at least the next one, lest one come twice.
    this.#ticks = Math.max(this.#ticks, Math.floor((now - this.#start) / this.#period)) + 1;
    this.#due = this.#period === 0 ? Infinity : this.#start + this.#ticks * this.#period; // keeps T2
    return date;
  }

  #arm(): void {
    if (this.#due === Infinity) return;
    const monotonic = performance.now(); // looked at once: three times make a select with a time limit a fifth slower
    const [now, longest] =
      this.#clock === "wall" ? [this.#now(), WALL_CLOCK_CHECK] : [monotonic + this.#behind, LONGEST_DELAY];
    const delay = Math.min(longest, Math.max(0, Math.ceil(this.#due - now)));
    this.#armed = globalThis.setTimeout(() => this.#fired(now + delay, monotonic + delay), delay);
  }

  #disarm(): void {
    if (this.#armed !== undefined) globalThis.clearTimeout(this.#armed);
    this.#armed = undefined;
  }

  #fired(until: number, monotonicUntil: number): void {
    this.#armed = undefined;
    // A host may fire a fraction of a millisecond early. If the monotonic clock says more, it is not faked while the timers
    // are: then the timer is believed.
    if (monotonicUntil - performance.now() >= 1) this.#behind += until - this.#now();
    const early = until - this.#now(); // by much: the wall clock was set back
    this.#serve(early <= 1 ? Math.max(until, this.#now()) : this.#now());
    if (this.#waiters.head !== undefined) this.#arm(); // keeps T1
  }
}

/**
 * A receiver that gives the date once, `ms` milliseconds from now, and then never anything again.
 *
 * It holds an instant, not a timer: there is nothing to stop when it loses a `select`, and it keeps the process alive only
 * while somebody waits for it. If several wait, the first in line gets it. It does not close.
 *
 * @param ms - Milliseconds on the monotonic clock; exact beyond 2^31-1. Negative is now, `Infinity` is never.
 * @throws TypeError if `ms` is not a number, RangeError if it is NaN.
 *
 * Semantics: Go's `time.After`, as of Go 1.23 (nothing leaks).
 *
 * @example
 * ```ts
 * import { after, channel, select } from "@sluice/channels";
 *
 * const picked = await select({ answer: channel<string>(), late: after(10) });
 * console.log(picked.case);
 *
 * // Output:
 * // late
 * ```
 */
export function after(ms: number): Receiver<Date> {
  return new Timer("monotonic", performance.now() + Math.max(0, milliseconds(ms)), 0);
}

/**
 * Like after, but at a point in time of the wall clock: when the clock is set, or the machine has slept, it follows, within
 * a minute.
 *
 * @param time - A `Date`, or milliseconds since the epoch. What has passed is now, `Infinity` is never.
 * @throws TypeError if `time` is neither, RangeError if it is invalid.
 *
 * Semantics: crossbeam-channel's `at`.
 *
 * @example
 * ```ts
 * import { at } from "@sluice/channels";
 *
 * const newYear = at(new Date("2001-01-01T00:00:00Z"));
 * console.log((await newYear.receive()).value?.getUTCFullYear());
 *
 * // Output:
 * // 2001
 * ```
 */
export function at(time: Date | number): Receiver<Date> {
  const isDate = typeof time === "object" && time !== null && typeof time.getTime === "function";
  return new Timer("wall", Math.max(FIRST_DATE, milliseconds(isDate ? time.getTime() : (time as number))), 0);
}

/**
 * A receiver that gives the date every `ms` milliseconds, on the multiples of `ms` from now.
 *
 * Ticks that nobody has received when the next one comes are dropped: a slow reader finds at most one. It arms a timer
 * only while somebody waits; disposing it (`using beat = tick(1_000)`) gives `done` to whoever waits or comes.
 *
 * @param ms - Milliseconds on the monotonic clock, above 0.
 * @throws TypeError if `ms` is not a number, RangeError if it is not above 0.
 *
 * Semantics: Go's `time.NewTicker`; disposing ends the waits, where Go's `Stop` leaves them waiting.
 *
 * @example
 * ```ts
 * import { tick } from "@sluice/channels";
 *
 * const beat = tick(5);
 * for (let n = 1; n <= 3; n++) {
 *   await beat.receive();
 *   console.log(`beat ${n}`);
 * }
 *
 * // Output:
 * // beat 1
 * // beat 2
 * // beat 3
 * ```
 */
export function tick(ms: number): Receiver<Date> & Disposable {
  if (!(milliseconds(ms) > 0)) throw new RangeError(`Cannot tick: a period of ${ms} ms is not above 0`);
  return new Timer("monotonic", performance.now() + ms, ms);
}

class Never extends ReceiverBase<never> {
  ready(): boolean {
    return false;
  }

  tryReceive(): undefined {
    return undefined;
  }

  park(): void {
    // Nobody will ever serve the waiter, so it is not kept either: what waits here can be collected.
  }
}

/**
 * A receiver that is never ready: a case that is switched off, in a place that needs a receiver.
 *
 * @example
 * ```ts
 * import { never } from "@sluice/channels";
 *
 * console.log(never.tryReceive());
 *
 * // Output:
 * // undefined
 * ```
 */
export const never: Receiver<never> = /* @__PURE__ */ new Never();

function milliseconds(ms: number): number {
  if (typeof ms !== "number") throw new TypeError("Cannot make a timer: the time is neither a number nor a Date");
  if (Number.isNaN(ms)) throw new RangeError("Cannot make a timer: the time is NaN or an invalid Date");
  return ms;
}
