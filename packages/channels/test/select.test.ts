import { afterEach, describe, expect, it, vi } from "vitest";
import type { Channel, Receiver } from "../src/index.ts";
import { after, broadcast, channel, from, never, select, sending, tick, trySelect } from "../src/index.ts";
import {
  drain,
  fulfilled,
  got,
  outcome,
  outcomes,
  pending,
  quiet,
  reasonOf,
  rejected,
  rest,
  watchedSignal,
} from "./support.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** A channel that holds `values`. */
function holding<T>(...values: T[]): Channel<T> {
  const ch = channel<T>(values.length);
  for (const value of values) ch.trySend(value);
  return ch;
}

/** How often each case was taken in `draws` calls. */
function histogram(draws: number, draw: () => string | number | undefined): Map<string | number | undefined, number> {
  const counts = new Map<string | number | undefined, number>();
  for (let i = 0; i < draws; i++) {
    const it = draw();
    counts.set(it, (counts.get(it) ?? 0) + 1);
  }
  return counts;
}

describe("select()", () => {
  it("takes a ready case before waiting", async () => {
    const [idle, ready] = [channel<number>(), holding(1)];
    expect(await select({ idle, ready })).toEqual({ case: "ready", done: false, value: 1 });
    expect([quiet(idle), ready.length]).toEqual([true, 0]);
  });

  it("waits until a case becomes ready", async () => {
    const [a, b] = [channel<number>(), channel<string>()];
    const picked = select({ a, b });
    expect(await outcome(picked)).toEqual(pending);
    expect(b.trySend("x")).toBe(true);
    expect(await outcome(picked)).toEqual(fulfilled({ case: "b", done: false, value: "x" }));
  });

  it("names the case of a record by its key", async () => {
    const ch = holding(1, 2, 3);
    expect((await select({ "a-b": ch })).case).toBe("a-b");
    expect((await select({ [""]: ch })).case).toBe("");
    expect((await select(Object.fromEntries([["__proto__", ch]]))).case).toBe("__proto__");
    ch.trySend(4);
    expect((await select({ 1: ch })).case, "a key is a string, whatever it looks like").toBe("1");
  });

  it("names the case of an array by its index, disabled ones counted", async () => {
    const [a, b] = [channel<number>(), channel<number>()];
    const picked = select([a, null, b]);
    b.trySend(5);
    expect(await picked).toEqual({ case: 2, done: false, value: 5 });
    expect(await select([undefined, holding(6)])).toEqual({ case: 1, done: false, value: 6 });
  });

  it("gives values as they are: undefined, promises and thenables", async () => {
    const thenable = { then: () => expect.unreachable("a value was unwrapped") };
    for (const value of [undefined, null, Promise.resolve(1), thenable]) {
      expect((await select({ ch: holding<unknown>(value) })).value).toBe(value);
      const ch = channel<unknown>();
      const picked = select({ ch });
      ch.trySend(value);
      expect(await picked).toStrictEqual({ case: "ch", done: false, value });
    }
  });

  it("sends by a sending() case, ready or waiting", async () => {
    const ch = channel<string>();
    const received = ch.receive();
    expect(await select({ sent: sending(ch, "a") })).toEqual({ case: "sent", done: false, value: undefined });
    expect(await received).toEqual({ done: false, value: "a" });

    const picked = select({ sent: sending(ch, "b") });
    expect(await outcome(picked)).toEqual(pending);
    expect(ch.tryReceive()).toEqual({ done: false, value: "b" });
    expect(await picked).toEqual({ case: "sent", done: false, value: undefined });
  });

  it("lets exactly one case take effect when several are ready", async () => {
    for (let i = 0; i < 50; i++) {
      const [a, b, out] = [holding(1), holding(2), channel<number>(1)];
      const picked = await select({ a, b, out: sending(out, 3), gone: AbortSignal.abort("why") });
      const effects = [1 - a.length, 1 - b.length, out.length];
      expect(effects).toEqual(["a", "b", "out"].map((key) => (picked.case === key ? 1 : 0)));
    }
  });

  it("lets exactly one case take effect when several become ready in one step", async () => {
    const [a, b, out] = [channel<number>(), channel<number>(), channel<number>()];
    const picked = select({ a, b, out: sending(out, 3) });
    const effects = [a.trySend(1), b.trySend(2), out.tryReceive() !== undefined];
    expect(effects).toEqual([true, false, false]);
    expect(await picked).toEqual({ case: "a", done: false, value: 1 });
  });

  it("leaves nothing behind at the cases that lost", async () => {
    vi.useFakeTimers();
    const { signal, listeners } = watchedSignal();
    const [a, b, out] = [channel<number>(), channel<number>(), channel<number>()];
    const late = after(1_000);
    const picked = select({ a, b, out: sending(out, 1), late, signal, never });
    expect(vi.getTimerCount()).toBe(1);
    expect(listeners()).toBe(1);
    a.trySend(1);
    expect(vi.getTimerCount()).toBe(0);
    expect((await picked).case).toBe("a");
    await rest();
    expect(listeners()).toBe(0);
    expect([quiet(a), quiet(b), quiet(out)]).toEqual([true, true, true]);
    vi.advanceTimersByTime(1_000);
    expect(late.tryReceive(), "the loser is still to be had").toBeDefined();
  });

  it("leaves nothing behind when it is cancelled", async () => {
    vi.useFakeTimers();
    const option = watchedSignal();
    const { signal, listeners } = watchedSignal();
    const [a, out] = [channel<number>(), channel<number>()];
    const picked = select({ a, out: sending(out, 1), late: after(1_000), signal }, { signal: option.signal });
    const why = new Error("enough");
    option.controller.abort(why);
    expect(await reasonOf(picked)).toBe(why);
    expect([listeners(), option.listeners(), vi.getTimerCount()]).toEqual([0, 0, 0]);
    expect([quiet(a), quiet(out)]).toEqual([true, true]);
  });

  it("never meets itself, with one channel to send to and to receive from", async () => {
    const ch = channel<number>();
    const picked = select({ got: ch, sent: sending(ch, 1) });
    expect(await outcome(picked)).toEqual(pending);
    expect(ch.tryReceive(), "its value is to be had by others").toEqual({ done: false, value: 1 });
    expect((await picked).case).toBe("sent");
    expect(quiet(ch)).toBe(true);

    const other = select({ got: ch, sent: sending(ch, 1) });
    expect(ch.trySend(2)).toBe(true);
    expect(await other).toEqual({ case: "got", done: false, value: 2 });
    expect(quiet(ch)).toBe(true);
  });

  it("meets another select on the same two channels exactly once", async () => {
    const [a, b] = [channel<string>(), channel<string>()];
    const make = (me: string) => select({ a, b, toA: sending(a, me), toB: sending(b, me) }, { order: "listed" });
    const [one, other] = await outcomes([make("one"), make("other")]);
    const picked = [one, other].map((it) => (it?.status === "fulfilled" ? it.value : undefined));
    const values = picked.map((it) => it?.value).filter((value) => value !== undefined);
    expect(values, "one value was transferred").toHaveLength(1);
    expect(
      picked.filter((it) => it?.case.startsWith("to")),
      "by one send",
    ).toHaveLength(1);
    expect([quiet(a), quiet(b)]).toEqual([true, true]);
  });

  it("takes the same channel in several cases, and receives once", async () => {
    const ch = channel<number>();
    const picked = select({ one: ch, two: ch, three: ch });
    expect([ch.trySend(1), ch.trySend(2)]).toEqual([true, false]);
    expect((await picked).value).toBe(1);
    expect((await select([holding(7), ch])).value).toBe(7);
    expect(quiet(ch)).toBe(true);
  });

  it("takes the same sending case in several selects, and several times in one", async () => {
    const ch = channel<number>(5);
    const it = sending(ch, 1);
    await select([it]);
    await select({ it, again: it });
    trySelect({ it });
    expect(drain(ch)).toEqual([1, 1, 1]);
  });

  it("serves two selects that wait on one channel in the order they came", async () => {
    const ch = channel<number>();
    const order: string[] = [];
    for (const me of ["a", "b", "c"]) void select({ ch, never }).then(({ value }) => order.push(me + String(value)));
    for (let i = 0; i < 3; i++) {
      ch.trySend(i);
      await rest();
    }
    expect(order).toEqual(["a0", "b1", "c2"]);
  });

  it("keeps the order of those behind it when it leaves a line", async () => {
    const [ch, other] = [channel<number>(), channel<number>()];
    const log: string[] = [];
    void ch.receive().then(({ value }) => log.push(`first ${value}`));
    void select({ ch, other }).then((picked) => log.push(`select ${picked.case}`));
    void ch.receive().then(({ value }) => log.push(`third ${value}`));
    other.trySend(0);
    for (const value of [1, 2]) expect(ch.trySend(value)).toBe(true);
    await rest();
    expect(log).toEqual(["select other", "first 1", "third 2"]);
  });

  describe("disabled cases", () => {
    it.for([
      ["undefined", undefined],
      ["null", null],
      ["false", false],
    ] as const)("%s is never ready, as a nil channel", async ([, off]) => {
      const ch = channel<number>();
      const picked = select({ off, ch });
      expect(await outcome(picked)).toEqual(pending);
      ch.trySend(1);
      expect((await picked).case).toBe("ch");
      expect(await select([off, holding(1)])).toMatchObject({ case: 1 });
    });

    it("without an enabled case it waits for ever", async () => {
      const all = [select({}), select([]), select({ off: undefined, none: null, no: false }), select({ never })];
      expect(await outcomes(all as Promise<unknown>[])).toEqual(all.map(() => pending));
    });

    it("without an enabled case it waits for its signal", async () => {
      for (const cases of [{}, { off: undefined }, { never }]) {
        const { controller, signal, listeners } = watchedSignal();
        const picked = select(cases, { signal });
        expect(await outcome(picked)).toEqual(pending);
        controller.abort("enough");
        expect(await reasonOf(picked)).toBe("enough");
        expect(listeners()).toBe(0);
      }
    });
  });

  describe("an AbortSignal as a case", () => {
    it("is ready once aborted, and its value is the reason", async () => {
      const controller = new AbortController();
      const picked = select({ gone: controller.signal, idle: channel<number>() });
      expect(await outcome(picked)).toEqual(pending);
      const why = { because: 1 };
      controller.abort(why);
      const result = await picked;
      expect(result).toEqual({ case: "gone", done: false, value: why });
      expect(result.value).toBe(why);
    });

    it("is ready at once when it has aborted before", async () => {
      expect(await select([AbortSignal.abort(null)])).toEqual({ case: 0, done: false, value: null });
      expect(trySelect({ gone: AbortSignal.abort("x") })).toEqual({ case: "gone", done: false, value: "x" });
      expect(trySelect({ gone: new AbortController().signal })).toBeUndefined();
    });

    it("stays ready for every select, and for several cases", async () => {
      const gone = AbortSignal.abort("x");
      for (let i = 0; i < 3; i++) expect((await select({ gone, again: gone })).value).toBe("x");
    });

    it("leaves no listener behind when it loses", async () => {
      const { signal, listeners, added } = watchedSignal();
      const ch = channel<number>();
      const picked = select({ ch, signal });
      expect(listeners()).toBe(1);
      ch.trySend(1);
      await picked;
      await rest();
      expect(listeners()).toBe(0);
      await select({ ch: holding(1), signal }, { order: "listed" });
      expect(added(), "a select that does not wait does not listen").toBe(1);
    });

    it("wakes every select that waits on it", async () => {
      const controller = new AbortController();
      const gone = controller.signal;
      const all = [select({ gone }), select([gone]), select({ it: gone, ch: channel<number>() })];
      controller.abort("x");
      expect(
        (await outcomes<{ value: unknown }>(all)).map((it) => (it as { value: { value: unknown } }).value.value),
      ).toEqual(["x", "x", "x"]);
    });
  });

  describe("the option signal", () => {
    it("wins over every ready case when it has aborted before", async () => {
      const [ch, out] = [holding(1), channel<number>(1)];
      const signal = AbortSignal.abort("enough");
      const cases = [
        { ch },
        { out: sending(out, 1) },
        { gone: AbortSignal.abort("other") },
        { now: after(0) },
        { signal },
      ];
      for (const it of cases)
        expect(await reasonOf(select<Record<string, never>>(it as never, { signal }))).toBe("enough");
      expect([ch.length, out.length]).toEqual([1, 0]);
    });

    it("wins over a case that becomes ready together with it", async () => {
      for (let i = 0; i < 20; i++) {
        const controller = new AbortController();
        const { signal } = controller;
        const all: Promise<unknown>[] = [
          select({ signal }, { signal }),
          select({ signal, again: signal }, { signal }),
          select([signal, signal], { signal, order: "listed" }),
        ];
        controller.abort("enough");
        expect(await outcomes(all)).toEqual(all.map(() => rejected("enough")));
      }
    });

    it("wins over a case whose getter aborts it", async () => {
      const controller = new AbortController();
      const ch = holding(1);
      const cases = {
        get ch() {
          controller.abort("enough");
          return ch;
        },
      };
      expect(await reasonOf(select(cases, { signal: controller.signal }))).toBe("enough");
      expect(ch.length).toBe(1);
    });

    it("changes nothing when it aborts after a case was taken, in the same turn", async () => {
      const controller = new AbortController();
      const ch = channel<number>();
      const picked = select({ ch }, { signal: controller.signal });
      ch.trySend(1);
      controller.abort("too late");
      expect(await picked).toEqual({ case: "ch", done: false, value: 1 });
    });
  });

  describe("several ready cases", () => {
    const draws = 3_000;

    it("are each taken equally often, wherever the unready ones stand", () => {
      const [a, b] = [after(-1), AbortSignal.abort()];
      const idle = channel<number>();
      // A random start with stepping would take the case behind the unready ones more often.
      for (const cases of [
        { idle, x: b, y: b },
        { x: b, idle, y: b },
        { x: b, y: b, idle, never },
        { never, idle, x: b, off: null, y: b },
      ]) {
        const counts = histogram(draws, () => trySelect(cases)?.case);
        expect(new Set(counts.keys())).toEqual(new Set(["x", "y"]));
        for (const count of counts.values()) expect(count).toBeGreaterThan(draws * 0.45);
      }
      expect(a.tryReceive()).toBeDefined();
    });

    it("are each taken equally often by select(), also of ten", async () => {
      const counts = new Array<number>(10).fill(0);
      const gone = AbortSignal.abort();
      for (let i = 0; i < draws; i++) {
        const picked = await select(counts.map(() => gone));
        counts[picked.case] = (counts[picked.case] as number) + 1;
      }
      for (const count of counts) expect(count).toBeGreaterThan(draws / 20);
    });

    it("are each taken equally often, whether they send or receive", () => {
      const counts = histogram(draws, () => {
        const ch = channel<number>(2);
        ch.trySend(1);
        return trySelect({ got: ch, sent: sending(ch, 2) })?.case;
      });
      for (const key of ["got", "sent"]) expect(counts.get(key)).toBeGreaterThan(draws * 0.45);
    });

    it("are picked by Math.random alone", () => {
      const gone = AbortSignal.abort();
      const random = vi.spyOn(Math, "random");
      // The first number is a shot at any of the five; where that misses, the second one chooses among the ready ones.
      for (const [numbers, index] of [
        [[0], 0],
        [[0.4], 2],
        [[0.799_999], 3],
        [[0.2, 0], 0],
        [[0.8, 0.33], 0],
        [[0.2, 0.34], 2],
        [[0.8, 0.66], 2],
        [[0.2, 0.67], 3],
        [[0.999_999, 0.999_999], 3],
      ] as const) {
        random.mockClear();
        for (const number of numbers) random.mockReturnValueOnce(number);
        expect(trySelect([gone, never, gone, gone, undefined])?.case).toBe(index);
        expect(random).toHaveBeenCalledTimes(numbers.length);
      }
    });

    it("waiting at one channel, each is served equally often", async () => {
      const counts = new Map<string, number>();
      const rounds = 6_000;
      for (let i = 0; i < rounds; i++) {
        const ch = channel<number>();
        const picked = select({ a: ch, b: ch, c: ch });
        ch.trySend(1);
        const key = (await picked).case;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
      for (const key of ["a", "b", "c"]) expect(counts.get(key)).toBeGreaterThan(rounds * 0.3);
    });
  });

  describe('order: "listed"', () => {
    it("takes the first ready case in the order written", async () => {
      const gone = AbortSignal.abort();
      const [idle, ch] = [channel<number>(), channel<number>(1)];
      for (let i = 0; i < 30; i++) {
        expect(trySelect({ idle, b: gone, a: gone }, { order: "listed" })?.case).toBe("b");
        expect((await select([idle, null, sending(ch, 1), gone, ch], { order: "listed" })).case).toBe(2);
        expect((await select([ch, sending(ch, 1), gone], { order: "listed" })).case).toBe(0);
      }
    });

    it("holds for cases that wait at one channel, too", async () => {
      for (let i = 0; i < 30; i++) {
        const ch = channel<number>();
        const picked = select({ z: ch, y: ch, x: ch }, { order: "listed" });
        ch.trySend(1);
        expect((await picked).case).toBe("z");
      }
    });

    it('is not the default: that is "random"', () => {
      const gone = AbortSignal.abort();
      for (const options of [undefined, {}, { order: undefined }, { order: "random" }] as const) {
        const counts = histogram(200, () => trySelect({ a: gone, b: gone }, options)?.case);
        expect(counts.size).toBe(2);
      }
    });
  });

  describe("the cases object", () => {
    it("is read once, in the order written, at the call", async () => {
      const log: string[] = [];
      const [a, b] = [channel<number>(), channel<number>()];
      const cases = {
        get a() {
          log.push("a");
          return a;
        },
        get b() {
          log.push("b");
          return b;
        },
      };
      const picked = select(cases);
      expect(log).toEqual(["a", "b"]);
      b.trySend(1);
      expect((await picked).case).toBe("b");
      trySelect(cases);
      expect(log).toEqual(["a", "b", "a", "b"]);
    });

    it("may change afterwards without effect", async () => {
      const [a, b] = [channel<number>(), channel<number>()];
      const record: Record<string, Receiver<number>> = { it: a };
      const list: Receiver<number>[] = [a];
      const picked = [select(record), select(list)];
      record["it"] = b;
      record["more"] = b;
      list[0] = b;
      list.push(b);
      expect(b.trySend(1)).toBe(false);
      expect([a.trySend(1), a.trySend(2)]).toEqual([true, true]);
      expect((await Promise.all(picked)).map((it) => it.case)).toEqual(["it", 0]);
    });

    it("is never modified: it may be frozen", async () => {
      const cases = Object.freeze({ ch: holding(1), gone: AbortSignal.abort() });
      await select(cases);
      const list = Object.freeze([channel<number>(), undefined, holding(1)] as const);
      expect((await select(list)).case).toBe(2);
      expect(Object.keys(cases)).toEqual(["ch", "gone"]);
    });

    it("counts by its own enumerable string keys alone", async () => {
      const gone = AbortSignal.abort();
      const cases = Object.create({ inherited: gone }, { hidden: { value: gone } }) as Record<string, Receiver<number>>;
      Object.assign(cases, { [Symbol("symbol")]: gone, own: holding(1) });
      for (let i = 0; i < 20; i++) expect(trySelect(cases)?.case).toBe(i === 0 ? "own" : undefined);
    });

    it("with a wrong case is a TypeError at the call, before any case takes effect", async () => {
      const [ch, out] = [holding(1), channel<number>(1)];
      const { signal, listeners } = watchedSignal();
      for (const wrong of [0, 1, "x", true, {}, [], () => 1, Promise.resolve(), Symbol("x"), new AbortController()]) {
        const cases = { ch, out: sending(out, 1), gone: AbortSignal.abort(), wrong: wrong as never };
        expect(() => void select(cases)).toThrow(TypeError);
        expect(() => void select([ch, signal, wrong as never], { signal })).toThrow(TypeError);
        expect(() => trySelect(cases)).toThrow(TypeError);
      }
      await rest();
      expect([ch.length, out.length, listeners()]).toEqual([1, 0, 0]);
    });

    it("of a wrong kind is a TypeError at the call, a case in its place above all: it would wait for ever in silence", () => {
      const ch = holding(1);
      const kinds = { ch, timer: after(1), signal: new AbortController().signal, sending: sending(ch, 1) };
      const wrong = { undefined, null: null, number: 1, string: "x", true: true, function: () => 1, ...kinds };
      for (const [kind, cases] of Object.entries(wrong)) {
        expect(() => void select(cases as never), kind).toThrow(TypeError);
        expect(() => trySelect(cases as never), kind).toThrow(TypeError);
      }
      expect(ch.length).toBe(1);
    });
  });

  it("takes every kind of receiver for a case", async () => {
    const ch = holding(1);
    const forked = broadcast([2]);
    const subscription = forked.subscribe();
    const receivers = { ch, after: after(0), tick: tick(1), from: from([3]), subscription };
    for (const [key, receiver] of Object.entries(receivers)) {
      const picked = await select({ [key]: receiver });
      expect(picked, key).toMatchObject({ case: key, done: false });
    }
    await forked[Symbol.asyncDispose]();
  });

  it("keeps working in a loop in which cases are switched on and off", async () => {
    const [jobs, out] = [channel<number>(), channel<number>()];
    const queued: number[] = [];
    const received: number[] = [];
    const consumer = (async () => {
      for await (const value of out) received.push(value);
    })();
    const producer = (async () => {
      for (let i = 0; i < 40; i++) await jobs.send(i);
      jobs.close();
    })();
    for (let open = true; open || queued.length > 0;) {
      const picked = await select({ job: open && jobs, sent: queued.length > 0 && sending(out, queued[0] as number) });
      if (picked.case === "sent") queued.shift();
      else if (picked.done) open = false;
      else queued.push(picked.value);
    }
    out.close();
    await Promise.all([consumer, producer]);
    expect(received).toEqual(Array.from({ length: 40 }, (_, i) => i));
  });
});

describe("sending()", () => {
  it("has no effect until a select picks it", async () => {
    const ch = channel<number>(1);
    sending(ch, 1);
    expect(ch.length).toBe(0);
    await select([sending(ch, 2), AbortSignal.abort()], { order: "listed" });
    expect(drain(ch)).toEqual([2]);
  });

  it("fixes its value when it is made", async () => {
    const ch = channel<number>();
    let value = 1;
    const it = sending(ch, value);
    value = 2;
    const picked = select([it]);
    expect(ch.tryReceive()).toEqual({ done: false, value: 1 });
    await picked;
  });

  it("takes undefined for a value like any other", async () => {
    const ch = channel<undefined>();
    const picked = select([sending(ch, undefined)]);
    expect(ch.tryReceive()).toStrictEqual({ done: false, value: undefined });
    expect((await picked).case).toBe(0);
  });
});

describe("trySelect()", () => {
  it("takes a ready case, as select does", () => {
    const [ch, out] = [holding(1), channel<number>(1)];
    expect(trySelect({ ch })).toEqual({ case: "ch", done: false, value: 1 });
    expect(trySelect([channel<number>(), sending(out, 2)])).toEqual({ case: 1, done: false, value: undefined });
    expect(drain(out)).toEqual([2]);
    ch.close();
    expect(trySelect({ ch })).toEqual({ case: "ch", done: true, value: undefined });
  });

  it("meets one who waits", async () => {
    const ch = channel<number>();
    const sent = ch.send(1);
    expect(trySelect({ ch })).toEqual({ case: "ch", done: false, value: 1 });
    expect(await outcome(sent)).toEqual(fulfilled(undefined));
    const received = ch.receive();
    expect(trySelect({ sent: sending(ch, 2) })).toMatchObject({ case: "sent" });
    expect(await outcome(received)).toEqual(got(2));
  });

  it("gives undefined where Go's default would run, and leaves nothing behind", async () => {
    vi.useFakeTimers();
    const { signal, added } = watchedSignal();
    const [ch, full] = [channel<number>(), channel<number>()];
    expect(trySelect({ ch, sent: sending(full, 1), late: after(10), signal, never })).toBeUndefined();
    expect([quiet(ch), quiet(full), vi.getTimerCount(), added()]).toEqual([true, true, 0, 0]);
  });

  it("gives undefined without an enabled case", () => {
    expect(trySelect({})).toBeUndefined();
    expect(trySelect([])).toBeUndefined();
    expect(trySelect([undefined, null, false])).toBeUndefined();
  });

  it("never meets itself", () => {
    const ch = channel<number>();
    expect(trySelect({ got: ch, sent: sending(ch, 1) })).toBeUndefined();
  });

  it("throws where select would reject", async () => {
    const [closed, broken] = [channel<number>(), channel<number>()];
    closed.close();
    broken.close("cause");
    expect(() => trySelect([sending(closed, 1)])).toThrow("send on closed channel");
    let thrown: unknown;
    try {
      trySelect([broken]);
    } catch (cause) {
      thrown = cause;
    }
    expect(thrown).toBe("cause");
    expect(await reasonOf(select([broken]))).toBe("cause");
  });

  it("never misses what is there, while others come and go", async () => {
    const [a, b] = [channel<number>(), channel<number>()];
    const stop = new AbortController();
    const waiting = select({ a }, { signal: stop.signal });
    stop.abort();
    void b.send(1);
    expect(trySelect({ a, b })).toEqual({ case: "b", done: false, value: 1 });
    expect((await outcome(waiting)).status).toBe("rejected");
    expect(trySelect({ a, b })).toBeUndefined();
  });
});
