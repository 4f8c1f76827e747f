// Follows the tests of golang.org/x/sync/errgroup. Two differences run through them: a group is used once, and once it is
// done, nothing more is started in it.
import { type Channel, channel } from "@sluice/channels";
import { afterDone, background, type Context, isCanceled, sleep, withCancel, withTimeout } from "@sluice/context";
import { afterEach, assert, describe, expect, it, vi } from "vitest";
import { placements, yields } from "../../../context/test/conformance/steps.ts";
import { macro, pending, settle } from "../../../../test/support.ts";
import { all, Group } from "../../src/index.ts";
import { deferred } from "../deferred.ts";

afterEach(() => void vi.useRealTimers());

const err1 = new Error("errgroup_test: 1");
const err2 = new Error("errgroup_test: 2");

/** Go's lists: what each task ends with; undefined is nil. */
const lists: [string, readonly (Error | undefined)[]][] = [
  ["none", []],
  ["nil", [undefined]],
  ["err1", [err1]],
  ["err1 nil", [err1, undefined]],
  ["err1 nil err2", [err1, undefined, err2]],
];

const ending = (error: Error | undefined) => async () => {
  if (error !== undefined) throw error;
};

/** What `promise` rejects with; undefined if it resolves. */
async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe("P-129 TestZeroGroup", () => {
  it.for(lists)(
    "P-129 wait gives the first error, and again, and nothing can be added (in Go, it can): %s",
    async ([, errors]) => {
      for (let count = 0; count <= errors.length; count++) {
        const g = new Group();
        const some = errors.slice(0, count);
        for (const [i, error] of some.entries()) {
          expect(await g.go(ending(error))).toBe(!some.slice(0, i).includes(err1));
        }
        const first = some.find((error) => error !== undefined);
        for (let again = 0; again < 3; again++) expect(await rejection(g.wait())).toBe(first);
        expect(() => g.go(ending(undefined))).toThrow("Cannot go: the group has ended");
        expect(() => g.tryGo(ending(undefined))).toThrow(Error);
        expect(await rejection(g.wait())).toBe(first);
        expect(g.active).toBe(0);
      }
    },
  );

  it.for(lists)(
    "P-129 a wait after each go covers those that follow, and all give the first error: %s",
    async ([, errors]) => {
      const g = new Group();
      const waits: Promise<unknown>[] = [];
      const admitted: Promise<boolean>[] = [];
      for (const error of errors) {
        admitted.push(g.go(ending(error)));
        waits.push(rejection(g.wait()));
      }
      waits.push(rejection(g.wait()));
      const first = errors.find((error) => error !== undefined);
      expect(await Promise.all(waits)).toEqual(new Array(errors.length + 1).fill(first));
      expect(new Set(await Promise.all(admitted))).toEqual(new Set(errors.length > 0 ? [true] : []));
      expect(g.errors).toEqual(errors.filter((error) => error !== undefined));
    },
  );

  it("P-129 the first that failed is the first, whichever was started first", async () => {
    for (const [one = 0, two = 0] of placements(2)) {
      const g = new Group();
      void g.go(async () => {
        await yields(one);
        throw err1;
      });
      void g.go(async () => {
        await yields(two);
        throw err2;
      });
      const first = one <= two ? err1 : err2;
      assert.strictEqual(await rejection(g.wait()), first);
      assert.deepEqual(g.errors, [first, first === err1 ? err2 : err1]);
    }
  });
});

describe("P-130 TestWithContext", () => {
  const doom = new Error("group_test: doomed");
  const table: [string, (Error | undefined)[], Error | undefined][] = [
    ["none", [], undefined],
    ["nil", [undefined], undefined],
    ["doom", [doom], doom],
    ["doom nil", [doom, undefined], doom],
  ];

  it.for(table)(
    "P-130 the group's context is done when wait settles, also when all went well: %s",
    async ([, errors, want]) => {
      const parent = withCancel(background);
      const g = new Group(parent);
      const contexts: Context[] = [g.context];
      for (const error of errors) {
        await g.go((ctx) => {
          contexts.push(ctx);
          return ending(error)();
        });
      }
      if (want === undefined) expect(g.context.error).toBeUndefined();
      let doneWhenSettled: boolean | undefined;
      const note = () => {
        doneWhenSettled = g.context.error !== undefined && g.context.signal.aborted;
      };
      await g.wait().then(note, (error: unknown) => {
        note();
        expect(error).toBe(want);
      });
      expect(doneWhenSettled).toBe(true);
      expect(isCanceled(g.context.error)).toBe(true);
      expect(new Set(contexts)).toEqual(new Set([g.context]));
      expect(parent.error).toBeUndefined();
    },
  );

  it.for(table)(
    "P-131 TestCancelCause: its cause is the first error, or that it was canceled: %s",
    async ([, errors, want]) => {
      const g = new Group(background);
      for (const error of errors) expect(g.tryGo(ending(error))).toBe(true);
      expect(await rejection(g.wait())).toBe(want);
      expect(g.context.cause).toBe(want ?? g.context.error);
      expect(g.context.signal.reason).toBe(g.context.cause);
      expect(isCanceled(g.context.error)).toBe(true);
    },
  );
});

describe("P-132 TestTryGo", () => {
  const N = 42;
  const drain = async (ch: Channel<number>, count: number) => {
    for (let i = 0; i < count; i++) expect(await ch.receive()).toEqual({ done: false, value: 1 });
  };

  it("P-132 at the limit of 42 the 43rd is refused, and taken when slots are free (without a wait between: a group is used once)", async () => {
    const g = new Group();
    const ch = channel<number>();
    const task = () => ch.send(1);
    g.setLimit(N);
    for (let i = 0; i < N; i++) assert.isTrue(g.tryGo(task));
    expect([g.tryGo(task), g.tryGo(task), g.active]).toEqual([false, false, N]);
    await drain(ch, N);
    await settle();
    expect(g.active).toBe(0);
    expect(g.tryGo(task)).toBe(true);
    await drain(ch, 1);
    await g.wait();
    expect(ch.tryReceive()).toBeUndefined();

    const one = new Group(background, { limit: N });
    one.setLimit(1);
    expect([one.tryGo(task), one.tryGo(task)]).toEqual([true, false]);
    await drain(ch, 1);
    await one.wait();
    expect(ch.tryReceive()).toBeUndefined();
  });

  it("P-132 a limit of 0 is a RangeError (in Go it refuses all)", () => {
    const g = new Group();
    expect(() => g.setLimit(0)).toThrow(RangeError);
    expect(() => new Group(background, { limit: 0 })).toThrow(RangeError);
    let ran = 0;
    for (let i = 0; i < 1_024; i++) assert.isTrue(g.tryGo(() => ran++));
    expect(ran).toBe(1_024);
  });

  it("P-132 a slot is free one microtask after the task has settled, not in the same turn", async () => {
    const g = new Group(background, { limit: 1 });
    const task = deferred();
    assert.isTrue(g.tryGo(() => task.promise));
    task.resolve();
    expect([g.tryGo(() => {}), g.active]).toEqual([false, 1]);
    await Promise.resolve();
    expect([g.active, g.tryGo(() => {})]).toEqual([0, true]);
    await g.wait();
  });

  it("P-132 with a wait pending the last slot that is free is the end: nothing gets in between", async () => {
    const g = new Group(background, { limit: 1 });
    const task = deferred();
    g.tryGo(() => task.promise);
    const wait = g.wait();
    task.resolve();
    expect(g.tryGo(() => {})).toBe(false);
    await Promise.resolve();
    expect(() => g.tryGo(() => {})).toThrow("the group has ended");
    await wait;
  });
});

describe("P-133 TestGoLimit", { timeout: 30_000 }, () => {
  const LIMIT = 10;
  const COUNT = 1_025;

  /** Tasks that note how many of them are active at the same time. */
  function counter() {
    const count = { active: 0, most: 0, ran: 0, order: [] as number[] };
    const enter = (i: number) => {
      count.order.push(i);
      count.ran++;
      count.most = Math.max(count.most, ++count.active);
      if (count.active > LIMIT) throw new Error(`saw ${count.active} active; want ≤ ${LIMIT}`);
    };
    const leave = () => void count.active--;
    return { count, enter, leave };
  }
  const inOrder = Array.from({ length: COUNT }, (_, i) => i);

  it.for(["awaited in a loop", "not awaited, all in one turn", "awaited together"])(
    "P-133 of 1,025 tasks 10 are active at the most, and 10 are; each runs once, in order: %s",
    async (how) => {
      const g = new Group(background, { limit: LIMIT });
      const { count, enter, leave } = counter();
      const admitted: Promise<boolean>[] = [];
      for (let i = 0; i < COUNT; i++) {
        const going = g.go(async () => {
          enter(i);
          assert.isAtMost(g.active, LIMIT);
          await yields(i % 7 === 0 ? -1 : 1 + (i % 3));
          leave();
        });
        admitted.push(going);
        if (how === "awaited in a loop") await going;
      }
      if (how === "not awaited, all in one turn") {
        expect([count.active, count.ran, g.active]).toEqual([LIMIT, LIMIT, LIMIT]);
      }
      if (how === "awaited together") await Promise.all(admitted);
      await g.wait();
      expect({ ...count, order: count.order.length }).toEqual({ active: 0, most: LIMIT, ran: COUNT, order: COUNT });
      expect(count.order).toEqual(inOrder);
      expect(new Set(await Promise.all(admitted))).toEqual(new Set([true]));
    },
  );

  it.for(["awaited in a loop", "not awaited, all in one turn"])(
    "P-133 of tasks that fail 10 run, and no other once the first has failed (in Go, all do): %s",
    async (how) => {
      const g = new Group(background, { limit: LIMIT });
      const { count, enter, leave } = counter();
      const admitted: Promise<boolean>[] = [];
      for (let i = 0; i < COUNT; i++) {
        const going = g.go(async () => {
          enter(i);
          await macro();
          leave();
          throw new Error(`${i}`);
        });
        admitted.push(going);
        if (how === "awaited in a loop") await going;
      }
      const error = await rejection(g.wait());
      expect(String(error)).toBe("Error: 0");
      expect(g.errors.map(String)).toEqual(inOrder.slice(0, LIMIT).map((i) => `Error: ${i}`));
      expect({ ...count, order: count.order }).toEqual({
        active: 0,
        most: LIMIT,
        ran: LIMIT,
        order: inOrder.slice(0, LIMIT),
      });
      expect(await Promise.all(admitted)).toEqual(inOrder.map((i) => i < LIMIT));
    },
  );

  it("P-133 tasks of which only the last fails all run, and give their slots free by failing as well", async () => {
    const g = new Group(background, { limit: LIMIT });
    const { count, enter, leave } = counter();
    for (let i = 0; i < COUNT; i++) {
      void g.go(async () => {
        enter(i);
        await yields(1);
        leave();
        if (i === COUNT - 1) throw err1;
      });
    }
    expect(await rejection(g.wait())).toBe(err1);
    expect([count.ran, count.most, g.errors.length]).toEqual([COUNT, LIMIT, 1]);
  });

  it.for(["awaited in a loop", "not awaited, all in one turn"])(
    "P-133 tasks that finish synchronously take turns in the last free slot, and then all slots: %s",
    async (how) => {
      const g = new Group(background, { limit: LIMIT });
      const { count, enter, leave } = counter();
      const held = Array.from({ length: LIMIT - 1 }, () => deferred());
      for (const { promise } of held) {
        void g.go(async () => {
          enter(-1);
          await promise;
          leave();
        });
      }
      for (let i = 0; i < COUNT; i++) {
        const going = g.go(() => {
          enter(i);
          leave();
        });
        if (how === "awaited in a loop") await going;
      }
      expect([count.most, count.active, count.ran]).toEqual([LIMIT, LIMIT - 1, COUNT + LIMIT - 1]);
      for (const { resolve } of held) resolve();
      await g.wait();
      expect([count.most, count.active]).toEqual([LIMIT, 0]);
      expect(count.order.slice(LIMIT - 1)).toEqual(inOrder);
    },
  );

  it("P-133 so do synchronous ones that waited in line, behind ten that are held", async () => {
    const g = new Group(background, { limit: LIMIT });
    const { count, enter, leave } = counter();
    const held = Array.from({ length: LIMIT }, () => deferred());
    for (const { promise } of held) void g.go(() => promise);
    const admitted = inOrder.map((i) =>
      g.go(() => {
        enter(i);
        leave();
      }),
    );
    await macro();
    expect([count.ran, g.active]).toEqual([0, LIMIT]);
    held[0]?.resolve();
    await macro();
    expect([count.ran, g.active]).toEqual([COUNT, LIMIT - 1]);
    for (const { resolve } of held) resolve();
    await g.wait();
    expect(count.order).toEqual(inOrder);
    expect(new Set(await Promise.all(admitted))).toEqual(new Set([true]));
  });
});

describe("P-134 SetLimit, its contract", () => {
  it("P-134 -1 and 0 are RangeErrors as NaN and fractions are (in Go, no limit, and for ever); Infinity is no limit", async () => {
    const g = new Group(background, { limit: 1 });
    for (const limit of [-1, 0, -0, -Infinity, 1.5, Number.NaN, 0.5]) {
      expect(() => g.setLimit(limit)).toThrow(RangeError);
      expect(() => new Group(background, { limit })).toThrow(RangeError);
    }
    for (const limit of ["1", null, {}]) expect(() => g.setLimit(limit as never)).toThrow(TypeError);
    const task = deferred();
    expect([g.tryGo(() => task.promise), g.tryGo(() => {})]).toEqual([true, false]); // the old one still holds
    task.resolve();
    await settle();
    g.setLimit(Infinity);
    for (let i = 0; i < 100; i++) assert.isTrue(g.tryGo(() => settle()));
    await g.wait();
  });

  it("P-134 while tasks are active it throws at the call and says how many; not before, nor afterwards", async () => {
    for (const N of [1, 3, 42]) {
      const g = new Group();
      g.setLimit(50);
      const task = deferred();
      for (let i = 0; i < N; i++) void g.go(() => task.promise);
      expect(() => g.setLimit(1)).toThrow(`Cannot set limit: ${N} tasks are active`);
      expect(g.active).toBe(N);
      assert.isTrue(g.tryGo(() => {})); // nothing has changed
      task.resolve();
      await settle();
      g.setLimit(1);
      await g.wait();
    }
  });

  it("P-134 those that wait in line count, too", async () => {
    const g = new Group(background, { limit: 2 });
    const task = deferred();
    for (let i = 0; i < 5; i++) void g.go(() => task.promise);
    expect(() => g.setLimit(9)).toThrow("5 tasks");
    task.resolve();
    await g.wait();
  });
});

describe("P-135 the first error cancels", () => {
  const e1 = new Error("e1");
  const e2 = new Error("e2");

  it("P-135 the context is done at the failure, and wait rejects with it when all have ended (the second is kept, not dropped)", async () => {
    vi.useFakeTimers();
    const parent = withCancel(background);
    const g = new Group(parent);
    const ended: string[] = [];
    void g.go(async (ctx) => {
      await sleep(Infinity, ctx).catch(() => {});
      assert.strictEqual(ctx.cause, e1);
      ended.push("A");
      throw ctx.error;
    });
    void g.go(async () => {
      await sleep(1);
      ended.push("B");
      throw e1;
    });
    void g.go(async () => {
      await sleep(5);
      ended.push("C");
      throw e2;
    });
    let doneAt: number | undefined;
    const started = Date.now();
    afterDone(g.context, () => {
      doneAt = Date.now() - started;
    });
    const wait = g.wait();
    await vi.advanceTimersByTimeAsync(0);
    expect([g.context.error, ended, g.active]).toEqual([undefined, [], 3]);
    await vi.advanceTimersByTimeAsync(1);
    expect([doneAt, ended, g.active]).toEqual([1, ["B", "A"], 1]);
    expect(await pending(wait)).toBe(true);
    await vi.advanceTimersByTimeAsync(4);
    expect(await rejection(wait)).toBe(e1);
    expect([doneAt, ended]).toEqual([1, ["B", "A", "C"]]);
    expect(g.errors).toEqual([e1, e2]); // A's was an echo
    expect([parent.error, vi.getTimerCount()]).toEqual([undefined, 0]);
  });

  it("P-135 it waits for the cleanup of those that were canceled, however long it takes", async () => {
    vi.useFakeTimers();
    const g = new Group();
    let cleaned = false;
    void g.go(async (ctx) => {
      try {
        await sleep(Infinity, ctx);
      } finally {
        await sleep(1_000);
        cleaned = true;
      }
    });
    void g.go(() => Promise.reject(e1));
    const wait = g.wait();
    await vi.advanceTimersByTimeAsync(999);
    expect([await pending(wait), cleaned]).toEqual([true, false]);
    await vi.advanceTimersByTimeAsync(1);
    expect([await rejection(wait), cleaned]).toEqual([e1, true]);
    expect(g.errors).toEqual([e1]);
  });

  it("P-135 without an error it is canceled when wait settles, and not before", async () => {
    vi.useFakeTimers();
    const g = new Group(withTimeout(background, 60_000));
    void g.go(() => sleep(5));
    const wait = g.wait();
    await vi.advanceTimersByTimeAsync(4);
    expect(g.context.error).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    await wait;
    expect(isCanceled(g.context.cause)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("P-136 ExampleGroup_parallel", () => {
  const kinds = ["web", "image", "video"];
  const search = (kind: string, turns: number) => async (): Promise<string> => {
    await yields(turns);
    return `${kind} result for "golang"`;
  };
  const wanted = kinds.map((kind) => `${kind} result for "golang"`);

  it("P-136 three searches, each of which fills its place, are in order whichever is first", async () => {
    let runs = 0;
    for (const turns of placements(3)) {
      const g = new Group();
      const results = new Array<string>(3);
      for (const [i, kind] of kinds.entries()) {
        void g.go(async () => {
          results[i] = await search(kind, turns[i] ?? 0)();
        });
      }
      await g.wait();
      assert.deepEqual(results, wanted);
      runs++;
    }
    expect(runs).toBe(6 ** 3 + 1);
  });

  it("P-136 all does it in a line", async () => {
    expect(
      await all(
        background,
        kinds.map((kind, i) => search(kind, 5 - i)),
      ),
    ).toEqual(wanted);
  });
});
