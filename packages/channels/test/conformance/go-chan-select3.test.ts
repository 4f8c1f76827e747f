// Go's test/chan/select3: what blocks and what does not.
import { describe, expect, it } from "vitest";
import { settle } from "../../../../test/support.ts";
import type { Cases, Channel } from "../../src/index.ts";
import { channel, ChannelClosedError, never, select, sending, trySelect } from "../../src/index.ts";
import { quiet } from "../support.ts";
import { parked } from "./turns.ts";

const off: (undefined | null | false)[] = [undefined, null, false];

/** Blocks, and is undone by its signal: what a select that can never be served must still do. */
async function blocksUntilAborted(cases: Cases): Promise<boolean> {
  const controller = new AbortController();
  const picked: Promise<unknown> = select(cases, { signal: controller.signal });
  const blocked = await parked(picked);
  controller.abort();
  await expect(picked).rejects.toBe(controller.signal.reason);
  return blocked;
}

describe("P-020 select3: nil send and receive", () => {
  it("never receives from never", async () => {
    expect(await parked(never.receive())).toBe(true);
    expect(await parked(never.next())).toBe(true);
    expect(never.tryReceive()).toBeUndefined();
  });

  it("never sends by a case that is off (no channel is nil here: a switched-off case is)", async () => {
    for (const none of off) expect(await blocksUntilAborted({ none })).toBe(true);
  });

  it("gives a wait on never back to its signal", async () => {
    const controller = new AbortController();
    const received = never.receive({ signal: controller.signal });
    expect(await parked(received)).toBe(true);
    controller.abort();
    await expect(received).rejects.toBe(controller.signal.reason);
  });
});

describe("P-021 select3: nil with default", () => {
  it("takes the default", () => {
    for (const none of off) {
      expect(trySelect({ none })).toBeUndefined();
      expect(trySelect([none])).toBeUndefined();
    }
    expect(trySelect({ never })).toBeUndefined();
    expect(trySelect([never])).toBeUndefined();
  });
});

describe("P-022 select3: buffered send", () => {
  it("does not block while there is room, with nobody to receive", async () => {
    const ch = channel<number>(1);
    expect(await parked(ch.send(1))).toBe(false);
    expect(ch.length).toBe(1);
    const other = channel<number>(1);
    expect(await parked(select([sending(other, 1)]))).toBe(false);
    expect(other.length).toBe(1);
  });
});

describe("P-023 select3: closed receive, repeated", () => {
  it.for([0, 1])("gives done at once, every time, capacity %i", async (capacity) => {
    const ch = channel<number>(capacity);
    ch.close();
    const done = { done: true, value: undefined };
    for (let round = 0; round < 10; round++) {
      const received = [ch.receive(), ch.next()];
      for (const promise of received) expect(await parked(promise)).toBe(false);
      expect(await Promise.all(received)).toEqual([done, done]);
      expect(ch.tryReceive()).toEqual(done);
      for await (const value of ch) expect.unreachable(`received ${value}`);
      expect(ch.closed).toBe(true);
      expect(ch.length).toBe(0);
    }
  });
});

describe("P-024 select3: closed send", () => {
  it.for([0, 1])("rejects, and does not throw at the call (where Go panics), capacity %i", async (capacity) => {
    const ch = channel<number>({ capacity, name: "orders" });
    ch.close();
    const errors: unknown[] = [];
    for (let round = 0; round < 10; round++) {
      const sent = ch.send(7);
      expect(sent).toBeInstanceOf(Promise);
      await sent.catch((error: unknown) => errors.push(error));
    }
    expect(errors).toHaveLength(10);
    expect(new Set(errors).size, "a new error for each").toBe(10);
    for (const error of errors) {
      expect(error).toBeInstanceOf(ChannelClosedError);
      expect(error).toMatchObject({ name: "ChannelClosedError", code: "ERR_CHANNEL_CLOSED" });
      expect((error as Error).message).toContain("send on closed channel");
      expect((error as Error).message).toContain("orders");
    }
    expect(ch.trySend(7)).toBe(false);
    expect(ch.length).toBe(0);
    expect(ch.tryReceive()).toEqual({ done: true, value: undefined });
  });
});

describe("P-025 select3: empty receive", () => {
  it.for([0, 1])("blocks while there is no sender, capacity %i", async (capacity) => {
    const ch = channel<number>(capacity);
    const received = ch.receive();
    expect(await parked(received)).toBe(true);
    await ch.send(7);
    expect(await received).toEqual({ done: false, value: 7 });
  });
});

describe("P-026 select3: empty select", () => {
  it("blocks without cases", async () => {
    expect(await blocksUntilAborted({})).toBe(true);
    expect(await blocksUntilAborted([])).toBe(true);
  });

  it("blocks when all its cases are off: the receive, the send, both", async () => {
    for (const receive of [never, ...off]) {
      expect(await blocksUntilAborted({ receive })).toBe(true);
      expect(await blocksUntilAborted([receive])).toBe(true);
      for (const send of off) {
        expect(await blocksUntilAborted({ receive, send })).toBe(true);
        expect(await blocksUntilAborted([send, receive])).toBe(true);
      }
    }
  });

  it("blocks once the last case of a loop has been switched off", async () => {
    let first: Channel<number> | undefined = channel<number>(1);
    let second: Channel<number> | undefined = channel<number>(1);
    await first.send(1);
    await second.send(2);
    const taken: unknown[] = [];
    for (let round = 0; round < 2; round++) {
      const picked: { case: string; value: unknown } = await select({ first, second });
      if (picked.case === "first") first = undefined;
      else second = undefined;
      taken.push(picked.value);
    }
    expect(new Set(taken)).toEqual(new Set([1, 2]));
    expect(await blocksUntilAborted({ first, second })).toBe(true);
  });
});

describe("P-027 select3: not ready", () => {
  it.for([0, 1])("blocks on the one case that is not ready, capacity %i", async (capacity) => {
    const ch = channel<number>(capacity);
    const picked = select({ ch });
    expect(await parked(picked)).toBe(true);
    await ch.send(7);
    expect(await picked).toEqual({ case: "ch", done: false, value: 7 });

    for (let i = 0; i < capacity; i++) await ch.send(i);
    const sent = select([sending(ch, 8)]);
    expect(await parked(sent)).toBe(true);
    const values: unknown[] = [];
    for (let i = 0; i <= capacity; i++) values.push((await ch.receive()).value);
    expect(values).toEqual([...Array(capacity).keys(), 8]);
    expect(await sent).toEqual({ case: 0, done: false, value: undefined });
  });
});

describe("P-028 select3: default only", () => {
  it("takes the default, which no case can be mistaken for", async () => {
    const shapes: Cases[] = [
      {},
      [],
      { never },
      [never],
      ...off.map((none) => ({ none })),
      ...off.map((none) => [none]),
    ];
    for (const cases of shapes) {
      for (const order of ["random", "listed"] as const) expect(trySelect(cases, { order })).toBeUndefined();
    }
    // A case named like the word, one of index 0, and one that gives undefined: each is an object that says so.
    const ch = channel<undefined>(1);
    await ch.send(undefined);
    expect(trySelect({ undefined: ch })).toEqual({ case: "undefined", done: false, value: undefined });
    expect(trySelect([sending(ch, undefined)])).toEqual({ case: 0, done: false, value: undefined });
  });
});

describe("P-029 select3: ready, so not the default", () => {
  it("takes the case that is ready, 1,000 times", async () => {
    const ch = channel<number>(1);
    for (let round = 0; round < 1_000; round++) {
      expect(trySelect({ sent: sending(ch, round) })).toEqual({ case: "sent", done: false, value: undefined });
      expect(ch.length).toBe(1);
      expect(trySelect({ ch })).toEqual({ case: "ch", done: false, value: round });
      expect(ch.length).toBe(0);
    }
  });
});

describe("P-030 select3: closed in a select", () => {
  it.for([0, 1])("receives done at once, capacity %i", async (capacity) => {
    const ch = channel<number>(capacity);
    ch.close();
    const selects = [
      select({ ch }),
      select([ch]),
      select({ ch, never }),
      select({ ch, off: false }, { order: "listed" }),
    ];
    for (const picked of selects) {
      expect(await parked(picked)).toBe(false);
      expect(await picked).toMatchObject({ done: true, value: undefined });
    }
    expect(trySelect({ ch })).toEqual({ case: "ch", done: true, value: undefined });
  });

  it.for([0, 1])("rejects for a send, and never hangs (where Go panics), capacity %i", async (capacity) => {
    const ch = channel<number>(capacity);
    ch.close();
    const selects: Promise<unknown>[] = [
      select({ sent: sending(ch, 7) }),
      select([sending(ch, 7)]),
      select({ sent: sending(ch, 7), never, empty: channel<number>() }),
    ];
    for (const picked of selects) {
      expect(picked).toBeInstanceOf(Promise);
      await expect(picked).rejects.toMatchObject({ name: "ChannelClosedError", code: "ERR_CHANNEL_CLOSED" });
    }
    expect(() => trySelect([sending(ch, 7)])).toThrow(ChannelClosedError);
    expect(ch.tryReceive()).toEqual({ done: true, value: undefined });
  });

  it("rejects a send that waited in a select when its channel closes", async () => {
    const ch = channel<number>();
    const picked = select({ sent: sending(ch, 7) });
    expect(await parked(picked)).toBe(true);
    ch.close();
    await expect(picked).rejects.toBeInstanceOf(ChannelClosedError);
    expect(ch.tryReceive(), "the value went out all the same").toEqual({ done: true, value: undefined });
  });
});

describe("P-031 select3: self", () => {
  const shapes = (ch: Channel<number>): Record<string, () => Promise<{ case: string; value: unknown }>> => ({
    "send first": () => select({ sent: sending(ch, 1), got: ch }),
    "receive first": () => select({ got: ch, sent: sending(ch, 1) }),
    "send first, listed": () => select({ sent: sending(ch, 1), got: ch }, { order: "listed" }),
    "receive first, listed": () => select({ got: ch, sent: sending(ch, 1) }, { order: "listed" }),
    "each twice": () => select({ sent: sending(ch, 1), got: ch, sentToo: sending(ch, 1), gotToo: ch }),
  });

  it.for(Object.keys(shapes(channel())))("does not meet itself: %s", async (shape) => {
    const ch = channel<number>();
    const picked = shapes(ch)[shape]?.();
    expect(await parked(picked as Promise<unknown>)).toBe(true);
    // The parked send is good, once.
    expect(await ch.receive()).toEqual({ done: false, value: 1 });
    expect((await picked)?.case).toMatch(/^sent/);
    expect(quiet(ch), "something is left").toBe(true);
  });

  it.for(Object.keys(shapes(channel())))("its receive is good as well, once: %s", async (shape) => {
    const ch = channel<number>();
    const picked = shapes(ch)[shape]?.();
    await settle();
    await ch.send(2);
    expect(await picked).toMatchObject({ value: 2 });
    expect((await picked)?.case).toMatch(/^got/);
    expect(quiet(ch), "something is left").toBe(true);
  });

  it("never meets itself without waiting either", () => {
    const ch = channel<number>();
    for (let round = 0; round < 100; round++) expect(trySelect({ sent: sending(ch, 1), got: ch })).toBeUndefined();
    expect(quiet(ch), "something is left").toBe(true);
  });

  it("meets another such select, each value once", async () => {
    for (let round = 0; round < 200; round++) {
      const ch = channel<number>();
      const both = await Promise.all([
        select({ sent: sending(ch, 1), got: ch }),
        select({ sent: sending(ch, 2), got: ch }),
      ]);
      expect(both.map((picked) => picked.case).toSorted()).toEqual(["got", "sent"]);
      const [first, second] = both;
      expect(first.case === "got" ? first.value : second.value).toBe(first.case === "got" ? 2 : 1);
      expect(quiet(ch), "something is left").toBe(true);
    }
  });

  it("leaves nothing when it is canceled", async () => {
    const ch = channel<number>();
    const controller = new AbortController();
    const picked = select({ sent: sending(ch, 1), got: ch }, { signal: controller.signal });
    await settle();
    controller.abort();
    await expect(picked).rejects.toBe(controller.signal.reason);
    expect(quiet(ch), "something is left").toBe(true);
  });

  it("gets done, not an error, when its channel closes: receivers are woken before senders", async () => {
    for (let round = 0; round < 50; round++) {
      const ch = channel<number>();
      const picked = select({ sent: sending(ch, 1), got: ch });
      ch.close();
      expect(await picked).toEqual({ case: "got", done: true, value: undefined });
    }
  });
});
