import { background, withCancel } from "@sluice/context";
import { describe, expect, it } from "vitest";
import { macro, settle } from "../../../test/support.ts";
import { forEach, Group, map } from "../src/index.ts";
import { deferred } from "./deferred.ts";

async function heapUsed(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await macro();
    globalThis.gc?.();
  }
  return process.memoryUsage().heapUsed;
}

/** By how many bytes the heap has grown after `work`, which runs once before to warm up. */
async function growth(work: () => Promise<void>): Promise<number> {
  await work();
  const before = await heapUsed();
  await work();
  return (await heapUsed()) - before;
}

function* endless(): Generator<number> {
  for (let i = 0; ; i++) yield i;
}

const kB = 1024;

describe("memory", { timeout: 30_000 }, () => {
  it("stays flat while one group runs 100,000 tasks at a limit", async () => {
    const g = new Group(background, { limit: 10 });
    const grown = await growth(async () => {
      for (let i = 0; i < 100_000; i++) await g.go(async () => await settle(1));
    });
    expect(grown).toBeLessThan(200 * kB);
    await g.wait();
  });

  it("stays flat while 20,000 groups come and go under one context, and under one signal", async () => {
    const parent = withCancel(background);
    const { signal } = new AbortController();
    const grown = await growth(async () => {
      for (let i = 0; i < 10_000; i++) {
        for (const above of [parent, signal]) {
          const g = new Group(above, { limit: 1 });
          void g.go(() => settle(1));
          void g.go((ctx) => ctx.signal.aborted);
          await g.wait();
        }
      }
    });
    expect(grown).toBeLessThan(200 * kB);
  });

  it("of a group that was dropped without wait() is freed", async () => {
    const parent = withCancel(background);
    const refs: WeakRef<Group>[] = [];
    await (async () => {
      for (let i = 0; i < 100; i++) {
        const g = new Group(parent, { limit: 1 });
        void g.go(() => settle());
        await g.go(() => settle()); // it has waited, so the group has watched its context
        refs.push(new WeakRef(g));
      }
      await settle();
    })();
    await heapUsed();
    expect(refs.filter((ref) => ref.deref() !== undefined)).toHaveLength(0);
    expect(parent.error).toBeUndefined();
  });

  it.for([true, false])("stays flat while an endless source is mapped; ordered: %s", async (ordered) => {
    const results = map(background, endless(), async (n) => ({ n }), { limit: 10, ordered });
    const grown = await growth(async () => {
      for (let i = 0; i < 50_000; i++) await results.next();
    });
    expect(grown).toBeLessThan(200 * kB);
    await results.return?.();
  });

  it("stays flat while forEach works on an endless source: results are not kept", async () => {
    const parent = withCancel(background);
    let seen = 0;
    let reached = deferred();
    const work = forEach(
      parent,
      endless(),
      async () => {
        if (++seen % 50_000 === 0) {
          reached.resolve();
          await macro();
        }
        return new Array(100).fill(seen);
      },
      { limit: 10 },
    ).catch(() => {});
    const grown = await growth(async () => {
      reached = deferred();
      await reached.promise;
    });
    expect(grown).toBeLessThan(500 * kB);
    parent.cancel();
    await work;
  });
});
