/** The vocabulary of the package. */

import type { Context } from "@sluice/context";

/** What a group runs. It gets the group's context, and should stop when that is done. */
export type Task<R = unknown> = (ctx: Context) => R;

/**
 * Another library's limit: a function that calls `task` when its turn has come, and settles as it does. p-limit's function
 * is one as it is; for p-queue write `(task) => queue.add(task)`.
 */
export type Limiter = <R>(task: () => Promise<R>) => Promise<R>;

/** How a group runs its tasks. */
export interface GroupOptions {
  /**
   * How many tasks may run at the same time: a positive integer, or `Infinity` (the default). Or a {@link Limiter}: then a
   * task starts when that calls it. A limiter that settles without having called it is that task's failure.
   */
  readonly limit?: number | Limiter | undefined;
}

/** Tasks with names, or in a list: what {@link all} takes. */
export type Tasks = { readonly [name: string]: Task } | readonly Task[];

/** The results of {@link Tasks}: under the same names, or in the same places. */
export type Results<T extends Tasks> = {
  -readonly [K in keyof T]: T[K] extends (ctx: Context) => infer R ? Awaited<R> : never;
};

/** The result of one of several tasks: what {@link any} and {@link race} give. */
export type Result<T extends readonly Task[]> = Awaited<ReturnType<T[number]>>;

/**
 * Where {@link map} and {@link forEach} get their values: a channel, a stream, a cursor, an array. As in `for await`,
 * promises in a synchronous iterable are awaited, and the values of an asynchronous one are taken as they are.
 */
export type Source<T> = AsyncIterable<T> | Iterable<T | PromiseLike<T>>;

/** How {@link forEach} works. */
export interface ForEachOptions {
  /** How many values may be in work at the same time: a positive integer, or `Infinity`. */
  readonly limit: number;
}

/** How {@link map} works. */
export interface MapOptions {
  /**
   * How many values may have been pulled and their results not yet handed over, finished ones included: a positive
   * integer, or `Infinity`.
   */
  readonly limit: number;
  /** Whether results come in the order of their values (the default), or as they are finished. */
  readonly ordered?: boolean | undefined;
}
