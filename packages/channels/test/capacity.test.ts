import { describe, expect, it } from "vitest";
import { seeded } from "../../../test/support.ts";
import type { Channel } from "../src/index.ts";
import { channel } from "../src/index.ts";
import { drain, fulfilled, outcome } from "./support.ts";

describe("channel()", () => {
  it("is unbuffered unless told otherwise", () => {
    for (const ch of [
      channel<number>(),
      channel<number>(0),
      channel<number>({}),
      channel<number>({ capacity: undefined }),
    ]) {
      expect(ch.capacity).toBe(0);
      expect(ch.trySend(1)).toBe(false);
    }
  });

  it("knows its capacity and its name", () => {
    expect(channel(3)).toMatchObject({ capacity: 3, length: 0, dropped: 0, closed: false, name: undefined });
    expect(channel({ capacity: 4, name: "jobs" })).toMatchObject({ capacity: 4, name: "jobs" });
    expect(channel({ name: "" }).name).toBe("");
  });

  it("with capacity Infinity never holds a sender up", async () => {
    const ch = channel<number>(Infinity);
    expect(ch.capacity).toBe(Infinity);
    let refused = 0;
    for (let i = 0; i < 5_000; i++) if (!ch.trySend(i)) refused++;
    expect(refused).toBe(0);
    expect(await outcome(ch.send(5_000))).toEqual(fulfilled(undefined));
    expect(ch.length).toBe(5_001);
    expect(drain(ch)).toEqual(Array.from({ length: 5_001 }, (_, i) => i));
  });

  it("takes a capacity up to the largest safe integer without making room for it", () => {
    const ch = channel<number>(Number.MAX_SAFE_INTEGER);
    expect(ch.trySend(1)).toBe(true);
    expect(drain(ch)).toEqual([1]);
  });

  it.for([1, 2, 3, 7, 8, 9, 64, Infinity])(
    "keeps the order while its buffer of %d fills, wraps around, grows and drains",
    (capacity) => {
      const random = seeded(capacity === Infinity ? 11 : capacity);
      const ch: Channel<number> = channel<number>(capacity);
      let [sent, received] = [0, 0];
      const wrong: string[] = [];
      for (let step = 0; step < 500; step++) {
        // Bursts of up to 40 values, then as many taken out again on average, so that the ring wraps at every size.
        for (let n = random.int(40); n > 0; n--) {
          const room = sent - received < capacity;
          if (ch.trySend(sent) !== room) wrong.push(`step ${step}: trySend was ${!room}`);
          if (room) sent++;
        }
        for (let n = random.int(40); n > 0; n--) {
          const result = ch.tryReceive();
          const value = received < sent ? received++ : undefined;
          if (result?.value !== value) wrong.push(`step ${step}: ${result?.value} in place of ${value}`);
        }
        if (ch.length !== sent - received) wrong.push(`step ${step}: length ${ch.length}`);
      }
      expect(wrong).toEqual([]);
      expect(sent).toBeGreaterThan(400);
      expect(drain(ch)).toEqual(Array.from({ length: sent - received }, (_, i) => received + i));
    },
  );

  it("works on after a burst of values has gone", () => {
    const ch = channel<number>(Infinity);
    for (const burst of [5_000, 3, 2_000, 20]) {
      for (let i = 0; i < burst; i++) ch.trySend(i);
      expect(ch.length).toBe(burst);
      expect(drain(ch)).toEqual(Array.from({ length: burst }, (_, i) => i));
    }
  });
});
