/// <reference lib="esnext.disposable" preserve="true" />
/**
 * A group: tasks that end together.
 *
 *     go() ──► waits for admission ──► admitted ──► runs ──► ended
 *                      │                  │
 *                      └──────────────────┴──► refused: the group was done before
 *
 * Invariants, true whenever no method runs:
 * G1  `#active` counts the tasks that hold a slot, from admission to end; it never exceeds the limit.
 * G2  Somebody waits only while every slot is taken, or a limiter has not called. A slot that frees goes to the first in
 *     line at once, so nobody overtakes.
 * G3  Somebody waits only while the context is live, and then `#unwatch` stands for the callback that empties the line.
 * G4  A failure was recorded only if the context is done: what is thrown afterwards may be an echo of it.
 * G5  Once `#over`, nothing runs, nobody waits, and the context is done.
 */

import { afterDone, background, withCancel, type CancelableContext, type Context, type Parent } from "@sluice/context";
import { requireFunction, requireLimit } from "./arguments.ts";
import { submit } from "./limiter.ts";
import { isCancellation, isThenable, type Failure } from "./outcome.ts";
import { Queue } from "./queue.ts";
import type { GroupOptions, Limiter, Task } from "./types.ts";
import { Waiter } from "./waiter.ts";

const ADMITTED = Promise.resolve(true);
const REFUSED = Promise.resolve(false);

/** Counts an error as that of one more task, one that takes no slot: of a body, or of closing a source. */
export let recordFailure: (group: Group, error: unknown) => void;

/**
 * Tasks that end together: the first that fails cancels the others, and `wait()` settles when all of them have ended.
 *
 * - **First error**: recorded, and the group's context is canceled with it as cause. `wait()` rejects with that very
 *   value, whatever it is. Errors of others that come later are kept in `errors`.
 * - **Cancellation**: a task that ends with the group's own cancellation has not failed. That is what it throws once the
 *   context is done, if it is the context's `cause` or `error`, or an `AbortError` that wraps the cause or names none.
 * - **Limit**: tasks over the limit wait their turn, first come, first served. A task that adds to its own group at the
 *   limit and waits for that deadlocks, as in Go: use `tryGo`, or a group of its own.
 * - **Async context**: each task runs in the async context of its own call of `go()`.
 * - **Leaving**: `await using g = new Group(ctx)` cancels on leaving the scope what still runs, waits for it, and throws
 *   a failure that nobody has waited for. The good end is `await g.wait()`.
 *
 * A group that nobody waits for or disposes of is silent: its errors go nowhere, not to `unhandledRejection` either.
 *
 * Semantics: golang.org/x/sync/errgroup, `WithContext`. Differs: a task is not started once the group is done, and a
 * group can be used once.
 *
 * @example
 * ```ts
 * import { background } from "@sluice/context";
 * import { Group } from "@sluice/errgroup";
 *
 * const g = new Group(background, { limit: 2 });
 * for (const word of ["one", "two", "three"]) await g.go(async () => console.log(word));
 * await g.wait();
 *
 * // Output:
 * // one
 * // two
 * // three
 * ```
 */
export class Group implements AsyncDisposable {
  readonly #context: CancelableContext;
  readonly #waiting = new Queue<Waiter>();
  readonly #errors: unknown[] = [];
  #limit: number | Limiter;
  #active = 0;
  #unwatch: (() => boolean) | undefined;
  /** A task ended with the cancellation, or did not even start because of it. */
  #canceled = false;
  /** Somebody was told how the group ended, or will be. */
  #heard = false;
  #over = false;
  #ended: Promise<Failure | undefined> | undefined;
  #end: ((failure: Failure | undefined) => void) | undefined;

  /**
   * @param parent - Cancels the group when it is done. A bare `AbortSignal` will do.
   * @throws RangeError | TypeError if the limit is neither a positive integer, nor `Infinity`, nor a function.
   */
  constructor(parent: Parent = background, options: GroupOptions = {}) {
    const { limit = Infinity } = options;
    if (typeof limit !== "function") requireLimit("make group", limit);
    this.#limit = limit;
    this.#context = withCancel(parent);
  }

  /** The context that every task gets: done at the first failure, when the parent is, or when `wait()` has settled. */
  get context(): Context {
    return this.#context;
  }

  /** How many tasks run now. Those that wait for admission do not count. */
  get active(): number {
    return this.#active;
  }

  /** Every failure so far, in the order in which the tasks ended. Grows while tasks run. */
  get errors(): readonly unknown[] {
    return this.#errors;
  }

  /**
   * Runs `task` in the group: at once, before go returns, if there is room; otherwise in its turn.
   *
   * The promise settles when the task was admitted, so `await g.go(…)` is back-pressure: true once it has started, false
   * if the group was done before and it will never run. It never rejects: what becomes of the task is for `wait()`, which
   * counts one that never ran among those that ended with the cancellation. Running tasks may call go, also during `wait()`.
   *
   * @throws Error if `wait()` has settled.
   *
   * Semantics: errgroup's `Go`, which runs tasks even if the group is done.
   */
  go(task: Task): Promise<boolean> {
    requireFunction("go", "task", task);
    if (this.#context.error !== undefined) {
      if (this.#over) throw new Error("Cannot go: the group has ended");
      this.#canceled = true;
      return REFUSED;
    }
    if (typeof this.#limit === "function") return this.#goBy(this.#limit, task);
    if (this.#active >= this.#limit) return this.#enter(new Waiter(task));
    this.#active++;
    this.#start(task);
    return ADMITTED;
  }

  /**
   * Like go, but never waits: false, and the task does not run, if the group is at its limit or done.
   *
   * @throws Error if `wait()` has settled; TypeError if the limit is a function, which cannot be asked.
   *
   * Semantics: errgroup's `TryGo`.
   */
  tryGo(task: Task): boolean {
    requireFunction("try go", "task", task);
    if (typeof this.#limit === "function") throw new TypeError("Cannot try go: the limit is a function");
    if (this.#over) throw new Error("Cannot try go: the group has ended");
    if (this.#active >= this.#limit || this.#context.error !== undefined) return false;
    this.#active++;
    this.#start(task);
    return true;
  }

  /**
   * Waits until all tasks have ended, with whatever they do to clean up, also those that are added meanwhile. Then the
   * context is done, and the group can run nothing more. Every call gives the same outcome.
   *
   * @throws the first failure itself; if there was none, but a task ended with the cancellation, the context's `cause`.
   *
   * Semantics: errgroup's `Wait`. A canceled parent alone is no error, as there: not if all tasks succeeded.
   */
  wait(): Promise<void> {
    this.#heard = true;
    return this.#join().then((failure) => {
      if (failure !== undefined) throw failure.error;
    });
  }

  /**
   * Sets another limit in place of the present one: a positive integer or `Infinity`.
   *
   * @throws RangeError | TypeError if it is not; Error while tasks run or wait for admission.
   *
   * Semantics: errgroup's `SetLimit`, which panics while tasks run; 0 and negative limits are refused here.
   */
  setLimit(limit: number): void {
    const tasks = this.#active + this.#waiting.length;
    if (tasks > 0) throw new Error(`Cannot set limit: ${tasks} tasks are active`);
    requireLimit("set limit", limit);
    this.#limit = limit;
  }

  /** Cancels the group's context, as a canceled parent would. Tasks that wait for admission are refused. */
  cancel(cause?: unknown): void {
    this.#context.cancel(cause);
  }

  /** Cancels what runs, waits for it, and throws the first failure unless somebody has called `wait()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.cancel();
    await this.#join();
    if (this.#heard || this.#errors.length === 0) return;
    this.#heard = true;
    throw this.#errors[0];
  }

  #enter(waiter: Waiter): Promise<boolean> {
    this.#unwatch ??= afterDone(this.#context, this.#refuseAll);
    this.#waiting.push(waiter);
    // This reaction is registered inside go(), so the task starts in the async context of that call.
    return waiter.decision.then(this.#begin);
  }

  /** Starts the task of a waiter that holds a slot by now. */
  readonly #begin = (waiter: Waiter | undefined): boolean => {
    if (waiter === undefined) return false;
    if (this.#context.error === undefined) {
      this.#start(waiter.task);
      return true;
    }
    this.#canceled = true;
    this.#leave();
    return false;
  };

  readonly #refuseAll = (): void => {
    this.#unwatch = undefined;
    for (let waiter = this.#waiting.shift(); waiter !== undefined; waiter = this.#waiting.shift()) {
      this.#canceled = true;
      waiter.refuse();
    }
    this.#endIfIdle();
  };

  /** Lets another library say when: it gets a function that takes the waiter out of line and settles as its task does. */
  #goBy(limiter: Limiter, task: Task): Promise<boolean> {
    let result: Promise<unknown> | undefined;
    const waiter = new Waiter((ctx) => (result = (async () => task(ctx))()));
    const admission = this.#enter(waiter);
    const run = async (): Promise<unknown> => {
      if (waiter.queued) {
        this.#waiting.remove(waiter);
        this.#active++;
        waiter.admit();
      }
      return (await admission) ? result : undefined;
    };
    submit(limiter, run, (error) => {
      if (waiter.queued) this.#record(error);
    });
    return admission;
  }

  #start(task: Task): void {
    try {
      const result = task(this.#context);
      if (isThenable(result)) return void Promise.resolve(result).then(this.#leave, this.#fail);
    } catch (error) {
      this.#record(error);
    }
    this.#leave();
  }

  readonly #fail = (error: unknown): void => {
    this.#record(error);
    this.#leave();
  };

  #record(error: unknown): void {
    if (isCancellation(error, this.#context)) {
      this.#canceled = true;
    } else {
      this.#errors.push(error);
      this.#context.cancel(error); // keeps G4
    }
  }

  /** Gives a slot free, or rather to the first in line. */
  readonly #leave = (): void => {
    const next = typeof this.#limit === "number" ? this.#waiting.shift() : undefined;
    if (next !== undefined) {
      next.admit(); // keeps G2
    } else {
      this.#active--;
      this.#endIfIdle();
    }
  };

  /** When the group has ended: resolves with how, and never rejects. */
  #join(): Promise<Failure | undefined> {
    this.#ended ??= new Promise((resolve) => (this.#end = resolve));
    this.#endIfIdle();
    return this.#ended;
  }

  #endIfIdle(): void {
    if (this.#active > 0 || this.#waiting.length > 0) return;
    this.#unwatch?.();
    this.#unwatch = undefined;
    const end = this.#end;
    if (end === undefined) return;
    this.#end = undefined;
    const error = this.#errors.length > 0 ? this.#errors[0] : this.#context.cause;
    const failure = this.#errors.length > 0 || this.#canceled ? { error } : undefined;
    this.#context.cancel();
    this.#over = true; // keeps G5
    end(failure);
  }

  static {
    recordFailure = (group, error) => group.#record(error);
  }
}
