// Follows chan_test.go and chanbarrier_test.go of Go's runtime.
import { assert, describe, expect, it } from "vitest";
import { macro, settle } from "../../../../test/support.ts";
import { type Channel, channel, select, sending, trySelect } from "../../src/index.ts";
import { rest } from "../support.ts";
import { parked, placements, yields } from "./turns.ts";

const DONE = { done: true, value: undefined };
const capacities = Array.from({ length: 20 }, (_, capacity) => capacity);

describe("TestChan, for every capacity from 0 to 19", () => {
  it("P-069 a receive from an empty channel waits, a non-waiting one gives nothing", async () => {
    for (const capacity of capacities) {
      const ch = channel<number>(capacity);
      const received: unknown[] = [];
      const tasks = [ch.receive(), ch.next()].map(async (wait) => received.push((await wait).value));
      await macro();
      await macro();
      assert.deepEqual(received, []);
      assert.equal(ch.tryReceive(), undefined);
      assert.equal(trySelect([ch]), undefined);
      await ch.send(0);
      await ch.send(0);
      await Promise.all(tasks);
      expect(received).toEqual([0, 0]);
      assert.equal(ch.length, 0);
    }
  });

  it("P-070 a send to a full channel waits, and moves into the buffer with the next receive", async () => {
    for (const capacity of capacities) {
      const ch = channel<number>(capacity);
      for (let n = 0; n < capacity; n++) await ch.send(n);
      const extra = ch.send(capacity);
      let sent = false;
      const task = extra.then(() => (sent = true));
      await macro();
      await macro();
      assert.equal(sent, false);
      assert.equal(trySelect([sending(ch, -1)]), undefined);
      assert.equal(ch.trySend(-1), false);
      assert.equal((await ch.receive()).value, 0);
      assert.equal(ch.length, capacity);
      await task;
      for (let n = 1; n <= capacity; n++) assert.equal(ch.tryReceive()?.value, n);
      expect(ch.tryReceive()).toBeUndefined();
    }
  });

  it("P-071 a closed channel drains in order", async () => {
    for (const capacity of capacities) {
      const ch = channel<number>(capacity);
      for (let n = 0; n < capacity; n++) await ch.send(n);
      ch.close();
      for (let n = 0; n < capacity; n++) assert.deepEqual(await ch.receive(), { done: false, value: n });
      expect([await ch.receive(), await ch.next(), ch.tryReceive()]).toEqual([DONE, DONE, DONE]);
    }
  });

  it("P-072 a close wakes who waits to receive", async () => {
    for (const capacity of capacities) {
      const ch = channel<number>(capacity);
      const waits = [ch.receive(), ch.next()];
      await macro();
      ch.close();
      expect(await Promise.all(waits)).toEqual([DONE, DONE]);
    }
  });

  it("P-073 a hundred values come in the order sent", async () => {
    for (const capacity of capacities) {
      const ch = channel<number>(capacity);
      void (async () => {
        for (let n = 0; n < 100; n++) await ch.send(n);
      })();
      for (let n = 0; n < 100; n++) assert.deepEqual(await ch.receive(), { done: false, value: n });
      void (async () => {
        for (let n = 0; n < 100; n++) await ch.send(n);
        ch.close();
      })();
      let expected = 0;
      for await (const value of ch) assert.equal(value, expected++);
      expect(expected).toBe(100);
    }
  });

  it(
    "P-074 four senders and four receivers of a thousand values each: every value four times",
    { timeout: 20_000 },
    async () => {
      for (const capacity of capacities) {
        const ch = channel<number>(capacity);
        const counts = channel<Map<number, number>>(4);
        for (let task = 0; task < 4; task++) {
          void (async () => {
            for (let n = 0; n < 1_000; n++) await ch.send(n);
          })();
          void (async () => {
            const count = new Map<number, number>();
            for (let n = 0; n < 1_000; n++) {
              const value = (await ch.receive()).value as number;
              count.set(value, (count.get(value) ?? 0) + 1);
            }
            await counts.send(count);
          })();
        }
        const total = new Map<number, number>();
        for (let task = 0; task < 4; task++) {
          for (const [value, times] of (await counts.receive()).value ?? [])
            total.set(value, (total.get(value) ?? 0) + times);
        }
        expect(total.size).toBe(1_000);
        assert.ok([...total.values()].every((times) => times === 4));
      }
    },
  );

  it("P-075 length and capacity, fresh and full", async () => {
    for (const capacity of capacities) {
      const ch = channel<number>(capacity);
      assert.deepEqual([ch.length, ch.capacity], [0, capacity]);
      for (let n = 0; n < capacity; n++) await ch.send(n);
      expect([ch.length, ch.capacity]).toEqual([capacity, capacity]);
    }
  });
});

describe("P-076 TestNonblockRecvRace", () => {
  it("P-076 a channel that always holds a value or is closed never gives nothing", async () => {
    let [rounds, values] = [0, 0];
    for (const [task = 0, first = 0, second = 0] of placements(3)) {
      // Both orders of main's two steps, several times each.
      for (let round = 0; round < 46; round++, rounds++) {
        const ch = channel<number>(1);
        ch.trySend(1);
        const other = (async () => {
          await yields(task);
          return trySelect([ch]);
        })();
        await yields(first);
        ch.close();
        await yields(second);
        const mine = round % 2 === 0 ? await ch.receive() : ch.tryReceive();
        const theirs = await other;
        assert.isDefined(mine);
        assert.isDefined(theirs);
        values += [mine, theirs].filter((result) => result?.value === 1).length;
      }
    }
    // Exactly one of the two got the value, every time.
    expect(rounds).toBeGreaterThan(9_000);
    expect(values).toBe(rounds);
  });
});

describe("P-077 P-078 TestNonblockSelectRace", () => {
  async function race(capacity: number, makeReady: (c2: Channel<number>) => void): Promise<[c1: number, c2: number]> {
    const picks: [number, number] = [0, 0];
    for (const [task = 0, first = 0, second = 0] of placements(3)) {
      for (let round = 0; round < 50; round++) {
        const [c1, c2] = [channel<number>(1), channel<number>(capacity)];
        c1.trySend(1);
        const other = (async () => {
          await yields(task);
          return trySelect([c1, c2]);
        })();
        await yields(first);
        makeReady(c2);
        await yields(second);
        trySelect([c1]);
        const picked = await other;
        assert.isDefined(picked, `nothing was ready, after ${task}, ${first}, ${second}`);
        picks[picked?.case ?? 0]++;
      }
    }
    return picks;
  }

  it("P-077 where one of two channels is ready at every moment, select never finds nothing", async () => {
    const [c1, c2] = await race(1, (c2) => void c2.trySend(1));
    expect(c1).toBeGreaterThan(1_000);
    expect(c2).toBeGreaterThan(1_000);
    expect(c1 + c2).toBe(217 * 50);
  });

  it("P-078 the same where the second channel becomes ready by being closed", async () => {
    const [c1, c2] = await race(0, (c2) => void c2.close());
    expect(c1).toBeGreaterThan(1_000);
    expect(c2).toBeGreaterThan(1_000);
    expect(c1 + c2).toBe(217 * 50);
  });
});

describe("TestSelfSelect", () => {
  /** Two tasks of `rounds` selects that send their own number or receive. */
  async function meet(ch: Channel<number>, rounds: number, turns: readonly number[]) {
    let [sends, receives, selfReceives] = [0, 0, 0];
    await Promise.all(
      [0, 1].map(async (p) => {
        for (let round = 0; round < rounds; round++) {
          await yields(turns[p] ?? 0);
          const swap = p === 1 && round % 2 === 1;
          const picked = await select(swap ? [ch, sending(ch, p)] : [sending(ch, p), ch]);
          if ((picked.case === 0) !== swap) {
            sends++;
          } else {
            receives++;
            if (picked.value === p) selfReceives++;
          }
        }
      }),
    );
    return { sends, receives, selfReceives };
  }

  it("P-079 two selects that send and receive on one unbuffered channel meet each other, never themselves", async () => {
    for (const turns of placements(2)) {
      const rounds = turns[0] === turns[1] ? 1_000 : 100;
      const ch = channel<number>();
      expect(await meet(ch, rounds, turns)).toEqual({ sends: rounds, receives: rounds, selfReceives: 0 });
      assert.equal(ch.trySend(9), false);
      assert.equal(ch.tryReceive(), undefined);
    }
  });

  it("P-080 with a buffer of ten both finish, and what was sent was received or is still there", async () => {
    for (const turns of placements(2)) {
      const ch = channel<number>(10);
      const { sends, receives } = await meet(ch, 100, turns);
      assert.equal(sends + receives, 200);
      assert.equal(sends - receives, ch.length);
      assert.isAtLeast(ch.length, 0);
      expect(ch.length).toBeLessThanOrEqual(10);
    }
    const ch = channel<number>(10);
    const { sends, receives } = await meet(ch, 1_000, [0, 0]);
    expect(sends - receives).toBe(ch.length);
  });
});

describe("P-081 TestSelectStress", () => {
  it(
    "P-081 plain tasks and two big selects on four channels: all ten end, nothing is lost",
    { timeout: 30_000 },
    async () => {
      const n = 10_000;
      const channels = [channel<number>(), channel<number>(), channel<number>(2), channel<number>(3)] as const;
      const sent = [0, 0, 0, 0];
      const received = [0, 0, 0, 0];
      const count = (counts: number[], index: number) => {
        counts[index] = (counts[index] ?? 0) + 1;
      };
      const tasks = channels.flatMap((ch, index) => [
        (async () => {
          for (let i = 0; i < n; i++) {
            await ch.send(i);
            count(sent, index);
          }
        })(),
        (async () => {
          for (let i = 0; i < n; i++) {
            await ch.receive();
            count(received, index);
          }
        })(),
      ]);
      tasks.push(
        (async () => {
          const order = [3, 2, 0, 1] as const;
          const left = [n, n, n, n];
          for (let i = 0; i < 4 * n; i++) {
            const picked = await select(order.map((index) => (left[index] ?? 0) > 0 && sending(channels[index], i)));
            const index = order[picked.case] as number;
            left[index] = (left[index] ?? 0) - 1;
            count(sent, index);
          }
          assert.deepEqual(left, [0, 0, 0, 0]);
        })(),
        (async () => {
          const left = [n, n, n, n];
          for (let i = 0; i < 4 * n; i++) {
            const picked = await select(channels.map((ch, index) => (left[index] ?? 0) > 0 && ch));
            left[picked.case] = (left[picked.case] ?? 0) - 1;
            count(received, picked.case);
          }
          assert.deepEqual(left, [0, 0, 0, 0]);
        })(),
      );
      await Promise.all(tasks);
      expect(tasks).toHaveLength(10);
      expect(sent).toEqual([2 * n, 2 * n, 2 * n, 2 * n]);
      expect(received).toEqual([2 * n, 2 * n, 2 * n, 2 * n]);
      expect(channels.map((ch) => ch.length)).toEqual([0, 0, 0, 0]);
    },
  );
});

describe("P-082 TestSelectFairness", () => {
  const trials = 10_000;

  async function counts(order: "random" | "listed"): Promise<[ones: number, twos: number]> {
    const [c1, c2, c3, c4] = [
      channel<number>(trials + 1),
      channel<number>(trials + 1),
      channel<number>(),
      channel<number>(),
    ];
    for (let i = 0; i <= trials; i++) {
      c1.trySend(1);
      c2.trySend(2);
    }
    const out = channel<number>();
    const done = channel<never>();
    const task = (async () => {
      for (;;) {
        const { value } = await select([c3, c4, c1, c2], { order });
        const picked = await select({ sent: sending(out, value as number), done });
        if (picked.case === "done") return;
      }
    })();
    const received: unknown[] = [];
    for (let i = 0; i < trials; i++) received.push((await out.receive()).value);
    done.close();
    await task;
    const times = (value: number) => received.filter((it) => it === value).length;
    return [times(1), times(2)];
  }

  it("P-082 of two channels that are always ready each is taken half the time, wherever they stand", async () => {
    const [ones, twos] = await counts("random");
    expect(ones + twos).toBe(trials);
    expect(Math.abs(ones - trials / 2)).toBeLessThanOrEqual(500); // ten sigma
  });

  it("P-082 in the order listed the first ready one is always taken", async () => {
    expect(await counts("listed")).toEqual([trials, 0]);
  });
});

describe("P-083 TestPseudoRandomSend", () => {
  it.each([0, 100])("P-083 two send cases on one channel are both taken, with capacity %i", async (capacity) => {
    // Whether the receiver comes before the select or after it.
    for (const [receiverTurns = 0, senderTurns = 0] of [
      [1, 0],
      [0, 3],
      [-1, 0],
    ]) {
      const n = 100;
      const ch = channel<number>(capacity);
      const received: unknown[] = [];
      const receiver = (async () => {
        for (let i = 0; i < n; i++) {
          await yields(receiverTurns);
          received.push((await ch.receive()).value);
        }
      })();
      for (let i = 0; i < n; i++) {
        await yields(senderTurns);
        const picked = await select([sending(ch, 1), sending(ch, 0)]);
        assert.deepEqual([picked.done, picked.value], [false, undefined]);
      }
      await receiver;
      const ones = received.filter((value) => value === 1).length;
      const zeros = received.filter((value) => value === 0).length;
      expect(ones + zeros).toBe(n);
      expect(Math.min(ones, zeros)).toBeGreaterThan(10);
    }
  });

  it("P-083 in the order listed a select that waits is served by its first case", async () => {
    const ch = channel<number>();
    for (let i = 0; i < 50; i++) {
      const picked = select([sending(ch, 1), sending(ch, 0)], { order: "listed" });
      assert.deepEqual(ch.tryReceive(), { done: false, value: 1 });
      expect((await picked).case).toBe(0);
    }
  });
});

describe("P-084 TestMultiConsumer", () => {
  it("P-084 23 workers between two channels forward 27,183 items, none lost", async () => {
    const primes = [2, 3, 7, 11, 13, 17, 19, 23, 27, 31];
    const items = 27_183;
    const [q, r] = [channel<number>(69), channel<number>(69)];
    const workers = Array.from({ length: 23 }, async (_, worker) => {
      for await (const value of q) {
        if (value === primes[worker % primes.length]) await macro();
        await r.send(value);
      }
    });
    void (async () => {
      for (let i = 0; i < items; i++) await q.send(primes[i % primes.length] as number);
      q.close();
      await Promise.all(workers);
      r.close();
    })();
    let [n, sum] = [0, 0];
    for await (const value of r) {
      n++;
      sum += value;
    }
    expect([n, sum]).toEqual([items, 415_866]);
  });
});

describe("P-085 TestChanSendInterface", () => {
  it("P-085 a full channel takes neither the object it holds nor another", () => {
    const object = {};
    const ch = channel<object>(1);
    expect(ch.trySend(object)).toBe(true);
    expect(trySelect({ sent: sending(ch, object) })).toBeUndefined();
    expect(trySelect({ sent: sending(ch, {}) })).toBeUndefined();
    expect(ch.tryReceive()?.value).toBe(object);
  });
});

describe("P-087 TestSelectDuplicateChannel", () => {
  it("P-087 a select that loses leaves both its places in the line of one channel", async () => {
    const [c, d, e] = [channel<number>(), channel<number>(), channel<number>()];
    const a = (async () => {
      const picked = await select([c, c, d]);
      await e.send(9);
      return picked;
    })();
    await settle();
    const b = c.receive();
    await settle();
    await d.send(7);
    expect(await e.receive()).toEqual({ done: false, value: 9 });
    await c.send(8);
    expect(await b).toEqual({ done: false, value: 8 });
    expect(await a).toEqual({ case: 2, done: false, value: 7 });
    expect(c.trySend(10)).toBe(false);
  });

  it("P-087 the same for send cases", async () => {
    const [c, d, e] = [channel<number>(), channel<number>(), channel<number>()];
    const a = (async () => {
      const picked = await select([sending(c, 1), sending(c, 2), sending(d, 7)]);
      await e.send(9);
      return picked;
    })();
    await settle();
    const b = c.send(8);
    await settle();
    expect(await d.receive()).toEqual({ done: false, value: 7 });
    expect(await e.receive()).toEqual({ done: false, value: 9 });
    expect(await c.receive()).toEqual({ done: false, value: 8 });
    await b;
    expect((await a).case).toBe(2);
    expect(c.tryReceive()).toBeUndefined();
  });

  it("P-087 the same where one of its own duplicates wins: it takes one value, not two", async () => {
    const c = channel<number>();
    const a = select([c, c, c]);
    await settle();
    expect(c.trySend(1)).toBe(true);
    expect(c.trySend(2)).toBe(false);
    expect(await a).toMatchObject({ done: false, value: 1 });
    const b = select([sending(c, 3), sending(c, 4)]);
    await settle();
    const received = c.tryReceive()?.value;
    expect(c.tryReceive()).toBeUndefined();
    expect((await b).case).toBe((received ?? 0) - 3);
  });
});

describe("P-088 TestSelectStackAdjust", () => {
  it("P-088 a close wakes each select once, duplicates or not, and no other case takes effect", async () => {
    const [c, d] = [channel<string>(), channel<string>()];
    const outcomes: unknown[] = [];
    let cx = "untouched";
    const tasks = [
      [c, undefined, d, undefined],
      [c, c, d, d],
    ].map(async (cases) => {
      const picked = await select(cases);
      outcomes.push(picked.case);
      if (picked.case < 2) cx = picked.value ?? "touched";
      return picked;
    });
    expect(await parked(Promise.race(tasks))).toBe(true);
    d.close();
    for (const picked of await Promise.all(tasks)) {
      expect([2, 3]).toContain(picked.case);
      expect(picked).toMatchObject(DONE);
    }
    await rest();
    expect(outcomes).toHaveLength(2);
    expect(cx).toBe("untouched");
    expect(c.trySend("anybody?")).toBe(false);
  });
});

describe("P-089 TestChanSendBarrier", () => {
  class Made {
    readonly round: number;
    readonly ballast = new Array<number>(100).fill(0);
    constructor(round: number) {
      this.round = round;
    }
  }

  it.each([
    ["a send", (ch: Channel<Made>, value: Made) => ch.send(value)],
    [
      "a select",
      async (ch: Channel<Made>, value: Made, done: Channel<never>) => {
        const picked = await select({ sent: sending(ch, value), done });
        assert.equal(picked.case, "sent");
      },
    ],
  ])("P-089 an object that was just made arrives intact by %s, 10,000 times", async (_, send) => {
    let [intact, strays] = [0, 0];
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        for (let round = 0; round < 1_000; round++) {
          const ch = channel<Made>();
          const done = channel<never>();
          const sent = send(ch, new Made(round), done);
          const { value } = await ch.receive();
          await sent;
          if (value instanceof Made && value.round === round && value.ballast.length === 100) intact++;
          if (done.trySend(undefined as never)) strays++;
        }
      }),
    );
    expect([intact, strays]).toEqual([10_000, 0]);
  });

  it("P-089 selects that lose on a channel of all do not pile up there", async () => {
    const done = channel<never>();
    for (let round = 0; round < 10_000; round++) {
      const ch = channel<Made>();
      const sent = select({ sent: sending(ch, new Made(round)), done });
      await ch.receive();
      await sent;
    }
    // Whoever had stayed would take it.
    expect(done.trySend(undefined as never)).toBe(false);
  });
});
