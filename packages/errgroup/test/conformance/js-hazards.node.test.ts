// Hazards of JavaScript that need something of Node: async context, the list of listeners, `util.inspect`.
import { AsyncLocalStorage } from "node:async_hooks";
import { getEventListeners } from "node:events";
import { format, inspect } from "node:util";
import { channel, select, sending } from "@sluice/channels";
import { afterDone, background, sleep, withCancel, withTimeout } from "@sluice/context";
import { afterEach, describe, expect, it, vi } from "vitest";
import { macro, settle } from "../../../../test/support.ts";
import { forEach, Group, group, map } from "../../src/index.ts";
import { deferred } from "../deferred.ts";

afterEach(() => void vi.useRealTimers());

describe("P-185 (errgroup) async context", () => {
  const store = new AsyncLocalStorage<string>();

  it("P-185 (errgroup) tasks see that of their own go: with room, from the line, and after their waits on channels", async () => {
    const g = new Group(background, { limit: 1 });
    const [to, from] = [channel<string>(), channel<string>()];
    const seen: Record<string, (string | undefined)[]> = {};
    for (const name of ["a", "b", "c"]) {
      store.run(name, () => {
        void g.go(async (ctx) => {
          const stores = [store.getStore()];
          await to.send(name, ctx);
          stores.push(store.getStore());
          await from.receive(ctx);
          stores.push(store.getStore());
          await select({ sent: sending(to, name), stop: ctx.signal });
          stores.push(store.getStore());
          await sleep(1, ctx);
          stores.push(store.getStore());
          seen[name] = stores;
        });
      });
    }
    await store.run("partner", async () => {
      for (let i = 0; i < 3; i++) {
        await to.receive();
        await from.send("back");
        expect(store.getStore()).toBe("partner");
        await to.receive();
        expect(store.getStore()).toBe("partner");
      }
    });
    await store.run("waiter", () => g.wait());
    expect(seen).toEqual(Object.fromEntries(["a", "b", "c"].map((name) => [name, new Array(5).fill(name)])));
  });

  it("P-185 (errgroup) whoever waits goes on in its own: for a task's slot, for the end, for a cancellation", async () => {
    const parent = withCancel(background);
    const g = new Group(parent, { limit: 1 });
    const task = deferred();
    void store.run("task", () => g.go(() => task.promise));
    const ends = {
      admitted: store.run("admitted", async () => [await g.go(() => {}), store.getStore()]),
      waited: store.run("waited", async () => [await g.wait().catch((error: unknown) => error), store.getStore()]),
      refused: store.run("refused", async () => [await g.go((ctx) => sleep(Infinity, ctx)), store.getStore()]),
      dropped: store.run("dropped", async () => [await g.go(() => {}), store.getStore()]),
    };
    await settle();
    store.run("resolver", () => task.resolve());
    await macro();
    store.run("canceler", () => parent.cancel("why"));
    expect(
      Object.fromEntries(await Promise.all(Object.entries(ends).map(async ([name, end]) => [name, await end]))),
    ).toEqual({
      admitted: [true, "admitted"],
      waited: ["why", "waited"],
      refused: [true, "refused"],
      dropped: [false, "dropped"],
    });
  });

  it("P-185 (errgroup) a callback on the group's context sees that of who registered it, not of the task that fails", async () => {
    const g = new Group();
    const seen: (string | undefined)[] = [];
    store.run("registrar", () => afterDone(g.context, () => seen.push(store.getStore())));
    store.run("failing", () => void g.go(() => Promise.reject(new Error("boom"))));
    await store.run("waiter", () => g.wait().catch(() => {}));
    expect(seen).toEqual(["registrar"]);
  });

  it("P-185 (errgroup) of group, map and forEach: that of the call, however slots come free", async () => {
    const seen = new Set<string>();
    const note = (place: string) => async () => {
      seen.add(`${place}: ${store.getStore()}`);
      await settle();
      seen.add(`${place}: ${store.getStore()}`);
    };
    const work = store.run("caller", () => [
      group(background, async (g) => {
        for (let i = 0; i < 3; i++) void g.go(note("group"));
        await note("body")();
      }),
      forEach(background, [1, 2, 3], note("forEach"), { limit: 1 }),
    ]);
    const results = store.run("caller", () => map(background, [1, 2, 3], note("map"), { limit: 1 }));
    await store.run("reader", async () => {
      for await (const _ of results) expect(store.getStore()).toBe("reader");
    });
    await Promise.all(work);
    expect(seen).toEqual(new Set(["group", "body", "forEach", "map"].map((place) => `${place}: caller`)));
  });
});

describe("P-187 (errgroup) what a group looks like when it is printed", () => {
  it("P-187 (errgroup) is short, whatever waits in its line, and starts nothing", async () => {
    vi.useFakeTimers();
    const { signal } = new AbortController();
    const g = new Group(withTimeout(signal, 60_000), { limit: 1 });
    const task = deferred();
    const admitted = Array.from({ length: 10_000 }, () => g.go(() => task.promise));
    const listeners = getEventListeners(signal, "abort").length;
    const timers = vi.getTimerCount();
    const everything = { depth: Infinity, showHidden: true, getters: true, showProxy: true } as const;
    for (const text of [
      inspect(g),
      inspect(g, everything),
      format("%o %O %j %s", g, g, g, g),
      inspect({ g, list: [g] }),
    ]) {
      expect(text.length).toBeLessThan(1_000);
      expect(text).toContain("Group");
    }
    const results = map(background, [1, 2, 3], (n) => n, { limit: 2 });
    expect(inspect(results, everything).length).toBeLessThan(1_000);
    expect([getEventListeners(signal, "abort").length, vi.getTimerCount()]).toEqual([listeners, timers]);
    expect(g.active).toBe(1);
    g.cancel();
    task.resolve();
    await Promise.all(admitted);
    expect([getEventListeners(signal, "abort").length, vi.getTimerCount()]).toEqual([0, 0]);
    expect(await results.next()).toEqual({ done: false, value: 1 });
    await results.return?.();
  });
});
