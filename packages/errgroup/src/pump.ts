/**
 * What turns values into tasks: takes them from a feed, and starts a task in a group for each.
 *
 *     source ──► feed ──► fn … fn ──► results
 *                └─ at most `limit` held ─┘
 *
 * The pump is a task of the same group. So a source that fails is a failure like any other, and one that keeps waiting is
 * canceled with the rest. All calls of `fn` run in the async context in which the pump was started.
 */

import type { Context } from "@sluice/context";
import type { Feed } from "./feed.ts";
import { recordFailure, type Group } from "./group.ts";
import { ending, type Failure } from "./outcome.ts";

/**
 * Calls `fn` with each value; somebody must release that in the feed when it is done with. Resolves with how it went when
 * all tasks have ended and the source is closed, and never rejects.
 */
export async function pump<T>(
  group: Group,
  feed: Feed<T>,
  fn: (value: T, ctx: Context) => Promise<void>,
): Promise<Failure | undefined> {
  void group.go((ctx) => feed.run(ctx, (value) => void group.go(() => fn(value, ctx))));
  const failure = await ending(group);
  try {
    await feed.close();
  } catch (error) {
    recordFailure(group, error);
  }
  return group.errors.length > 0 ? { error: group.errors[0] } : failure;
}
