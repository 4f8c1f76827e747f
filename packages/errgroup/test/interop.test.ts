import { channel } from "@sluice/channels";
import { background, withCancel } from "@sluice/context";
import {
  all as allOf,
  catchAbortError,
  delay,
  execute,
  forever,
  isAbortError,
  retry,
  spawn,
  waitForEvent,
} from "abort-controller-x";
import { describe, expect, it, vi } from "vitest";
import { pending, settle } from "../../../test/support.ts";
import { forEach, group, Group, map } from "../src/index.ts";
import { untilDone } from "./deferred.ts";

const boom = new Error("boom");

describe("a group beside abort-controller-x", () => {
  const waits: [string, (signal: AbortSignal) => Promise<unknown>][] = [
    ["forever", (signal) => forever(signal)],
    ["delay", (signal) => delay(signal, 60_000)],
    ["waitForEvent", (signal) => waitForEvent(signal, new EventTarget(), "never")],
    ["execute", (signal) => execute(signal, () => () => {})],
    ["all", (signal) => allOf(signal, (inner) => [forever(inner), forever(inner)])],
    ["retry", (signal) => retry(signal, () => Promise.reject(new Error("again")), { baseMs: 60_000 })],
    ["spawn", (signal) => spawn(signal, (inner) => forever(inner))],
    [
      "spawn with fork and defer",
      (signal) =>
        spawn(signal, async (inner, { defer, fork }) => {
          defer(async () => {});
          fork((forked) => forever(forked));
          await forever(inner);
        }),
    ],
  ];

  it.for(waits)("takes a %s that obeys the cancellation for obedience, not for a failure", async ([, wait]) => {
    vi.useFakeTimers();
    try {
      const failing = new Group();
      void failing.go((ctx) => wait(ctx.signal));
      await settle();
      void failing.go(() => Promise.reject(boom));
      await expect(failing.wait()).rejects.toBe(boom);
      expect(failing.errors).toEqual([boom]);

      const why = new Error("why");
      const canceled = new Group();
      void canceled.go((ctx) => wait(ctx.signal));
      await settle();
      canceled.cancel(why);
      await expect(canceled.wait()).rejects.toBe(why);

      const disposed = new Group();
      void disposed.go((ctx) => wait(ctx.signal));
      await settle();
      expect(await disposed[Symbol.asyncDispose]()).toBeUndefined();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it("lets its retry succeed in a task", async () => {
    const seen: number[] = [];
    const result = await group(background, async (g) => {
      await g.go((ctx) =>
        retry(
          ctx.signal,
          async (_signal, attempt) => {
            seen.push(attempt);
            if (attempt < 2) throw boom;
          },
          { baseMs: 0 },
        ),
      );
      return "done";
    });
    expect(result).toBe("done");
    expect(seen).toEqual([0, 1, 2]);
  });

  it("rejects with what its isAbortError and catchAbortError know, when it is canceled without a cause", async () => {
    const parent = withCancel(background);
    const g = new Group(parent);
    void g.go(untilDone);
    parent.cancel();
    const outcome = g.wait();
    expect(await outcome.catch((error: unknown) => isAbortError(error))).toBe(true);
    expect(await outcome.catch(catchAbortError)).toBeUndefined();
  });

  it("can be run inside of its spawn, under the signal of that", async () => {
    const controller = new AbortController();
    const log: string[] = [];
    const spawned = spawn(controller.signal, async (signal, { defer }) => {
      defer(async () => void log.push("deferred"));
      await group(signal, async (g) => {
        await g.go(async (ctx) => {
          await untilDone(ctx).catch(() => {});
          await settle();
          log.push("task ended");
        });
      });
    });
    await settle();
    controller.abort();
    await spawned.catch(catchAbortError);
    expect(log).toEqual(["task ended", "deferred"]);
  });
});

describe("a group beside channels", () => {
  it("runs a pool of workers over one channel, until that is closed and drained", async () => {
    const jobs = channel<number>(2);
    const seen: number[] = [];
    await group(background, async (g) => {
      await g.go(async (ctx) => {
        for (let i = 0; i < 20; i++) await jobs.send(i, ctx);
        jobs.close();
      });
      await forEach(g.context, jobs, (n) => void seen.push(n), { limit: 4 });
    });
    expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  it("takes no value from a channel by a pull that is given up, and leaves it open", async () => {
    const jobs = channel<string>();
    const results = map(background, jobs, (s) => s, { limit: 3 });
    const call = results.next();
    await settle();
    expect(await results.return?.()).toEqual({ done: true, value: undefined });
    expect(await call).toEqual({ done: true, value: undefined });
    const sent = jobs.send("kept");
    expect(await pending(sent)).toBe(true);
    expect(jobs.tryReceive()).toEqual({ done: false, value: "kept" });
    await sent;
    expect(jobs.closed).toBe(false);
  });

  it("leaves a channel open whose reader has left the loop", async () => {
    const jobs = channel<string>(4);
    for (const job of ["a", "b", "c", "d"]) await jobs.send(job);
    for await (const job of map(background, jobs, (s) => s, { limit: 1 })) {
      expect(job).toBe("a");
      await settle();
      break;
    }
    expect(jobs.closed).toBe(false);
    expect(jobs.tryReceive()).toEqual({ done: false, value: "c" }); // "b" was in hand already
  });

  it("hands the cause of a channel that was closed with one to the reader", async () => {
    const jobs = channel<string>(2);
    await jobs.send("a");
    jobs.close(boom);
    const results = map(background, jobs, (s) => s, { limit: 1 });
    expect(await results.next()).toEqual({ done: false, value: "a" });
    await expect(results.next()).rejects.toBe(boom);
    await expect(forEach(background, jobs, () => {}, { limit: 1 })).rejects.toBe(boom);
  });

  it("unwraps neither a promise nor a thenable that was sent", async () => {
    const sent = Promise.resolve(1);
    const jobs = channel<Promise<number>>(1);
    await jobs.send(sent);
    jobs.close();
    const seen: unknown[] = [];
    await forEach(background, jobs, (given) => void seen.push(given), { limit: 1 });
    expect(seen[0]).toBe(sent);
  });

  it("stops a task that waits to send or to receive", async () => {
    const quiet = channel<number>();
    const g = new Group();
    void g.go((ctx) => quiet.send(1, ctx));
    void g.go((ctx) => channel().receive(ctx));
    void g.go(() => Promise.reject(boom));
    await expect(g.wait()).rejects.toBe(boom);
    expect(g.errors).toEqual([boom]);
    expect(quiet.tryReceive()).toBeUndefined();
  });
});
