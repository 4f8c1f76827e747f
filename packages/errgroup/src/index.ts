/**
 * Go's errgroup for TypeScript: tasks that end together.
 *
 * A **{@link Group}** runs tasks under one context. The first that fails cancels that context, so that the others stop, and
 * `wait()` rejects with its error once all of them have ended, whatever they had to clean up. A limit holds back those that
 * come too fast: `await g.go(task)` waits until there is room. {@link group} is the structured form, which leaves only when
 * every task has ended.
 *
 * A task gets the context as its argument and hands it on to whatever may wait: `fetch(url, ctx)`, `sleep(ms, ctx)`,
 * `channel.send(value, ctx)`. Nothing can be stopped that does not look at its context; it is waited for all the same.
 *
 * | to | use |
 * |---|---|
 * | run tasks that are not known beforehand | {@link group}, {@link Group} |
 * | get the results of some tasks, typed | {@link all} |
 * | get the first success, or the first to settle | {@link any}, {@link race} |
 * | work on a stream of values and get a stream of results | {@link map} |
 * | work on a stream of values, as a pool of workers | {@link forEach} |
 *
 * All of these obey the same rules: **the first error cancels the others**, **everything is waited for**, and what ends with
 * the cancellation alone has not failed. Under a parent that is done no task is started.
 *
 * @example
 * ```ts
 * import { background, sleep } from "@sluice/context";
 * import { group } from "@sluice/errgroup";
 *
 * try {
 *   await group(background, async (g) => {
 *     await g.go(async (ctx) => {
 *       try {
 *         await sleep(60_000, ctx);
 *       } finally {
 *         console.log("the sleeper cleans up");
 *       }
 *     });
 *     await g.go(async () => {
 *       throw new Error("disk is full");
 *     });
 *   });
 * } catch (error) {
 *   console.log("caught:", (error as Error).message);
 * }
 *
 * // Output:
 * // the sleeper cleans up
 * // caught: disk is full
 * ```
 *
 * @packageDocumentation
 */

export { Group } from "./group.ts";
export { all, any, group, race } from "./tasks.ts";
export { forEach, map } from "./stream.ts";
export type {
  ForEachOptions,
  GroupOptions,
  Limiter,
  MapOptions,
  Result,
  Results,
  Source,
  Task,
  Tasks,
} from "./types.ts";
