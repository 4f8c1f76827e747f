/**
 * An instant at which contexts end: shared by the context it was given to, its owner, and by all descendants that have no
 * earlier one of their own.
 *
 * Invariant: the timer runs exactly while the owner is watched and live. It keeps the process alive only while somebody
 * waits; being watched is not enough.
 */

import { now, Timer } from "./clock.ts";
import { Ending } from "./ending.ts";

/** The context that a deadline was given to. */
export interface Owner {
  readonly order: number;
  /** Ends with `ending`, if it has not ended yet. */
  expire(ending: Ending): void;
}

let newest = 0;

/** Whether a context may have descendants with a deadline of their own: whether one was given out after it was made. */
export function deadlinesSince(order: number): boolean {
  return newest > order;
}

export class Deadline {
  /** For people: milliseconds since the epoch. */
  readonly at: number;
  /** For us: the same instant on the clock of `now()`. */
  readonly due: number;
  #owner: Owner | undefined = undefined;
  #given: unknown;
  #ending: Ending | undefined = undefined;
  #timer: Timer | undefined = undefined;
  #waits = 0;

  /** @param cause - What the contexts end with; `undefined` for a `DeadlineExceededError`. */
  constructor(at: number, due: number, cause?: unknown) {
    this.at = at;
    this.due = due;
    this.#given = cause;
  }

  /** Gives it to its owner; all later ones only share it. */
  give(owner: Owner): void {
    if (this.#owner !== undefined) return;
    this.#owner = owner;
    newest = owner.order;
  }

  isOf(owner: Owner): boolean {
    return this.#owner === owner;
  }

  /** Whether it has passed by now, or had when an ancestor ended: then it was first, though nobody had noticed. */
  passed(before?: Ending): boolean {
    if (before === undefined) return this.due !== Infinity && this.due <= now();
    return this.due <= before.time;
  }

  get ending(): Ending {
    return (this.#ending ??= new Ending("deadline exceeded", this.cause(), this.due));
  }

  protected cause(): unknown {
    return this.#given;
  }

  /** Ends the owner, and with it all who share this deadline. */
  expire(): void {
    this.#owner?.expire(this.ending);
  }

  start(): void {
    this.#timer = new Timer(this.due - now(), this.#waits > 0, () => this.expire());
  }

  stop(): void {
    this.#timer?.stop();
    this.#timer = undefined;
  }

  /** Somebody starts to wait for a context with this deadline (1), or no longer does (-1). */
  hold(change: 1 | -1): void {
    const before = this.#waits > 0;
    this.#waits += change;
    if (this.#waits > 0 !== before) this.#timer?.hold(!before);
  }
}
