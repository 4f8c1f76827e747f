import { describe, expect, it } from "vitest";
import { channel, ChannelClosedError, select, sending, trySelect } from "../src/index.ts";
import { drain, fulfilled, got, outcome, outcomes, pending, reasonOf } from "./support.ts";

describe.for([1, 3])('overflow "drop-oldest" with capacity %i', (capacity) => {
  const make = () => channel<number>({ capacity, overflow: "drop-oldest" });

  it("makes room for the newest by dropping the oldest, and counts it", async () => {
    const ch = make();
    for (let i = 0; i < capacity + 5; i++) expect(ch.trySend(i)).toBe(true);
    expect([ch.dropped, ch.length]).toEqual([5, capacity]);
    expect(drain(ch)).toEqual(Array.from({ length: capacity }, (_, i) => i + 5));
    ch.trySend(99);
    expect([ch.dropped, ch.length], "with room again nothing is dropped").toEqual([5, 1]);
  });

  it("never makes send wait", async () => {
    const ch = make();
    const sends = Array.from({ length: capacity + 3 }, (_, i) => ch.send(i));
    expect(await outcomes(sends)).toEqual(sends.map(() => fulfilled(undefined)));
    expect(ch.dropped).toBe(3);
  });

  it("makes a sending case ready always", async () => {
    const ch = make();
    for (let i = 0; i < capacity + 2; i++) {
      expect(await select({ sent: sending(ch, i) })).toEqual({ case: "sent", done: false, value: undefined });
    }
    expect(trySelect({ sent: sending(ch, 99) })).toEqual({ case: "sent", done: false, value: undefined });
    expect(ch.dropped).toBe(3);
    expect(drain(ch).at(-1)).toBe(99);
  });
});

describe.for([1, 3])('overflow "drop-newest" with capacity %i', (capacity) => {
  const make = () => channel<number>({ capacity, overflow: "drop-newest" });

  it("drops what comes when it is full, and counts it; trySend is false for this very value only", async () => {
    const ch = make();
    for (let i = 0; i < capacity + 5; i++) expect(ch.trySend(i)).toBe(i < capacity);
    expect([ch.dropped, ch.length]).toEqual([5, capacity]);
    expect(drain(ch)).toEqual(Array.from({ length: capacity }, (_, i) => i));
    expect(ch.trySend(99)).toBe(true);
    expect([ch.dropped, ch.length]).toEqual([5, 1]);
  });

  it("never makes send wait, and send resolves for a dropped value too", async () => {
    const ch = make();
    const sends = Array.from({ length: capacity + 3 }, (_, i) => ch.send(i));
    expect(await outcomes(sends)).toEqual(sends.map(() => fulfilled(undefined)));
    expect(ch.dropped).toBe(3);
    expect(drain(ch)).toEqual(Array.from({ length: capacity }, (_, i) => i));
  });

  it("makes a sending case ready always", async () => {
    const ch = make();
    for (let i = 0; i < capacity + 2; i++) {
      expect(await select({ sent: sending(ch, i) })).toEqual({ case: "sent", done: false, value: undefined });
    }
    expect(trySelect({ sent: sending(ch, 99) })).toEqual({ case: "sent", done: false, value: undefined });
    expect(ch.dropped).toBe(3);
    expect(drain(ch)).toEqual(Array.from({ length: capacity }, (_, i) => i));
  });
});

describe.for(["drop-oldest", "drop-newest"] as const)('overflow "%s"', (overflow) => {
  it("drops nothing while a receiver waits", async () => {
    const ch = channel<number>({ capacity: 1, overflow });
    const received = [ch.receive(), ch.receive()];
    for (const value of [1, 2, 3]) expect(ch.trySend(value)).toBe(true);
    expect(await outcomes(received)).toEqual([got(1), got(2)]);
    expect([ch.dropped, ch.length]).toEqual([0, 1]);
  });

  it("still makes receivers wait", async () => {
    const ch = channel<number>({ capacity: 1, overflow });
    const received = ch.receive();
    expect(await outcome(received)).toEqual(pending);
    ch.trySend(1);
    expect(await outcome(received)).toEqual(got(1));
  });

  it("refuses a send to a closed channel, which is not counted as dropped", async () => {
    const ch = channel<number>({ capacity: 1, overflow });
    ch.trySend(1);
    ch.close();
    expect(await reasonOf(ch.send(2))).toBeInstanceOf(ChannelClosedError);
    expect(ch.trySend(3)).toBe(false);
    expect(() => trySelect([sending(ch, 4)])).toThrow(ChannelClosedError);
    expect(ch.dropped).toBe(0);
    expect(drain(ch)).toEqual([1]);
  });

  it("with capacity 0 is a RangeError, with Infinity never drops", () => {
    expect(() => channel({ overflow })).toThrow(RangeError);
    expect(() => channel({ capacity: 0, overflow })).toThrow(RangeError);
    const ch = channel<number>({ capacity: Infinity, overflow });
    for (let i = 0; i < 3_000; i++) ch.trySend(i);
    expect([ch.length, ch.dropped]).toEqual([3_000, 0]);
  });
});

describe('overflow "wait"', () => {
  it("is the default: it drops nothing", async () => {
    for (const ch of [
      channel<number>(1),
      channel<number>({ capacity: 1, overflow: "wait" }),
      channel<number>({ capacity: 1 }),
    ]) {
      const sends = [ch.send(1), ch.send(2)];
      expect(await outcomes(sends)).toEqual([fulfilled(undefined), pending]);
      expect(ch.trySend(3)).toBe(false);
      expect(ch.dropped).toBe(0);
      expect(drain(ch)).toEqual([1, 2]);
    }
  });
});
