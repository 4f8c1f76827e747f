import { background, withCancel } from "@sluice/context";
import pLimit from "p-limit";
import PQueue from "p-queue";
import { describe, expect, it, vi } from "vitest";
import { pending, settle } from "../../../test/support.ts";
import { Group, type Limiter, type Task } from "../src/index.ts";
import { deferred, untilDone } from "./deferred.ts";

/** A limiter that runs what it got when the test says so. */
function manual(): { limiter: Limiter; run: (() => Promise<unknown>)[]; end: (error?: unknown) => void } {
  const run: (() => Promise<unknown>)[] = [];
  const settled = deferred<never>();
  const limiter: Limiter = (task) => {
    run.push(task);
    return settled.promise;
  };
  return {
    limiter,
    run,
    end: (error) => (error === undefined ? settled.resolve(undefined as never) : settled.reject(error)),
  };
}

const libraries: [string, () => Limiter][] = [
  ["p-limit", () => pLimit(3)],
  [
    "p-queue",
    () => {
      const queue = new PQueue({ concurrency: 3 });
      return (task) => queue.add(task);
    },
  ],
];

describe.for(libraries)("a function as limit: %s", ([, create]) => {
  it("runs every task, and holds the limit", async () => {
    const g = new Group(background, { limit: create() });
    let most = 0;
    let ran = 0;
    for (let i = 0; i < 30; i++) {
      void g.go(async () => {
        most = Math.max(most, g.active);
        await settle();
        ran++;
      });
    }
    await g.wait();
    expect(ran).toBe(30);
    expect(most).toBe(3);
  });

  it("shares one limit among several groups", async () => {
    const limit = create();
    const groups = [new Group(background, { limit }), new Group(background, { limit })];
    let running = 0;
    let most = 0;
    for (const g of groups) {
      for (let i = 0; i < 6; i++) {
        void g.go(async () => {
          most = Math.max(most, ++running);
          await settle();
          running--;
        });
      }
    }
    await Promise.all(groups.map((g) => g.wait()));
    expect(most).toBe(3);
  });

  it("refuses at once what waits in the library's queue when the group is done, and leaves that usable", async () => {
    const limit = create();
    const g = new Group(background, { limit });
    const boom = new Error("boom");
    const fails = deferred();
    const task = vi.fn<Task>();
    const running = [g.go(untilDone), g.go(untilDone), g.go(() => fails.promise)];
    const waiting = [g.go(task), g.go(task)];
    expect(await Promise.all(running)).toEqual([true, true, true]);
    fails.reject(boom);
    expect(await Promise.all(waiting)).toEqual([false, false]);
    await expect(g.wait()).rejects.toBe(boom);
    expect(task).not.toHaveBeenCalled();
    expect(g.errors).toEqual([boom]);

    expect(await limit(async () => "still works")).toBe("still works");
    expect(task).not.toHaveBeenCalled();
  });
});

describe("a function as limit", () => {
  it("starts a task when it calls it, and go() resolves then", async () => {
    const { limiter, run } = manual();
    const g = new Group(background, { limit: limiter });
    const task = vi.fn<Task>();
    const admitted = g.go(task);
    expect(await pending(admitted)).toBe(true);
    expect(g.active).toBe(0);
    void run[0]?.();
    expect(g.active).toBe(1);
    expect(await admitted).toBe(true);
    expect(task).toHaveBeenCalledExactlyOnceWith(g.context);
    await g.wait();
  });

  it("may start tasks in any order; wait() covers those that it holds back", async () => {
    const { limiter, run } = manual();
    const g = new Group(background, { limit: limiter });
    const order: string[] = [];
    for (const name of ["a", "b", "c"]) void g.go(() => void order.push(name));
    const waiting = g.wait();
    await run[1]?.();
    await run[2]?.();
    expect(await pending(waiting)).toBe(true);
    await run[0]?.();
    await waiting;
    expect(order).toEqual(["b", "c", "a"]);
  });

  it("gets the outcome of the task", async () => {
    const { limiter, run } = manual();
    const g = new Group(background, { limit: limiter });
    const boom = new Error("boom");
    void g.go(async () => "value");
    void g.go(() => {
      throw boom;
    });
    expect(await run[0]?.()).toBe("value");
    await expect(run[1]?.()).rejects.toBe(boom);
    await expect(g.wait()).rejects.toBe(boom);
  });

  it("holds its slot until the task has ended", async () => {
    const { limiter, run } = manual();
    const g = new Group(background, { limit: limiter });
    const task = deferred();
    void g.go(() => task.promise);
    const slot = run[0]?.() as Promise<unknown>;
    expect(await pending(slot)).toBe(true);
    task.resolve();
    await slot;
    await g.wait();
  });

  it("runs a task once, however often it calls it", async () => {
    const { limiter, run } = manual();
    const g = new Group(background, { limit: limiter });
    const task = vi.fn<Task>(async () => "value");
    void g.go(task);
    expect(await Promise.all([run[0]?.(), run[0]?.()])).toEqual(["value", "value"]);
    await g.wait();
    expect(await run[0]?.()).toBe("value");
    expect(task).toHaveBeenCalledTimes(1);
  });

  it("need not care how a task ends", async () => {
    const careless: Limiter = (task) => {
      void task();
      return new Promise(() => {});
    };
    const g = new Group(background, { limit: careless });
    const boom = new Error("boom");
    void g.go(() => Promise.reject(boom));
    await expect(g.wait()).rejects.toBe(boom); // and no unhandled rejection, which would fail the run
  });

  it("cannot start a task any more once the group is done", async () => {
    const { limiter, run } = manual();
    const parent = withCancel(background);
    const g = new Group(parent, { limit: limiter });
    const task = vi.fn<Task>();
    const admitted = g.go(task);
    parent.cancel();
    expect(await admitted).toBe(false);
    expect(await run[0]?.()).toBeUndefined();
    await expect(g.wait()).rejects.toBe(parent.cause);
    expect(await run[0]?.()).toBeUndefined();
    expect(task).not.toHaveBeenCalled();
  });

  it("sees a task refused that it called in the same turn in which the group was done", async () => {
    const { limiter, run } = manual();
    const g = new Group(background, { limit: limiter });
    const task = vi.fn<Task>();
    const admitted = g.go(task);
    const slot = run[0]?.();
    g.cancel();
    expect(await admitted).toBe(false);
    expect(await slot).toBeUndefined();
    expect(task).not.toHaveBeenCalled();
    expect(g.active).toBe(0);
  });

  it("is not asked once the group is done", async () => {
    const asked = vi.fn<(task: unknown) => void>();
    const limiter: Limiter = (task) => {
      asked(task);
      return task();
    };
    const g = new Group(AbortSignal.abort(), { limit: limiter });
    expect(await g.go(() => {})).toBe(false);
    expect(asked).not.toHaveBeenCalled();
  });

  it.for<[string, Limiter]>([
    [
      "throws",
      () => {
        throw new Error("queue is full");
      },
    ],
    ["rejects", () => Promise.reject(new Error("queue is full"))],
  ])("that %s without running a task is that task's failure", async ([, limiter]) => {
    const g = new Group(background, { limit: limiter });
    const task = vi.fn<Task>();
    expect(await g.go(task)).toBe(false);
    await expect(g.wait()).rejects.toThrow("queue is full");
    expect(task).not.toHaveBeenCalled();
    expect(g.errors).toHaveLength(1);
  });

  it("that resolves without running a task is that task's failure: nobody would ever run it", async () => {
    const { limiter, end } = manual();
    const g = new Group(background, { limit: limiter });
    const admitted = g.go(() => {});
    end();
    expect(await admitted).toBe(false);
    await expect(g.wait()).rejects.toThrow("Cannot go: the limiter has settled without running the task");
  });

  it("may give up a task that it has started: the group waits for the task itself", async () => {
    const { limiter, run, end } = manual();
    const g = new Group(background, { limit: limiter });
    const task = deferred();
    void g.go(() => task.promise);
    void run[0]?.();
    end(new Error("timed out")); // as p-queue does with its `timeout`
    const waiting = g.wait();
    expect(await pending(waiting)).toBe(true);
    task.resolve();
    await waiting;
    expect(g.errors).toEqual([]);
  });

  it("makes tryGo() a TypeError: it cannot know", () => {
    const g = new Group(background, { limit: pLimit(1) });
    expect(() => g.tryGo(() => {})).toThrow(TypeError);
  });

  it("is replaced by setLimit()", async () => {
    const asked = vi.fn<(task: unknown) => void>();
    const limiter: Limiter = (task) => {
      asked(task);
      return task();
    };
    const g = new Group(background, { limit: limiter });
    g.setLimit(1);
    expect([g.tryGo(untilDone), g.tryGo(untilDone)]).toEqual([true, false]);
    expect(asked).not.toHaveBeenCalled();
    g.cancel();
    await g.wait().catch(() => {});
  });
});
