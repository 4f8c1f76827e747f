// Follows a few tests of other libraries: crossbeam-channel, kotlinx.coroutines, Trio, ts-chan, repeater.
import { assert, describe, expect, it } from "vitest";
import { batch, channel, ChannelClosedError, from, merge, select, sending } from "../../src/index.ts";
import { rest } from "../support.ts";
import { parked } from "./turns.ts";

describe("P-147 crossbeam, recv_iter_break", () => {
  it("P-147 a loop that breaks leaves the channel open and the rest to others", async () => {
    const ch = channel<number>();
    const producer = (async () => {
      for (let n = 0; n < 4; n++) await ch.send(2);
      ch.close();
    })();
    const consume = async () => {
      let sum = 0;
      for await (const value of ch) {
        if (sum >= 3) break; // this value has been taken
        sum += value;
      }
      return sum;
    };
    expect(await consume()).toBe(4);
    expect(ch.closed).toBe(false);
    expect(await ch.receive()).toEqual({ done: false, value: 2 });
    expect(await ch.receive()).toEqual({ done: true, value: undefined });
    await producer;
  });
});

describe("P-148 crossbeam, disconnect_wakes_sender", () => {
  it("P-148 a close wakes who waits to send with an error (the value is not in it: the sender has it)", async () => {
    const secret = { token: "do not log me" };
    const ch = channel<typeof secret>({ name: "jobs" });
    const sends = [ch.send(secret), select({ sent: sending(ch, secret) })];
    await rest();
    ch.close();
    for (const send of sends) {
      const error = await send.then(
        () => assert.fail("sent to a closed channel"),
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(ChannelClosedError);
      expect((error as ChannelClosedError).message).toBe('Cannot send: send on closed channel "jobs"');
      const own = Object.getOwnPropertyNames(error).map((name) => (error as Record<string, unknown>)[name]);
      expect(own).not.toContain(secret);
      expect(JSON.stringify(own)).not.toContain("do not log me");
    }
    expect(await ch.receive()).toEqual({ done: true, value: undefined });
  });
});

describe("P-149 kotlinx, RendezvousChannelTest.testSimple", () => {
  /** The steps of a sender that starts first and a receiver, in the order in which they happen. */
  async function steps(eager: boolean): Promise<string[]> {
    const log: string[] = [];
    const ch = channel<number>();
    const sender = (async () => {
      for (const n of [1, 2]) {
        log.push(`send ${n}`);
        if (!eager || !ch.trySend(n)) await ch.send(n);
        log.push(`sent ${n}`);
      }
    })();
    const receiver = (async () => {
      for (const n of [1, 2]) {
        log.push(`receive ${n}`);
        const { value } = (eager ? ch.tryReceive() : undefined) ?? (await ch.receive());
        log.push(`received ${value}`);
      }
    })();
    await Promise.all([sender, receiver]);
    return log;
  }

  it("P-149 with the idiom of hot loops whoever finds a partner goes on at once, in the order of the original", async () => {
    for (let run = 0; run < 100; run++) {
      await rest(); // so that no step is put off for the event loop
      assert.deepEqual(await steps(true), [
        "send 1", // parks
        "receive 1",
        "received 1", // without parking
        "receive 2", // parks
        "sent 1",
        "send 2",
        "sent 2", // without parking
        "received 2",
      ]);
    }
    expect(await steps(true)).toHaveLength(8);
  });

  it("P-149 with promises alone the order is as fixed, and each step comes within a microtask of its cause", async () => {
    const first = await steps(false);
    for (let run = 0; run < 100; run++) {
      await rest();
      assert.deepEqual(await steps(false), first);
    }
    expect(first).toEqual([
      "send 1",
      "receive 1",
      "sent 1",
      "send 2",
      "received 1",
      "receive 2",
      "sent 2",
      "received 2",
    ]);
  });

  it("P-149 a send to a receiver that waits settles within one microtask", async () => {
    for (let run = 0; run < 100; run++) {
      await rest();
      const ch = channel<number>();
      const received = ch.receive();
      let settled = false;
      void ch.send(run).then(() => (settled = true));
      await Promise.resolve();
      assert.ok(settled);
      expect(await received).toEqual({ done: false, value: run });
    }
  });
});

describe("P-150 Trio, test_channel_multiple_consumers", () => {
  it("P-150 of five consumers that wait in line each gets its share", async () => {
    const ch = channel<number>(1);
    const got = Array.from({ length: 5 }, (): number[] => []);
    const consumers = got.map(async (values) => {
      for await (const value of ch) values.push(value);
    });
    expect(await parked(Promise.race(consumers))).toBe(true);
    for (let n = 0; n < 10; n++) await ch.send(n);
    ch.close();
    await Promise.all(consumers);
    expect(got.map((values) => values.length > 0)).toEqual([true, true, true, true, true]);
    expect(got.flat().toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(got.map((values) => values[0])).toEqual([0, 1, 2, 3, 4]);
  });
});

describe("P-152 ts-chan, try operations", () => {
  it("P-152 trySend has two outcomes (closed is false too, where others throw), tryReceive three", () => {
    const ch = channel<number>(1);
    expect(ch.tryReceive()).toBeUndefined();
    expect(ch.trySend(1)).toBe(true);
    expect(ch.trySend(2)).toBe(false);
    expect(ch.tryReceive()).toEqual({ done: false, value: 1 });
    expect(ch.tryReceive()).toBeUndefined();
    ch.close();
    expect(ch.trySend(3)).toBe(false);
    expect(ch.tryReceive()).toEqual({ done: true, value: undefined });
  });
});

describe("P-153 repeater, leaving a loop", () => {
  class Boom extends Error {}

  /** Takes three values, then leaves by break or by a throw. */
  async function takeThree(source: AsyncIterable<number>, leave: "break" | "throw"): Promise<number[]> {
    const values: number[] = [];
    for await (const value of source) {
      if (values.push(value) < 3) continue;
      if (leave === "break") break;
      throw new Boom();
    }
    return values;
  }

  const leave = async (source: AsyncIterable<number>, how: "break" | "throw") => {
    const error = await takeThree(source, how).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    return error === undefined ? "break" : error instanceof Boom ? "throw" : error;
  };

  it.each(["break", "throw"] as const)(
    "P-153 a channel has no return: after a %s it stays open and goes on",
    async (how) => {
      const ch = channel<number>(4);
      for (let n = 1; n <= 4; n++) ch.trySend(n);
      expect(Reflect.has(ch[Symbol.asyncIterator](), "return")).toBe(false);
      expect(await leave(ch, how)).toBe(how);
      expect(ch.closed).toBe(false);
      expect(await ch.next()).toEqual({ done: false, value: 4 });
      expect(ch.tryReceive()).toBeUndefined();
      const next = ch.next();
      expect(await parked(next)).toBe(true);
      ch.close();
      expect(await next).toEqual({ done: true, value: undefined });
    },
  );

  it.each(["break", "throw"] as const)(
    "P-153 a batch has one: called once by a %s, and then it gives done",
    async (how) => {
      const ch = channel<number>(4);
      for (let n = 1; n <= 4; n++) ch.trySend(n);
      const batches = batch(ch, { max: 1 });
      let returns = 0;
      const source: AsyncIterable<number> = {
        [Symbol.asyncIterator]: () => ({
          next: async () => {
            const result = await batches.next();
            return result.done ? result : { done: false, value: result.value[0] as number };
          },
          return: async () => {
            returns++;
            await batches.return?.();
            return { done: true, value: undefined };
          },
        }),
      };
      expect(await leave(source, how)).toBe(how);
      expect(returns).toBe(1);
      for (let n = 0; n < 3; n++) expect(await batches.next()).toEqual({ done: true, value: undefined });
      expect(ch.closed).toBe(false);
      expect(ch.tryReceive()).toEqual({ done: false, value: 4 });
    },
  );

  it.each(["break", "throw"] as const)(
    "P-153 leaving a loop over from and merge by a %s takes nothing more; their disposal closes the source, once",
    async (how) => {
      for (const open of [from<number>, (source: AsyncIterable<number>) => merge(source)]) {
        let returns = 0;
        let given = 0;
        const source: AsyncIterableIterator<number> = {
          next: async () => ({ done: false, value: ++given }),
          return: async () => {
            returns++;
            return { done: true, value: undefined };
          },
          [Symbol.asyncIterator]: () => source,
        };
        const receiver = open(source);
        expect(await leave(receiver, how)).toBe(how);
        expect(returns).toBe(0);
        expect(await receiver.receive()).toEqual({ done: false, value: 4 });
        await receiver[Symbol.asyncDispose]();
        await receiver[Symbol.asyncDispose]();
        await rest();
        expect(returns).toBe(1);
        for (let n = 0; n < 3; n++) expect(await receiver.next()).toEqual({ done: true, value: undefined });
      }
    },
  );
});
