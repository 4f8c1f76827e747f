// Go's test/chan/select, select4, select6, select7, select8.
import { describe, expect, it } from "vitest";
import { settle } from "../../../../test/support.ts";
import type { Channel } from "../../src/index.ts";
import { channel, ChannelClosedError, select, sending, trySelect } from "../../src/index.ts";
import { quiet } from "../support.ts";
import { parked, placements, yields } from "./turns.ts";

describe("P-018 select", () => {
  /** Sends through whichever channel has room until none has; a channel that took a value is switched off. */
  function fill(channels: Record<"a" | "b", Channel<number> | undefined>, value: () => number): number {
    let sends = 0;
    for (;;) {
      const { a, b } = channels;
      const picked = trySelect({ a: a && sending(a, value()), b: b && sending(b, value()) });
      if (picked === undefined) return sends;
      channels[picked.case] = undefined;
      sends++;
    }
  }

  it("sends once to each channel and then takes the default: the values are 1 and 2 in some order", async () => {
    for (let round = 0; round < 50; round++) {
      const a = channel<number>(1);
      const b = channel<number>(1);
      const channels: { a: Channel<number> | undefined; b: Channel<number> | undefined } = { a, b };
      let counter = 0;
      let shift = 0;
      const value = () => {
        counter++;
        return 1 << shift;
      };
      const run = () => {
        let sends = 0;
        for (;;) {
          // As in Go: the values are made for every case, also for one that is switched off.
          const [forA, forB] = [value(), value()];
          const picked = trySelect({
            a: channels.a && sending(channels.a, forA),
            b: channels.b && sending(channels.b, forB),
          });
          if (picked === undefined) return sends;
          channels[picked.case] = undefined;
          sends++;
          shift++;
        }
      };
      expect(run()).toBe(2);
      const values = [(await a.receive()).value, (await b.receive()).value];
      expect(new Set(values)).toEqual(new Set([1, 2]));
      channels.a = a;
      expect(run()).toBe(1);
      expect(a.length).toBe(1);
      expect(counter).toBe(10);
    }
  });

  it("takes values when a case is made: a case that is switched off by && makes none (4 values, where Go makes 10)", () => {
    const a = channel<number>(1);
    const b = channel<number>(1);
    let counter = 0;
    const value = () => ++counter;
    expect(fill({ a, b }, value)).toBe(2);
    a.tryReceive();
    expect(fill({ a, b: undefined }, value)).toBe(1);
    expect(counter).toBe(4);
  });

  it("sends a function as the value it is, and calls it neither when its case wins nor when it loses", async () => {
    const a = channel<() => never>(1);
    const b = channel<() => never>();
    const fail = () => {
      throw new Error("called");
    };
    expect(trySelect([sending(a, fail), sending(b, fail)])?.case).toBe(0);
    expect((await a.receive()).value).toBe(fail);
    expect((await select([sending(b, fail), sending(a, fail)])).case).toBe(1);
    expect(a.tryReceive()?.value).toBe(fail);
    expect(b.tryReceive()).toBeUndefined();
  });
});

describe("P-032 select4", () => {
  it.for(["random", "listed"] as const)("runs the code of the picked case alone, order %s", async (order) => {
    const full = channel<number>(1);
    const empty = channel<number>();
    let targets = 0;
    const target = (): { x: number } => {
      targets++;
      return { x: 0 };
    };
    for (let value = 42; value < 142; value++) {
      await full.send(value);
      let x: unknown;
      const picked = await select({ lost: empty, got: full }, { order });
      switch (picked.case) {
        case "lost":
          if (!picked.done) target().x = picked.value;
          break;
        case "got":
          x = picked.value;
          break;
      }
      expect(x).toBe(value);
    }
    expect(targets).toBe(0);
    expect(empty.trySend(1), "a receive waits at the channel of the losing case").toBe(false);
  });
});

describe("P-038 select6", () => {
  it("wakes receivers that wait behind the losing case of a select", async () => {
    for (const placement of placements(4)) {
      const [beforeA = 0, beforeB = 0, beforeC = 0, beforeMain = 0] = placement;
      const [c1, c2, c3] = [channel<string>(), channel<boolean>(), channel<boolean>()];
      const got: string[] = [];
      const log: string[] = [];
      const a = async () => {
        await yields(beforeA);
        got.push((await c1.receive()).value as string);
      };
      const b = async () => {
        await yields(beforeB);
        const picked = await select({ first: c1, second: c2 });
        log.push(picked.case);
        await c3.send(true);
        got.push((await c1.receive()).value as string);
      };
      const c = async () => {
        await yields(beforeC);
        await c2.send(true);
      };
      const tasks = [a(), b(), c()];
      expect(await c3.receive(), `placement ${placement.join()}`).toEqual({ done: false, value: true });
      await yields(beforeMain);
      await c1.send("one");
      await c1.send("two");
      await Promise.all(tasks);
      expect(log).toEqual(["second"]);
      expect(got.toSorted()).toEqual(["one", "two"]);
      for (const ch of [c1, c2, c3]) expect(quiet(ch as Channel<unknown>)).toBe(true);
    }
  });

  it("wakes senders that wait behind the losing case of a select", async () => {
    for (const placement of placements(4)) {
      const [beforeA = 0, beforeB = 0, beforeC = 0, beforeMain = 0] = placement;
      const [c1, c2, c3] = [channel<string>(), channel<boolean>(), channel<boolean>()];
      const log: string[] = [];
      const a = async () => {
        await yields(beforeA);
        await c1.send("a");
      };
      const b = async () => {
        await yields(beforeB);
        const picked = await select({ first: sending(c1, "lost"), second: sending(c2, true) });
        log.push(picked.case);
        await c3.send(true);
        await c1.send("b");
      };
      const c = async () => {
        await yields(beforeC);
        await c2.receive();
      };
      const tasks = [a(), b(), c()];
      expect(await c3.receive(), `placement ${placement.join()}`).toEqual({ done: false, value: true });
      await yields(beforeMain);
      const got = [await c1.receive(), await c1.receive()].map(({ value }) => value);
      await Promise.all(tasks);
      expect(log).toEqual(["second"]);
      expect(new Set(got)).toEqual(new Set(["a", "b"]));
      for (const ch of [c1, c2, c3]) expect(quiet(ch as Channel<unknown>)).toBe(true);
    }
  });

  it.for(["receivers", "senders"] as const)(
    "keeps %s in line when a select leaves the head, the middle or the tail, and others join",
    async (who) => {
      const joins = [4, 5, 6, 7];
      for (let waiting = 1; waiting <= 4; waiting++) {
        for (let leaver = 0; leaver < waiting; leaver++) {
          const ch = channel<number>();
          const way = channel<void>();
          const order: number[] = [];
          const left: unknown[] = [];
          const join = async (place: number) => {
            if (place === leaver) {
              left.push((await select({ ch: who === "receivers" ? ch : sending(ch, place), way })).case);
            } else if (who === "receivers") {
              await ch.receive();
              order.push(place);
            } else {
              await ch.send(place);
            }
          };
          const tasks = Array.from({ length: waiting }, (_, place) => join(place));
          await way.send();
          tasks.push(...joins.map(join));
          for (let i = 1; i < tasks.length; i++) {
            if (who === "receivers") await ch.send(i);
            else order.push((await ch.receive()).value as number);
          }
          await Promise.all(tasks);
          const stayed = Array.from({ length: waiting }, (_, place) => place).filter((place) => place !== leaver);
          expect(left).toEqual(["way"]);
          expect(order).toEqual([...stayed, ...joins]);
          expect(quiet(ch)).toBe(true);
        }
      }
    },
  );
});

describe("P-039 select7", () => {
  const receives = {
    plain: async (ch: Channel<number>) => void (await ch.receive()),
    "select of one": async (ch: Channel<number>) => void (await select([ch])),
    "select of two": async (ch: Channel<number>, own: Channel<never>) => void (await select([own, ch])),
  };
  const sends = {
    plain: async (ch: Channel<number>) => await ch.send(1),
    "select of one": async (ch: Channel<number>) => void (await select([sending(ch, 1)])),
    "select of two": async (ch: Channel<number>, own: Channel<never>) =>
      void (await select([sending(ch, 1), sending(own, undefined as never)])),
  };
  const pairs = Object.entries(receives).flatMap(([receive, receiver]) =>
    Object.entries(sends).flatMap(([send, sender]) =>
      (["receiver", "sender"] as const).map((first) => ({ receive, receiver, send, sender, first })),
    ),
  );

  it("has all pairs", () => {
    expect(pairs).toHaveLength(18);
  });

  it.for(pairs)("$receive receive meets $send send, the $first first", async ({ receiver, sender, first }) => {
    const parties = { receiver, sender };
    const second = first === "sender" ? "receiver" : "sender";
    for (let microtasks = -1; microtasks <= 5; microtasks++) {
      const ch = channel<number>();
      const own = { receiver: channel<never>(), sender: channel<never>() };
      const waiting = parties[first](ch, own[first]);
      const isParked = microtasks >= 0 || (await parked(waiting));
      await settle(microtasks);
      await Promise.all([waiting, parties[second](ch, own[second])]);
      expect(isParked).toBe(true);
      expect([quiet(ch), quiet(own.receiver), quiet(own.sender)]).toEqual([true, true, true]);
    }
  });
});

describe("P-040 select8", () => {
  it("leaves every channel as it should be when the code of a case breaks, returns or throws", async () => {
    const [full, other, empty] = [channel<number>(2), channel<number>(2), channel<number>()];
    const leave = async (how: "break" | "return" | "throw"): Promise<string> => {
      for (;;) {
        const picked = await select({ full, empty });
        if (picked.case === "full") {
          if (how === "return") return "returned";
          if (how === "throw") throw new Error("thrown");
        }
        break;
      }
      return "broke";
    };
    const outcomes: string[] = [];
    for (const how of ["break", "return", "throw"] as const) {
      await full.send(1);
      await full.send(2);
      outcomes.push(await leave(how).catch((error: Error) => error.message));
      expect(full.length).toBe(1);
      expect(await full.receive()).toEqual({ done: false, value: 2 });
      expect(empty.trySend(0)).toBe(false);
    }
    expect(outcomes).toEqual(["broke", "returned", "thrown"]);

    // The default branch, and a select of three.
    const picked = trySelect({ full, empty });
    expect(picked).toBeUndefined();
    await other.send(3);
    for (let round = 0; round < 1; round++) {
      if ((await select([full, other, empty])).case === 1) continue;
      expect.unreachable();
    }
    for (const ch of [full, other, empty]) expect(ch.tryReceive()).toBeUndefined();
  });

  it("leaves every channel as it should be when a getter among the cases throws", async () => {
    const [full, empty] = [channel<number>(1), channel<number>()];
    await full.send(1);
    const thrown = new Error("thrown");
    const cases = () => ({
      full,
      empty,
      sent: sending(empty, 1),
      get wrong(): undefined {
        throw thrown;
      },
    });
    expect(() => select(cases())).toThrow(thrown);
    expect(() => trySelect(cases())).toThrow(thrown);
    await full.receive();
    expect(() => select(cases())).toThrow(thrown);
    expect(quiet(empty)).toBe(true);
    expect(full.trySend(2)).toBe(true);
    expect(full.length).toBe(1);
  });

  it("leaves the losing channels alone when the picked case makes the select reject", async () => {
    const [closed, other] = [channel<number>(), channel<number>()];
    const picked = select({ sent: sending(closed, 1), other, offered: sending(other, 2) });
    closed.close();
    await expect(picked).rejects.toBeInstanceOf(ChannelClosedError);
    expect(quiet(other)).toBe(true);
  });
});
