/**
 * Whole jobs made of a group: group, all, any, race. Each leaves only when every task it has started has ended.
 *
 * One mechanism carries all four. A task that decides the outcome cancels the group; `wait()` then waits for the others,
 * and knows what to reject with if no task has decided anything.
 */

import type { Parent } from "@sluice/context";
import { requireFunction } from "./arguments.ts";
import { Group, recordFailure } from "./group.ts";
import { ending } from "./outcome.ts";
import type { GroupOptions, Result, Results, Task, Tasks } from "./types.ts";

/**
 * Runs `body` with a group, waits until all tasks have ended, and resolves with what the body gave.
 *
 * The structured form of {@link Group}: nothing outlives the call. The body counts as one more task, one that takes no
 * slot: when it throws, the tasks are canceled with its error.
 *
 * @throws (a rejection) the first failure, of the body or of a task; else the context's cause, if the body or a task ended
 * with the cancellation.
 *
 * Semantics: errgroup's `WithContext`, the calls of `Go`, `defer cancel()` and `Wait` in one.
 *
 * @example
 * ```ts
 * import { background } from "@sluice/context";
 * import { group } from "@sluice/errgroup";
 *
 * const lengths = new Map<string, number>();
 * const count = await group(background, async (g) => {
 *   for (const word of ["go", "select"]) await g.go(async () => lengths.set(word, word.length));
 *   return 2;
 * });
 * console.log(count, lengths.get("select"));
 *
 * // Output:
 * // 2 6
 * ```
 */
export function group<R>(ctx: Parent, body: (g: Group) => R, options?: GroupOptions): Promise<Awaited<R>> {
  requireFunction("run group", "body", body);
  return structured(new Group(ctx, options), body);
}

async function structured<R>(g: Group, body: (g: Group) => R): Promise<Awaited<R>> {
  let value: Awaited<R>;
  try {
    value = await body(g);
  } catch (error) {
    recordFailure(g, error);
    await g.wait();
    throw error; // the body itself had waited for the group before it threw
  }
  await g.wait();
  return value;
}

/**
 * Runs all tasks and resolves with their results: under the same names for a record, in the same places for a list.
 *
 * Like `Promise.all`, but the first failure cancels the others, and all have ended when it rejects.
 *
 * @throws (a rejection) the first failure itself; the context's cause if it was done before all had their result.
 *
 * Semantics: as the tasks of one {@link Group}.
 *
 * @example
 * ```ts
 * import { background, sleep } from "@sluice/context";
 * import { all } from "@sluice/errgroup";
 *
 * const { name, age } = await all(background, {
 *   name: async (ctx) => {
 *     await sleep(2, ctx);
 *     return "Ada";
 *   },
 *   age: () => 36,
 * });
 * console.log(name, age);
 *
 * // Output:
 * // Ada 36
 * ```
 */
export function all<const T extends Tasks>(ctx: Parent, tasks: T, options?: GroupOptions): Promise<Results<T>> {
  if (typeof tasks !== "object" || tasks === null) throw new TypeError("Cannot run all: the tasks are not an object");
  const names = Array.isArray(tasks) ? undefined : Object.keys(tasks);
  const list = listOf("run all", names === undefined ? tasks : Object.values(tasks));
  return collect(new Group(ctx, options), list, names) as Promise<Results<T>>;
}

async function collect(g: Group, tasks: readonly Task[], names: readonly string[] | undefined): Promise<unknown> {
  g.context.throwIfDone(); // counts even if there are no tasks
  const results = new Array<unknown>(tasks.length);
  for (const [i, task] of tasks.entries()) {
    void g.go(async (ctx) => {
      results[i] = await task(ctx);
    });
  }
  await g.wait();
  // fromEntries defines its keys, so a task called "__proto__" is one like any other.
  return names === undefined ? results : Object.fromEntries(names.map((name, i) => [name, results[i]]));
}

/**
 * Runs the tasks and resolves with the first success. The others are canceled, and have ended when it resolves.
 *
 * With `limit: 1` the tasks are tried one after the other until one succeeds.
 *
 * @throws (a rejection) AggregateError if all fail or there are none, its `errors` in the order of the tasks; the context's
 * cause if it is done before one succeeds.
 *
 * Semantics: `Promise.any`, in a {@link Group}.
 *
 * @example
 * ```ts
 * import { background, sleep } from "@sluice/context";
 * import { any } from "@sluice/errgroup";
 *
 * const mirrors = [60_000, 2].map((ms) => async (ctx: { signal: AbortSignal }) => {
 *   await sleep(ms, ctx);
 *   return `answered after ${ms} ms`;
 * });
 * console.log(await any(background, mirrors));
 *
 * // Output:
 * // answered after 2 ms
 * ```
 */
export function any<const T extends readonly Task[]>(
  ctx: Parent,
  tasks: T,
  options?: GroupOptions,
): Promise<Result<T>> {
  return firstSuccess(new Group(ctx, options), listOf("run any", tasks)) as Promise<Result<T>>;
}

async function firstSuccess(g: Group, tasks: readonly Task[]): Promise<unknown> {
  g.context.throwIfDone(); // counts even if there are no tasks
  const errors = new Array<unknown>(tasks.length);
  let winner: { readonly value: unknown } | undefined;
  for (const [i, task] of tasks.entries()) {
    void g.go(async (ctx) => {
      try {
        const value = await task(ctx);
        winner ??= { value };
        g.cancel();
      } catch (error) {
        ctx.throwIfDone(); // a task that was cut short says nothing about whether all would have failed
        errors[i] = error;
      }
    });
  }
  const failure = await ending(g);
  if (winner !== undefined) return winner.value;
  if (failure !== undefined) throw failure.error;
  throw new AggregateError(errors, "All tasks failed");
}

/**
 * Runs the tasks and settles as the first that settles. The others are canceled, and have ended when it settles.
 *
 * @throws RangeError at the call if there are no tasks: nobody would ever win.
 * @throws (a rejection) the error of the first task, if that failed; the context's cause if that came first.
 *
 * Semantics: `Promise.race`, in a {@link Group}.
 *
 * @example
 * ```ts
 * import { background, sleep } from "@sluice/context";
 * import { race } from "@sluice/errgroup";
 *
 * const first = await race(background, [(ctx) => sleep(60_000, ctx).then(() => "slow"), async () => "fast"]);
 * console.log(first);
 *
 * // Output:
 * // fast
 * ```
 */
export function race<const T extends readonly Task[]>(
  ctx: Parent,
  tasks: T,
  options?: GroupOptions,
): Promise<Result<T>> {
  const list = listOf("race", tasks);
  if (list.length === 0) throw new RangeError("Cannot race: there are no tasks");
  return firstSettled(new Group(ctx, options), list) as Promise<Result<T>>;
}

async function firstSettled(g: Group, tasks: readonly Task[]): Promise<unknown> {
  let settled = false;
  let winner: { readonly value: unknown } | undefined;
  for (const task of tasks) {
    void g.go(async (ctx) => {
      try {
        const value = await task(ctx);
        if (!settled) winner = { value };
      } finally {
        settled = true;
      }
      g.cancel();
    });
  }
  const failure = await ending(g);
  if (winner !== undefined) return winner.value;
  throw failure?.error;
}

/** A copy that the caller cannot change while its tasks run. Throws unless it is a list of functions. */
function listOf(verb: string, tasks: unknown): Task[] {
  if (!Array.isArray(tasks)) throw new TypeError(`Cannot ${verb}: the tasks are not an array`);
  const list = Array.from(tasks as Task[]);
  for (const task of list) requireFunction(verb, "task", task);
  return list;
}
