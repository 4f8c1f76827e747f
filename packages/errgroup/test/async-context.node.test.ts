import { AsyncLocalStorage } from "node:async_hooks";
import { background, withCancel } from "@sluice/context";
import PQueue from "p-queue";
import { describe, expect, it } from "vitest";
import { settle } from "../../../test/support.ts";
import { all, forEach, Group, map } from "../src/index.ts";
import { deferred } from "./deferred.ts";

const store = new AsyncLocalStorage<string>();

describe("async context", () => {
  it("of a task is that of its go(), with room and without: not that of the task that made room", async () => {
    const g = new Group(background, { limit: 1 });
    const seen: (string | undefined)[] = [];
    for (const name of ["a", "b", "c"]) {
      store.run(name, () => {
        void g.go(async () => {
          seen.push(store.getStore());
          await settle();
          seen.push(store.getStore());
        });
      });
    }
    await store.run("waiter", () => g.wait());
    expect(seen).toEqual(["a", "a", "b", "b", "c", "c"]);
  });

  it("of a task is that of its go(), though a function as limit starts it from elsewhere", async () => {
    const queue = new PQueue({ concurrency: 1 });
    const g = new Group(background, { limit: (task) => queue.add(task) });
    const seen: (string | undefined)[] = [];
    for (const name of ["a", "b", "c"]) {
      store.run(name, () => {
        void g.go(async () => {
          await settle();
          seen.push(store.getStore());
        });
      });
    }
    await g.wait();
    expect(seen).toEqual(["a", "b", "c"]);
  });

  it("after an awaited go() is the caller's, though others let it go on", async () => {
    const parent = withCancel(background);
    const g = new Group(parent, { limit: 1 });
    const task = deferred();
    await g.go(() => task.promise);
    const caller = store.run("caller", async () => {
      const admitted = await g.go(() => {});
      return [admitted, store.getStore()];
    });
    store.run("canceler", () => parent.cancel());
    expect(await caller).toEqual([false, "caller"]);
    task.resolve();
    await g.wait().catch(() => {});
  });

  it("of every task of all() is that of the call", async () => {
    const task = async (): Promise<string | undefined> => {
      await settle();
      return store.getStore();
    };
    expect(await store.run("caller", () => all(background, [task, task], { limit: 1 }))).toEqual(["caller", "caller"]);
  });

  it.for([true, false])(
    "of the callback of map is that of the call of map, whoever asks; ordered: %s",
    async (ordered) => {
      const seen: (string | undefined)[] = [];
      const pulls: (string | undefined)[] = [];
      async function* source(): AsyncGenerator<number> {
        for (let i = 0; i < 5; i++) {
          pulls.push(store.getStore());
          yield i;
        }
      }
      const results = store.run("map", () =>
        map(
          background,
          source(),
          async () => {
            seen.push(store.getStore());
            await settle();
            seen.push(store.getStore());
          },
          { limit: 2, ordered },
        ),
      );
      await store.run("reader", async () => {
        for await (const _ of results) expect(store.getStore()).toBe("reader");
      });
      expect(new Set(seen)).toEqual(new Set(["map"]));
      expect(new Set(pulls)).toEqual(new Set(["map"]));
      expect(seen).toHaveLength(10);
    },
  );

  it("of the callback of forEach is that of the call", async () => {
    const seen = new Set<string | undefined>();
    await store.run("caller", () =>
      forEach(background, [1, 2, 3], () => settle().then(() => seen.add(store.getStore())), { limit: 1 }),
    );
    expect(seen).toEqual(new Set(["caller"]));
  });
});
