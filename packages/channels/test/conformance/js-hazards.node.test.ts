// Hazards of JavaScript that only Node lets one see: listeners on a signal, other realms, stacks, util.inspect.
import { getEventListeners } from "node:events";
import { inspect } from "node:util";
import { runInNewContext } from "node:vm";
import { afterEach, assert, beforeEach, describe, expect, it } from "vitest";
import {
  after,
  at,
  batch,
  broadcast,
  type Channel,
  channel,
  ChannelClosedError,
  from,
  merge,
  never,
  pipe,
  select,
  sending,
  tick,
  trySelect,
} from "../../src/index.ts";
import { outcome, rest } from "../support.ts";

const warnings: Error[] = [];
const note = (warning: Error) => void warnings.push(warning);
beforeEach(() => {
  warnings.length = 0;
  process.on("warning", note);
});
afterEach(() => void process.off("warning", note));

describe("P-172 listeners on a long-lived signal", () => {
  const listeners = (signal: AbortSignal) => getEventListeners(signal, "abort").length;

  const ready: Record<string, (ch: Channel<number>, signal: AbortSignal, n: number) => Promise<unknown>> = {
    "send and receive": async (ch, signal, n) => {
      await ch.send(n, { signal });
      await ch.receive({ signal });
    },
    "select with the signal as option": async (ch, signal, n) => {
      await select([sending(ch, n)], { signal });
      await select({ ch }, { signal });
    },
    "select with the signal as a case": async (ch, stop, n) => {
      assert.equal((await select({ stop, sent: sending(ch, n) })).case, "sent");
      assert.equal((await select({ stop, ch })).case, "ch");
    },
    trySelect: async (ch, stop, n) => {
      trySelect({ stop, sent: sending(ch, n) });
      trySelect({ stop, ch });
    },
    "a receive that waits": async (ch, signal, n) => {
      const received = ch.receive({ signal });
      ch.trySend(n);
      await received;
    },
    "a send that waits": async (_ch, signal, n) => {
      const unbuffered = channel<number>();
      const sent = unbuffered.send(n, { signal });
      unbuffered.tryReceive();
      await sent;
    },
    "a select that waits, with the signal as option and as a case": async (ch, stop, n) => {
      const picked = select({ stop, ch, again: stop }, { signal: stop });
      ch.trySend(n);
      assert.equal((await picked).case, "ch");
    },
    "for await of from": async (ch, signal, n) => {
      if (n % 10 > 0) return;
      ch.trySend(n);
      for await (const _ of from(ch, { signal })) if (ch.length === 0) ch.close();
    },
    pipe: async (_ch, signal, n) => {
      if (n % 10 === 0) await pipe([n], channel<number>(1), { signal });
    },
  };

  it.each(Object.entries(ready))("P-172 none after 5,000 rounds of %s", async (_, operation) => {
    const { signal } = new AbortController();
    let most = 0;
    let ch = channel<number>(1);
    for (let n = 0; n < 5_000; n++) {
      if (ch.closed) ch = channel<number>(1);
      await operation(ch, signal, n);
      most = Math.max(most, listeners(signal));
    }
    await rest();
    expect(listeners(signal)).toBe(0);
    expect(most).toBeLessThanOrEqual(1);
    expect(warnings).toEqual([]);
  });

  it("P-172 one while 500 operations of every kind wait, no warning, and none after they were served or cancelled", async () => {
    for (const end of ["served", "cancelled", "closed"] as const) {
      const controller = new AbortController();
      const { signal } = controller;
      const [ch, out] = [channel<number>(), channel<number>()];
      const waits: Promise<unknown>[] = [];
      for (let n = 0; n < 50; n++) {
        waits.push(ch.receive({ signal }), out.send(n, { signal }), select({ ch }, { signal }));
        waits.push(select({ stop: signal, ch }), select([signal, signal, sending(out, n)], { signal }));
        waits.push(after(1e9).receive({ signal }), never.receive({ signal }));
        waits.push(
          from(ch, { signal }).receive(),
          pipe(ch, channel<number>(), { signal }),
          channel(1).receive({ signal }),
        );
      }
      const settled = Promise.allSettled(waits);
      await rest();
      expect(listeners(signal)).toBe(1);
      if (end === "served") {
        while (ch.trySend(1) || out.tryReceive() !== undefined) await rest();
      } else if (end === "closed") {
        ch.close();
        out.close();
      }
      await rest();
      expect(listeners(signal)).toBe(1); // the timer, never and the last channel still wait
      controller.abort();
      const outcomes = await settled;
      expect(outcomes).toHaveLength(500);
      await rest();
      expect(listeners(signal)).toBe(0);
      expect(ch.trySend(1)).toBe(false);
      expect(warnings).toEqual([]);
    }
  });
});

describe("P-182 a signal of another realm", () => {
  // Made by the code of another realm, as a polyfill would be: no class of it is one of ours.
  const make = () =>
    runInNewContext(`
      class Signal {
        aborted = false;
        reason = undefined;
        #listeners = new Set();
        addEventListener(type, listener) { if (type === "abort") this.#listeners.add(listener); }
        removeEventListener(type, listener) { this.#listeners.delete(listener); }
        get size() { return this.#listeners.size; }
        abort(reason) {
          this.aborted = true;
          this.reason = reason;
          for (const listener of this.#listeners) {
            if (typeof listener === "function") listener.call(this, { type: "abort", target: this });
            else listener.handleEvent({ type: "abort", target: this });
          }
        }
      }
      new Signal();
    `) as AbortSignal & { abort(reason: unknown): void; readonly size: number };

  it("P-182 cancels waits with its reason, is a case, and carries one listener while somebody waits", async () => {
    const signal = make();
    expect(signal instanceof EventTarget).toBe(false);
    const reason = runInNewContext(`new Error("stop")`) as Error;
    expect(reason instanceof Error).toBe(false);
    const ch = channel<number>();
    const waits = [
      ch.receive({ signal }),
      ch.receive({ signal }),
      select([channel()], { signal }),
      after(1e9).receive({ signal }),
    ];
    const picked = select({ stop: signal, quiet: channel() });
    expect(signal.size).toBe(1);
    expect(ch.trySend(1)).toBe(true);
    signal.abort(reason);
    expect(await Promise.all(waits.map((wait) => outcome<unknown>(wait)))).toEqual([
      { status: "fulfilled", value: { done: false, value: 1 } },
      ...waits.slice(1).map(() => ({ status: "rejected", reason })),
    ]);
    expect(await picked).toEqual({ case: "stop", done: false, value: reason });
    await rest();
    expect(signal.size).toBe(0);
  });

  it("P-182 options, cases and values may come from another realm as well", async () => {
    const ch = channel<unknown>(1);
    const cases = runInNewContext("({ make: (it) => ({ it }), list: (it) => [it] })") as {
      make(it: unknown): { it: Channel<unknown> };
      list(it: unknown): Channel<unknown>[];
    };
    await ch.send(1);
    expect(await select(cases.make(ch))).toEqual({ case: "it", done: false, value: 1 });
    await ch.send(2);
    expect(await select(cases.list(ch))).toEqual({ case: 0, done: false, value: 2 });
    const options = runInNewContext("({ capacity: 3, name: 'theirs' })") as { capacity: number; name: string };
    expect(channel(options)).toMatchObject({ capacity: 3, name: "theirs" });
    const date = runInNewContext("new Date(0)") as Date;
    expect((await at(date).receive()).done).toBe(false);
  });
});

describe("P-184 errors tell where", () => {
  const closed = () => {
    const ch = channel<number>({ name: "jobs" });
    ch.close();
    return ch;
  };
  const calls: Record<string, () => Promise<unknown>> = {
    send: async function callsSend() {
      await closed().send(1);
    },
    "send after an await": async function callsSend() {
      const ch = closed();
      await Promise.resolve();
      await ch.send(1);
    },
    select: async function callsSelect() {
      await select({ quiet: channel(), sent: sending(closed(), 1) });
    },
    trySelect: async function callsTrySelect() {
      trySelect([sending(closed(), 1)]);
    },
  };

  it.each(Object.entries(calls))(
    "P-184 %s on a closed channel: the stack names the function that called, and its caller",
    async (_, call) => {
      async function outer(): Promise<void> {
        await call();
      }
      const error = await outer().catch((reason: unknown) => reason);
      assert.instanceOf(error, ChannelClosedError);
      expect(error.stack).toContain(call.name);
      expect(error.stack).toContain("outer");
    },
  );

  it("P-184 a send that waited is refused with a new error each time, which names who closed", async () => {
    const ch = channel<number>({ name: "jobs" });
    const sends = [ch.send(1), select([sending(ch, 2)])];
    const cause = new Error("the disk is full");
    function closesTheChannel(): void {
      ch.close(cause);
    }
    closesTheChannel();
    const errors = await Promise.all(sends.map((send) => send.catch((reason: unknown) => reason)));
    expect(errors[0]).not.toBe(errors[1]);
    for (const error of errors) {
      assert.instanceOf(error, ChannelClosedError);
      expect(error.stack).toContain("closesTheChannel");
      expect(error).toMatchObject({ name: "ChannelClosedError", code: "ERR_CHANNEL_CLOSED", cause });
    }
  });

  it("P-184 the error is an Error with a stable name and code, a cause only where there is one, and one line of text", async () => {
    const error = await closed()
      .send(1)
      .catch((reason: unknown) => reason);
    assert.instanceOf(error, ChannelClosedError);
    expect(error).toBeInstanceOf(Error);
    expect([error.name, error.code]).toEqual(["ChannelClosedError", "ERR_CHANNEL_CLOSED"]);
    expect(Object.hasOwn(error, "cause")).toBe(false);
    expect(error.message).toBe('Cannot send: send on closed channel "jobs"');
    expect(String(error)).toBe('ChannelClosedError: Cannot send: send on closed channel "jobs"');
    expect(error.stack?.split("\n")[0]).toContain("Cannot send: send on closed channel");
    expect(inspect(error)).toContain("ERR_CHANNEL_CLOSED");
  });

  it("P-184 a reason is rejected as it is: nothing is added to it, whoever waits", async () => {
    const reason = Object.freeze(new Error("stop"));
    const { stack } = reason;
    for (let n = 0; n < 3; n++) {
      await expect(channel().receive({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    }
    expect(reason.stack).toBe(stack);
    expect(Object.getOwnPropertyNames(reason).toSorted()).toEqual(["message", "stack"]);
  });
});

describe("P-187 util.inspect", () => {
  it("P-187 takes no value, wakes nobody, and stays short, in every depth, with getters and hidden properties", async () => {
    const full = channel<{ secret: string }>({ capacity: 100_000, name: "jobs" });
    for (let n = 0; n < 100_000; n++) full.trySend({ secret: "do not log me" });
    const empty = channel<number>();
    const beat = tick(1_000_000);
    const stop = new AbortController();
    const waits = Array.from({ length: 1_000 }, () => [empty.receive(stop), select({ empty, beat }, stop)]).flat();
    const settled = Promise.allSettled(waits);
    const things = {
      full,
      empty,
      beat,
      never,
      timer: after(1_000),
      case: sending(full, { secret: "do not log me" }),
      merged: merge(empty),
      news: broadcast(empty),
      batches: batch(empty, { max: 3 }),
      wait: waits[0],
    };
    for (const [name, thing] of Object.entries(things)) {
      for (const options of [{}, { depth: Infinity }, { depth: 8, showHidden: true, getters: true, showProxy: true }]) {
        const text = inspect(thing, options);
        assert.isBelow(text.length, 5_000, name);
        assert.notInclude(text, "do not log me", name);
      }
    }
    expect(inspect(things)).toContain("'jobs'");
    expect(full.length).toBe(100_000);
    expect(full.tryReceive()).toEqual({ done: false, value: { secret: "do not log me" } });
    expect(empty.trySend(1)).toBe(true);
    expect(await waits[0]).toEqual({ done: false, value: 1 });
    stop.abort();
    await settled;
  });
});
