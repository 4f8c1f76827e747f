// What is left on the heap by short-lived contexts under a long-lived one: the classic leak of a server.
import { describe, expect, it } from "vitest";
import { macro } from "../../../../test/support.ts";
import { afterDone, background, type Context, sleep, withCancel, withSignal, withTimeout } from "../../src/index.ts";
import { tracked } from "./foreign.ts";

async function heapUsed(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await macro();
    globalThis.gc?.();
  }
  return process.memoryUsage().heapUsed;
}

/**
 * By how many bytes the heap has grown through `rounds` calls of `work`, since the first slice of them. In slices, because
 * the engine's tables of weak references grow with what was made between two collections, and keep that size.
 */
async function growth(rounds: number, work: (round: number) => void): Promise<number> {
  const slice = 5_000;
  let first: number | undefined;
  let last = 0;
  for (let round = 0; round < rounds; round++) {
    work(round);
    if ((round + 1) % slice > 0) continue;
    last = await heapUsed();
    first ??= last;
  }
  return last - (first ?? 0);
}

const kB = 1024;

/** Go's three. */
const three: ((parent: Context) => void)[] = [
  (parent) => {
    const child = withCancel(parent);
    void child.signal.aborted;
    child.cancel();
  },
  (parent) => {
    const child = withTimeout(parent, 3_600_000);
    void child.signal.aborted;
    child.cancel();
  },
  (parent) => void afterDone(parent, () => {})(),
];

const others: Record<string, (parent: Context) => void> = {
  "a child that was never canceled nor watched": (parent) => void withTimeout(withCancel(parent), 3_600_000),
  "a sleep that is interrupted": (parent) => {
    const child = withCancel(parent);
    sleep(3_600_000, child).catch(() => {});
    child.cancel();
  },
  "a context that follows it, and is canceled": (parent) => {
    const follower = withSignal(background, parent.signal);
    void follower.signal.aborted;
    follower.cancel();
  },
};

describe("P-106 TestCancelRemoves, 100,000 times", { timeout: 60_000 }, () => {
  for (const [of, makeParent] of [
    ["a context", () => withCancel(background)],
    ["a signal", () => ({ signal: tracked().signal }) as Context],
  ] as const) {
    it(`P-106 the heap stays flat under ${of}: children, timeouts and callbacks, one after the other`, async () => {
      const parent = makeParent();
      const grown = await growth(100_000, (round) => three[round % 3]?.(parent));
      expect(grown).toBeLessThan(300 * kB);
      expect(parent.signal.aborted).toBe(false);
    });

    it.for(Object.entries(others))(`P-106 the heap stays flat under ${of}: %s`, async ([, once]) => {
      const parent = makeParent();
      const grown = await growth(20_000, () => once(parent));
      expect(grown).toBeLessThan(300 * kB);
      expect(parent.signal.aborted).toBe(false);
    });
  }
});
