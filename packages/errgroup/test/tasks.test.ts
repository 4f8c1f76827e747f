import { background, isCanceled, withCancel, type CancelableContext, type Parent } from "@sluice/context";
import { describe, expect, it, vi } from "vitest";
import { pending, settle } from "../../../test/support.ts";
import { all, any, group, race, type Group, type Task } from "../src/index.ts";
import { deferred, untilDone } from "./deferred.ts";

const boom = new Error("boom");
const why = new Error("why");

function canceled(): CancelableContext {
  const ctx = withCancel(background);
  ctx.cancel(why);
  return ctx;
}

describe("group()", () => {
  it("resolves with what the body gives, once every task has ended", async () => {
    const task = deferred();
    const result = group(background, async (g) => {
      await g.go(() => task.promise);
      return "value";
    });
    expect(await pending(result)).toBe(true);
    task.resolve();
    expect(await result).toBe("value");
  });

  it("takes a body that is not async", async () => {
    expect(await group(background, () => 5)).toBe(5);
  });

  it("calls the body synchronously, with a group under the parent", async () => {
    const parent = withCancel(background);
    let g: Group | undefined;
    const result = group(parent, (inner) => {
      g = inner;
    });
    expect(g?.context.error).toBeUndefined();
    parent.cancel(why);
    expect(g?.context.cause).toBe(why);
    await result;
  });

  it("passes the options on", async () => {
    await group(
      background,
      (g) => {
        expect([g.tryGo(() => settle()), g.tryGo(() => settle())]).toEqual([true, false]);
      },
      { limit: 1 },
    );
  });

  it("rejects with a task's error, after all have ended", async () => {
    const log: string[] = [];
    const result = group(background, async (g) => {
      void g.go(async (ctx) => {
        await untilDone(ctx).catch(() => {});
        await settle();
        log.push("sibling ended");
      });
      await g.go(() => Promise.reject(boom));
      return "value";
    });
    await expect(result).rejects.toBe(boom);
    expect(log).toEqual(["sibling ended"]);
  });

  it.for<[string, (error: unknown) => never | Promise<never>]>([
    [
      "throws",
      (error) => {
        throw error;
      },
    ],
    ["rejects", (error) => Promise.reject(error)],
  ])("whose body %s cancels with that error, waits, and rejects with it", async ([, fails]) => {
    const log: unknown[] = [];
    let errors: readonly unknown[] = [];
    const result = group(background, (g) => {
      errors = g.errors;
      void g.go(async (ctx) => {
        await untilDone(ctx).catch((cause: unknown) => log.push(cause));
        await settle();
        log.push("task ended");
      });
      return fails(boom);
    });
    await expect(result).rejects.toBe(boom);
    expect(log).toEqual([boom, "task ended"]);
    expect(errors).toEqual([boom]);
  });

  it("counts its body as one more task: the first real failure wins, the others are kept", async () => {
    let errors: readonly unknown[] = [];
    const later = new Error("later");
    const result = group(background, async (g) => {
      errors = g.errors;
      await g.go(() => Promise.reject(boom));
      await settle();
      throw later;
    });
    await expect(result).rejects.toBe(boom);
    expect(errors).toEqual([boom, later]);
  });

  it("rejects with the first failure if the body ends with the cancellation that it caused", async () => {
    let errors: readonly unknown[] = [];
    const result = group(background, async (g) => {
      errors = g.errors;
      void g.go(() => settle().then(() => Promise.reject(boom)));
      await untilDone(g.context);
    });
    await expect(result).rejects.toBe(boom);
    expect(errors).toEqual([boom]);
  });

  it("rejects with the cause if the body ends with the cancellation of the parent", async () => {
    const parent = withCancel(background);
    const result = group(parent, (g) => untilDone(g.context));
    parent.cancel(why);
    await expect(result).rejects.toBe(why);
  });

  it("rejects with the cause if tasks were not started because the parent is done", async () => {
    const task = vi.fn<Task>();
    const result = group(canceled(), async (g) => {
      expect(await g.go(task)).toBe(false);
      return "half of the work";
    });
    await expect(result).rejects.toBe(why);
    expect(task).not.toHaveBeenCalled();
  });

  it("lets the body wait for its group, and still rejects with what the body throws then", async () => {
    const log: string[] = [];
    const result = group(background, async (g) => {
      void g.go(() => settle().then(() => log.push("task ended")));
      await g.wait();
      log.push("waited");
      throw boom;
    });
    await expect(result).rejects.toBe(boom);
    expect(log).toEqual(["task ended", "waited"]);
  });

  it("takes no slot for its body", async () => {
    const result = group(
      background,
      async (g) => {
        await g.go(() => settle());
        await g.go(() => settle());
        return "value";
      },
      { limit: 1 },
    );
    expect(await result).toBe("value");
  });

  it("cannot be used after it has left", async () => {
    let leaked: Group | undefined;
    await group(background, (g) => {
      leaked = g;
    });
    expect(() => leaked?.go(() => {})).toThrow("the group has ended");
  });
});

describe("all()", () => {
  it("gives the results of a record under the same names, in the order of the record", async () => {
    const slow = deferred<number>();
    const result = all(background, { slow: () => slow.promise, fast: async () => "fast", plain: () => true });
    await settle();
    slow.resolve(1);
    const results = await result;
    expect(results).toEqual({ slow: 1, fast: "fast", plain: true });
    expect(Object.keys(results)).toEqual(["slow", "fast", "plain"]);
  });

  it("gives the results of a list in the same places", async () => {
    const slow = deferred<number>();
    const result = all(background, [() => slow.promise, async () => "fast", () => true]);
    await settle();
    slow.resolve(1);
    expect(await result).toEqual([1, "fast", true]);
  });

  it("takes names like any other that mean something to objects", async () => {
    const tasks = Object.fromEntries(
      ["__proto__", "constructor", "toString", "then"].map((name) => [name, () => name]),
    );
    const results = await all(background, { hasOwnProperty: () => 1, ...Object.fromEntries([["__proto__", () => 2]]) });
    expect(Object.entries(results)).toEqual([
      ["hasOwnProperty", 1],
      ["__proto__", 2],
    ]);
    expect(Object.getPrototypeOf(results)).toBe(Object.prototype);
    const { then, ...rest } = tasks;
    expect(then?.()).toBe("then");
    expect(Object.entries(await all(background, rest))).toEqual([
      ["__proto__", "__proto__"],
      ["constructor", "constructor"],
      ["toString", "toString"],
    ]);
  });

  it("runs what was there at the call", async () => {
    const tasks: Task[] = [() => 1, () => 2];
    const result = all(background, tasks);
    tasks.length = 0;
    expect(await result).toEqual([1, 2]);
  });

  it("cancels the siblings at the first error, waits for them, and rejects with it", async () => {
    const log: unknown[] = [];
    const result = all(background, {
      a: async (ctx) => {
        await untilDone(ctx).catch((cause: unknown) => log.push(cause));
        await settle();
        log.push("sibling ended");
      },
      b: () => Promise.reject(boom),
    });
    await expect(result).rejects.toBe(boom);
    expect(log).toEqual([boom, "sibling ended"]);
  });

  it("runs at most as many as the limit allows", async () => {
    let [running, most] = [0, 0];
    const task = async (): Promise<void> => {
      most = Math.max(most, ++running);
      await settle();
      running--;
    };
    await all(
      background,
      Array.from({ length: 10 }, () => task),
      { limit: 3 },
    );
    expect(most).toBe(3);
  });

  it("rejects with the cause if the parent is canceled before all have their result", async () => {
    const parent = withCancel(background);
    const task = deferred();
    const notStarted = vi.fn<Task>();
    const result = all(parent, [() => task.promise, notStarted], { limit: 1 });
    parent.cancel(why);
    task.resolve();
    await expect(result).rejects.toBe(why);
    expect(notStarted).not.toHaveBeenCalled();
  });

  it("resolves at once if there are none", async () => {
    expect(await all(background, {})).toEqual({});
    expect(await all(background, [])).toEqual([]);
  });
});

describe("any()", () => {
  it("resolves with the first success; the others are canceled and waited for", async () => {
    const log: string[] = [];
    const cleanup = deferred();
    const result = any(background, [
      async (ctx) => {
        await untilDone(ctx).catch(() => {});
        await cleanup.promise;
        log.push("loser ended");
        return "late";
      },
      () => Promise.reject(boom),
      async () => "first",
    ]);
    expect(await pending(result)).toBe(true);
    cleanup.resolve();
    expect(await result).toBe("first");
    expect(log).toEqual(["loser ended"]);
  });

  it("takes undefined for a success", async () => {
    expect(await any(background, [() => Promise.reject(boom), () => undefined])).toBeUndefined();
  });

  it("ignores what fails after the first success", async () => {
    const result = any(background, [(ctx) => untilDone(ctx).catch(() => Promise.reject(boom)), async () => "first"]);
    expect(await result).toBe("first");
  });

  it("rejects with an AggregateError if all fail, its errors in the order of the tasks", async () => {
    const gates = [deferred(), deferred(), deferred()];
    const result = any(
      background,
      gates.map(({ promise }, i) => async () => {
        await promise;
        throw new Error(`boom ${i}`);
      }),
    );
    const outcome = result.catch((error: unknown) => error);
    for (const i of [2, 0, 1]) {
      gates[i]?.resolve();
      await settle();
    }
    const error = (await outcome) as AggregateError;
    expect(error).toBeInstanceOf(AggregateError);
    expect(error.errors.map(({ message }: Error) => message)).toEqual(["boom 0", "boom 1", "boom 2"]);
  });

  it("rejects with an AggregateError if there are none", async () => {
    const error = await any(background, []).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(AggregateError);
    expect((error as AggregateError).errors).toEqual([]);
  });

  it("takes a failure of AbortError for a failure while nothing was canceled", async () => {
    const abort = new DOMException("aborted", "AbortError");
    const error = await any(background, [() => Promise.reject(abort)]).catch((e: unknown) => e);
    expect((error as AggregateError).errors).toEqual([abort]);
  });

  it("rejects with the cause if the parent is canceled before one succeeds", async () => {
    const parent = withCancel(background);
    const result = any(parent, [untilDone, () => Promise.reject(boom)]);
    await settle();
    parent.cancel(why);
    await expect(result).rejects.toBe(why);
  });

  it("resolves with a task that succeeds although the parent was canceled", async () => {
    const parent = withCancel(background);
    const task = deferred<string>();
    const result = any(parent, [untilDone, () => task.promise]);
    parent.cancel(why);
    task.resolve("in spite of all");
    expect(await result).toBe("in spite of all");
  });

  it("tries one after the other at limit 1, and starts none after a success", async () => {
    const last = vi.fn<Task>();
    expect(await any(background, [() => Promise.reject(boom), async () => "second", last], { limit: 1 })).toBe(
      "second",
    );
    expect(last).not.toHaveBeenCalled();
  });
});

describe("race()", () => {
  it("resolves as the first that settles; the others are canceled and waited for", async () => {
    const cleanup = deferred();
    const log: string[] = [];
    const result = race(background, [
      async (ctx) => {
        await untilDone(ctx).catch(() => {});
        await cleanup.promise;
        log.push("loser ended");
        throw boom;
      },
      async () => "first",
    ]);
    expect(await pending(result)).toBe(true);
    cleanup.resolve();
    expect(await result).toBe("first");
    expect(log).toEqual(["loser ended"]);
  });

  it("rejects as the first that settles; the others are canceled and waited for", async () => {
    const cleanup = deferred();
    const result = race(background, [
      async (ctx) => {
        await untilDone(ctx).catch(() => {});
        await cleanup.promise;
        return "late";
      },
      () => Promise.reject(boom),
    ]);
    expect(await pending(result)).toBe(true);
    cleanup.resolve();
    await expect(result).rejects.toBe(boom);
  });

  it.for([undefined, null, 0])("takes %o for a result and for an error", async (value) => {
    expect(await race(background, [() => value, untilDone])).toBe(value);
    await expect(race(background, [() => Promise.reject(value), untilDone])).rejects.toBe(value);
  });

  it("rejects with the cause if the cancellation of the parent comes first", async () => {
    const parent = withCancel(background);
    const task = deferred<string>();
    const result = race(parent, [untilDone, () => task.promise]);
    parent.cancel(why);
    await settle();
    task.resolve("too late");
    await expect(result).rejects.toBe(why);
  });

  it("is a RangeError if there are none", () => {
    expect(() => race(background, [])).toThrow(RangeError);
    expect(() => race(canceled(), [])).toThrow(RangeError);
  });

  it("starts none after one has settled", async () => {
    const last = vi.fn<Task>();
    expect(await race(background, [async () => "first", last], { limit: 1 })).toBe("first");
    await expect(race(background, [() => Promise.reject(boom), last], { limit: 1 })).rejects.toBe(boom);
    expect(last).not.toHaveBeenCalled();
  });
});

describe.for<[string, (ctx: Parent, tasks: readonly Task[]) => Promise<unknown>]>([
  ["all()", all],
  ["any()", any],
  ["race()", race],
])("%s", ([, run]) => {
  it("runs nothing under a parent that is done, and rejects with its cause", async () => {
    const task = vi.fn<Task>();
    await expect(run(canceled(), [task])).rejects.toBe(why);
    await expect(run(AbortSignal.abort(why), [task])).rejects.toBe(why);
    expect(task).not.toHaveBeenCalled();
  });

  it("throws a TypeError at the call for wrong tasks, and runs none", () => {
    const task = vi.fn<Task>();
    for (const wrong of [null, 5, [task, 5], new Array<Task>(2)]) {
      expect(() => run(background, wrong as Task[])).toThrow(TypeError);
    }
    expect(task).not.toHaveBeenCalled();
  });

  it("throws at the call for a wrong limit", () => {
    const task = vi.fn<Task>();
    const withOptions = run as (ctx: Parent, tasks: Task[], options: { limit: number }) => Promise<unknown>;
    expect(() => withOptions(background, [task], { limit: 0 })).toThrow(RangeError);
    expect(task).not.toHaveBeenCalled();
  });

  it("leaves its context done", async () => {
    let ctx: unknown;
    await run(background, [(inner) => void (ctx = inner)]);
    expect(isCanceled((ctx as CancelableContext).error)).toBe(true);
  });
});

describe("group() and all()", () => {
  it("throw a TypeError at the call for what is neither a body nor tasks", () => {
    expect(() => group(background, undefined as never)).toThrow(TypeError);
    expect(() => all(background, { a: 5 } as never)).toThrow(TypeError);
    expect(() => all(background, (() => {}) as never)).toThrow(TypeError);
  });

  it("of none reject with the cause of a parent that is done", async () => {
    await expect(all(canceled(), [])).rejects.toBe(why);
    await expect(any(canceled(), [])).rejects.toBe(why);
  });
});
