/**
 * Time as the host tells it, and a timer of any length.
 *
 * `setTimeout`, `Date` and `performance` are looked up at each use, so that the fake clocks of test runners work.
 */

// What the host had when this module was loaded: how a fake clock is told from a real one.
const host = {
  setTimeout: globalThis.setTimeout,
  Date: globalThis.Date,
  now: Reflect.get(globalThis.performance, "now") as unknown,
};

/** The longest delay that `setTimeout` keeps; it takes longer ones for 1 ms. */
const longestDelay = 2 ** 31 - 1;

/**
 * Milliseconds on a clock that never jumps.
 *
 * Fake clocks that drive timers and `Date` but leave `performance` alone are followed by their `Date`: otherwise a
 * context that nobody watches would never see its deadline pass.
 */
export function now(): number {
  const { performance, Date, setTimeout } = globalThis;
  if (setTimeout !== host.setTimeout && Date !== host.Date && performance.now === host.now) {
    return Date.now() - performance.timeOrigin;
  }
  return performance.now();
}

/** Calls back once, `ms` from now, however far away that is. */
export class Timer {
  readonly #due: number;
  readonly #callback: () => void;
  #left: number;
  #held: boolean;
  #handle: Handle = undefined;

  /** @param held - Whether the timer keeps the process alive, where the host knows such a thing. */
  constructor(ms: number, held: boolean, callback: () => void) {
    this.#due = now() + ms;
    this.#left = ms;
    this.#held = held;
    this.#callback = callback;
    this.#start();
  }

  stop(): void {
    globalThis.clearTimeout(this.#handle as number | undefined);
  }

  hold(held: boolean): void {
    this.#held = held;
    if (typeof this.#handle !== "object") return;
    if (held) this.#handle.ref?.();
    else this.#handle.unref?.();
  }

  #start(): void {
    const delay = Math.min(Math.max(Math.ceil(this.#left), 0), longestDelay);
    this.#handle = globalThis.setTimeout(() => {
      // A timer that has fired is believed, whatever the clock says: a fake clock may move only the timers. The clock is
      // believed when it says that more has passed.
      this.#left = Math.min(this.#left - delay, this.#due - now());
      if (this.#left > 0) this.#start();
      else this.#callback();
    }, delay) as unknown as Handle;
    if (!this.#held) this.hold(false);
  }
}

/** A number in browsers; in Node an object that may keep the process alive or not. */
type Handle = number | { ref?: () => void; unref?: () => void } | undefined;
