// How a signal is listened to, as Node shows it.
import { getEventListeners } from "node:events";
import { afterEach, describe, expect, it, vi } from "vitest";
import { macro } from "../../../test/support.ts";
import { after, channel, from, never, pipe, select, sending } from "../src/index.ts";
import { outcome, outcomes, pending, quiet, reasonOf, rejected, rest } from "./support.ts";

afterEach(() => void vi.useRealTimers());

const listeners = (signal: AbortSignal): number => getEventListeners(signal, "abort").length;
const ignore = () => {};
const waiting = Symbol.for("@sluice/waiting");

/** A signal of a context with a deadline: it wants to know whether somebody waits on it. */
function deadlineSignal(): { controller: AbortController; signal: AbortSignal; changes: number[] } {
  const controller = new AbortController();
  const changes: number[] = [];
  Object.defineProperty(controller.signal, waiting, { value: (change: number) => changes.push(change) });
  return { controller, signal: controller.signal, changes };
}

describe("a signal", () => {
  it("carries one listener, however many operations of all kinds wait on it", async () => {
    vi.useFakeTimers();
    const controller = new AbortController();
    const { signal } = controller;
    const options = { signal };
    const all: Promise<unknown>[] = [];
    for (let i = 0; i < 30; i++) {
      const ch = channel<number>();
      all.push(
        ch.receive(options),
        channel<number>().send(1, options),
        select({ ch }, options),
        select({ ch, signal }),
      );
      all.push(select([sending(channel<number>(), 1), signal, signal], options), after(1_000).receive(options));
      all.push(never.receive(options), pipe(ch, channel<number>(), options), from(ch, options).receive());
      expect(listeners(signal)).toBe(1);
    }
    controller.abort();
    for (const promise of all) promise.catch(ignore);
    await rest();
    expect(listeners(signal)).toBe(0);
  });

  it("carries its listener no longer than to the end of the turn in which the last waiter left", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const ch = channel<number>();
    for (const wait of [() => ch.receive({ signal }), () => select({ ch }, { signal }), () => select({ ch, signal })]) {
      const promise = wait();
      await rest();
      expect(listeners(signal)).toBe(1);
      ch.trySend(1);
      await promise;
      await macro();
      expect(listeners(signal)).toBe(0);
    }
  });

  it("keeps its listener while anybody waits, whoever leaves", async () => {
    const { signal } = new AbortController();
    const [a, b] = [channel<number>(), channel<number>()];
    const all = [a.receive({ signal }), b.receive({ signal })];
    a.trySend(1);
    await macro();
    expect(listeners(signal)).toBe(1);
    b.trySend(1);
    await Promise.all(all);
    await macro();
    expect(listeners(signal)).toBe(0);
  });

  it("is listened to once, not anew for each wait, in a loop that waits on it again and again", async () => {
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    const ch = channel<number>();
    for (let i = 0; i < 50; i++) {
      const received = ch.receive({ signal });
      ch.trySend(i);
      await received;
    }
    expect([added.mock.calls.length, removed.mock.calls.length]).toEqual([1, 0]);
    await macro();
    expect(removed).toHaveBeenCalledOnce();
  });

  it("is listened to again when somebody waits after it was let go, and still aborts the wait", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const ch = channel<number>();
    for (let i = 0; i < 3; i++) {
      const received = ch.receive({ signal });
      ch.trySend(i);
      await received;
      await macro();
      expect(listeners(signal)).toBe(0);
    }
    const received = ch.receive({ signal });
    expect(listeners(signal)).toBe(1);
    controller.abort("enough");
    expect(await reasonOf(received)).toBe("enough");
  });

  it("waited on again in the turn in which the last waiter left, still aborts the wait", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const ch = channel<number>();
    const first = ch.receive({ signal });
    ch.trySend(1);
    await first;
    const second = ch.receive({ signal });
    await rest();
    expect(listeners(signal)).toBe(1);
    controller.abort("enough");
    expect(await reasonOf(second)).toBe("enough");
  });

  it("carries no listener after it has aborted, nor for waits that need not wait", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const ch = channel<number>(1);
    await ch.send(1, { signal });
    await ch.receive({ signal });
    await select({ sent: sending(ch, 1), signal }, { signal });
    expect(listeners(signal)).toBe(0);
    const received = channel<number>().receive({ signal });
    controller.abort("enough");
    expect(await reasonOf(received)).toBe("enough");
    await macro();
    expect(listeners(signal)).toBe(0);
  });

  it("never makes Node warn, of 1,000 waits at a time", async () => {
    const warned = vi.fn();
    process.on("warning", warned);
    const controller = new AbortController();
    const { signal } = controller;
    const all = Array.from({ length: 1_000 }, () => channel<number>().receive({ signal }));
    for (const promise of all) promise.catch(ignore);
    await macro();
    controller.abort();
    await rest();
    process.off("warning", warned);
    expect(warned).not.toHaveBeenCalled();
  });

  it("may be one of AbortSignal.any or AbortSignal.timeout", async () => {
    const controller = new AbortController();
    const any = AbortSignal.any([controller.signal, new AbortController().signal]);
    const all = [channel().receive({ signal: any }), select({}, { signal: any })];
    controller.abort("enough");
    expect(await outcomes<unknown>(all)).toEqual([rejected("enough"), rejected("enough")]);
    const timeout = AbortSignal.timeout(1);
    const keepAlive = setTimeout(ignore, 10_000);
    await expect(channel().receive({ signal: timeout })).rejects.toMatchObject({ name: "TimeoutError" });
    clearTimeout(keepAlive);
  });

  it("does not lose a waiter that another listener adds while it fires", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const ch = channel<number>();
    const first = ch.receive({ signal });
    let second: Promise<unknown> | undefined;
    signal.addEventListener("abort", () => {
      second = ch.receive({ signal });
    });
    controller.abort("enough");
    const all = await outcomes<unknown>([first, second as Promise<unknown>]);
    expect(all).toEqual([rejected("enough"), rejected("enough")]);
    expect(quiet(ch)).toBe(true);
  });

  it("that throws when it is listened to makes the wait throw at the call, and leaves nothing behind", async () => {
    const { signal } = new AbortController();
    signal.addEventListener = () => {
      throw new Error("no listeners here");
    };
    const ch = channel<number>();
    expect(() => void ch.receive({ signal })).toThrow("no listeners here");
    expect(() => void ch.send(1, { signal })).toThrow("no listeners here");
    const cases = { ch, sent: sending(ch, 1), signal };
    expect(() => void select(cases, { order: "listed" })).toThrow("no listeners here");
    expect(() => void select({ ch, sent: sending(ch, 1) }, { signal })).toThrow("no listeners here");
    expect(quiet(ch)).toBe(true);
  });

  it("that throws when it is listened to, but not the next time, rejects no promise that nobody has", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    const controller = new AbortController();
    const { signal } = controller;
    const { addEventListener } = signal;
    signal.addEventListener = () => {
      signal.addEventListener = addEventListener;
      throw new Error("not this time");
    };
    const ch = channel<number>();
    expect(() => void ch.receive({ signal })).toThrow("not this time");
    const received = ch.receive({ signal });
    controller.abort("enough");
    expect(await outcome(received)).toEqual(rejected("enough"));
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});

describe("a signal with a deadline", () => {
  it("is told when the first one waits on it and when the last one has gone", async () => {
    const { signal, changes } = deadlineSignal();
    const ch = channel<number>();
    const all = [ch.receive({ signal }), select({ ch }, { signal }), select({ ch, signal })];
    expect(changes).toEqual([1]);
    for (const n of [1, 2, 3]) ch.trySend(n);
    await Promise.all<unknown>(all);
    await rest();
    expect(changes).toEqual([1, -1]);
    const again = ch.receive({ signal });
    expect(changes).toEqual([1, -1, 1]);
    ch.trySend(1);
    await again;
    await rest();
    expect(changes).toEqual([1, -1, 1, -1]);
  });

  it("is told so when it has aborted", async () => {
    const { controller, signal, changes } = deadlineSignal();
    const received = channel().receive({ signal });
    controller.abort("enough");
    await reasonOf(received);
    expect(changes).toEqual([1, -1]);
  });

  it("is not told of waits that need not wait", async () => {
    const { controller, signal, changes } = deadlineSignal();
    const ch = channel<number>(1);
    await ch.send(1, { signal });
    await select({ ch, signal }, { signal });
    controller.abort();
    await outcome(ch.receive({ signal }));
    expect(changes).toEqual([]);
  });
});

describe("stress", () => {
  it("100,000 waiters join one signal, and all leave it when it aborts, in linear time", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const ch = channel<number>();
    const started = performance.now();
    let rejected = 0;
    const count = () => void rejected++;
    for (let i = 0; i < 100_000; i++) ch.receive({ signal }).catch(count);
    controller.abort("enough");
    await rest();
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(rejected).toBe(100_000);
    expect([quiet(ch), listeners(signal)]).toEqual([true, 0]);
  }, 20_000);

  it("a wait costs the same whether 10 or 100,000 others wait on its signal", async () => {
    const { signal } = new AbortController();
    const ch = channel<number>();
    for (let i = 0; i < 100_000; i++) channel<number>().receive({ signal }).catch(ignore);
    const started = performance.now();
    for (let i = 0; i < 5_000; i++) {
      const received = ch.receive({ signal });
      ch.trySend(i);
      await received;
    }
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(await outcome(channel<number>().receive({ signal }))).toEqual(pending);
  }, 20_000);
});
