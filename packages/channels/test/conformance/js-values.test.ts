// Hazards of JavaScript: what a value may be. Nothing that goes through a channel is looked at, called or unwrapped.
import { assert, describe, expect, it, vi } from "vitest";
import {
  after,
  at,
  batch,
  broadcast,
  type Channel,
  channel,
  from,
  merge,
  never,
  pipe,
  select,
  sending,
  tick,
  trySelect,
} from "../../src/index.ts";
import { rest } from "../support.ts";

type Way = (values: readonly unknown[]) => Promise<unknown[]>;

/** Buffers `values` in a channel that then closes. */
function filled(values: readonly unknown[]): Channel<unknown> {
  const ch = channel<unknown>(values.length);
  for (const value of values) assert.ok(ch.trySend(value));
  ch.close();
  assert.equal(ch.length, values.length);
  return ch;
}

async function collect(source: AsyncIterable<unknown>): Promise<unknown[]> {
  const received: unknown[] = [];
  for await (const value of source) received.push(value);
  return received;
}

/** Receives by `take` until it says done. */
async function until(
  take: () => Promise<{ done?: boolean | undefined; value: unknown } | undefined>,
): Promise<unknown[]> {
  const received: unknown[] = [];
  for (;;) {
    const result = await take();
    assert.isDefined(result, "there was nothing, though the channel holds a value or is closed");
    if (result === undefined || result.done) return received;
    received.push(result.value);
  }
}

const ways: Record<string, Way> = {
  receive: (values) => {
    const ch = filled(values);
    return until(() => ch.receive());
  },
  next: (values) => {
    const ch = filled(values);
    return until(() => ch.next());
  },
  tryReceive: (values) => {
    const ch = filled(values);
    return until(async () => ch.tryReceive());
  },
  select: (values) => {
    const ch = filled(values);
    return until(() => select({ ch }));
  },
  trySelect: (values) => {
    const ch = filled(values);
    return until(async () => trySelect([ch]));
  },
  "for await": (values) => collect(filled(values)),
  "send to who waits": async (values) => {
    const ch = channel<unknown>();
    const received = Promise.all(values.map(() => ch.receive()));
    for (const value of values) await ch.send(value);
    return (await received).map((result) => (assert.ok(!result.done), result.value));
  },
  "send that waits": async (values) => {
    const ch = channel<unknown>();
    const sent = Promise.all(values.map((value) => ch.send(value)));
    const received: unknown[] = [];
    for (const _ of values) received.push((await ch.receive()).value);
    await sent;
    return received;
  },
  "select to select": async (values) => {
    const ch = channel<unknown>();
    const received: unknown[] = [];
    for (const value of values) {
      const picked = select({ ch });
      await select([sending(ch, value)]);
      received.push((await picked).value);
    }
    return received;
  },
  "for await that waits": async (values) => {
    const ch = channel<unknown>();
    const received = collect(ch);
    for (const value of values) await select({ sent: sending(ch, value) });
    ch.close();
    return received;
  },
  "from a channel": (values) => collect(from(filled(values), { capacity: 2 })),
  "merge of channels": (values) => collect(merge(filled(values), channelThatClosed())),
  "pipe between channels": async (values) => {
    const to = channel<unknown>(values.length);
    await pipe(filled(values), to);
    return collect(to);
  },
  broadcast: async (values) => {
    const all = broadcast(filled(values), { capacity: values.length });
    const [a, b] = [all.subscribe(), all.subscribe()];
    const [first, second] = await Promise.all([collect(a), collect(b)]);
    expectSame(first, second);
    return first;
  },
  batch: async (values) => ((await collect(batch(filled(values), { max: 3 }))) as unknown[][]).flat(),
  "an overflow policy": (values) => {
    const ch = channel<unknown>({ capacity: values.length, overflow: "drop-oldest" });
    for (const value of ["dropped", ...values]) ch.trySend(value);
    assert.equal(ch.dropped, 1);
    ch.close();
    return collect(ch);
  },
};

function channelThatClosed(): Channel<unknown> {
  const ch = channel<unknown>();
  ch.close();
  return ch;
}

/** The very same values, in the same order. */
function expectSame(received: readonly unknown[], values: readonly unknown[]): void {
  assert.equal(received.length, values.length);
  for (const [index, value] of values.entries())
    assert.ok(Object.is(received[index], value), `value ${index} is another`);
}

describe.each(Object.entries(ways))("what goes through %s", (_, way) => {
  it("P-155 a promise or a thenable is a value: the same object comes out, and nobody calls its then", async () => {
    const pending = new Promise(() => {});
    const resolved = Promise.resolve(1);
    const rejected = Promise.reject(new Error("a value like any other"));
    rejected.catch(() => {});
    const thens = [pending, resolved, rejected].map((promise) => vi.spyOn(promise, "then"));
    const thenable = { then: vi.fn<() => void>() };
    const values = [pending, resolved, rejected, thenable];
    expectSame(await way(values), values);
    await rest();
    for (const then of [...thens, thenable.then]) expect(then).not.toHaveBeenCalled();
  });

  it("P-156 undefined, null, 0, the empty string, false and NaN are values", async () => {
    const values = [undefined, null, 0, -0, "", false, Number.NaN, 0n, undefined];
    const received = await way(values);
    expectSame(received, values);
    expect(received).toHaveLength(9);
  });

  it("P-157 what looks like a result, an error or nothing at all is a value", async () => {
    const untouchable = new Proxy(
      {},
      new Proxy(
        {},
        {
          get: (_target, trap) => {
            throw new Error(`The value was touched: ${String(trap)}`);
          },
        },
      ),
    );
    const values = [
      { done: true, value: 1 },
      { value: undefined, ok: false },
      new Error("not thrown"),
      () => assert.fail("called"),
      Symbol("it"),
      untouchable,
      Object.create(null),
      Object.freeze({ frozen: true }),
      [Promise.resolve()],
      channel(),
    ];
    const received = await way(values);
    expectSame(received, values);
    expect(received).toHaveLength(10);
  });
});

describe("P-155 promises, where for await would unwrap them", () => {
  it("P-155 from, merge and pipe await the elements of a plain iterable, as for await does", async () => {
    const promises = () => [Promise.resolve(1), 2, Promise.resolve(3)];
    expect(await collect(from(promises()))).toEqual([1, 2, 3]);
    expect(await collect(merge(promises()))).toEqual([1, 2, 3]);
    const to = channel<unknown>(3);
    await pipe(promises(), to);
    expect(await collect(to)).toEqual([1, 2, 3]);
  });

  it("P-155 a promise as the reason of a signal, or as the cause of a close, is handed over as it is", async () => {
    const reason = Object.assign(Promise.resolve("reason"), {});
    const picked = await select({ stop: AbortSignal.abort(reason) });
    expect(picked.value).toBe(reason);
    const rejection = await channel()
      .receive({ signal: AbortSignal.abort(reason) })
      .catch((error: unknown) => ({ error }));
    expect((rejection as { error: unknown }).error).toBe(reason);
    const ch = channel<never>();
    ch.close(reason);
    const closed = await ch.receive().catch((error: unknown) => ({ error }));
    expect((closed as { error: unknown }).error).toBe(reason);
  });
});

describe("P-156 values that are falsy", () => {
  it("P-156 are counted by length, and only a close gives done", async () => {
    const ch = channel<unknown>(3);
    await ch.send(undefined);
    await ch.send(null);
    expect(ch.length).toBe(2);
    expect(ch.tryReceive()).toEqual({ done: false, value: undefined });
    expect(await ch.receive()).toEqual({ done: false, value: null });
    expect(ch.tryReceive()).toBeUndefined();
    ch.close();
    expect(ch.tryReceive()).toEqual({ done: true, value: undefined });
    expect(await select([ch])).toEqual({ case: 0, done: true, value: undefined });
  });

  it.each([null, 0, "", false, Number.NaN])("P-156 a falsy cause of a close is a cause: %s", async (cause) => {
    const ch = channel<number>(1);
    ch.trySend(1);
    ch.close(cause);
    expect(await ch.receive()).toEqual({ done: false, value: 1 });
    const rejection = await ch.receive().catch((error: unknown) => ({ error }));
    expect(rejection).toEqual({ error: cause });
  });
});

describe("P-158 nothing of the package is a thenable", () => {
  it("P-158 a channel, a receiver and a case come out of await, return and Promise.all as they went in", async () => {
    const things: unknown[] = [
      channel(),
      channel(3),
      sending(channel<number>(), 1),
      after(1_000),
      at(Date.now() + 1_000),
      tick(1_000),
      never,
      from(channel()),
      merge(channel()),
      broadcast(channel()),
      broadcast(channel()).subscribe(),
      batch(channel(), { max: 1 }),
    ];
    for (const thing of things) {
      expect(Reflect.has(thing as object, "then")).toBe(false);
      expect(await thing).toBe(thing);
      expect(await (async () => thing)()).toBe(thing);
      expect(await Promise.resolve(thing)).toBe(thing);
    }
    expectSame(await Promise.all(things), things);
  });

  it("P-158 what select gives is none either, whatever its cases are called", async () => {
    const ch = channel<unknown>(2);
    ch.trySend({ then: () => assert.fail("called") });
    ch.trySend(1);
    const first = await select({ then: ch });
    expect(Reflect.has(first, "then")).toBe(false);
    expect(first.case).toBe("then");
    expect(await select({ catch: ch })).toEqual({ case: "catch", done: false, value: 1 });
  });
});
