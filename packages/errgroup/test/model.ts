/**
 * A group as one would explain it: who runs, who was let in and starts in a moment, who waits in line. It is told of each
 * thing when it happens, and says what must come of it.
 */

/** What a call of go() comes to: an error, a refusal, a start before it returns, or a place in line. */
export type Fate = "throws" | "refused" | "runs" | "waits";

/** How a group ended. */
export type Outcome = "well" | "canceled" | { readonly error: unknown };

export class ModelGroup {
  limit: number;
  readonly running = new Set<string>();
  /** They have a slot, and start in a microtask. */
  admitted: string[] = [];
  /** They had a slot when the group was done, and give it back in a microtask. */
  readonly leaving = new Set<string>();
  waiting: string[] = [];
  readonly errors: unknown[] = [];
  done = false;
  outcome: Outcome | undefined;
  #canceled = false;
  #awaited = false;

  constructor(limit: number) {
    this.limit = limit;
  }

  get active(): number {
    return this.running.size + this.admitted.length + this.leaving.size;
  }

  go(task: string): Fate {
    if (this.outcome !== undefined) return "throws";
    if (this.done) {
      this.#canceled = true;
      return "refused";
    }
    if (this.active < this.limit) {
      this.running.add(task);
      return "runs";
    }
    this.waiting.push(task);
    return "waits";
  }

  tryGo(task: string): Fate {
    if (this.outcome !== undefined) return "throws";
    if (this.done || this.active >= this.limit) return "refused";
    this.running.add(task);
    return "runs";
  }

  /** The next of those that were let in. */
  start(): string | undefined {
    const task = this.admitted.shift();
    if (task !== undefined) this.running.add(task);
    return task;
  }

  end(task: string, how: Outcome): void {
    this.running.delete(task);
    if (how === "canceled") this.#canceled = true;
    if (typeof how === "object") {
      this.errors.push(how.error);
      this.cancel();
    }
    if (this.active < this.limit) this.admitted.push(...this.waiting.splice(0, 1));
    this.#endIfIdle();
  }

  /** One that was let in has found the group done. */
  leave(task: string): void {
    this.leaving.delete(task);
    this.#endIfIdle();
  }

  cancel(): void {
    if (this.done) return;
    this.done = true;
    if (this.admitted.length + this.waiting.length > 0) this.#canceled = true;
    for (const task of this.admitted) this.leaving.add(task);
    this.admitted = [];
    this.waiting = [];
    this.#endIfIdle();
  }

  wait(): void {
    this.#awaited = true;
    this.#endIfIdle();
  }

  #endIfIdle(): void {
    if (!this.#awaited || this.active + this.waiting.length > 0 || this.outcome !== undefined) return;
    if (this.errors.length > 0) this.outcome = { error: this.errors[0] };
    else this.outcome = this.#canceled ? "canceled" : "well";
    this.done = true;
  }
}
