/** How and when a context ended: one object, shared by the whole subtree that ended with it. */

import { CanceledError, DeadlineExceededError } from "./errors.ts";
import type { Kind } from "./errors.ts";

export class Ending {
  readonly kind: Kind;
  /** On the clock of `now()`; for a deadline, when it was due. */
  readonly time: number;
  readonly #given: unknown;
  #error: CanceledError | DeadlineExceededError | undefined = undefined;

  /** @param given - Why, if anybody said so; `undefined` is nobody. */
  constructor(kind: Kind, given: unknown, time: number) {
    this.kind = kind;
    this.time = time;
    this.#given = given;
  }

  // Made when somebody asks: an error with its stack costs more than everything else about a context.
  get error(): CanceledError | DeadlineExceededError {
    return (this.#error ??= this.kind === "canceled" ? new CanceledError() : new DeadlineExceededError());
  }

  get cause(): unknown {
    return this.#given === undefined ? this.error : this.#given;
  }
}
