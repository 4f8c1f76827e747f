/** Work on a stream of values: map and forEach. */

import { withCancel, type Context, type Parent } from "@sluice/context";
import { requireFunction, requireLimit } from "./arguments.ts";
import { Feed } from "./feed.ts";
import { Group } from "./group.ts";
import { Mapping } from "./mapping.ts";
import { pump } from "./pump.ts";
import type { ForEachOptions, MapOptions, Source } from "./types.ts";

/**
 * Calls `fn` with each value of `source` and gives its results: a pool of `limit` workers as an async iterable.
 *
 * Nothing is pulled before the first `next()`. Then at most `limit` values are pulled and not yet handed over as results,
 * so an endless source runs in constant memory, and a slow reader holds the source up.
 *
 * Order: results come in the order of their values; with `ordered: false` as they are finished. Pulls never overlap.
 *
 * Leaving the loop cancels what runs, waits for it, and closes the source by its `return()`; a failure that nobody was told
 * yet is thrown there. A channel loses no value by a pull that is given up, and stays open.
 *
 * @param fn - Gets a context that is done on the first failure, on leaving, or when `ctx` is.
 * @throws (from `next()`) the first failure of `fn` or the source: the others have been canceled and waited for and the
 * source closed, and the results in front of it came first. The cause of `ctx` once that is done.
 *
 * Semantics: the bounded pipeline of errgroup's examples, in a {@link Group}.
 *
 * @example
 * ```ts
 * import { background } from "@sluice/context";
 * import { map } from "@sluice/errgroup";
 *
 * for await (const length of map(background, ["go", "select", "chan"], async (word) => word.length, { limit: 2 })) {
 *   console.log(length);
 * }
 *
 * // Output:
 * // 2
 * // 6
 * // 4
 * ```
 */
export function map<T, R>(
  ctx: Parent,
  source: Source<T>,
  fn: (value: T, ctx: Context) => R | PromiseLike<R>,
  options: MapOptions,
): AsyncIterableIterator<R> {
  requireFunction("map", "callback", fn);
  const { limit, ordered = true } = options;
  requireLimit("map", limit);
  return new Mapping(withCancel(ctx), new Feed("map", source, limit), fn, ordered);
}

/**
 * Calls `fn` with each value of `source`, at most `limit` at the same time: a pool of workers. Resolves when all are done.
 *
 * Pulls a value only when a worker is free. Results are not kept.
 *
 * @param fn - Gets a context that is done on the first failure, or when `ctx` is.
 * @throws (a rejection) the first failure of `fn` or the source, or the cause of `ctx` if that is done: the others have been
 * canceled and waited for, and the source closed by its `return()`.
 *
 * Semantics: `limit` goroutines that range over one channel, in a {@link Group}.
 *
 * @example
 * ```ts
 * import { background } from "@sluice/context";
 * import { forEach } from "@sluice/errgroup";
 *
 * let sum = 0;
 * await forEach(background, [1, 2, 3, 4], async (n) => void (sum += n), { limit: 2 });
 * console.log(sum);
 *
 * // Output:
 * // 10
 * ```
 */
export function forEach<T>(
  ctx: Parent,
  source: Source<T>,
  fn: (value: T, ctx: Context) => unknown,
  options: ForEachOptions,
): Promise<void> {
  requireFunction("run for each", "callback", fn);
  requireLimit("run for each", options.limit);
  return work(new Group(ctx), new Feed("run for each", source, options.limit), fn);
}

async function work<T>(group: Group, feed: Feed<T>, fn: (value: T, ctx: Context) => unknown): Promise<void> {
  const failure = await pump(group, feed, async (value, ctx) => {
    await fn(value, ctx);
    feed.release();
  });
  if (failure !== undefined) throw failure.error;
}
