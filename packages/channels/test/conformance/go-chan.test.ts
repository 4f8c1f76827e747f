// Small programs of Go's test/chan: fifo, goroutines, sendstmt, zerosize.
import { describe, expect, it } from "vitest";
import type { Channel } from "../../src/index.ts";
import { channel, select, sending, trySelect } from "../../src/index.ts";
import { quiet, rest } from "../support.ts";
import { parked } from "./turns.ts";

describe("P-002 fifo: AsynchFifo", () => {
  it("gives what was buffered in the order sent, and no send blocks while there is room, for 1 to 40 values", async () => {
    for (let capacity = 1; capacity <= 40; capacity++) {
      const ch = channel<number>(capacity);
      const sends: Promise<void>[] = [];
      for (let i = 0; i < capacity; i++) sends.push(ch.send(i));
      expect(await parked(Promise.all(sends)), `a send blocked at capacity ${capacity}`).toBe(false);
      expect(ch.length).toBe(capacity);
      const further = new AbortController();
      const one = ch.send(capacity, { signal: further.signal });
      expect(await parked(one), `one more did not block at capacity ${capacity}`).toBe(true);
      further.abort();
      await expect(one).rejects.toBe(further.signal.reason);
      for (let i = 0; i < capacity; i++) expect(await ch.receive()).toEqual({ done: false, value: i });
      expect(ch.length).toBe(0);
      expect(ch.tryReceive()).toBeUndefined();
    }
  });
});

describe("P-003 fifo: SynchFifo", () => {
  it("hands each value of an unbuffered channel to the receiver whose turn it is", async () => {
    const links = 10;
    const data = channel<number>();
    const batons = Array.from({ length: links + 1 }, () => channel<void>());
    const got: unknown[] = [];
    const link = async (k: number, input: Channel<void>, output: Channel<void>) => {
      await input.receive();
      got[k] = await data.receive();
      await output.send();
    };
    const tasks = batons.slice(1).map((output, k) => link(k, batons[k] as Channel<void>, output));

    await batons[0]?.send();
    let sent = 0;
    const main = (async () => {
      for (; sent < links; sent++) {
        await data.send(sent);
        // The value must have been handed over by now, not merely be on its way.
        expect(data.length).toBe(0);
        expect(data.tryReceive()).toBeUndefined();
      }
    })();
    expect(await batons[links]?.receive()).toEqual({ done: false, value: undefined });
    await Promise.all([main, ...tasks]);
    expect(sent).toBe(links);
    expect(got).toEqual(Array.from({ length: links }, (_, value) => ({ done: false, value })));
    for (const ch of [data as Channel<unknown>, ...(batons as Channel<unknown>[])]) expect(quiet(ch)).toBe(true);
  });

  it("does not resolve a send before a receiver has taken the value", async () => {
    const data = channel<number>();
    const sent = data.send(1);
    expect(await parked(sent)).toBe(true);
    expect(await data.receive()).toEqual({ done: false, value: 1 });
    expect(await parked(sent)).toBe(false);
  });
});

describe("P-004 goroutines", () => {
  it.for([10_000, 100_000])("passes a value down a chain of %i tasks, and every task ends", async (length) => {
    const leftmost = channel<number>();
    let left = leftmost;
    let ended = 0;
    const link = async (to: Channel<number>, from: Channel<number>) => {
      const { value } = await from.receive();
      await to.send((value as number) + 1);
      ended++;
    };
    for (let i = 0; i < length; i++) {
      const right = channel<number>();
      void link(left, right);
      left = right;
    }
    const rightmost = left;
    void (async () => {
      await rightmost.send(1);
    })();
    // Each task adds one: so the value has passed all of them.
    expect(await leftmost.receive()).toEqual({ done: false, value: length + 1 });
    await rest();
    expect(ended).toBe(length);
  });

  it("wakes 100,000 waiters of one close without recursion", async () => {
    const ch = channel<never>();
    let woken = 0;
    const waiters = Array.from({ length: 100_000 }, async () => {
      const { done } = await ch.receive();
      if (done) woken++;
    });
    ch.close();
    await Promise.all(waiters);
    expect(woken).toBe(100_000);
  });
});

describe("P-041 sendstmt: chanchan", () => {
  it("sends on a channel that came through a channel", async () => {
    const ch = channel<number>(1);
    const channels = channel<Channel<number>>(1);
    await channels.send(ch);
    const picked = trySelect([sending(channels.tryReceive()?.value ?? channel<number>(), 2)]);
    expect(picked).toEqual({ case: 0, done: false, value: undefined });
    expect(await ch.receive()).toEqual({ done: false, value: 2 });
    expect(channels.length).toBe(0);
  });

  it.for([0, 1])("hands a channel over as the object it is, capacity %i", async (capacity) => {
    const inner = channel<number>(1);
    const channels = channel<Channel<number>>(capacity);
    await inner.send(7);
    const ways: (() => Promise<IteratorResult<Channel<number>, undefined> | undefined>)[] = [
      () => channels.receive(),
      () => channels.next(),
      async () => channels.tryReceive(),
      async () => await select({ channels }),
      async () => trySelect({ channels }),
    ];
    for (const receive of ways) {
      const sent = channels.send(inner);
      expect((await receive())?.value).toBe(inner);
      await sent;
      const sentBySelect = select([sending(channels, inner)]);
      expect((await receive())?.value).toBe(inner);
      await sentBySelect;
    }
    // Neither taken for a thenable nor iterated over on the way.
    expect("then" in inner).toBe(false);
    expect(inner.length).toBe(1);
    expect(await (async () => inner)()).toBe(inner);
  });
});

describe("P-044 zerosize", () => {
  it.for([0, 1])("makes channels of nothing, and counts what they carry, capacity %i", async (capacity) => {
    const nothing = channel<void>(capacity);
    const undefineds = channel<undefined>(capacity);
    for (const ch of [nothing, undefineds]) {
      expect(ch.length).toBe(0);
      const sent = ch.send(undefined);
      expect(ch.length).toBe(capacity);
      expect(ch.tryReceive()).toEqual({ done: false, value: undefined });
      await sent;
      expect(ch.length).toBe(0);
      expect(ch.tryReceive()).toBeUndefined();
      ch.close();
      expect(ch.tryReceive()).toEqual({ done: true, value: undefined });
    }
  });
});
