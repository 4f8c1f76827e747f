// Promises of the package that are about no one function of it.
import { channel } from "@sluice/channels";
import { background, withCancel, withTimeout, type Parent } from "@sluice/context";
import { afterEach, describe, expect, it, vi } from "vitest";
import { pending, settle } from "../../../test/support.ts";
import { any, forEach, Group, map, race, type Limiter, type Source, type Task } from "../src/index.ts";
import { deferred, untilDone } from "./deferred.ts";

const boom = new Error("boom");
const why = new Error("why");

afterEach(() => {
  vi.useRealTimers();
});

describe("an awaited go()", () => {
  it.for<[string, () => Group]>([
    ["there is room", () => new Group(background, { limit: 2 })],
    ["there is no limit", () => new Group()],
    ["the group is done", () => new Group(AbortSignal.abort())],
  ])("costs one tick when %s", async ([, create]) => {
    const g = create();
    const order: string[] = [];
    const caller = (async () => {
      await g.go(() => settle());
      order.push("went on");
    })();
    queueMicrotask(() => order.push("one tick later"));
    await caller;
    await settle();
    expect(order).toEqual(["went on", "one tick later"]);
    await g.wait().catch(() => {});
  });
});

describe("a task that waits for admission", () => {
  it("is refused when the deadline of the parent passes", async () => {
    vi.useFakeTimers();
    const g = new Group(withTimeout(background, 10, { cause: why }), { limit: 1 });
    void g.go(untilDone);
    const task = vi.fn<Task>();
    const waiting = g.go(task);
    vi.advanceTimersByTime(9);
    expect(await pending(waiting)).toBe(true);
    vi.advanceTimersByTime(1);
    expect(await waiting).toBe(false);
    await expect(g.wait()).rejects.toBe(why);
    expect(task).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is refused within cancel(): nobody can start it afterwards, though its slot frees in that turn", async () => {
    const g = new Group(background, { limit: 1 });
    const first = deferred();
    const task = vi.fn<Task>();
    void g.go(() => first.promise);
    const waiting = g.go(task);
    g.cancel(why);
    first.resolve();
    expect(await waiting).toBe(false);
    await expect(g.wait()).rejects.toBe(why);
    expect([task.mock.calls.length, g.active]).toEqual([0, 0]);
  });
});

describe("the first error of a group", () => {
  it("is recorded before the context is canceled, so that a listener finds it", async () => {
    const g = new Group();
    const seen: unknown[] = [];
    g.context.signal.addEventListener("abort", () => seen.push(g.errors[0], g.context.cause));
    await g.go(() => Promise.reject(boom));
    await g.wait().catch(() => {});
    expect(seen).toEqual([boom, boom]);
  });

  it("stays the first, though a later one comes from a task that was started earlier", async () => {
    const g = new Group();
    const early = deferred();
    void g.go(() => early.promise);
    void g.go(() => Promise.reject(boom));
    await settle();
    early.reject(new Error("later"));
    await expect(g.wait()).rejects.toBe(boom);
    expect(g.errors.map(String)).toEqual(["Error: boom", "Error: later"]);
  });
});

describe("errors of the losers", () => {
  it.for<[string, (ctx: Parent, tasks: Task[]) => Promise<unknown>]>([
    ["any()", any],
    ["race()", race],
  ])("of %s neither change its outcome nor go unhandled", async ([, run]) => {
    const loser: Task = async (ctx) => {
      await untilDone(ctx).catch(() => {});
      throw boom;
    };
    expect(await run(background, [loser, async () => "won", loser])).toBe("won");
    await settle(); // the test runner fails on an unhandled rejection
  });
});

describe("an error of the package's own", () => {
  const skips: Limiter = async () => undefined as never;

  it.for<[string, () => Promise<unknown>]>([
    ["any() of none", () => any(background, [])],
    ["race() of none", async () => race(background, [])],
    [
      "a limiter that skips a task",
      async () => {
        const g = new Group(background, { limit: skips });
        await g.go(() => {});
        await g.wait();
      },
    ],
  ])("is a new object each time: %s", async ([, fails]) => {
    const error = await fails().catch((reason: unknown) => reason);
    const other = await fails().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect(other).toBeInstanceOf(Error);
    expect(other).not.toBe(error);
  });
});

describe("forEach()", () => {
  it.for<[string, () => Source<number>]>([
    ["a Set", () => new Set([1, 2, 3])],
    [
      "a generator",
      function* () {
        yield* [1, 2, 3];
      },
    ],
    [
      "an async generator",
      async function* () {
        yield* [1, 2, 3];
      },
    ],
    ["promises", () => [1, 2, 3].map((n) => Promise.resolve(n))],
    [
      "a ReadableStream",
      () =>
        new ReadableStream<number>({
          start(controller) {
            for (const n of [1, 2, 3]) controller.enqueue(n);
            controller.close();
          },
        }) as unknown as AsyncIterable<number>,
    ],
    [
      "a channel",
      () => {
        const ch = channel<number>(3);
        for (const n of [1, 2, 3]) ch.trySend(n);
        ch.close();
        return ch;
      },
    ],
  ])("takes the values of %s", async ([, source]) => {
    const seen: number[] = [];
    await forEach(background, source(), (n) => void seen.push(n), { limit: 2 });
    expect(seen).toEqual([1, 2, 3]);
  });

  it("cancels its tasks when the parent is, waits for them, and then closes the source", async () => {
    const parent = withCancel(background);
    const log: unknown[] = [];
    const cleanup = deferred();
    async function* source(): AsyncGenerator<number> {
      try {
        yield 1;
        yield 2;
      } finally {
        log.push("source closed");
      }
    }
    const result = forEach(
      parent,
      source(),
      async (_n, ctx) => {
        await untilDone(ctx).catch((cause: unknown) => log.push(cause));
        await cleanup.promise;
        log.push("task ended");
        ctx.throwIfDone();
      },
      { limit: 1 },
    );
    await settle(40);
    parent.cancel(why);
    expect(await pending(result)).toBe(true);
    expect(log).toEqual([why]);
    cleanup.resolve();
    await expect(result).rejects.toBe(why);
    expect(log).toEqual([why, "task ended", "source closed"]);
  });
});

describe("map() and forEach()", () => {
  it("under a parent that is done do not even open their source", async () => {
    const opened = vi.fn<() => Iterator<number>>(() => [1][Symbol.iterator]());
    const source = { [Symbol.iterator]: opened };
    const parent = AbortSignal.abort(why);
    await expect(map(parent, source, (n) => n, { limit: 1 }).next()).rejects.toBe(why);
    await expect(forEach(parent, source, () => {}, { limit: 1 })).rejects.toBe(why);
    expect(opened).not.toHaveBeenCalled();
  });
});
