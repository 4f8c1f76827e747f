// What stays on the heap: of waits that are over, of signals and channels that live long, of what nobody holds any more.
import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { macro } from "../../../test/support.ts";
import type { Channel } from "../src/index.ts";
import { after, broadcast, channel, from, merge, never, select, sending, tick } from "../src/index.ts";
import { rest } from "./support.ts";

const { gc } = globalThis as { gc?: () => void };
const limit = 60_000;

/** Bytes on the heap after the collector has run. */
async function heap(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await macro();
    gc?.();
  }
  return process.memoryUsage().heapUsed;
}

/** By how many bytes the heap grows with each call of `step`, over `times` calls, after a warm-up of half of them. */
async function growth(times: number, step: (i: number) => unknown): Promise<number> {
  for (let i = 0; i < times / 2; i++) await step(i);
  const before = await heap();
  for (let i = 0; i < times; i++) await step(i);
  return ((await heap()) - before) / times;
}

/** Whether the collector takes what `make` gives, while that holds on to nothing itself. */
async function collected(make: () => object): Promise<boolean> {
  const ref = new WeakRef(make());
  for (let i = 0; i < 10 && ref.deref() !== undefined; i++) {
    await rest();
    gc?.();
  }
  return ref.deref() === undefined;
}

it("the collector can be called", () => expect(gc).toBeTypeOf("function"));

describe("the heap stays flat", () => {
  it(
    "over 1,000,000 selects with a case that is never ready",
    async () => {
      const [busy, idle, full] = [channel<number>(), channel<number>(), channel<number>()];
      const { signal } = new AbortController();
      const late = after(2 ** 40);
      const total = 1_000_000;
      let received = 0;
      const receiver = (async () => {
        for (;;) {
          const picked = await select({ busy, idle, out: sending(full, 1), late, never, signal });
          if (picked.case !== "busy") expect.unreachable();
          if (picked.done) return;
          received++;
        }
      })();
      const send = async (count: number) => {
        for (let i = 0; i < count; i++) await busy.send(i);
      };
      await send(100_000);
      const before = await heap();
      await send(total);
      const grown = (await heap()) - before;
      busy.close();
      await receiver;
      expect(received).toBe(total + 100_000);
      expect(grown).toBeLessThan(1_000_000); // a byte for each; one waiter left behind takes a hundred
      expect(idle.trySend(1), "nobody waits any more").toBe(false);
    },
    limit,
  );

  it(
    "over 100,000 waits on one long-lived signal of somebody else, with one listener on it",
    async () => {
      const { signal } = new AbortController();
      const ch = channel<number>();
      let most = 0;
      const perWait = await growth(100_000, async (i) => {
        const wait = i % 2 === 0 ? ch.receive({ signal }) : select({ ch, signal, never }, { signal });
        if (i % 100 === 0) most = Math.max(most, getEventListeners(signal, "abort").length);
        ch.trySend(i);
        await wait;
      });
      await macro();
      expect(perWait).toBeLessThan(5);
      expect([most, getEventListeners(signal, "abort").length]).toEqual([1, 0]);
    },
    limit,
  );

  it(
    "over 100,000 cancelled waits on a quiet channel and on a timer",
    async () => {
      const ch = channel<number>();
      const timer = after(2 ** 40);
      const beat = tick(2 ** 40);
      const aborted = AbortSignal.abort();
      const perWait = await growth(20_000, async () => {
        const controller = new AbortController();
        const waits = [ch.receive(controller), timer.receive(controller), beat.receive(controller)];
        waits.push(ch.receive({ signal: aborted }), ch.send(1, controller) as never);
        controller.abort();
        await Promise.allSettled(waits);
      });
      expect(perWait).toBeLessThan(150); // five waits; one left behind takes two hundred
    },
    limit,
  );

  it(
    "over 100,000 short-lived channels, signals and timers",
    async () => {
      const perRound = await growth(100_000, async (i) => {
        const ch = channel<number>(1);
        const { signal } = new AbortController();
        await select({ ch, sent: sending(ch, i), late: after(1_000) }, { signal });
        void ch.receive({ signal });
      });
      expect(perRound).toBeLessThan(5);
    },
    limit,
  );

  it(
    "over 15,000 bridges on one channel that live shortly",
    async () => {
      const ch = channel<number>();
      const { signal } = new AbortController();
      const perRound = await growth(5_000, async () => {
        const bridges = [from(ch, { signal }), merge(ch, [1]), broadcast(ch)];
        await Promise.all(bridges.map((bridge) => bridge[Symbol.asyncDispose]()));
      });
      await macro();
      expect(perRound).toBeLessThan(150);
      expect([ch.trySend(1), getEventListeners(signal, "abort").length]).toEqual([false, 0]);
    },
    limit,
  );
});

describe("a broadcast that somebody holds on to", () => {
  it("holds no channel of the 20,000 subscriptions that have left", async () => {
    const news = broadcast(channel<number>());
    const perSubscription = await growth(20_000, () => news.subscribe()[Symbol.dispose]());
    expect(perSubscription).toBeLessThan(20);
    await news[Symbol.asyncDispose]();
  });

  it("holds no channel of the 20,000 subscriptions it had when it is over", async () => {
    const source = channel<number>();
    const news = broadcast(source);
    const before = await heap();
    for (let i = 0; i < 20_000; i++) news.subscribe();
    source.close();
    await rest();
    expect(((await heap()) - before) / 20_000).toBeLessThan(20);
    expect(await news.subscribe().receive()).toEqual({ done: true, value: undefined });
  });
});

it("the heap stays flat over 300,000 values of a broadcast that nobody hears", async () => {
  const values = 300_000;
  const before = await heap();
  let given = 0;
  const news = broadcast(
    (function* () {
      for (; given < values; given++) yield given;
    })(),
  );
  while (given < values) await macro();
  expect((await heap()) - before).toBeLessThan(1_000_000); // a slot in a buffer for each would be more than two
  await news[Symbol.asyncDispose]();
});

describe("memory grows with what is buffered", () => {
  it("not with the capacity", async () => {
    const before = await heap();
    const channels = Array.from({ length: 100 }, () => channel<number>(10_000_000));
    for (const ch of channels) ch.trySend(1);
    expect(((await heap()) - before) / channels.length).toBeLessThan(2_000);
    expect(channels.every((ch) => ch.length === 1)).toBe(true);
  });

  it("and is let go when a burst has gone: the ring, too", async () => {
    const ch = channel<number>(Infinity);
    const before = await heap();
    for (let i = 0; i < 1_000_000; i++) ch.trySend(i);
    expect((await heap()) - before).toBeGreaterThan(4_000_000);
    while (ch.tryReceive() !== undefined);
    expect((await heap()) - before).toBeLessThan(500_000);
    expect(ch.length).toBe(0);
  });
});

describe("the collector takes", () => {
  it("a value that was received from a channel that lives on", async () => {
    const ch = channel<object>(4);
    const first = () => {
      const value = {};
      ch.trySend(value);
      ch.tryReceive();
      return value;
    };
    expect(await collected(first)).toBe(true);
    const handed = channel<object>();
    const met = () => {
      const value = {};
      void handed.receive();
      handed.trySend(value);
      return value;
    };
    expect(await collected(met)).toBe(true);
    expect([ch.length, handed.length]).toEqual([0, 0]);
  });

  it("the value of a send that was cancelled", async () => {
    const ch = channel<object>();
    const cancelled = () => {
      const value = {};
      const controller = new AbortController();
      ch.send(value, controller).catch(() => {});
      controller.abort();
      return value;
    };
    expect(await collected(cancelled)).toBe(true);
    expect(ch.tryReceive()).toBeUndefined();
  });

  it("a value that an overflow policy dropped", async () => {
    for (const overflow of ["drop-oldest", "drop-newest"] as const) {
      const ch = channel<object | number>({ capacity: 1, overflow });
      const dropped = () => {
        const value = {};
        if (overflow === "drop-newest") ch.trySend(1);
        ch.trySend(value);
        if (overflow === "drop-oldest") ch.trySend(1);
        return value;
      };
      expect(await collected(dropped)).toBe(true);
      expect(ch.dropped).toBe(1);
    }
  });

  it("waiters whose channel nobody holds any more", async () => {
    const abandoned = () => {
      const ch = channel<number>();
      void ch.receive();
      void select({ ch, other: channel<number>() });
      return ch;
    };
    expect(await collected(abandoned)).toBe(true);
    const sender = () => {
      const value = {};
      void channel<object>().send(value);
      return value;
    };
    expect(await collected(sender)).toBe(true);
  });

  it("waiters on never, though that lives for ever", async () => {
    const waiter = () => {
      const mark = {};
      void never.receive().then(() => mark);
      void select({ never }).then(() => mark);
      return mark;
    };
    expect(await collected(waiter)).toBe(true);
  });

  it("a signal on which nobody waits any more, and its channel", async () => {
    const ch = channel<number>();
    const waitedOn = () => {
      const { signal } = new AbortController();
      void ch.receive({ signal });
      ch.trySend(1);
      return signal;
    };
    expect(await collected(waitedOn)).toBe(true);
    const { signal } = new AbortController();
    const waited = (): Channel<number> => {
      const own = channel<number>();
      void own.receive({ signal });
      own.trySend(1);
      return own;
    };
    expect(await collected(waited)).toBe(true);
    expect(signal.aborted).toBe(false);
  });

  it("a subscription that has left, and its channel, while the broadcast goes on", async () => {
    const news = broadcast(channel<number>());
    const left = () => {
      const subscription = news.subscribe();
      subscription[Symbol.dispose]();
      return subscription;
    };
    expect(await collected(left)).toBe(true);
    await news[Symbol.asyncDispose]();
  });

  it("a timer that nobody holds, and one that is over", async () => {
    expect(await collected(() => after(60_000))).toBe(true);
    const over = () => {
      const timer = after(60_000);
      const controller = new AbortController();
      timer.receive(controller).catch(() => {});
      controller.abort();
      return timer;
    };
    expect(await collected(over)).toBe(true);
  });
});
