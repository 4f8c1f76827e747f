import { describe, expect, it } from "vitest";
import type { Channel } from "../src/index.ts";
import { channel, ChannelClosedError, select, sending, trySelect } from "../src/index.ts";
import { done, drain, fulfilled, got, outcome, outcomes, pending, reasonOf, rejected, rest } from "./support.ts";

const why = new Error("the source broke");
const closedError = (message = "Cannot send: send on closed channel") =>
  expect.objectContaining({ name: "ChannelClosedError", code: "ERR_CHANNEL_CLOSED", message });

/** Every way to receive, as a promise of an `IteratorResult`. */
const receives: readonly [name: string, receive: (ch: Channel<number>) => Promise<unknown>][] = [
  ["receive()", (ch) => ch.receive()],
  ["next()", (ch) => ch.next()],
  ["tryReceive()", async (ch) => ch.tryReceive()],
  ["select()", async (ch) => resultOf(await select({ ch }))],
  ["trySelect()", async (ch) => resultOf(trySelect({ ch }))],
  [
    "for await",
    async (ch) => {
      for await (const value of ch) return { done: false, value };
      return { done: true, value: undefined };
    },
  ],
];

function resultOf(picked: { done: boolean; value: unknown } | undefined): unknown {
  return picked && { done: picked.done, value: picked.value };
}

describe.for([0, 1, 3])("close() with capacity %i", (capacity) => {
  it("is true for the call that closed it; a second one does nothing and is false", async () => {
    const ch = channel<number>(capacity);
    expect(ch.closed).toBe(false);
    expect(ch.close()).toBe(true);
    expect(ch.closed).toBe(true);
    expect(ch.close()).toBe(false);
    expect(ch.close(why)).toBe(false);
    expect(ch.closed).toBe(true);
    expect(await outcome(ch.receive()), "the cause of a second close does not count").toEqual(done);
  });

  it("lets what is buffered drain in order, then gives done for ever", async () => {
    const ch = channel<number>(capacity);
    for (let i = 0; i < capacity; i++) ch.trySend(i);
    ch.close();
    expect([ch.closed, ch.length]).toEqual([true, capacity]);
    for (let i = 0; i < capacity; i++) expect(await ch.receive()).toEqual({ done: false, value: i });
    for (let i = 0; i < 3; i++) {
      expect(await ch.receive()).toStrictEqual({ done: true, value: undefined });
      expect(ch.tryReceive()).toStrictEqual({ done: true, value: undefined });
    }
    expect(ch.length).toBe(0);
  });

  it("gives a done that one receiver cannot change for the others", async () => {
    const ch = channel<number>(capacity);
    ch.close();
    for (const result of [ch.tryReceive(), await ch.receive()]) {
      Reflect.set(result as object, "done", false);
      Reflect.set(result as object, "value", 1);
    }
    expect(ch.tryReceive()).toEqual({ done: true, value: undefined });
    expect(await outcome(ch.receive())).toEqual(done);
  });

  it("gives done to every receiver that waits", async () => {
    const ch = channel<number>(capacity);
    const waiting = [ch.receive(), ch.next(), ch.receive()];
    ch.close();
    expect(await outcomes(waiting)).toEqual([done, done, done]);
  });

  it("rejects every sender that waits, its value undelivered", async () => {
    const ch = channel<number>(capacity);
    for (let i = 0; i < capacity; i++) ch.trySend(i);
    const waiting = [ch.send(101), ch.send(102)];
    ch.close();
    const [one, other] = await outcomes(waiting);
    expect([one, other]).toEqual([rejected(closedError()), rejected(closedError())]);
    expect((one as { reason: unknown }).reason, "a new object per rejection").not.toBe(
      (other as { reason: unknown }).reason,
    );
    expect(drain(ch)).toEqual(Array.from({ length: capacity }, (_, i) => i));
  });

  it("wakes selects that wait to receive, with done", async () => {
    const ch = channel<number>(capacity);
    const idle = channel<number>();
    const waiting = [select({ ch, idle }), select([ch, ch])];
    ch.close();
    const [one, other] = await outcomes<unknown>(waiting);
    expect(one).toEqual(fulfilled({ case: "ch", done: true, value: undefined }));
    expect(other).toMatchObject({ value: { done: true, value: undefined } });
    expect(idle.trySend(1), "nobody is left at the other case").toBe(false);
  });

  it("wakes selects that wait to send, which reject", async () => {
    const ch = channel<number>(capacity);
    for (let i = 0; i < capacity; i++) ch.trySend(i);
    const idle = channel<number>();
    const waiting = select({ sent: sending(ch, 101), idle });
    ch.close();
    expect(await outcome(waiting)).toEqual(rejected(closedError()));
    expect(idle.trySend(1), "nobody is left at the other case").toBe(false);
    expect(drain(ch)).toHaveLength(capacity);
  });

  it("wakes a select once that waits to send and to receive on the same channel", async () => {
    const ch = channel<number>();
    const both = select({ sent: sending(ch, 1), got: ch });
    ch.close();
    expect((await outcome(both)).status).not.toBe("pending");
    expect(await outcome(ch.receive())).toEqual(done);
  });

  it("makes send reject, trySend false, a sending case fail its select", async () => {
    const ch = channel<number>(capacity);
    ch.close();
    expect(await outcome(ch.send(1))).toEqual(rejected(closedError()));
    expect(ch.trySend(1)).toBe(false);
    expect(await outcome(select({ sent: sending(ch, 1) }))).toEqual(rejected(closedError()));
    expect(() => trySelect({ sent: sending(ch, 1) })).toThrow(ChannelClosedError);
    expect(await outcome(ch.receive()), "nothing of these arrives").toEqual(done);
  });

  it("makes a receive case ready", async () => {
    const ch = channel<number>(capacity);
    ch.close();
    expect(await select({ ch })).toEqual({ case: "ch", done: true, value: undefined });
    expect(trySelect([ch])).toEqual({ case: 0, done: true, value: undefined });
  });

  it("called while others wait, lets the tasks behind go on only afterwards", async () => {
    const ch = channel<number>(capacity);
    const log: string[] = [];
    void ch.receive().then(() => log.push(`receiver sees closed = ${ch.closed}`));
    ch.close();
    log.push("close returned");
    await rest();
    expect(log).toEqual(["close returned", "receiver sees closed = true"]);
  });
});

describe.for([0, 1, 3])("close(cause) with capacity %i", (capacity) => {
  it.for(receives)("lets the buffer drain, then every %s fails with the cause itself", async ([, receive]) => {
    const ch = channel<number>(capacity);
    for (let i = 0; i < capacity; i++) ch.trySend(i);
    expect(ch.close(why)).toBe(true);
    for (let i = 0; i < capacity; i++) expect(await receive(ch)).toEqual({ done: false, value: i });
    for (let i = 0; i < 2; i++) expect(await reasonOf(receive(ch))).toBe(why);
  });

  it("fails tryReceive and trySelect by throwing, not by rejecting", () => {
    const ch = channel<number>(capacity);
    ch.close(why);
    expect(() => ch.tryReceive()).toThrow(why);
    expect(() => trySelect({ ch })).toThrow(why);
  });

  it.for(receives.filter(([name]) => !name.startsWith("try")))(
    "rejects a %s that waits, with the cause itself",
    async ([, receive]) => {
      const ch = channel<number>(capacity);
      const waiting = [receive(ch), receive(ch)];
      expect(await outcomes(waiting)).toEqual([pending, pending]);
      ch.close(why);
      const all = await outcomes(waiting);
      for (const it of all) expect((it as { reason?: unknown }).reason).toBe(why);
    },
  );

  it("gives senders a ChannelClosedError with the cause in it", async () => {
    const ch = channel<number>(capacity);
    for (let i = 0; i < capacity; i++) ch.trySend(i);
    const waiting = [ch.send(101), select({ sent: sending(ch, 102) })];
    ch.close(why);
    const error = expect.objectContaining({ code: "ERR_CHANNEL_CLOSED", cause: why });
    const all = await outcomes<unknown>([...waiting, ch.send(103), select([sending(ch, 104)])]);
    expect(all).toEqual([1, 2, 3, 4].map(() => rejected(error)));
    expect(() => trySelect([sending(ch, 105)])).toThrow(error as Error);
    expect(ch.trySend(106)).toBe(false);
  });

  it.for<[string, unknown]>([
    ["null", null],
    ["0", 0],
    ["the empty string", ""],
    ["false", false],
    ["NaN", NaN],
    ["a string", "text"],
    ["an object", { then: 1 }],
  ])("takes %s for a cause like any other", async ([, cause]) => {
    const ch = channel<number>(capacity);
    const waiting = ch.receive();
    ch.close(cause);
    expect(await reasonOf(waiting)).toBe(cause);
    expect(await reasonOf(ch.receive())).toBe(cause);
    expect(await reasonOf(ch.send(1))).toMatchObject({ code: "ERR_CHANNEL_CLOSED", cause });
  });

  it("takes undefined for no cause", async () => {
    const ch = channel<number>(capacity);
    ch.close(undefined);
    expect(await outcome(ch.receive())).toEqual(done);
    expect(await reasonOf(ch.send(1))).not.toHaveProperty("cause");
  });
});

describe("closed", () => {
  it("is true as soon as close() was called, while values still drain", async () => {
    const ch = channel<number>(2);
    ch.trySend(1);
    ch.close();
    expect([ch.closed, ch.length]).toEqual([true, 1]);
    expect(await outcome(ch.receive())).toEqual(got(1));
    expect(ch.closed).toBe(true);
  });
});

describe("using", () => {
  it("closes the channel on leaving the scope", async () => {
    let outer: Channel<number>;
    {
      using ch = channel<number>(1);
      outer = ch;
      ch.trySend(1);
      expect(ch.closed).toBe(false);
    }
    expect(outer.closed).toBe(true);
    expect(drain(outer)).toEqual([1]);
    expect(await outcome(outer.receive()), "without a cause").toEqual(done);
  });

  it("does nothing to a channel that is closed already", () => {
    const ch = channel<number>();
    ch.close(why);
    ch[Symbol.dispose]();
    expect(() => ch.tryReceive()).toThrow(why);
  });
});

describe("ChannelClosedError", () => {
  it("says what was tried, with the channel's name, and never a value", async () => {
    const nameless = channel<string>();
    const named = channel<string>({ name: 'jo"bs' });
    for (const ch of [nameless, named]) ch.close();
    await expect(nameless.send("secret")).rejects.toThrow(/^Cannot send: send on closed channel$/);
    await expect(named.send("secret")).rejects.toThrow('Cannot send: send on closed channel "jo\\"bs"');
    await expect(select([sending(named, "secret")])).rejects.toThrow('closed channel "jo\\"bs"');
    const waiting = channel<string>({ name: "later" });
    const sent = waiting.send("secret");
    waiting.close();
    await expect(sent).rejects.toThrow('closed channel "later"');
  });

  it("is an Error with a literal name and code", () => {
    const error = new ChannelClosedError("jobs", { cause: why });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: "ChannelClosedError", code: "ERR_CHANNEL_CLOSED", cause: why });
    expect(String(error)).toBe('ChannelClosedError: Cannot send: send on closed channel "jobs"');
    expect(error.stack).toContain("ChannelClosedError");
  });
});
