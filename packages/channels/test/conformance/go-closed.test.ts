// Follows closedchan.go, chancap.go, chanlinear.go and range.go of Go's test directory.
import { assert, describe, expect, it } from "vitest";
import { seeded } from "../../../../test/support.ts";
import { type Channel, channel, ChannelClosedError, select, sending, trySelect } from "../../src/index.ts";
import { rest } from "../support.ts";
import { parked } from "./turns.ts";

type Result = { readonly done: boolean; readonly value: number | undefined };

const DONE: Result = { done: true, value: undefined };

/** One way to reach a channel: by its methods, or by a select. */
interface Style {
  readonly receive: (ch: Channel<number>) => Promise<Result>;
  readonly tryReceive: (ch: Channel<number>) => Result | undefined;
  readonly send: (ch: Channel<number>, value: number) => Promise<unknown>;
  /** False if nothing was sent and there is no error; throws where Go panics. */
  readonly trySend: (ch: Channel<number>, value: number) => boolean;
}

const unused = channel<number>();

const result = (
  it: { readonly done?: boolean | undefined; readonly value: number | undefined } | undefined,
): Result | undefined => it && { done: it.done === true, value: it.value };

const direct: Style = {
  receive: async (ch) => result(await ch.receive()) as Result,
  tryReceive: (ch) => result(ch.tryReceive()),
  send: (ch, value) => ch.send(value),
  trySend: (ch, value) => ch.trySend(value),
};

const styles: Record<string, Style> = {
  methods: direct,
  "the iteration protocol": { ...direct, receive: async (ch) => result(await ch.next()) as Result },
  "a select of one case": {
    receive: async (ch) => result(await select([ch])) as Result,
    tryReceive: (ch) => result(trySelect([ch])),
    send: (ch, value) => select([sending(ch, value)]),
    trySend: (ch, value) => trySelect([sending(ch, value)]) !== undefined,
  },
  "a select of two cases": {
    receive: async (ch) => {
      const picked = await select({ unused, ch });
      expect(picked.case).toBe("ch");
      return result(picked) as Result;
    },
    tryReceive: (ch) => {
      const picked = trySelect({ ch, unused });
      if (picked !== undefined) expect(picked.case).toBe("ch");
      return result(picked);
    },
    send: async (ch, value) => {
      expect((await select({ unused, sent: sending(ch, value) })).case).toBe("sent");
    },
    trySend: (ch, value) => trySelect({ sent: sending(ch, value), unused }) !== undefined,
  },
};

/** Everything that must hold of a channel that is closed and drained. */
async function expectClosed(ch: Channel<number>, style: Style): Promise<void> {
  for (let round = 0; round < 3; round++) {
    expect(await style.receive(ch)).toEqual(DONE);
    expect(style.tryReceive(ch)).toEqual(DONE);
    expect(ch.tryReceive()).toEqual(DONE);
    for await (const value of ch) assert.fail(`received ${value}`);
  }
  if (style.trySend === direct.trySend) assert.equal(style.trySend(ch, 1), false);
  else assert.throws(() => style.trySend(ch, 1), ChannelClosedError);
  expect(await style.receive(ch)).toEqual(DONE);
  await expect(style.send(ch, 2)).rejects.toThrow(ChannelClosedError);
  expect(await style.receive(ch)).toEqual(DONE);
  expect(ch.length).toBe(0);
}

describe("P-045 closedchan, test1", () => {
  it.each(Object.entries(styles))(
    "P-045 a closed channel is ready to receive `done` from, and refuses to send, by %s (trySend gives false, where Go panics)",
    async (_, style) => {
      const ch = channel<number>();
      expect(ch.close()).toBe(true);
      await expectClosed(ch, style);
    },
  );

  it("P-045 the channel that stands beside it in the selects is left alone", () => {
    expect([unused.closed, unused.tryReceive(), unused.trySend(1)]).toEqual([false, undefined, false]);
  });
});

describe("P-046 closedchan, testasync1 to 4", () => {
  const first: Record<string, (ch: Channel<number>, style: Style) => Promise<Result | undefined>> = {
    "a receive": (ch, style) => style.receive(ch),
    "a receive that was begun before the close": async (ch, style) => {
      // Takes its place, and so the value, before the close.
      const taken = style.receive(ch);
      ch.close();
      return taken;
    },
    "a non-waiting receive": async (ch, style) => style.tryReceive(ch),
    "a for await": async (ch) => {
      for await (const value of ch) return { done: false, value };
      return undefined;
    },
  };

  it.each(
    Object.entries(styles).flatMap(([by, style]) =>
      Object.entries(first).map(([what, take]) => ({ by, style, what, take })),
    ),
  )(
    "P-046 what is buffered comes first, to $what by $by; then the channel is as any closed one",
    async ({ style, what, take }) => {
      const ch = channel<number>(2);
      await ch.send(1);
      if (!what.includes("before")) ch.close();
      expect(await take(ch, style)).toEqual({ done: false, value: 1 });
      await expectClosed(ch, style);
    },
  );
});

describe("P-047 closedchan, closing", () => {
  it("P-047 a second close does nothing and gives false, where Go panics", async () => {
    const ch = channel<number>(2);
    await ch.send(1);
    await ch.send(2);
    expect(ch.close()).toBe(true);
    expect(ch.close()).toBe(false);
    expect(ch.close(new Error("too late to be a cause"))).toBe(false);
    ch[Symbol.dispose]();
    expect(await ch.receive()).toEqual({ done: false, value: 1 });
    expect(ch.tryReceive()).toEqual({ done: false, value: 2 });
    expect(await ch.receive()).toEqual(DONE);
    await expect(ch.send(3)).rejects.not.toHaveProperty("cause");
  });

  it("P-047 a second close does not take the first one's cause away", async () => {
    const cause = new Error("first");
    const ch = channel<number>();
    expect(ch.close(cause)).toBe(true);
    expect(ch.close(new Error("second"))).toBe(false);
    await expect(ch.receive()).rejects.toBe(cause);
    await expect(ch.send(1)).rejects.toMatchObject({ code: "ERR_CHANNEL_CLOSED", cause });
  });

  it("P-047 there is no nil channel to close: a missing one is an error of the caller, or a case that is off", () => {
    const missing = undefined as unknown as Channel<number>;
    expect(() => sending(missing, 1)).toThrow(TypeError);
    expect(trySelect([undefined, null])).toBeUndefined();
  });
});

describe("P-048 closedchan, its TODO: parties that wait when the channel is closed", () => {
  it("P-048 senders that wait are refused, what was buffered still drains", async () => {
    const ch = channel<number>({ capacity: 2, name: "jobs" });
    await ch.send(1);
    await ch.send(2);
    const sends = [ch.send(3), select({ sent: sending(ch, 4) })];
    const outcomes = Promise.allSettled(sends);
    expect(await parked(outcomes)).toBe(true);
    ch.close();
    const reasons = (await outcomes).map((outcome) => outcome.status === "rejected" && (outcome.reason as unknown));
    for (const reason of reasons) {
      expect(reason).toBeInstanceOf(ChannelClosedError);
      expect(reason).toMatchObject({
        code: "ERR_CHANNEL_CLOSED",
        message: expect.stringContaining('"jobs"') as string,
      });
    }
    expect(reasons[0]).not.toBe(reasons[1]);
    expect(ch.length).toBe(2);
    expect(await ch.receive()).toEqual({ done: false, value: 1 });
    expect(await ch.receive()).toEqual({ done: false, value: 2 });
    expect(await ch.receive()).toEqual(DONE);
  });

  it("P-048 receivers that wait get `done`, in the order in which they came", async () => {
    const ch = channel<number>();
    const order: number[] = [];
    const waits = [ch.receive(), select({ ch }), ch.next(), select([ch, channel<string>()])].map(
      async (wait, index) => {
        const { done, value } = await wait;
        order.push(index);
        return { done, value };
      },
    );
    await rest();
    expect(order).toEqual([]);
    ch.close();
    expect(await Promise.all(waits)).toEqual([DONE, DONE, DONE, DONE]);
    expect(order).toEqual([0, 1, 2, 3]);
  });

  it("P-048 with a cause, receivers that wait reject with it, and senders with an error that names it", async () => {
    const cause = new Error("the stream broke");
    const empty = channel<number>();
    const receives = [empty.receive(), select({ empty }), empty.next()];
    empty.close(cause);
    for (const receive of receives) await expect(receive).rejects.toBe(cause);
    const full = channel<number>(1);
    await full.send(1);
    const sends = [full.send(2), select([sending(full, 3)])];
    full.close(cause);
    for (const send of sends) await expect(send).rejects.toMatchObject({ code: "ERR_CHANNEL_CLOSED", cause });
    expect(await full.receive()).toEqual({ done: false, value: 1 });
    await expect(full.receive()).rejects.toBe(cause);
  });
});

describe("P-049 chancap", () => {
  it("P-049 length and capacity, fresh, after three sends, and unbuffered", async () => {
    const ch = channel<number>(10);
    expect([ch.length, ch.capacity]).toEqual([0, 10]);
    for (let n = 0; n < 3; n++) await ch.send(n);
    expect([ch.length, ch.capacity]).toEqual([3, 10]);
    const unbuffered = channel<number>();
    expect([unbuffered.length, unbuffered.capacity]).toEqual([0, 0]);
  });

  it.each([-1, -0.5, 1.5, Number.NaN, -Infinity, 2 ** 53])(
    "P-049 a capacity of %d is a RangeError at the call",
    (capacity) => {
      expect(() => channel(capacity)).toThrow(RangeError);
      expect(() => channel({ capacity })).toThrow(RangeError);
    },
  );

  it.each(["3", null, true, 3n, Symbol("3")])(
    "P-049 a capacity that is no number is a TypeError at the call",
    (capacity) => {
      expect(() => channel(capacity as unknown as number)).toThrow(TypeError);
      expect(() => channel({ capacity: capacity as unknown as number })).toThrow(TypeError);
    },
  );

  it("P-049 a huge capacity costs nothing until it is used", async () => {
    // Preallocated, a thousand of these would be a terabyte.
    const channels = Array.from({ length: 1_000 }, (_, index) => channel<number>(index % 2 === 0 ? 2 ** 30 : Infinity));
    for (const ch of channels) expect(ch.trySend(1)).toBe(true);
    expect(channels.every((ch) => ch.length === 1)).toBe(true);
    const last = channels[999] as Channel<number>;
    expect(last.capacity).toBe(Infinity);
    for (let n = 2; n <= 100_000; n++) last.trySend(n);
    let inOrder = 0;
    for (let n = 1; n <= 100_000; n++) if (last.tryReceive()?.value === n) inOrder++;
    expect(inOrder).toBe(100_000);
    expect(last.tryReceive()).toBeUndefined();
  });
});

describe("P-050 chanlinear", () => {
  /** `n` tasks that wait on a channel of all and one of their own, woken ten times each by their own. */
  async function rounds(n: number): Promise<number> {
    const random = seeded(n);
    const all = channel<number>();
    const own = Array.from({ length: n }, () => channel<number>());
    let woken = 0;
    const start = performance.now();
    const tasks = own.map(async (mine) => {
      for (let round = 0; round < 10; round++) {
        const picked = await select([all, mine]);
        if (picked.case === 1 && picked.value === round) woken++;
      }
    });
    for (let round = 0; round < 10; round++) {
      // In the order in which they wait, and in random order: so they leave the front, and the middle, of the line of all.
      for (const mine of round % 2 === 0 ? own : random.shuffle(own)) await mine.send(round);
    }
    await Promise.all(tasks);
    const took = performance.now() - start;
    expect(woken).toBe(10 * n);
    expect(all.trySend(0)).toBe(false);
    return took;
  }

  it("P-050 a select leaves the middle of a long line in constant time", { timeout: 30_000, retry: 4 }, async () => {
    await rounds(1_000); // warms up
    let [few, many] = [Infinity, Infinity];
    for (let run = 0; run < 3; run++) {
      few = Math.min(few, await rounds(250));
      many = Math.min(many, await rounds(4_000));
    }
    // Linear would be 16, more where the memory is slow; quadratic 256.
    assert.isBelow(many / few, 100, `${few} ms, ${many} ms`);
  });
});

describe("P-051 range, testchan", () => {
  function letters(): Channel<number> {
    const ch = channel<number>();
    void (async () => {
      for (let code = 97; code <= 122; code++) await ch.send(code);
      ch.close();
    })();
    return ch;
  }

  it("P-051 for await receives every value and ends with the close", async () => {
    let alphabet = "";
    for await (const code of letters()) alphabet += String.fromCharCode(code);
    expect(alphabet).toBe("abcdefghijklmnopqrstuvwxyz");
  });

  it("P-051 for await over another one counts them", async () => {
    let count = 0;
    for await (const _ of letters()) count++;
    expect(count).toBe(26);
  });
});
