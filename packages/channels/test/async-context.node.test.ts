import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, it } from "vitest";
import type { Channel } from "../src/index.ts";
import { batch, broadcast, channel, from, merge, pipe, select, sending, tick } from "../src/index.ts";
import { rest } from "./support.ts";

const task = new AsyncLocalStorage<string>();
const now = performance.now.bind(performance);

/** In which context `wait` goes on, when it was called in "waiter" and `wake` runs in "waker". */
async function goesOnIn(wait: () => Promise<unknown>, wake: () => unknown): Promise<string | undefined> {
  let where: string | undefined = "still waiting";
  const note = () => (where = task.getStore());
  const awaiting = task.run("waiter", async () => {
    try {
      await wait();
    } finally {
      note();
    }
  });
  await rest();
  task.run("waker", wake);
  await awaiting.catch(() => {});
  return where;
}

describe("a waiter goes on in its own async context, not in that of whoever woke it", () => {
  const ch = (): Channel<number> => channel<number>();

  /** Where each of `waits` goes on after each of `wakes`, on a new channel each time; without repetitions. */
  async function places(
    waits: ((it: Channel<number>) => Promise<unknown>)[],
    wakes: ((it: Channel<number>) => unknown)[],
  ): Promise<unknown[]> {
    const found = new Set<unknown>();
    for (const wait of waits) {
      for (const wake of wakes) {
        const it = ch();
        const place = goesOnIn(
          () => wait(it),
          () => wake(it),
        );
        found.add(await place);
      }
    }
    return [...found];
  }

  it("receive(), woken by a send, a trySend or a select", async () => {
    const wakes = [(it: Channel<number>) => it.send(1), (it: Channel<number>) => it.trySend(1)];
    const found = await places([(it) => it.receive(), (it) => it.next()], [...wakes, (it) => select([sending(it, 1)])]);
    expect(found).toEqual(["waiter"]);
  });

  it("send(), woken by a receive, a tryReceive or a select", async () => {
    const found = await places(
      [(it) => it.send(1)],
      [(it) => it.receive(), (it) => it.tryReceive(), (it) => select([it])],
    );
    expect(found).toEqual(["waiter"]);
  });

  it("select(), woken by any of its cases", async () => {
    const [a, b] = [ch(), ch()];
    const controller = new AbortController();
    const wait = () => select({ a, sent: sending(b, 1), gone: controller.signal });
    expect(await goesOnIn(wait, () => a.trySend(1))).toBe("waiter");
    expect(await goesOnIn(wait, () => b.tryReceive())).toBe("waiter");
    expect(await goesOnIn(wait, () => controller.abort())).toBe("waiter");
  });

  it("any of them, woken by close()", async () => {
    const waits = [(it: Channel<number>) => it.receive(), (it: Channel<number>) => it.send(1)];
    const found = await places([...waits, (it) => select([it])], [(it) => it.close(), (it) => it.close("cause")]);
    expect(found).toEqual(["waiter"]);
  });

  it("any of them, woken by a signal", async () => {
    const waits: ((signal: AbortSignal) => Promise<unknown>)[] = [
      (signal) => ch().receive({ signal }),
      (signal) => ch().send(1, { signal }),
      (signal) => select({}, { signal }),
    ];
    for (const wait of waits) {
      const controller = new AbortController();
      const where = goesOnIn(
        () => wait(controller.signal),
        () => controller.abort(),
      );
      expect(await where).toBe("waiter");
    }
  });

  it("a timer, armed by somebody else", async () => {
    const beat = tick(2);
    const first = task.run("first", () => beat.receive());
    const where = goesOnIn(
      () => select({ beat }),
      () => {},
    );
    await first;
    expect(await where).toBe("waiter");
  });

  it("a loop of for await, and every one of many waiters", async () => {
    const it = ch();
    const seen: (string | undefined)[] = [];
    const loops = ["a", "b", "c"].map((name) =>
      task.run(name, async () => {
        for await (const _ of it) seen.push(`${name} ${task.getStore()}`);
      }),
    );
    await task.run("waker", async () => {
      for (let i = 0; i < 6; i++) await it.send(i);
      it.close();
    });
    await Promise.all(loops);
    expect(seen).toHaveLength(6);
    expect(new Set(seen)).toEqual(new Set(["a a", "b b", "c c"]));
  });

  it("also when it has to pause for the event loop", async () => {
    const it = ch();
    const wrong: unknown[] = [];
    const end = now() + 30;
    const receiver = task.run("receiver", async () => {
      for await (const _ of it) if (task.getStore() !== "receiver") wrong.push(task.getStore());
    });
    await task.run("sender", async () => {
      while (now() < end) {
        await it.send(1);
        if (task.getStore() !== "sender") wrong.push(task.getStore());
      }
      it.close();
    });
    await receiver;
    expect(wrong).toEqual([]);
  });
});

describe("a source is pulled in the async context of the call", () => {
  /** Notes in which context it is pulled. */
  function source(seen: Set<string | undefined>): AsyncIterable<number> {
    let n = 0;
    return {
      [Symbol.asyncIterator]: () => ({
        async next() {
          seen.add(task.getStore());
          return n < 5 ? { done: false, value: n++ } : { done: true, value: undefined };
        },
      }),
    };
  }

  it.for<[string, (source: AsyncIterable<number>) => AsyncIterable<unknown>]>([
    ["from()", (it) => from(it)],
    ["merge()", (it) => merge(it, it)],
    ["broadcast()", (it) => broadcast(it).subscribe()],
    ["batch()", (it) => batch(it, { max: 2 })],
    [
      "pipe()",
      (it) => {
        const ch = channel<number>();
        void pipe(it, ch);
        return ch;
      },
    ],
  ])("by %s", async ([, open]) => {
    const seen = new Set<string | undefined>();
    const opened = task.run("caller", () => open(source(seen)));
    await task.run("reader", async () => {
      for await (const _ of opened);
    });
    expect([...seen]).toEqual(["caller"]);
  });
});
