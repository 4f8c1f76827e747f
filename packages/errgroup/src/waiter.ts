/** A call of go() that waits for admission. */

import { Member } from "./queue.ts";
import type { Task } from "./types.ts";

export class Waiter extends Member<Waiter> {
  readonly task: Task;
  /** Resolves with the waiter itself once it holds a slot, or with `undefined` if it is refused. */
  readonly decision: Promise<Waiter | undefined>;
  #decide!: (waiter: Waiter | undefined) => void;

  constructor(task: Task) {
    super();
    this.task = task;
    this.decision = new Promise((resolve) => (this.#decide = resolve));
  }

  admit(): void {
    this.#decide(this);
  }

  refuse(): void {
    this.#decide(undefined);
  }
}
