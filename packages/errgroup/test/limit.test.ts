import { background, withCancel } from "@sluice/context";
import { describe, expect, it, vi } from "vitest";
import { pending, settle } from "../../../test/support.ts";
import { Group, type Task } from "../src/index.ts";
import { deferred, untilDone } from "./deferred.ts";

const nothing: Task = async () => {};
const never: Task = () => new Promise<never>(() => {});

describe("limit", () => {
  // How many run at most, of 1,025 tasks at limit 10, when each go() is awaited and when none is.
  const kinds: [string, Task, number | undefined, number][] = [
    ["await once", nothing, undefined, 10],
    ["await often", () => settle(30), 10, 10],
    ["finish synchronously", () => undefined, 1, 1],
  ];

  it.for(kinds)("holds, and is used up, for tasks that %s", async ([, body, ...expected]) => {
    for (const awaited of [true, false]) {
      const g = new Group(background, { limit: 10 });
      let [running, most, ran] = [0, 0, 0];
      for (let i = 0; i < 1_025; i++) {
        const admitted = g.go((ctx) => {
          most = Math.max(most, ++running, g.active);
          ran++;
          const result = body(ctx) as Promise<void> | undefined;
          if (result === undefined) running--;
          return result?.finally(() => running--);
        });
        if (awaited) await admitted;
      }
      await g.wait();
      expect(ran).toBe(1_025);
      expect(most).toBe(expected[awaited ? 0 : 1] ?? most);
      expect(most).toBeLessThanOrEqual(10);
    }
  });

  it("holds for tasks that fail: the first failure keeps the waiting ones from starting", async () => {
    const g = new Group(background, { limit: 10 });
    let ran = 0;
    for (let i = 0; i < 1_025; i++) {
      void g.go(() => {
        ran++;
        return Promise.reject(new Error("boom"));
      });
    }
    await expect(g.wait()).rejects.toThrow("boom");
    expect(ran).toBe(10);
    expect(g.errors).toHaveLength(10);
  });

  it("is infinite by default, and by Infinity", async () => {
    for (const options of [undefined, {}, { limit: undefined }, { limit: Infinity }]) {
      const g = new Group(background, options);
      for (let i = 0; i < 1_000; i++) void g.go(never);
      expect(g.active).toBe(1_000);
    }
  });

  it.for([0, -1, 1.5, Number.NaN, -Infinity])("is a RangeError if it is %d", (limit) => {
    expect(() => new Group(background, { limit })).toThrow(RangeError);
    expect(() => new Group().setLimit(limit)).toThrow(RangeError);
  });

  it.for(["2", null, {}, 2n])("is a TypeError if it is %o", (limit) => {
    expect(() => new Group(background, { limit: limit as number })).toThrow(TypeError);
    expect(() => new Group().setLimit(limit as number)).toThrow(TypeError);
  });

  it("says what is wrong", () => {
    expect(() => new Group().setLimit(0)).toThrow("Cannot set limit: the limit 0 is not a positive integer");
  });
});

describe("go() at the limit", () => {
  it("does not settle until the task is admitted: awaiting it is back-pressure", async () => {
    const g = new Group(background, { limit: 1 });
    const first = deferred();
    await g.go(() => first.promise);
    let started = false;
    const second = g.go(() => {
      started = true;
    });
    expect(await pending(second)).toBe(true);
    expect(started).toBe(false);
    first.resolve();
    expect(await second).toBe(true);
    expect(started).toBe(true);
    await g.wait();
  });

  it("starts the waiting tasks first come, first served", async () => {
    const g = new Group(background, { limit: 2 });
    const order: number[] = [];
    for (let i = 0; i < 20; i++) {
      void g.go(async () => {
        order.push(i);
        await settle(i % 3);
      });
    }
    await g.wait();
    expect(order).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  it("gives a slot that frees to the first in line at once: nobody overtakes", async () => {
    const g = new Group(background, { limit: 1 });
    const order: string[] = [];
    const first = deferred();
    void g.go(() => first.promise);
    void g.go(() => void order.push("waited"));
    const observed = first.promise.then(() => {
      // Reactions run in order: the slot has just passed on, and its new task has not started yet.
      expect(g.active).toBe(1);
      expect(g.tryGo(() => void order.push("tried"))).toBe(false);
      void g.go(() => void order.push("came later"));
      expect(order).toEqual([]);
    });
    first.resolve();
    await observed;
    await g.wait();
    expect(order).toEqual(["waited", "came later"]);
  });

  it("frees a slot only when its task has ended, cleanup included", async () => {
    const g = new Group(background, { limit: 1 });
    const log: string[] = [];
    void g.go(async () => {
      try {
        await settle();
      } finally {
        await settle();
        log.push("first ended");
      }
    });
    await g.go(() => void log.push("second started"));
    expect(log).toEqual(["first ended", "second started"]);
    await g.wait();
  });

  it("counts in active what runs, not what waits for admission", async () => {
    const g = new Group(background, { limit: 2 });
    for (let i = 0; i < 5; i++) void g.go(never);
    expect(g.active).toBe(2);
    g.cancel();
    expect(g.active).toBe(2);
  });

  const ends: [string, (g: Group, parent: { cancel(): void }, fail: () => void) => void][] = [
    ["a task fails", (_g, _parent, fail) => fail()],
    ["the group is canceled", (g) => g.cancel()],
    ["the parent is canceled", (_g, parent) => parent.cancel()],
  ];

  it.for(ends)("leaves the queue at once and resolves false when %s", async ([, end]) => {
    const parent = withCancel(background);
    const g = new Group(parent, { limit: 2 });
    const failing = deferred();
    const stubborn = deferred();
    const task = vi.fn<Task>();
    void g.go(() => failing.promise);
    void g.go(() => stubborn.promise);
    const waiting = [g.go(task), g.go(task), g.go(task)];
    end(g, parent, () => failing.reject(new Error("boom")));
    expect(await Promise.all(waiting)).toEqual([false, false, false]);
    failing.resolve();
    const outcome = g.wait().catch(() => {});
    expect(await pending(outcome)).toBe(true);
    stubborn.resolve();
    await outcome;
    expect(task).not.toHaveBeenCalled();
    expect(g.active).toBe(0);
  });

  it("does not run a task whose group was done between its admission and its start; the slot passes on", async () => {
    const g = new Group(background, { limit: 1 });
    const first = deferred();
    const task = vi.fn<Task>();
    void g.go(() => first.promise);
    const second = g.go(task);
    const third = g.go(task);
    const canceled = first.promise.then(() => g.cancel());
    first.resolve();
    await canceled;
    expect(await Promise.all([second, third])).toEqual([false, false]);
    await g.wait().catch(() => {});
    expect(task).not.toHaveBeenCalled();
    expect(g.active).toBe(0);
  });

  it("runs further tasks after a synchronous throw in one that waited", async () => {
    const g = new Group(background, { limit: 1 });
    const first = deferred();
    const boom = new Error("boom");
    void g.go(() => first.promise);
    const second = g.go(() => {
      throw boom;
    });
    first.resolve();
    expect(await second).toBe(true);
    await expect(g.wait()).rejects.toBe(boom);
    expect(g.active).toBe(0);
  });

  it("deadlocks if a task waits for a task that it adds to its own group, as in Go", async () => {
    const g = new Group(background, { limit: 1 });
    let inner: boolean | undefined;
    const task = g.go(async () => {
      inner = await g.go(nothing);
    });
    await task;
    expect(await pending(g.wait())).toBe(true);
    g.cancel(); // a way out: the inner one is refused
    await g.wait().catch(() => {});
    expect(inner).toBe(false);
  });

  it("can be avoided in a task by tryGo, or by a group of its own", async () => {
    const g = new Group(background, { limit: 1 });
    const done: string[] = [];
    await g.go(async (ctx) => {
      if (!g.tryGo(() => void done.push("in the group"))) done.push("by itself");
      const own = new Group(ctx, { limit: 1 });
      await own.go(() => void done.push("in its own group"));
      await own.wait();
    });
    await g.wait();
    expect(done).toEqual(["by itself", "in its own group"]);
  });
});

describe("tryGo()", () => {
  it("runs the task if there is room, and never waits", async () => {
    const g = new Group(background, { limit: 42 });
    const tasks = deferred();
    for (let i = 0; i < 42; i++) expect(g.tryGo(() => tasks.promise)).toBe(true);
    expect(g.tryGo(nothing)).toBe(false);
    tasks.resolve();
    await settle();
    expect(g.tryGo(nothing)).toBe(true);
    await g.wait();
  });

  it("starts the task synchronously, with the group's context", () => {
    const g = new Group();
    const task = vi.fn<Task>();
    expect(g.tryGo(task)).toBe(true);
    expect(task).toHaveBeenCalledExactlyOnceWith(g.context);
  });

  it("does not throw what the task throws", async () => {
    const g = new Group();
    const boom = new Error("boom");
    const throws: Task = () => {
      throw boom;
    };
    expect(g.tryGo(throws)).toBe(true);
    expect(g.tryGo(throws)).toBe(false);
    await expect(g.wait()).rejects.toBe(boom);
  });

  it("refused leaves no trace in the outcome: its caller has seen it", async () => {
    const g = new Group();
    await g.go(nothing);
    g.cancel();
    expect(g.tryGo(nothing)).toBe(false);
    await g.wait();
  });
});

describe("setLimit()", () => {
  it("sets the limit for the tasks to come", async () => {
    const g = new Group();
    g.setLimit(1);
    const task = deferred();
    expect([g.tryGo(() => task.promise), g.tryGo(nothing)]).toEqual([true, false]);
    task.resolve();
    await settle();
    g.setLimit(Infinity);
    for (let i = 0; i < 100; i++) expect(g.tryGo(never)).toBe(true);
  });

  it("throws while tasks run or wait for admission", async () => {
    const g = new Group(background, { limit: 1 });
    const task = deferred();
    void g.go(() => task.promise);
    void g.go(nothing);
    void g.go(nothing);
    expect(() => g.setLimit(2)).toThrow("Cannot set limit: 3 tasks are active");
    task.resolve();
    await settle();
    g.setLimit(2);
    expect([g.tryGo(never), g.tryGo(never), g.tryGo(never)]).toEqual([true, true, false]);
  });
});

describe("a task that waits for admission", () => {
  it("hears of the cancellation though the context has no other listener", async () => {
    const parent = withCancel(background);
    const g = new Group(parent, { limit: 1 });
    void g.go(untilDone);
    const waiting = g.go(nothing);
    parent.cancel();
    expect(await waiting).toBe(false);
    await g.wait().catch(() => {});
  });
});

describe("stress", () => {
  it("admits 100,000 that wait, and refuses as many at once", { timeout: 20_000 }, async () => {
    for (const canceled of [false, true]) {
      const g = new Group(background, { limit: 1 });
      const first = deferred();
      void g.go(() => first.promise);
      let ran = 0;
      for (let i = 0; i < 100_000; i++) void g.go(() => void ran++);
      if (canceled) g.cancel();
      first.resolve();
      await g.wait().catch(() => {});
      expect(ran).toBe(canceled ? 0 : 100_000);
    }
  });
});
