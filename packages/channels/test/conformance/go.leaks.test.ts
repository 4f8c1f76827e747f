// Follows tests of Go that are about memory: fixedbugs/issue9110.go, and those of the runtime that move stacks while
// goroutines are parked. Stacks do not move here; what stays of them is that the collector runs meanwhile.
import { assert, describe, expect, it } from "vitest";
import { macro, settle } from "../../../../test/support.ts";
import { type Channel, channel, select, sending } from "../../src/index.ts";
import { rest } from "../support.ts";

const collect = async (): Promise<void> => {
  for (let turn = 0; turn < 2; turn++) {
    await macro(); // a WeakRef holds its target until the end of the turn in which it was made or read
    globalThis.gc?.();
  }
  await macro();
};

describe("P-064 issue 9110", () => {
  it("P-064 a channel on which selects with duplicate cases waited is collected once it has been closed", async () => {
    assert.isFunction(globalThis.gc);
    const rounds = 20;
    const channels: WeakRef<Channel<number>>[] = [];
    let ended = 0;
    for (let round = 0; round < rounds; round++) {
      await (async () => {
        const c = channel<number>();
        channels.push(new WeakRef(c));
        const tasks = Array.from({ length: 10 }, async () => {
          const picked = await select([c, c, c]);
          if (picked.done) ended++;
        });
        await settle();
        c.close();
        await Promise.all(tasks);
      })();
    }
    expect(ended).toBe(10 * rounds);
    await collect();
    expect(channels.filter((ref) => ref.deref() !== undefined)).toEqual([]);
  });

  it("P-064 so is one that was left open, with its selects served elsewhere", async () => {
    const long = channel<number>();
    const channels: WeakRef<Channel<number>>[] = [];
    for (let round = 0; round < 20; round++) {
      await (async () => {
        const c = channel<number>();
        channels.push(new WeakRef(c));
        const tasks = Array.from({ length: 10 }, () => select([c, sending(c, round), long, c]));
        await settle();
        while (long.trySend(round)) await settle(1);
        await Promise.all(tasks);
      })();
    }
    await collect();
    expect(channels.filter((ref) => ref.deref() !== undefined)).toEqual([]);
    expect(long.trySend(0)).toBe(false);
  });
});

describe("P-086 TestShrinkStackDuringBlockedSend, TestNoShrinkStackWhileParking", () => {
  it("P-086 ten values come in order while the collector runs between them", async () => {
    const received = await (async () => {
      const c = channel<number>();
      void (async () => {
        for (let n = 0; n < 10; n++) await c.send(n);
        c.close();
      })();
      const values: number[] = [];
      for await (const value of c) {
        values.push(value);
        await macro();
        globalThis.gc?.();
      }
      return values;
    })();
    expect(received).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("P-086 a parked task that nobody else refers to survives the collector, and is woken", async () => {
    for (let round = 0; round < 10; round++) {
      const c = channel<{ n: number }>();
      const out = channel<number>(6);
      // Parked in every way; nothing but the channel holds them.
      void (async () => out.trySend(((await c.receive()).value?.n ?? 0) + 1))();
      void (async () => out.trySend(((await select({ c, quiet: channel() })).value as { n: number }).n + 1))();
      void (async () => {
        for await (const value of c) out.trySend(value.n + 1);
      })();
      await rest();
      globalThis.gc?.();
      for (let n = 0; n < 3; n++) {
        assert.ok(c.trySend({ n }));
        if (n === 1) globalThis.gc?.();
      }
      await rest();
      expect([out.tryReceive()?.value, out.tryReceive()?.value, out.tryReceive()?.value]).toEqual([1, 2, 3]);
      c.close();

      const d = channel<{ n: number }>();
      void (async () => {
        await d.send({ n: 1 });
        out.trySend(10);
      })();
      void (async () => {
        await select([sending(d, { n: 2 }), channel()]);
        out.trySend(20);
      })();
      await rest();
      globalThis.gc?.();
      expect([d.tryReceive()?.value, d.tryReceive()?.value]).toEqual([{ n: 1 }, { n: 2 }]);
      await rest();
      expect([out.tryReceive()?.value, out.tryReceive()?.value]).toEqual([10, 20]);
    }
  });
});
