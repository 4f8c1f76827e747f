import { background, isCanceled, withCancel, withTimeout, type Context } from "@sluice/context";
import { describe, expect, it, vi } from "vitest";
import { pending, settle } from "../../../test/support.ts";
import { Group, type Task } from "../src/index.ts";
import { deferred, untilDone } from "./deferred.ts";

const nothing: Task = async () => {};

describe("new Group()", () => {
  it("derives its context from the parent", async () => {
    const parent = withCancel(background);
    const g = new Group(parent);
    expect(g.context.error).toBeUndefined();
    parent.cancel("why");
    expect(g.context.cause).toBe("why");
  });

  it("does not cancel its parent", async () => {
    const parent = withCancel(background);
    const g = new Group(parent);
    await g.go(() => Promise.reject(new Error("boom")));
    await g.wait().catch(() => {});
    expect(g.context.error).toBeDefined();
    expect(parent.error).toBeUndefined();
  });

  it("takes a bare AbortSignal as parent", async () => {
    const controller = new AbortController();
    const g = new Group(controller.signal);
    void g.go(untilDone);
    controller.abort("why");
    await expect(g.wait()).rejects.toBe("why");
  });

  it("needs no parent", async () => {
    const g = new Group();
    expect(await g.go(nothing)).toBe(true);
    await g.wait();
  });

  it("throws a TypeError for what cannot be a parent", () => {
    expect(() => new Group({} as Context)).toThrow(TypeError);
  });

  it("shows nothing of its insides", () => {
    expect(Object.keys(new Group())).toEqual([]);
    expect(JSON.stringify(new Group())).toBe("{}");
  });
});

describe("go()", () => {
  it("starts the task synchronously when there is room", async () => {
    const g = new Group();
    let started = false;
    const admitted = g.go(() => {
      started = true;
    });
    expect(started).toBe(true);
    expect(await admitted).toBe(true);
  });

  it("gives the task the context of the group", async () => {
    const g = new Group();
    let seen: Context | undefined;
    await g.go((ctx) => {
      seen = ctx;
    });
    expect(seen).toBe(g.context);
  });

  it("settles when the task was admitted, not when it has ended", async () => {
    const g = new Group();
    const task = deferred();
    expect(await g.go(() => task.promise)).toBe(true);
    expect(g.active).toBe(1);
    task.resolve();
    await g.wait();
  });

  it("treats a synchronous throw as a rejection", async () => {
    const g = new Group();
    const boom = new Error("boom");
    const admitted = g.go(() => {
      throw boom;
    });
    expect(g.context.cause).toBe(boom);
    expect(await admitted).toBe(true);
    await expect(g.wait()).rejects.toBe(boom);
  });

  it.for([5, undefined, null, "", { a: 1 }])(
    "counts the result %o, which is no promise, as success at once",
    async (result) => {
      const g = new Group();
      await g.go(() => result);
      expect(g.active).toBe(0);
      await g.wait();
    },
  );

  it("waits for a thenable of another library", async () => {
    const g = new Group();
    const task = deferred();
    await g.go(() => ({ then: (ok: () => void) => void task.promise.then(ok) }));
    const waiting = g.wait();
    expect(await pending(waiting)).toBe(true);
    task.resolve();
    await waiting;
  });

  it("takes the rejection of a thenable as a failure, and only its first settlement", async () => {
    const g = new Group();
    const twice = (ok: () => void, fail: (error: unknown) => void): void => {
      fail("first");
      fail("second");
      ok();
    };
    void g.go(() => ({ then: twice }));
    await expect(g.wait()).rejects.toBe("first");
    expect(g.errors).toEqual(["first"]);
    expect(g.active).toBe(0);
  });

  it("takes a `then` that throws when it is looked at as a failure", async () => {
    const g = new Group();
    const result = new Proxy(
      {},
      {
        get() {
          throw new Error("getter");
        },
      },
    );
    await g.go(() => result);
    await expect(g.wait()).rejects.toThrow("getter");
  });

  it("throws a TypeError for what is not a function", () => {
    const g = new Group();
    expect(() => g.go(Promise.resolve() as unknown as Task)).toThrow(TypeError);
    expect(() => g.tryGo(undefined as unknown as Task)).toThrow(TypeError);
  });

  it("does not run a task when the group is done, and resolves false", async () => {
    const task = vi.fn<Task>();
    const failed = new Group();
    void failed.go(() => Promise.reject(new Error("boom")));
    await settle();
    expect(await failed.go(task)).toBe(false);

    const canceled = new Group();
    canceled.cancel();
    expect(await canceled.go(task)).toBe(false);

    const orphan = new Group(AbortSignal.abort());
    expect(await orphan.go(task)).toBe(false);
    expect(orphan.tryGo(task)).toBe(false);
    expect(task).not.toHaveBeenCalled();
  });

  it("sees a deadline that has passed though its timer is late", async () => {
    vi.useFakeTimers();
    try {
      const ctx = withTimeout(background, 10);
      const g = new Group(ctx);
      vi.setSystemTime(Date.now() + 20);
      vi.spyOn(performance, "now").mockReturnValue(performance.now() + 20);
      expect(await g.go(nothing)).toBe(false);
    } finally {
      vi.restoreAllMocks();
      vi.useRealTimers();
    }
  });

  it("may be called by a running task; wait covers it", async () => {
    const g = new Group();
    const inner = deferred();
    await g.go(async (ctx) => {
      expect(ctx).toBe(g.context);
      await settle();
      await g.go(() => inner.promise);
    });
    const waiting = g.wait();
    expect(await pending(waiting)).toBe(true);
    inner.resolve();
    await waiting;
  });

  it("may be called while wait is pending; wait covers it", async () => {
    const g = new Group();
    const [first, second] = [deferred(), deferred()];
    void g.go(() => first.promise);
    const waiting = g.wait();
    void g.go(() => second.promise);
    first.resolve();
    expect(await pending(waiting)).toBe(true);
    second.resolve();
    await waiting;
  });

  it("throws after wait() has settled", async () => {
    const g = new Group();
    await g.wait();
    const task = vi.fn<Task>();
    expect(() => g.go(task)).toThrow("Cannot go: the group has ended");
    expect(() => g.tryGo(task)).toThrow("Cannot try go: the group has ended");
    expect(task).not.toHaveBeenCalled();

    const failed = new Group();
    void failed.go(() => Promise.reject(new Error("boom")));
    await failed.wait().catch(() => {});
    expect(() => failed.go(task)).toThrow("the group has ended");
  });

  it("gives false to a listener that the end of the group calls, and the outcome stays", async () => {
    const g = new Group();
    await g.go(nothing);
    let late: Promise<boolean> | undefined;
    g.context.signal.addEventListener("abort", () => void (late = g.go(nothing)));
    await g.wait();
    expect(await late).toBe(false);
    await g.wait();
  });
});

describe("wait()", () => {
  it("resolves once every task has succeeded", async () => {
    const g = new Group();
    const tasks = [deferred(), deferred()];
    for (const { promise } of tasks) void g.go(() => promise);
    const waiting = g.wait();
    tasks[1]?.resolve();
    expect(await pending(waiting)).toBe(true);
    tasks[0]?.resolve();
    expect(await waiting).toBeUndefined();
  });

  it("resolves for a group without tasks, which has then ended", async () => {
    const g = new Group();
    await g.wait();
    expect(isCanceled(g.context.error)).toBe(true);
    expect(() => g.go(nothing)).toThrow("the group has ended");
  });

  it("rejects with the first error itself, after every task has ended, async cleanup included", async () => {
    const g = new Group();
    const boom = new Error("boom");
    const cleanup = deferred();
    const log: string[] = [];
    void g.go(async (ctx) => {
      try {
        await untilDone(ctx);
      } finally {
        log.push("cleaning");
        await cleanup.promise;
        log.push("clean");
      }
    });
    void g.go(() => Promise.reject(boom));
    const waiting = g.wait();
    expect(await pending(waiting)).toBe(true);
    expect(log).toEqual(["cleaning"]);
    cleanup.resolve();
    await expect(waiting).rejects.toBe(boom);
    expect(log).toEqual(["cleaning", "clean"]);
  });

  it("waits for a task that ignores its context", async () => {
    const g = new Group();
    const stubborn = deferred();
    void g.go(() => stubborn.promise);
    void g.go(() => Promise.reject(new Error("boom")));
    const waiting = g.wait();
    expect(await pending(waiting)).toBe(true);
    stubborn.resolve();
    await expect(waiting).rejects.toThrow("boom");
  });

  it("gives the same outcome every time", async () => {
    const good = new Group();
    await good.go(nothing);
    expect([await good.wait(), await good.wait()]).toEqual([undefined, undefined]);

    const bad = new Group();
    const boom = new Error("boom");
    void bad.go(() => Promise.reject(boom));
    const both = await Promise.allSettled([bad.wait(), bad.wait()]);
    expect(both.map((one) => one.status === "rejected" && one.reason === boom)).toEqual([true, true]);
    await expect(bad.wait()).rejects.toBe(boom);
  });

  it.for(["", "ok", "doom", "doom ok"])(
    "leaves the context done by the time it settles; tasks: %s",
    async (outcomes) => {
      const g = new Group();
      const doom = new Error("doom");
      for (const outcome of outcomes.split(" ").filter(Boolean)) {
        void g.go(() => (outcome === "doom" ? Promise.reject(doom) : Promise.resolve()));
      }
      await g.wait().catch(() => {});
      expect(isCanceled(g.context.error)).toBe(true);
      expect(g.context.cause).toBe(outcomes.includes("doom") ? doom : g.context.error);
      expect(g.context.signal.aborted).toBe(true);
    },
  );

  it("resolves if all tasks succeed although the parent was canceled", async () => {
    const parent = withCancel(background);
    const g = new Group(parent);
    const task = deferred();
    void g.go(() => task.promise);
    parent.cancel(new Error("why"));
    task.resolve();
    expect(await g.wait()).toBeUndefined();
  });

  it("rejects with the cause if the parent was canceled and a task ended with that", async () => {
    const why = new Error("why");
    const parent = withCancel(background);
    const g = new Group(parent);
    void g.go(nothing);
    void g.go(untilDone);
    parent.cancel(why);
    await expect(g.wait()).rejects.toBe(why);
    expect(g.errors).toEqual([]);
  });

  it("rejects with the cause if a task was not even started because of it: its work is missing", async () => {
    const why = new Error("why");
    const parent = withCancel(background);
    const g = new Group(parent);
    await g.go(nothing);
    parent.cancel(why);
    await g.go(nothing);
    await expect(g.wait()).rejects.toBe(why);
    expect(g.errors).toEqual([]);
  });

  it("rejects with the first real failure, though others ended with the cancellation before", async () => {
    const parent = withCancel(background);
    const g = new Group(parent);
    const late = deferred();
    void g.go(untilDone);
    void g.go(() => late.promise);
    parent.cancel(new Error("why"));
    await settle();
    const boom = new Error("boom");
    late.reject(boom);
    await expect(g.wait()).rejects.toBe(boom);
    expect(g.errors).toEqual([boom]);
  });
});

describe("cancel()", () => {
  it("counts as a canceled parent", async () => {
    const why = new Error("why");
    const g = new Group();
    void g.go(untilDone);
    g.cancel(why);
    expect(g.context.cause).toBe(why);
    await expect(g.wait()).rejects.toBe(why);

    const calm = new Group();
    const task = deferred();
    void calm.go(() => task.promise);
    calm.cancel(why);
    task.resolve();
    await calm.wait();
  });

  it("does nothing after a failure", async () => {
    const g = new Group();
    const boom = new Error("boom");
    void g.go(() => Promise.reject(boom));
    await settle();
    g.cancel(new Error("late"));
    await expect(g.wait()).rejects.toBe(boom);
    expect(g.context.cause).toBe(boom);
  });
});

describe("a failure", () => {
  it("cancels the context with it as cause, so that siblings stop", async () => {
    const g = new Group();
    const boom = new Error("boom");
    const fails = deferred();
    let reason: unknown;
    void g.go(async (ctx) => {
      await untilDone(ctx).catch(() => {});
      reason = ctx.signal.reason;
    });
    void g.go(() => fails.promise);
    expect(g.context.error).toBeUndefined();
    fails.reject(boom);
    await settle();
    expect(g.context.cause).toBe(boom);
    expect(isCanceled(g.context.error)).toBe(true);
    expect(reason).toBe(boom);
    await expect(g.wait()).rejects.toBe(boom);
  });

  it.for([undefined, null, 0, "", false, Number.NaN, "text"])(
    "may be %o: wait() rejects with that very value",
    async (value) => {
      const g = new Group();
      let sibling = "runs";
      void g.go(async (ctx) => {
        await untilDone(ctx).catch(() => {});
        sibling = "stopped";
      });
      void g.go(() => Promise.reject(value));
      const [outcome] = await Promise.allSettled([g.wait()]);
      expect(outcome).toEqual({ status: "rejected", reason: value });
      expect(g.errors).toEqual([value]);
      expect(sibling).toBe("stopped");
    },
  );

  it("that comes later is kept in errors, in order of completion", async () => {
    const g = new Group();
    const tasks = [deferred(), deferred(), deferred()];
    const boom = tasks.map((_, i) => new Error(`boom ${i}`));
    for (const { promise } of tasks) void g.go(() => promise);
    for (const i of [2, 0, 1]) {
      tasks[i]?.reject(boom[i]);
      await settle();
    }
    await expect(g.wait()).rejects.toBe(boom[2]);
    expect(g.errors).toEqual([boom[2], boom[0], boom[1]]);
  });

  it("is recorded once, though a sibling throws the same object again", async () => {
    const g = new Group();
    const boom = new Error("boom");
    void g.go(() => Promise.reject(boom));
    void g.go(() => Promise.reject(boom));
    await expect(g.wait()).rejects.toBe(boom);
    expect(g.errors).toEqual([boom]);
  });

  it("needs nobody to wait for it", async () => {
    const g = new Group();
    void g.go(() => Promise.reject(new Error("boom")));
    void g.go(() => Promise.reject(new Error("boom too")));
    await settle(); // the test runner fails on an unhandled rejection
    expect(g.errors).toHaveLength(2);
  });
});

describe("the group's own cancellation", () => {
  const named = (name: string, more: object = {}): Error => Object.assign(new Error(name), { name }, more);

  async function errorsOf(thrown: (ctx: Context) => unknown, parentCause: unknown): Promise<readonly unknown[]> {
    const g = new Group();
    void g.go(async (ctx) => {
      await untilDone(ctx).catch(() => {});
      throw thrown(ctx);
    });
    g.cancel(parentCause);
    await g.wait().catch(() => {});
    return g.errors;
  }

  it.for<[string, (ctx: Context) => unknown]>([
    ["its cause", (ctx) => ctx.cause],
    ["its error", (ctx) => ctx.error],
    ["the reason of its signal", (ctx) => ctx.signal.reason],
    ["an AbortError whose cause is the cause", (ctx) => named("AbortError", { cause: ctx.cause })],
    ["an AbortError whose cause is its error", (ctx) => named("AbortError", { cause: ctx.error })],
    [
      "an error with the code ABORT_ERR whose cause is the cause",
      (ctx) => named("Error", { code: "ABORT_ERR", cause: ctx.cause }),
    ],
    ["a bare AbortError, which says only that the task obeyed", () => new DOMException("aborted", "AbortError")],
  ])("is no failure: %s", async ([, thrown]) => {
    expect(await errorsOf(thrown, new Error("why"))).toEqual([]);
    expect(await errorsOf(thrown, undefined)).toEqual([]);
    expect(await errorsOf(thrown, null)).toEqual([]);
  });

  it("is no failure: the error of a deadline that has passed with a cause of its own", async () => {
    vi.useFakeTimers();
    try {
      const why = new Error("too slow");
      const g = new Group(withTimeout(background, 10, { cause: why }));
      void g.go(async (ctx) => {
        await untilDone(ctx).catch(() => {});
        throw ctx.error;
      });
      vi.advanceTimersByTime(10);
      await expect(g.wait()).rejects.toBe(why);
      expect(g.errors).toEqual([]);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it.for<[string, unknown]>([
    ["an AbortError with another cause", named("AbortError", { cause: new Error("other") })],
    ["an error that merely has the cause", new Error("other", { cause: "why" })],
    ["a TimeoutError", named("TimeoutError")],
    ["undefined", undefined],
    ["null", null],
  ])("is not this, which is a failure: %s", async ([, thrown]) => {
    expect(await errorsOf(() => thrown, "why")).toEqual([thrown]);
  });

  it("cannot be thrown while the context is live: an AbortError is a failure then", async () => {
    const g = new Group();
    const abort = new DOMException("aborted", "AbortError");
    void g.go(() => Promise.reject(abort));
    await expect(g.wait()).rejects.toBe(abort);
    expect(g.errors).toEqual([abort]);
  });
});
