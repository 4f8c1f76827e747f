// Hazards of JavaScript: when a continuation runs. Promises settle in a fixed number of microtasks, in the order of the
// queue, never inside somebody else's call, and not so densely that timers starve.
import { assert, describe, expect, it } from "vitest";
import {
  after,
  batch,
  broadcast,
  type Channel,
  channel,
  from,
  merge,
  pipe,
  select,
  sending,
  trySelect,
} from "../../src/index.ts";
import { rest } from "../support.ts";
import { yields } from "./turns.ts";

/** How many microtasks after the call of `begin` the continuation of its promise runs. */
async function microtasks(begin: () => Promise<unknown>): Promise<number> {
  await rest(); // no busy loop is being paused
  let turns = -1;
  let settled = false;
  void begin().then(() => (settled = true));
  while (!settled && turns < 100) {
    await Promise.resolve();
    turns++;
  }
  return turns + 1;
}

describe("P-159 settlement takes a fixed number of microtasks", () => {
  const full = () => {
    const ch = channel<number>(1);
    ch.trySend(1);
    return ch;
  };
  const operations: Record<string, () => Promise<unknown>> = {
    "a send with room": () => channel<number>(1).send(1),
    "a receive with a value": () => full().receive(),
    "a next with a value": () => full().next(),
    "a send to a receiver that waits": () => {
      const ch = channel<number>();
      void ch.receive();
      return ch.send(1);
    },
    "the receiver that waited": () => {
      const ch = channel<number>();
      const received = ch.receive();
      ch.trySend(1);
      return received;
    },
    "a receive from a sender that waits": () => {
      const ch = channel<number>();
      void ch.send(1);
      return ch.receive();
    },
    "the sender that waited": () => {
      const ch = channel<number>();
      const sent = ch.send(1);
      ch.tryReceive();
      return sent;
    },
    "a select with a ready case": () => select({ other: channel(), it: full() }),
    "a select that waited": () => {
      const ch = channel<number>();
      const picked = select({ other: channel(), ch });
      ch.trySend(1);
      return picked;
    },
    "a select that waited to send": () => {
      const ch = channel<number>();
      const picked = select([channel(), sending(ch, 1)]);
      ch.tryReceive();
      return picked;
    },
    "a receive from a closed channel": () => {
      const ch = channel();
      ch.close();
      return ch.receive();
    },
    "the receiver that waited for a close": () => {
      const ch = channel();
      const received = ch.receive();
      ch.close();
      return received;
    },
    "the cancellation of a wait": () => {
      const cancel = new AbortController();
      const received = channel().receive(cancel);
      cancel.abort();
      return received.catch(() => {}); // one more for the catch
    },
  };

  it.each(Object.entries(operations))("P-159 %s: one, on every run", async (name, begin) => {
    const counts = new Set<number>();
    for (let run = 0; run < 50; run++) counts.add(await microtasks(begin));
    expect([...counts]).toEqual([name.startsWith("the cancellation") ? 2 : 1]);
  });

  it("P-159 trySelect, trySend and tryReceive: none", () => {
    const ch = channel<number>(1);
    expect(trySelect([sending(ch, 1)])).toEqual({ case: 0, done: false, value: undefined });
    expect(trySelect([ch])).toEqual({ case: 0, done: false, value: 1 });
    expect(trySelect([ch])).toBeUndefined();
    expect(ch.trySend(2)).toBe(true);
    expect(ch.tryReceive()).toEqual({ done: false, value: 2 });
  });
});

describe("P-160 continuations run in the order of the queue", () => {
  const receives: ((ch: Channel<number>) => Promise<unknown>)[] = [
    async (ch) => (await ch.receive()).value,
    async (ch) => (await select({ other: channel(), ch })).value,
    async (ch) => {
      for await (const value of ch) return value;
      return undefined;
    },
    async (ch) => (await select([ch, ch])).value,
    async (ch) => (await ch.next()).value,
  ];
  const sends: ((ch: Channel<number>, value: number) => Promise<unknown>)[] = [
    (ch, value) => ch.send(value),
    (ch, value) => select({ other: channel(), sent: sending(ch, value) }),
    (ch, value) => ch.send(value, new AbortController()),
    (ch, value) => select([sending(ch, value), sending(ch, value)]),
    (ch, value) => ch.send(value),
  ];

  it.each([
    ["plain receivers", [0, 0, 0, 0, 0]],
    ["selects", [1, 1, 1, 1, 1]],
    ["for await loops", [2, 2, 2, 2, 2]],
    ["all kinds", [0, 1, 2, 3, 4]],
    ["all kinds, the other way round", [4, 3, 2, 1, 0]],
  ])("P-160 five that wait to receive (%s) get five values in their order", async (_, kinds) => {
    const ch = channel<number>();
    const order: string[] = [];
    const tasks = kinds.map(async (kind, task) => {
      const value = await receives[kind]?.(ch);
      order.push(`${task}: ${String(value)}`);
    });
    for (let value = 0; value < 5; value++) void ch.send(value);
    expect(order).toEqual([]);
    await Promise.all(tasks);
    expect(new Set(order)).toEqual(new Set(["0: 0", "1: 1", "2: 2", "3: 3", "4: 4"]));
    // Where all are of one kind, their continuations are equally far from the hand-over.
    if (new Set(kinds).size === 1) assert.deepEqual(order, ["0: 0", "1: 1", "2: 2", "3: 3", "4: 4"]);
  });

  it.each([
    ["plain senders", [0, 0, 0, 0, 0]],
    ["selects", [1, 1, 1, 1, 1]],
    ["all kinds", [0, 1, 2, 3, 4]],
  ])("P-160 five that wait to send (%s) are taken from in their order, and go on in it", async (_, kinds) => {
    const ch = channel<number>();
    const order: number[] = [];
    const tasks = kinds.map((kind, task) =>
      (sends[kind]?.(ch, task) ?? Promise.reject(kind)).then(() => order.push(task)),
    );
    const received = Array.from({ length: 5 }, () => ch.tryReceive()?.value);
    expect(received).toEqual([0, 1, 2, 3, 4]);
    expect(order).toEqual([]);
    await Promise.all(tasks);
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });

  it("P-160 promises of different kinds that are served in one turn settle in the order of the queue", async () => {
    const ch = channel<number>();
    const order: number[] = [];
    const waits = [ch.receive(), select({ ch }), ch.next(), select([ch, ch]), ch.receive(new AbortController())];
    const noted = waits.map((wait, index) => (wait as Promise<unknown>).then(() => order.push(index)));
    for (let value = 0; value < 5; value++) ch.trySend(value);
    await Promise.all(noted);
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });
});

describe("P-161 nobody's code runs inside a call of another", () => {
  const waits: Record<string, (ch: Channel<number>, stop: AbortSignal) => Promise<unknown>> = {
    "a receive": (ch) => ch.receive(),
    "a receive with a signal": (ch, signal) => ch.receive({ signal }),
    "a for await": async (ch) => {
      for await (const _ of ch) return;
    },
    "a select": (ch, stop) => select({ ch, stop }),
  };
  const wakes: Record<string, (ch: Channel<number>, stop: AbortController) => void> = {
    trySend: (ch) => void ch.trySend(1),
    send: (ch) => void ch.send(1),
    "trySelect to send": (ch) => void trySelect([sending(ch, 1)]),
    "select to send": (ch) => void select([sending(ch, 1)]),
    close: (ch) => void ch.close(),
    "close with a cause": (ch) => void ch.close(new Error("broken")),
    abort: (_ch, stop) => stop.abort(),
  };
  const pairs = Object.keys(waits).flatMap((wait) => Object.keys(wakes).map((wake) => [wait, wake] as const));

  it.each(pairs)("P-161 %s that is woken by %s goes on after the caller's next line", async (wait, wake) => {
    const ch = channel<number>();
    const stop = new AbortController();
    let flag = 0;
    let seen: number | undefined;
    const note = () => {
      seen = flag;
    };
    const task = (waits[wait]?.(ch, stop.signal) ?? Promise.reject(wait)).then(note, note);
    await rest();
    wakes[wake]?.(ch, stop);
    flag = 1;
    expect(seen).toBeUndefined();
    if (wake === "abort" && !/signal|select/.test(wait)) ch.close();
    await task;
    expect(seen).toBe(1);
  });

  it("P-161 a sender that is woken by tryReceive or by a close goes on after the caller's next line", async () => {
    for (const wake of [(ch: Channel<number>) => ch.tryReceive(), (ch: Channel<number>) => ch.close()]) {
      const ch = channel<number>();
      let flag = 0;
      let seen: number | undefined;
      const note = () => {
        seen = flag;
      };
      const task = ch.send(1).then(note, note);
      await rest();
      wake(ch);
      flag = 1;
      await task;
      expect(seen).toBe(1);
    }
  });
});

/** Numbers without end, or until `over`. */
function* endless(over: () => boolean = () => false): Generator<number> {
  for (let n = 0; !over(); n++) yield n;
}

describe("P-162 timers in a busy loop", () => {
  // Each loop ends by itself after two seconds, so that a library that starves timers fails instead of hanging.
  const loops: Record<string, (ch: Channel<number>, back: Channel<number>, over: () => boolean) => Promise<unknown>[]> =
    {
      "send and receive": (ch, back, over) => [
        (async () => {
          while (!over()) {
            await ch.send(1);
            await back.receive();
          }
          ch.close();
        })(),
        (async () => {
          for await (const value of ch) await back.send(value);
        })(),
      ],
      select: (ch, back, over) => [
        (async () => {
          while (!over()) {
            await select([sending(ch, 1)]);
            await select({ back });
          }
          ch.close();
        })(),
        (async () => {
          for (;;) {
            const { done, value } = await select({ ch });
            if (done) return;
            await select([sending(back, value)]);
          }
        })(),
      ],
      "the idiom of hot loops": (ch, back, over) => [
        (async () => {
          while (!over()) {
            if (!ch.trySend(1)) await ch.send(1);
            if (back.tryReceive() === undefined) await back.receive();
          }
          ch.close();
        })(),
        (async () => {
          for (;;) {
            const { done, value } = ch.tryReceive() ?? (await ch.receive());
            if (done) return;
            if (!back.trySend(value)) await back.send(value);
          }
        })(),
      ],
      "a send and a receive by one task": (ch, _back, over) => [
        (async () => {
          const own = channel<number>(1);
          while (!over()) {
            await own.send(1);
            await own.receive();
          }
          ch.close();
        })(),
      ],
      "a receive from a closed channel": (ch, _back, over) => [
        (async () => {
          ch.close();
          while (!over()) await ch.receive();
        })(),
      ],
      "sends that drop": (_ch, _back, over) => [
        (async () => {
          const latest = channel<number>({ capacity: 1, overflow: "drop-oldest" });
          while (!over()) await latest.send(1);
        })(),
      ],
      "a loop over from": (_ch, _back, over) => [
        (async () => {
          for await (const _ of from(endless())) if (over()) break;
        })(),
      ],
      "a loop over merge": (_ch, _back, over) => [
        (async () => {
          for await (const _ of merge(endless(), endless())) if (over()) break;
        })(),
      ],
      "a loop over batch": (_ch, _back, over) => [
        (async () => {
          for await (const _ of batch(endless(), { max: 10 })) if (over()) break;
        })(),
      ],
      "a pipe into a channel that drops": (_ch, _back, over) => [
        pipe(endless(over), channel<number>({ capacity: 1, overflow: "drop-newest" })),
      ],
      "a broadcast that nobody hears": (_ch, _back, over) => [
        (async () => {
          const all = broadcast(endless(over));
          await rest();
          while (!over()) await new Promise((resolve) => setTimeout(resolve, 1));
          await all[Symbol.asyncDispose]();
        })(),
      ],
    };

  it.each(Object.entries(loops))(
    "P-162 %s in a tight loop leave a timer, a timer as a case, and an abort their turn",
    async (_, start) => {
      const began = performance.now();
      const fired: Record<string, number> = {};
      const names = ["setTimeout", "after", "AbortSignal.timeout", "cancellation"];
      const note = (name: string) => {
        fired[name] = performance.now() - began;
      };
      const over = () => names.every((name) => name in fired) || performance.now() - began > 2_000;
      setTimeout(() => note("setTimeout"), 20);
      void select({ quiet: channel(), late: after(20) }).then(() => note("after"));
      void select({ quiet: channel(), stop: AbortSignal.timeout(20) }).then(() => note("AbortSignal.timeout"));
      channel()
        .receive({ signal: AbortSignal.timeout(20) })
        .catch(() => note("cancellation"));
      await Promise.all(start(channel<number>(), channel<number>(), over));
      await yields(-1);
      expect(Object.keys(fired).toSorted()).toEqual(names.toSorted());
      for (const name of names) assert.isBelow(fired[name] ?? Infinity, 1_000, name);
    },
  );
});
