/** Another library's limit, which may do with a task what it likes: call it late, twice or never, throw, or forget it. */

import type { Limiter } from "./types.ts";

/**
 * Hands `run` to `limiter`. Calls `settled` once the limiter has settled, with its error if it has one. No promise is left
 * that could reject unhandled: how the task itself ends, the group knows without the limiter.
 */
export function submit(limiter: Limiter, run: () => Promise<unknown>, settled: (error: unknown) => void): void {
  const quiet = (): Promise<never> => {
    const ran = run() as Promise<never>;
    ran.catch(() => {});
    return ran;
  };
  (async () => limiter(quiet))().then(
    () => settled(new Error("Cannot go: the limiter has settled without running the task")),
    settled,
  );
}
