// Hazards of JavaScript: failures nobody waits for, falsy ones, tasks that are not async, `using`, and listeners that call
// back into what calls them, with all three packages at once.
import { channel, type Channel, ChannelClosedError, select, sending } from "@sluice/channels";
import {
  afterDone,
  background,
  type CancelableContext,
  type Context,
  isCanceled,
  sleep,
  withCancel,
  withTimeout,
} from "@sluice/context";
import { afterEach, assert, describe, expect, it, vi } from "vitest";
import { listening, tracked } from "../../../context/test/conformance/foreign.ts";
import { macro, pending, settle } from "../../../../test/support.ts";
import { all, any, forEach, Group, group, map, race } from "../../src/index.ts";
import { deferred } from "../deferred.ts";

afterEach(() => void vi.useRealTimers());

type Outcome = { readonly value: unknown } | { readonly rejected: unknown };

/** How `promise` has ended. An object, because one may be rejected with undefined. */
async function outcome(promise: PromiseLike<unknown>): Promise<Outcome> {
  return await promise.then(
    (value) => ({ value }),
    (rejected: unknown) => ({ rejected }),
  );
}

describe("P-165 a group whose tasks fail before anybody waits", () => {
  const e1 = new Error("e1");
  const e2 = new Error("e2");

  it("P-165 wait comes three turns later: it rejects with the error, and nothing went unhandled", async () => {
    const g = new Group();
    expect(await g.go(() => Promise.reject(e1))).toBe(true);
    for (let turn = 0; turn < 3; turn++) await macro();
    expect(await outcome(g.wait())).toEqual({ rejected: e1 });
  });

  it("P-165 two fail, and wait is called twice: both reject with the first", async () => {
    const g = new Group();
    void g.go(() => Promise.reject(e1));
    void g.go(() => Promise.reject(e2));
    for (let turn = 0; turn < 3; turn++) await macro();
    expect([await outcome(g.wait()), await outcome(g.wait())]).toEqual([{ rejected: e1 }, { rejected: e1 }]);
    expect(g.errors).toEqual([e1, e2]);
  });

  it("P-165 wait is never called: silence, and the error is in errors", async () => {
    const g = new Group();
    void g.go(() => Promise.reject(e1));
    g.tryGo(() => {
      throw e2;
    });
    for (let turn = 0; turn < 3; turn++) await macro();
    expect(g.errors).toEqual([e2, e1]);
    expect(g.context.cause).toBe(e2);
  });
});

describe("P-167 what a listener may do in the midst of a cancellation", { timeout: 20_000 }, () => {
  interface World {
    readonly parent: CancelableContext;
    readonly ctx: CancelableContext;
    readonly ch: Channel<string>;
    readonly g: Group;
    /** What the listeners did to the channel: values that somebody is said to have taken, or that were taken. */
    offered: number;
    taken: number;
    readonly born: Context[];
    readonly refused: Promise<unknown>[];
    readonly sends: Promise<unknown>[];
    readonly late: Promise<unknown>[];
    wrong: string[];
  }

  const actions: Record<string, (world: World) => void> = {
    "cancel it again": ({ ctx }) => ctx.cancel("again"),
    "cancel its parent": ({ parent }) => parent.cancel("parent"),
    "derive from it": ({ ctx, born }) =>
      void born.push(withCancel(ctx), withTimeout(ctx, 60_000), withCancel(ctx.signal)),
    "register a callback and stop it": ({ ctx, wrong }) => {
      if (!afterDone(ctx, () => wrong.push("a stopped callback ran"))()) wrong.push("stop was too late");
    },
    "send on the channel without waiting": (world) => {
      if (world.ch.trySend("tried")) world.offered++;
    },
    "receive from the channel without waiting": (world) => {
      const result = world.ch.tryReceive();
      if (result?.done === false) world.taken++;
    },
    "send on the channel": (world) => {
      world.offered++;
      world.sends.push(
        world.ch.send("sent").catch((error: unknown) => {
          if (error instanceof ChannelClosedError) world.offered--;
          else world.wrong.push(`a send failed: ${error as string}`);
        }),
      );
    },
    "close the channel": ({ ch }) => void ch.close(),
    "start a task": ({ g, refused, wrong }) => {
      refused.push(g.go(() => wrong.push("a task ran")));
      if (g.tryGo(() => wrong.push("a task ran"))) wrong.push("tryGo took it");
    },
    "wait with it": ({ ctx, ch, late }) => {
      late.push(
        outcome(ch.receive(ctx)),
        outcome(ch.send("late", ctx)),
        outcome(select({ ch, sent: sending(ch, "late") }, ctx)),
        outcome(select({ stop: ctx.signal }).then(({ value }) => Promise.reject(value))),
        outcome(sleep(60_000, ctx)),
        outcome(sleep(60_000, { signal: ctx.signal })),
      );
    },
  };
  const names = Object.keys(actions);
  const programs: [string, string[]][] = [
    ...names.map((name): [string, string[]] => [name, [name]]),
    ["all of it", names],
    ["all of it, the other way round", names.toReversed()],
  ];

  /** Somebody who waits for the channel and for the end of the context; gives what it has got. */
  const waiters: Record<string, (ch: Channel<string>, ctx: Context) => Promise<string>> = {
    "select with the signal as a case": async (ch, ctx) => {
      const picked = await select({ ch, stop: ctx.signal });
      return picked.case === "stop" ? `canceled: ${picked.value as string}` : picked.done ? "done" : "value";
    },
    "select with the signal as a case and a send": async (ch, ctx) => {
      const picked = await select({ sent: sending(ch, "mine"), stop: ctx.signal });
      return picked.case === "stop" ? `canceled: ${picked.value as string}` : "gave";
    },
    "select with the context as option": async (ch, ctx) => {
      const { done } = await select([ch], ctx);
      return done ? "done" : "value";
    },
    "a receive": async (ch, ctx) => ((await ch.receive(ctx)).done ? "done" : "value"),
    "a send": async (ch, ctx) => {
      await ch.send("mine", ctx);
      return "gave";
    },
  };

  /** Where the listener stands: it comes before or after whoever waits, or above them. */
  const places = ["before", "after", "parent", "callback", "child"] as const;

  it.for(programs)(
    "P-167 %s: once each, nobody throws, who waits gets exactly one thing, nothing is lost",
    async ([, program]) => {
      const results: Record<string, number> = {};
      for (const place of places) {
        for (const [name, wait] of Object.entries(waiters)) {
          const root = tracked();
          const parent = withCancel(root.signal);
          const ctx = withCancel(parent);
          const child = withCancel(ctx);
          const world: World = {
            parent,
            ctx,
            ch: channel<string>(),
            g: new Group(ctx),
            offered: 0,
            taken: 0,
            born: [],
            refused: [],
            sends: [],
            late: [],
            wrong: [],
          };
          let calls = 0;
          let others = 0;
          const listener = () => {
            calls++;
            for (const action of program) actions[action]?.(world);
          };
          if (place === "before") ctx.signal.addEventListener("abort", listener);
          if (place === "parent") parent.signal.addEventListener("abort", listener);
          let settled = 0;
          const waiting = wait(world.ch, ctx)
            .catch((error: unknown) => {
              if (error instanceof ChannelClosedError) return "closed";
              return `canceled: ${error as string}`;
            })
            .finally(() => settled++);
          if (place === "after") ctx.signal.addEventListener("abort", listener);
          if (place === "callback") afterDone(ctx, listener);
          if (place === "child") child.signal.addEventListener("abort", listener);
          ctx.signal.addEventListener("abort", () => others++);
          await settle();
          assert.equal(settled, 0);

          const cancel = () => (place === "parent" ? parent : ctx).cancel("why");
          assert.doesNotThrow(cancel);
          const where = `${name}, listener ${place}`;
          assert.deepEqual([calls, others], [1, 1], where);
          const got = await waiting;
          results[got] = (results[got] ?? 0) + 1;
          await Promise.all([...world.refused, ...world.late]);
          await settle();
          assert.deepEqual([settled, world.wrong], [1, []], where);
          // Whoever waited in front of the listener is canceled; others may have been served before their turn came.
          if (place === "after" || place === "callback" || place === "child") assert.equal(got, "canceled: why", where);
          else assert.include(["canceled: why", "value", "gave", "done", "closed"], got, where);

          // Every value went to one, or is there still.
          let left = 0;
          while (world.ch.tryReceive()?.done === false) left++;
          await Promise.all(world.sends);
          const received = got === "value" ? 1 : 0;
          const given = got === "gave" ? 1 : 0;
          assert.equal(world.offered + given, received + world.taken + left, where);

          for (const newborn of world.born)
            assert.deepEqual([newborn.cause, newborn.signal.aborted], ["why", true], where);
          for (const refused of world.refused) assert.isFalse(await refused, where);
          for (const late of world.late) assert.deepEqual(await late, { rejected: "why" }, where);
          assert.deepEqual([ctx.cause, child.cause, ctx.signal.reason], ["why", "why", "why"], where);
          const parentCause = program.includes("cancel its parent") ? "parent" : undefined;
          assert.equal(parent.cause, place === "parent" ? "why" : parentCause, where);
          const wanted = world.refused.length > 0 ? { rejected: "why" } : { value: undefined };
          assert.deepEqual(await outcome(world.g.wait()), wanted, where);
          assert.equal(world.g.active, 0);
          parent.cancel();
          await macro();
          assert.equal(root.listeners(), 0, where);
        }
      }
      const total = Object.values(results).reduce((sum, count) => sum + count, 0);
      expect(total).toBe(places.length * Object.keys(waiters).length);
      expect(results["canceled: why"]).toBeGreaterThanOrEqual(3 * Object.keys(waiters).length);
    },
  );

  it("P-167 tasks, a group's line and its context all end with a cancellation from one of their own listeners", async () => {
    const root = tracked();
    const parent = withCancel(root.signal);
    const g = new Group(parent, { limit: 2 });
    const events: string[] = [];
    const admitted = ["a", "b", "c", "d"].map((name) =>
      g.go(async (ctx) => {
        ctx.signal.addEventListener("abort", () => {
          events.push(name);
          parent.cancel("again");
          g.cancel("again");
        });
        await sleep(Infinity, ctx);
      }),
    );
    const wait = outcome(g.wait());
    g.context.signal.addEventListener("abort", () => {
      events.push("group");
      parent.cancel("from the group");
    });
    parent.cancel("why");
    expect(await Promise.all(admitted)).toEqual([true, true, false, false]);
    expect(await wait).toEqual({ rejected: "why" });
    expect(events).toEqual(["a", "b", "group"]);
    await macro();
    expect([root.listeners(), g.active, g.errors]).toEqual([0, 0, []]);
  });
});

describe("P-173 (errgroup) many on one parent", () => {
  it("P-173 (errgroup) 200 groups, receives, sends and selects with one context are one listener on each signal", async () => {
    const root = tracked();
    const parent = withCancel(root.signal);
    const on = listening(parent.signal);
    const ch = channel<number>();
    const groups = Array.from({ length: 200 }, () => new Group(parent, { limit: 1 }));
    const waits: Promise<unknown>[] = [];
    for (const g of groups) {
      for (let i = 0; i < 3; i++) void g.go((ctx) => sleep(Infinity, ctx));
      waits.push(g.wait());
      waits.push(
        ch.receive(parent),
        select([ch], parent),
        select({ stop: parent.signal }).then(({ value }) => Promise.reject(value)),
      );
    }
    await settle();
    expect([root.listeners(), on.listeners()]).toEqual([1, 1]);
    parent.cancel("why");
    const outcomes = await Promise.all(waits.map(outcome));
    expect(new Set(outcomes.map((end) => JSON.stringify(end)))).toEqual(new Set(['{"rejected":"why"}']));
    await macro();
    expect([root.listeners(), on.listeners()]).toEqual([0, 0]);
  });
});

describe("P-177 using", () => {
  it("P-177 leaving the scope cancels what runs, and waits for it", async () => {
    const root = tracked();
    const steps: string[] = [];
    await (async () => {
      await using g = new Group(root.signal, { limit: 1 });
      void g.go(async (ctx) => {
        await sleep(Infinity, ctx).catch(() => {});
        await macro();
        steps.push("cleaned up");
      });
      void g.go(() => steps.push("never runs"));
      await settle();
      steps.push("leaving");
    })();
    steps.push("left");
    expect(steps).toEqual(["leaving", "cleaned up", "left"]);
    expect(root.listeners()).toBe(0);
  });

  const [boom, failure] = [new Error("boom"), new Error("failure")];

  it("P-177 a throw inside and a task that fails: a SuppressedError tells both", async () => {
    const end = await outcome(
      (async () => {
        await using g = new Group();
        await g.go(() => Promise.reject(failure));
        await settle();
        throw boom;
      })(),
    );
    const { name, error, suppressed } = (end as { rejected: SuppressedError }).rejected;
    expect([name, error, suppressed]).toEqual(["SuppressedError", failure, boom]);
  });

  it("P-177 a throw inside and tasks that obey: the throw alone; likewise what wait has thrown", async () => {
    const obeying = async () => {
      await using g = new Group();
      void g.go((ctx) => sleep(Infinity, ctx));
      throw boom;
    };
    const waiting = async () => {
      await using g = new Group();
      void g.go(() => Promise.reject(failure));
      await g.wait();
    };
    expect([await outcome(obeying()), await outcome(waiting())]).toEqual([{ rejected: boom }, { rejected: failure }]);
  });

  it("P-177 a failure that nobody waited for comes out of the scope", async () => {
    const end = await outcome(
      (async () => {
        await using g = new Group();
        await g.go(() => Promise.reject(failure));
        await settle();
      })(),
    );
    expect(end).toEqual({ rejected: failure });
  });

  it("P-177 a channel, a context and a group in one scope end from the inside out", async () => {
    const order: string[] = [];
    let seen: Channel<number> | undefined;
    await (async () => {
      using ctx = withCancel(background);
      using ch = channel<number>();
      seen = ch;
      afterDone(ctx, () => order.push(`context, channel closed: ${ch.closed}`));
      await using g = new Group(ctx);
      void g.go(async (inner) => {
        await ch.receive(inner).catch(() => order.push(`task, context live: ${ctx.error === undefined}, ${ch.closed}`));
      });
      await settle();
    })();
    expect(order).toEqual(["task, context live: true, false", "context, channel closed: true"]);
    expect(seen?.closed).toBe(true);
  });
});

describe("P-178 tasks that are not async functions", () => {
  it("P-178 a task that throws at once does not make go throw: wait rejects with it", async () => {
    const error = new Error("sync");
    const g = new Group();
    let going: Promise<boolean> | undefined;
    expect(() => {
      going = g.go(() => {
        throw error;
      });
    }).not.toThrow();
    expect(await going).toBe(true);
    expect(await outcome(g.wait())).toEqual({ rejected: error });
    const tried = new Group();
    expect(
      tried.tryGo(() => {
        throw error;
      }),
    ).toBe(true);
    expect(await outcome(tried.wait())).toEqual({ rejected: error });
  });

  it("P-178 one that waited in line and throws at once does not disturb whoever made room", async () => {
    const error = new Error("sync");
    const g = new Group(background, { limit: 1 });
    const task = deferred();
    void g.go(() => task.promise);
    const going = g.go(() => {
      throw error;
    });
    task.resolve();
    expect([await going, await outcome(g.wait())]).toEqual([true, { rejected: error }]);
  });

  it.for([
    ["a number", () => 5],
    ["undefined", () => undefined],
    ["an async function", async () => {}],
    ["false", () => false],
    ["an error that is returned", () => new Error("returned")],
    ["an object whose then is no function", () => ({ then: 5 })],
    ["a foreign thenable", () => ({ then: (resolve: (value: number) => void) => void setTimeout(resolve, 1, 5) })],
    ["a thenable that resolves at once", () => ({ then: (resolve: () => void) => resolve() })],
    [
      "a function with a then",
      () => Object.assign(() => {}, { then: (resolve: () => void) => queueMicrotask(() => resolve()) }),
    ],
    [
      "a thenable that does all it must not",
      () => ({
        then(resolve: () => void, reject: (error: unknown) => void) {
          resolve();
          resolve();
          reject(new Error("too late"));
          throw new Error("too late");
        },
      }),
    ],
  ] as [string, () => unknown][])("P-178 success is %s", async ([, task]) => {
    const g = new Group();
    expect(await g.go(task)).toBe(true);
    expect(await outcome(g.wait())).toEqual({ value: undefined });
    expect([g.active, g.errors]).toEqual([0, []]);
  });

  it.for([
    ["a thenable that rejects", () => ({ then: (_: unknown, reject: (error: unknown) => void) => reject("no") })],
    [
      "a thenable that throws",
      () => ({
        then() {
          throw "no";
        },
      }),
    ],
    [
      "a getter of then that throws",
      () =>
        Object.defineProperty({}, "then", {
          get() {
            throw "no";
          },
        }),
    ],
    [
      "a thenable that resolves with a promise that rejects",
      () => ({ then: (resolve: (value: unknown) => void) => resolve(Promise.reject("no")) }),
    ],
  ] as [string, () => unknown][])("P-178 a failure is %s", async ([, task]) => {
    const g = new Group();
    expect(await g.go(task)).toBe(true);
    expect(await outcome(g.wait())).toEqual({ rejected: "no" });
    expect([g.active, g.errors, g.context.cause]).toEqual([0, ["no"], "no"]);
  });

  it("P-178 a task starts within go where there is room, and otherwise in a turn of its own", async () => {
    const g = new Group(background, { limit: 1 });
    const steps: string[] = [];
    const task = deferred();
    void g.go(() => {
      steps.push("first");
      return task.promise;
    });
    steps.push("after go");
    void g.go(() => steps.push("second"));
    steps.push("after go");
    task.resolve();
    steps.push("resolved");
    await g.wait();
    expect(steps).toEqual(["first", "after go", "after go", "resolved", "second"]);
  });
});

describe("P-179 (errgroup) failures that are falsy", () => {
  const falsy = [undefined, null, 0, "", false, Number.NaN, -0, 0n];

  it.for(falsy.map((value) => ({ value })))(
    "P-179 (errgroup) $value is a failure like any other: wait rejects with it, the context is done",
    async ({ value }) => {
      for (const task of [
        () => Promise.reject(value),
        () => {
          throw value;
        },
      ]) {
        const g = new Group();
        let siblingEnded = false;
        void g.go(async (ctx) => {
          await sleep(Infinity, ctx).finally(() => {
            siblingEnded = true;
          });
        });
        void g.go(task);
        expect(await outcome(g.wait())).toEqual({ rejected: value });
        expect(await outcome(g.wait())).toEqual({ rejected: value });
        // The sibling ended with the cause. That is an echo, if it is equal to itself: NaN is not, and stands there twice.
        expect([siblingEnded, new Set(g.errors)]).toEqual([true, new Set([value])]);
        // As the cause of a cancellation undefined is none.
        expect(g.context.cause).toBe(value === undefined ? g.context.error : value);
        expect(isCanceled(g.context.error)).toBe(true);
      }
    },
  );

  it.for(falsy)("P-179 (errgroup) %s comes through group, all, any, race, map and forEach", async (value) => {
    const fail = () => Promise.reject(value);
    const forms: Record<string, () => PromiseLike<unknown>> = {
      "group's task": () => group(background, (g) => void g.go(fail)),
      "group's body": () => group(background, fail),
      all: () => all(background, [fail, () => 1]),
      race: () => race(background, [fail, (ctx) => sleep(Infinity, ctx)]),
      map: () => map(background, [1], fail, { limit: 1 }).next(),
      "map's source": () =>
        map(
          background,
          (async function* () {
            yield* [];
            throw value;
          })(),
          () => 1,
          { limit: 1 },
        ).next(),
      forEach: () => forEach(background, [1, 2, 3], fail, { limit: 2 }),
    };
    for (const [name, form] of Object.entries(forms)) {
      expect(await outcome(form()), name).toEqual({ rejected: value });
    }
    const { rejected } = (await outcome(any(background, [fail, fail]))) as { rejected: AggregateError };
    expect(rejected).toBeInstanceOf(AggregateError);
    expect(rejected.errors).toEqual([value, value]);
  });

  it.for(falsy)("P-179 (errgroup) success with %s is one, too", async (value) => {
    expect(await all(background, [() => value, async () => value])).toEqual([value, value]);
    expect(await any(background, [() => Promise.reject(new Error("no")), () => value])).toBe(value);
    expect(await race(background, [async () => value])).toBe(value);
    expect(await group(background, () => value)).toBe(value);
    expect(await map(background, [value], (same) => same, { limit: 1 }).next()).toEqual({ done: false, value });
  });

  it.for([null, 0, "", false])(
    "P-179 (errgroup) a parent canceled with %s: tasks that obey, and wait gives it",
    async (cause) => {
      const parent = withCancel(background);
      const g = new Group(parent);
      void g.go((ctx) => sleep(Infinity, ctx));
      parent.cancel(cause);
      expect(await outcome(g.wait())).toEqual({ rejected: cause });
      expect(g.errors).toEqual([]);
    },
  );
});

describe("P-180 tasks that wait in line when the first fails", () => {
  it("P-180 are dropped: go resolves with false, wait gives the first error (in Go, they run)", async () => {
    vi.useFakeTimers();
    const root = tracked();
    const first = new Error("first");
    const g = new Group(root.signal, { limit: 1 });
    const ran: number[] = [];
    const admitted: Promise<boolean>[] = [];
    admitted.push(
      g.go(async () => {
        await sleep(5);
        throw first;
      }),
    );
    for (let i = 1; i <= 10; i++) {
      admitted.push(
        g.go((ctx) => {
          ran.push(i);
          assert.isDefined(ctx.error);
        }),
      );
    }
    const wait = outcome(g.wait());
    await vi.advanceTimersByTimeAsync(4);
    expect([g.active, ran, await pending(wait)]).toEqual([1, [], true]);
    await vi.advanceTimersByTimeAsync(1);
    expect(await wait).toEqual({ rejected: first });
    expect(await Promise.all(admitted)).toEqual([true, ...new Array(10).fill(false)]);
    expect([ran, g.errors, g.active]).toEqual([[], [first], 0]);
    expect([root.listeners(), vi.getTimerCount()]).toEqual([0, 0]);
  });

  it("P-180 so are those behind one that was admitted and fails; those before it have run", async () => {
    vi.useFakeTimers();
    const g = new Group(background, { limit: 1 });
    const ran: number[] = [];
    const admitted = Array.from({ length: 11 }, (_, i) =>
      g.go(async () => {
        ran.push(i);
        await sleep(5);
        if (i === 3) throw new Error("third");
      }),
    );
    const wait = outcome(g.wait());
    await vi.advanceTimersByTimeAsync(20);
    expect(String(((await wait) as { rejected: unknown }).rejected)).toBe("Error: third");
    expect(ran).toEqual([0, 1, 2, 3]);
    expect(await Promise.all(admitted)).toEqual(Array.from({ length: 11 }, (_, i) => i <= 3));
  });

  it("P-180 so are those that were admitted in the turn of the failure but have not begun", async () => {
    const g = new Group(background, { limit: 2 });
    const [one, two] = [deferred(), deferred()];
    void g.go(() => one.promise);
    void g.go(() => two.promise);
    const ran: string[] = [];
    const third = g.go(() => ran.push("third"));
    const fourth = g.go(() => ran.push("fourth"));
    one.resolve();
    two.reject("failed");
    expect(await outcome(g.wait())).toEqual({ rejected: "failed" });
    expect([await third, await fourth, ran]).toEqual([false, false, []]);
  });
});

describe("P-187 (errgroup) what a group looks like in JSON", () => {
  it("P-187 (errgroup) is empty, whatever it runs, and nothing happens by it", async () => {
    const g = new Group(background, { limit: 1 });
    const task = deferred();
    const admitted = Array.from({ length: 10_000 }, () => g.go(() => task.promise));
    expect(JSON.stringify(g)).toBe("{}");
    expect(JSON.stringify({ g, ctx: g.context })).toBe('{"g":{},"ctx":"Context <live>"}');
    expect(g.active).toBe(1);
    g.cancel();
    task.resolve();
    expect((await Promise.all(admitted)).filter((ran) => ran)).toHaveLength(1);
    const results = map(background, [1, 2, 3], (n) => n, { limit: 2 });
    expect(JSON.stringify(results)).toBe("{}");
    expect(await results.next()).toEqual({ done: false, value: 1 });
    await results.return?.();
  });
});
