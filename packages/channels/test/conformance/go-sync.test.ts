// Follows tests of golang.org/x/sync (semaphore, singleflight) and of Go's synctest and time packages, on channels alone.
// A Context with a timeout is an AbortSignal here, or `after` as a case of its own.
import { afterEach, assert, beforeEach, describe, expect, it, vi } from "vitest";
import { macro, seeded, settle } from "../../../../test/support.ts";
import { after, type Channel, channel, select, type SelectCase, sending, trySelect } from "../../src/index.ts";
import { rest } from "../support.ts";
import { parked, yields } from "./turns.ts";

/** How an acquire is given up: by the option `signal`, by a signal as a case, or by a timer as a case. */
type Acquire = (tokens: Channel<string>, stop: Stop) => Promise<void>;
interface Stop {
  readonly signal: AbortSignal;
  readonly late?: SelectCase;
}

class TimeoutError extends Error {}

const acquires: Record<string, Acquire> = {
  "the option `signal` of send": (tokens, { signal }) => tokens.send("token", { signal }),
  "the option `signal` of select": async (tokens, { signal }) => {
    await select([sending(tokens, "token")], { signal });
  },
  "a signal as a case": async (tokens, { signal: stop }) => {
    const picked = await select({ stop, taken: sending(tokens, "token") }, { order: "listed" });
    if (picked.case === "stop") throw picked.value;
  },
  "a timer or a signal as a case": async (tokens, { signal: stop, late }) => {
    const picked = await select({ stop, taken: sending(tokens, "token"), late }, { order: "listed" });
    if (picked.case === "stop") throw picked.value;
    if (picked.case === "late") throw new TimeoutError();
  },
};

/** Go's semaphore.Weighted: a token in the channel is one that is taken. */
class Semaphore {
  readonly tokens: Channel<string>;
  readonly #acquire: Acquire;

  constructor(size: number, acquire: Acquire) {
    this.tokens = channel(size);
    this.#acquire = acquire;
  }

  async acquire(n: number, stop: Stop = { signal: new AbortController().signal }): Promise<void> {
    for (let taken = 0; taken < n; taken++) {
      try {
        await this.#acquire(this.tokens, stop);
      } catch (error) {
        this.release(taken);
        throw error;
      }
    }
  }

  release(n: number): void {
    for (let given = 0; given < n; given++) {
      if (this.tokens.tryReceive() === undefined) throw new Error("Released what nobody holds");
    }
  }
}

describe.each(Object.entries(acquires))("semaphore, given up by %s", (_, how) => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("P-138 TestWeightedAcquire: a timed-out acquire fails and leaves no token behind", async () => {
    const sem = new Semaphore(2, how);
    const tries: boolean[] = [];
    const attempt = async () => {
      const timeout = new AbortController();
      const timer = setTimeout(() => timeout.abort(new TimeoutError()), 10);
      const acquired = sem.acquire(1, { signal: timeout.signal, late: after(10) }).then(
        () => true,
        (error: unknown) => !(error instanceof TimeoutError),
      );
      await vi.advanceTimersByTimeAsync(20);
      tries.push(await acquired);
      clearTimeout(timer);
    };
    await sem.acquire(1);
    await attempt();
    await attempt();
    sem.release(2);
    assert.equal(sem.tokens.length, 0);
    await attempt();
    await sem.acquire(1);
    await attempt();
    expect(tries).toEqual([true, false, true, false]);
    sem.release(2);
    expect(sem.tokens.length).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("P-139 TestWeightedAcquireCanceled: canceled first and released in the same turn, it fails and holds nothing", async () => {
    const sem = new Semaphore(2, how);
    await sem.acquire(1);
    const cancel = new AbortController();
    const acquired = sem.acquire(2, cancel);
    expect(await parked(acquired)).toBe(true);
    const reason = new Error("canceled");
    cancel.abort(reason);
    sem.release(1);
    await expect(acquired).rejects.toBe(reason);
    expect(sem.tokens.length).toBe(0);
    await sem.acquire(2);
    expect(sem.tokens.length).toBe(2);
  });

  it("P-139 released first and canceled in the same turn, it has acquired", async () => {
    const sem = new Semaphore(1, how);
    await sem.acquire(1);
    const cancel = new AbortController();
    const acquired = sem.acquire(1, cancel);
    await rest();
    sem.release(1);
    cancel.abort(new Error("canceled"));
    await acquired;
    expect(sem.tokens.length).toBe(1);
    expect(sem.tokens.tryReceive()?.value).toBe("token");
    expect(sem.tokens.tryReceive()).toBeUndefined();
  });

  it("P-139 canceled before, it fails though all tokens are free", async () => {
    const sem = new Semaphore(2, how);
    const reason = new Error("canceled");
    await expect(sem.acquire(1, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(sem.tokens.length).toBe(0);
  });

  it("P-140 TestLargeAcquireDoesntStarve: who wants all gets all, though others come again and again", async () => {
    const n = 8;
    const sem = new Semaphore(n, how);
    let running = true;
    let rounds = 0;
    const holders = Array.from({ length: n }, async () => {
      await sem.acquire(1);
      while (running) {
        await yields(1);
        sem.release(1);
        await sem.acquire(1);
        rounds++;
      }
      sem.release(1);
    });
    await settle();
    await sem.acquire(n);
    const roundsBefore = rounds;
    assert.equal(sem.tokens.length, n);
    running = false;
    sem.release(n);
    await Promise.all(holders);
    expect(sem.tokens.length).toBe(0);
    // It waited its turn once for each token, and the others went on meanwhile.
    expect(roundsBefore).toBeGreaterThan(0);
    expect(roundsBefore).toBeLessThan(n * (n + 2) * 2);
  });

  it("P-140 TestAllocCancelDoesntStarve: where the first in line is canceled, the one behind is served", async () => {
    const sem = new Semaphore(4, how);
    await sem.acquire(1);
    const cancel = new AbortController();
    const big = sem.acquire(4, cancel);
    await rest();
    const small = sem.acquire(1);
    expect(await parked(small)).toBe(true);
    const reason = new Error("canceled");
    cancel.abort(reason);
    await expect(big).rejects.toBe(reason);
    await small;
    expect(sem.tokens.length).toBe(2);
  });
});

describe("P-141 singleflight", () => {
  it("P-141 TestDoDupSuppress: ten that ask for one key while it is fetched share one call", async () => {
    const calls = new Map<string, Promise<unknown>>();
    const once = (key: string, fetch: () => Promise<unknown>) => {
      const call = calls.get(key) ?? fetch().finally(() => void calls.delete(key));
      calls.set(key, call);
      return call;
    };
    const answer = channel<string>();
    const started = channel<void>();
    let made = 0;
    const fetch = async () => {
      made++;
      started.trySend();
      return (await answer.receive()).value;
    };
    const begun = started.receive();
    const asked = Array.from({ length: 10 }, async (_, task) => {
      await yields(task % 4);
      return once("key", fetch);
    });
    await begun;
    expect(await parked(Promise.race(asked))).toBe(true);
    await answer.send("bar");
    expect(await Promise.all(asked)).toEqual(new Array(10).fill("bar"));
    expect(made).toBe(1);
    expect(calls.size).toBe(0);
  });
});

describe("P-144 synctest, durably blocked", () => {
  it.each([1, 2, 3, 4, 5])(
    "P-144 once everything has come to rest, nothing moves by itself (seed %i)",
    async (seed) => {
      const random = seeded(seed);
      const channels = [0, 0, 1, 3, Infinity].map((capacity) => channel<number>(capacity));
      const any = () => channels[random.int(channels.length)] as Channel<number>;
      let [begun, ended, compared] = [0, 0, 0];
      const note = (operation: Promise<unknown>) => {
        begun++;
        operation.then(
          () => ended++,
          () => ended++,
        );
      };
      const snapshot = () => [ended, ...channels.map((ch) => ch.length)];
      const controllers: AbortController[] = [];
      let batch = performance.now();
      for (let op = 0; op < 1_000; op++) {
        if (op % 25 === 0) {
          // A few operations need microtasks alone to come to rest; only a long burst is paused for the event loop.
          await settle();
          const settled = snapshot();
          const quick = performance.now() - batch < 5;
          await rest();
          if (quick) {
            compared++;
            assert.deepEqual(settled, snapshot());
          }
          batch = performance.now();
        }
        const controller = new AbortController();
        const options = random.int(3) === 0 ? { signal: controller.signal } : undefined;
        if (options !== undefined) controllers.push(controller);
        switch (random.int(7)) {
          case 0:
            note(any().send(op, options));
            break;
          case 1:
            note(any().receive(options));
            break;
          case 2:
            any().trySend(op);
            break;
          case 3:
            any().tryReceive();
            break;
          case 4:
            note(
              select(
                Array.from({ length: 1 + random.int(4) }, () => (random.int(2) ? any() : sending(any(), op))),
                options,
              ),
            );
            break;
          case 5:
            trySelect([any(), sending(any(), op)]);
            break;
          default:
            if (random.int(2) === 0) controllers[random.int(controllers.length)]?.abort();
        }
      }
      const silent = channel<number>();
      for (let n = 0; n < 3; n++) note(silent.receive());
      await rest();
      const atRest = snapshot();
      await settle(100);
      await macro();
      await settle(100);
      expect(snapshot()).toEqual(atRest);
      expect(begun).toBeGreaterThan(300);
      expect(ended).toBeGreaterThan(200);
      expect(begun).toBeGreaterThan(ended);
      expect(compared).toBeGreaterThan(10);
      for (const ch of [silent, ...channels]) ch.close();
      await rest();
      expect(ended).toBe(begun);
    },
  );
});

describe("P-145 time.TestAfterFunc", () => {
  it("P-145 a timer's callback that sets itself again ten times, then sends, wakes a receiver", async () => {
    const ch = channel<string>();
    const received = ch.receive();
    let left = 10;
    const fire = () => {
      if (--left > 0) setTimeout(fire, 0);
      else expect(ch.trySend("fired")).toBe(true);
    };
    setTimeout(fire, 0);
    expect(await received).toEqual({ done: false, value: "fired" });
    expect(left).toBe(0);
  });
});
