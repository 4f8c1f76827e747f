// Wrong arguments throw at the call, as TypeError (of a wrong kind) or RangeError (out of range), and nothing happens.
import { describe, expect, it } from "vitest";
import type { Receiver, Sender } from "../src/index.ts";
import {
  after,
  at,
  batch,
  broadcast,
  channel,
  from,
  merge,
  never,
  pipe,
  select,
  sending,
  tick,
  trySelect,
} from "../src/index.ts";
import { drain, quiet } from "./support.ts";

const name = (value: unknown): string => {
  if (typeof value === "object" && value !== null && !(value instanceof Date)) {
    return `${value.constructor?.name ?? "object"} ${JSON.stringify(value)}`;
  }
  if (typeof value === "bigint") return `${value}n`;
  return typeof value === "string" ? `"${value}"` : String(value);
};

const notNumbers: readonly unknown[] = ["1", "", null, true, {}, [], () => 1, Symbol("1"), 1n];
const notOptions: readonly unknown[] = [1, "x", true, () => ({}), new AbortController().signal];
const notSignals: readonly unknown[] = [
  1,
  "x",
  true,
  {},
  [],
  () => {},
  new AbortController(),
  new EventTarget(),
  { aborted: false },
  { aborted: false, addEventListener: () => {} },
  { aborted: false, removeEventListener: () => {} },
];
const notIterables: readonly unknown[] = [
  undefined,
  null,
  1,
  true,
  {},
  () => [],
  Promise.resolve([]),
  Symbol("x"),
  { [Symbol.iterator]: 1, [Symbol.asyncIterator]: null },
];

const each = (values: readonly unknown[]) => values.map((value): [string, unknown] => [name(value), value]);

describe("channel()", () => {
  it.for(each([-1, -0.5, 0.5, NaN, -Infinity, 2 ** 53]))("with capacity %s is a RangeError", ([, capacity]) => {
    expect(() => channel(capacity as number)).toThrow(RangeError);
    expect(() => channel({ capacity: capacity as number })).toThrow(RangeError);
  });

  it.for(each(notNumbers.filter((value) => typeof value !== "object" || value === null)))(
    "with %s for a capacity is a TypeError",
    ([, capacity]) => {
      expect(() => channel(capacity as number)).toThrow(TypeError);
      expect(() => channel({ capacity: capacity as number })).toThrow(TypeError);
    },
  );

  it("with a wrong overflow or a wrong name is a TypeError", () => {
    for (const overflow of ["drop", "", null, 1, true]) {
      expect(() => channel({ capacity: 1, overflow: overflow as never }), name(overflow)).toThrow(TypeError);
    }
    for (const wrong of [1, null, {}, Symbol("x")]) {
      expect(() => channel({ name: wrong as never }), name(wrong)).toThrow(TypeError);
    }
  });

  it("takes each option that is undefined for one that is not given", () => {
    const ch = channel({ capacity: undefined, overflow: undefined, name: undefined });
    expect(ch).toMatchObject({ capacity: 0, name: undefined });
    expect(channel(undefined).capacity).toBe(0);
  });
});

describe("every wait", () => {
  const ready = (): { waits: [string, (options: never) => unknown][]; untouched: () => boolean } => {
    const ch = channel<number>(2);
    ch.trySend(1);
    const due = after(0);
    const waits: [string, (options: never) => unknown][] = [
      ["send", (options) => ch.send(2, options)],
      ["receive", (options) => ch.receive(options)],
      ["after().receive", (options) => due.receive(options)],
      ["never.receive", (options) => never.receive(options)],
      ["select", (options) => select({ ch, sent: sending(ch, 2), due }, options)],
      ["pipe", (options) => pipe(ch, channel<number>(1), options)],
      ["from", (options) => from(ch, options)],
    ];
    return { waits, untouched: () => drain(ch).join() === "1" && due.tryReceive() !== undefined };
  };

  it.for(each(notOptions))(
    "with %s for its options throws a TypeError at the call, and takes and sends nothing",
    ([, options]) => {
      const { waits, untouched } = ready();
      for (const [it, wait] of waits) expect(() => void wait(options as never), it).toThrow(TypeError);
      expect(untouched()).toBe(true);
    },
  );

  it("takes options, or a signal, that are null or undefined for none", () => {
    for (const none of [undefined, null]) {
      for (const options of [none, { signal: none }] as never[]) {
        const { waits } = ready();
        for (const [it, wait] of waits) expect(() => void wait(options), it).not.toThrow();
      }
    }
  });

  it.for(each(notSignals))(
    "with %s for its signal throws a TypeError at the call, and takes and sends nothing",
    ([, signal]) => {
      const { waits, untouched } = ready();
      for (const [it, wait] of waits) expect(() => void wait({ signal } as never), it).toThrow(TypeError);
      expect(untouched()).toBe(true);
    },
  );

  it("takes a signal of another realm or library, known by its shape", async () => {
    class Signal extends EventTarget {
      aborted = false;
      reason: unknown = undefined;
    }
    const signal = new Signal();
    const ch = channel<number>();
    const waiting = ch.receive({ signal: signal as unknown as AbortSignal });
    const picked = select({ signal: signal as unknown as AbortSignal });
    Object.assign(signal, { aborted: true, reason: "enough" });
    signal.dispatchEvent(new Event("abort"));
    await expect(waiting).rejects.toBe("enough");
    expect(await picked).toEqual({ case: "signal", done: false, value: "enough" });
    expect(quiet(ch)).toBe(true);
  });
});

describe("select() and trySelect()", () => {
  it.for(each(["first", "", null, 1, true, {}]))(
    "with %s for an order throw a TypeError at the call",
    ([text, order]) => {
      const ch = channel<number>(1);
      ch.trySend(1);
      if (order !== null) {
        expect(() => void select({ ch }, { order: order as never }), text).toThrow(TypeError);
        expect(() => trySelect({ ch }, { order: order as never }), text).toThrow(TypeError);
        expect(drain(ch)).toEqual([1]);
      }
    },
  );

  it("name the wrong case in the message", () => {
    expect(() => void select({ good: never, bad: 1 as never })).toThrow(/"bad"/);
    expect(() => void select([never, "x" as never])).toThrow(/case 1 /);
  });
});

describe("sending()", () => {
  it("to what is no Sender of this package is a TypeError", () => {
    const ch = channel<number>();
    const senders = [undefined, null, 1, {}, () => {}, never, after(1), from([]), { send() {} }, sending(ch, 1)];
    for (const to of senders) expect(() => sending(to as unknown as Sender<number>, 1), name(to)).toThrow(TypeError);
  });
});

describe("after(), at() and tick()", () => {
  it.for(each([...notNumbers, undefined]))("with %s throw a TypeError", ([, ms]) => {
    for (const make of [after, at, tick] as ((ms: number) => unknown)[])
      expect(() => make(ms as number)).toThrow(TypeError);
  });

  it("with NaN, or an invalid Date, throw a RangeError", () => {
    for (const make of [after, at, tick] as ((ms: number) => unknown)[]) expect(() => make(NaN)).toThrow(RangeError);
    expect(() => at(new Date(NaN))).toThrow(RangeError);
  });

  it("take a Date for an instant only: after() and tick() throw a TypeError", () => {
    for (const make of [after, tick] as ((ms: never) => unknown)[])
      expect(() => make(new Date() as never)).toThrow(TypeError);
  });

  it.for(each([0, -1, -0.5, -Infinity]) as [string, number][])("tick(%s) is a RangeError", ([, ms]) => {
    expect(() => tick(ms)).toThrow(RangeError);
  });
});

describe("from(), pipe(), merge(), broadcast() and batch()", () => {
  it.for(each(notIterables))("with %s for a source throw a TypeError at the call", ([, source]) => {
    const wrong = source as Iterable<number>;
    const to = channel<number>(1);
    expect(() => from(wrong)).toThrow(TypeError);
    expect(() => void pipe(wrong, to)).toThrow(TypeError);
    expect(() => merge(wrong)).toThrow(TypeError);
    expect(() => merge([], wrong)).toThrow(TypeError);
    expect(() => broadcast(wrong)).toThrow(TypeError);
    expect(() => batch(wrong, { max: 1 })).toThrow(TypeError);
    expect(to.closed, "a pipe that did not begin closes nothing").toBe(false);
  });

  it("with other wrong arguments do not open the source", () => {
    const source = {
      [Symbol.asyncIterator]: () => expect.unreachable("the source was opened"),
    } as AsyncIterable<number>;
    const wrong = -1 as never;
    expect(() => from(source, { capacity: -1 })).toThrow(RangeError);
    expect(() => from(source, { signal: wrong })).toThrow(TypeError);
    expect(() => void pipe(source, channel<number>(), { signal: wrong })).toThrow(TypeError);
    expect(() => void pipe(source, {} as never)).toThrow(TypeError);
    expect(() => broadcast(source, { capacity: -1 })).toThrow(RangeError);
    expect(() => broadcast(source, { overflow: "drop-oldest" })).toThrow(RangeError);
    expect(() => broadcast(source, null as never)).toThrow(TypeError);
    expect(() => batch(source, { max: 0 })).toThrow(RangeError);
    expect(() => batch(source, { max: 1, within: -1 })).toThrow(RangeError);
  });

  it.for(each([undefined, null, 1, "x", {}, never, after(1), sending(channel<number>(), 1)]))(
    "pipe() with %s for a target throws a TypeError at the call",
    ([, to]) => {
      const source: Receiver<number> = channel<number>();
      expect(() => void pipe(source, to as never)).toThrow(TypeError);
    },
  );

  it("subscribe() with wrong options throws at the call, and subscribes nobody", async () => {
    const news = broadcast([1, 2]);
    expect(() => news.subscribe({ capacity: -1 })).toThrow(RangeError);
    expect(() => news.subscribe({ overflow: "drop-newest" })).toThrow(RangeError);
    expect(() => news.subscribe({ capacity: "1" as never })).toThrow(TypeError);
    const values: number[] = [];
    for await (const value of news.subscribe()) values.push(value);
    expect(values).toEqual([1, 2]);
  });

  it.for(each([0, -1, 1.5, NaN, Infinity, -Infinity, 2 ** 53]))("batch() with max %s is a RangeError", ([, max]) => {
    expect(() => batch([], { max: max as number })).toThrow(RangeError);
  });

  it.for(each([-1, -0.5, NaN, -Infinity]))("batch() with within %s is a RangeError", ([, within]) => {
    expect(() => batch([], { max: 1, within: within as number })).toThrow(RangeError);
  });

  it.for(each(notNumbers))("batch() with %s for a number is a TypeError", ([, wrong]) => {
    expect(() => batch([], { max: wrong as number })).toThrow(TypeError);
    expect(() => batch([], { max: 1, within: wrong as number })).toThrow(TypeError);
  });

  it("batch() without options is a TypeError", () => {
    expect(() => batch([], undefined as never)).toThrow(TypeError);
    expect(() => batch([], null as never)).toThrow(TypeError);
  });
});

describe("messages", () => {
  it('say what could not be done and why: "Cannot <verb>: <state>", without a period', () => {
    const thrown: string[] = [];
    const attempts = [
      () => channel(-1),
      () => channel("1" as never),
      () => channel({ overflow: "drop-newest" }),
      () => void select(1 as never),
      () => void select({ x: 1 as never }),
      () => sending(1 as never, 1),
      () => after(NaN),
      () => after("1" as never),
      () => tick(0),
      () => from(1 as never),
      () => void pipe([], 1 as never),
      () => batch([], { max: 0 }),
      () => void channel().receive(new AbortController().signal as never),
    ];
    for (const attempt of attempts) {
      try {
        attempt();
      } catch (error) {
        thrown.push((error as Error).message);
      }
    }
    expect(thrown).toHaveLength(attempts.length);
    for (const message of thrown) expect(message).toMatch(/^Cannot [a-z ]+: .*[^.]$/);
  });
});
