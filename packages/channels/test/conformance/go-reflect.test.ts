// Follows TestSelect, TestSelectNop, TestSelectMaxCases and TestChan of Go's reflect package.
import { afterEach, assert, describe, expect, it, vi } from "vitest";
import { macro, type Random, seeded } from "../../../../test/support.ts";
import {
  after,
  type Channel,
  channel,
  ChannelClosedError,
  never,
  select,
  type SelectCase,
  sending,
  trySelect,
} from "../../src/index.ts";
import { outcome, rest, watchedSignal } from "../support.ts";
import { yields } from "./turns.ts";

const realRandom = Math.random;
afterEach(() => {
  Math.random = realRandom;
});

type Value = number | string;

const states = [
  "room",
  "full",
  "full, sender waits",
  "idle",
  "sender waits",
  "receiver waits",
  "closed",
  "closed, holding",
  "failed",
] as const;
type State = (typeof states)[number];

let lastValue = 0;
/** Numbers and strings in turn, none twice. */
function fresh(): Value {
  lastValue++;
  return lastValue % 2 === 0 ? lastValue : `v${lastValue}`;
}

/** A channel in a given state, and what it must hold by the rules. */
class Place {
  readonly state: State;
  readonly channel: Channel<Value>;
  readonly buffer: Value[] = [];
  /** What partners that are parked in send offer. */
  readonly senders: Value[] = [];
  /** Partners that are parked in receive. */
  readonly receivers: Promise<IteratorResult<Value, undefined>>[] = [];
  readonly cause: Error | undefined;
  closed = false;
  #sends: Promise<void>[] = [];

  constructor(state: State) {
    this.state = state;
    this.channel = channel<Value>(
      state === "room" || state === "full" || state === "full, sender waits" || state === "closed, holding" ? 1 : 0,
    );
    this.cause = state === "failed" ? new Error("broken") : undefined;
    if (this.channel.capacity === 1 && state !== "room") {
      this.buffer.push(fresh());
      this.channel.trySend(this.buffer[0] as Value);
    }
    if (state === "sender waits" || state === "full, sender waits") {
      this.senders.push(fresh());
      this.#sends.push(this.channel.send(this.senders[0] as Value));
    }
    if (state === "receiver waits") this.receivers.push(this.channel.receive());
    if (state === "closed" || state === "closed, holding" || state === "failed") {
      this.closed = true;
      this.channel.close(this.cause);
    }
  }

  canReceive(): boolean {
    return this.buffer.length > 0 || this.senders.length > 0 || this.closed;
  }

  canSend(): boolean {
    return this.closed || this.receivers.length > 0 || this.buffer.length < this.channel.capacity;
  }

  /** Takes the oldest value out of the model, as a receive would out of the channel. */
  shift(): Value | undefined {
    const value = this.buffer.shift() ?? this.senders.shift();
    const moved = this.buffer.length < this.channel.capacity ? this.senders.shift() : undefined;
    if (moved !== undefined) this.buffer.push(moved);
    return value;
  }

  /**
   * Holds the channel to the model, without waiting: it has nothing in it that is not in the model, and nobody else
   * stands in its lines. Then releases the partners.
   */
  probe(): Promise<unknown> {
    const { channel: ch, buffer } = this;
    assert.equal(ch.length, buffer.length);
    assert.equal(ch.closed, this.closed);
    const settled: Promise<unknown>[] = [...this.#sends];
    const marker = fresh();
    for (const receiver of this.receivers) {
      if (this.closed) continue;
      assert.ok(ch.trySend(marker), "the partner that waits to receive is first in line");
      settled.push(receiver.then((result) => assert.deepEqual(result, { done: false, value: marker })));
    }
    const room = !this.closed && buffer.length < ch.capacity;
    assert.equal(ch.trySend(marker), room, "nobody waits to receive");
    if (room) {
      assert.equal(ch.length, buffer.length + 1, "nobody waits to receive");
      buffer.push(marker);
    }
    for (let value = this.shift(); value !== undefined; value = this.shift()) {
      assert.deepEqual(ch.tryReceive(), { done: false, value });
    }
    if (this.cause !== undefined) assert.throws(() => ch.tryReceive(), this.cause);
    else
      assert.deepEqual(
        ch.tryReceive(),
        this.closed ? { done: true, value: undefined } : undefined,
        "nobody waits to send",
      );
    return Promise.all(settled);
  }
}

/** The signals that were made, and how many listeners stand on each. */
const watched: (() => number)[] = [];

function watchedController(): AbortController {
  const { controller, listeners } = watchedSignal();
  watched.push(listeners);
  return controller;
}

type Drawn =
  | { readonly kind: "send" | "receive"; readonly place: Place; readonly value: Value; readonly it: SelectCase }
  | { readonly kind: "signal"; readonly controller: AbortController; readonly reason: unknown; readonly it: SelectCase }
  | { readonly kind: "off"; readonly it: SelectCase };

function sendTo(place: Place): Drawn {
  const value = fresh();
  return { kind: "send", place, value, it: sending(place.channel, value) };
}

function receiveFrom(place: Place): Drawn {
  return { kind: "receive", place, value: "", it: place.channel };
}

function signal(aborted: boolean): Drawn {
  const controller = watchedController();
  const reason = new Error("stopped");
  if (aborted) controller.abort(reason);
  return { kind: "signal", controller, reason, it: controller.signal };
}

function isReady(drawn: Drawn): boolean {
  switch (drawn.kind) {
    case "send":
      return drawn.place.canSend();
    case "receive":
      return drawn.place.canReceive();
    case "signal":
      return drawn.controller.signal.aborted;
    case "off":
      return false;
  }
}

type Outcome = { readonly error: unknown } | { readonly done: boolean; readonly value: unknown };

/** Lets a ready case take effect in the model, and tells what it must give. */
function effect(drawn: Drawn): Outcome {
  if (drawn.kind === "off") throw new Error("A case that is off took effect");
  if (drawn.kind === "signal") return { done: false, value: drawn.reason };
  const { place, value } = drawn;
  if (drawn.kind === "send") {
    if (place.closed) return { error: "send on closed channel" };
    if (place.receivers.length > 0) {
      void place.receivers.shift()?.then((result) => assert.deepEqual(result, { done: false, value }));
    } else {
      place.buffer.push(value);
    }
    return { done: false, value: undefined };
  }
  const first = place.shift();
  if (first !== undefined) return { done: false, value: first };
  return place.cause === undefined ? { done: true, value: undefined } : { error: place.cause };
}

/** Whether `error` is what taking `drawn` must fail with. */
function failsWith(drawn: Drawn, error: unknown): boolean {
  if (drawn.kind === "off" || drawn.kind === "signal" || !drawn.place.closed) return false;
  const { cause } = drawn.place;
  if (drawn.kind === "receive") return cause !== undefined && error === cause && drawn.place.buffer.length === 0;
  return error instanceof ChannelClosedError && error.cause === cause;
}

/** A partner that comes later for a case that is parked. Its promise settles when the select has met it. */
type Help = (drawn: Drawn, random: Random) => Promise<(picked: Drawn) => void>;

/** Serves the receive case: those who wait before it first. */
const helpBySending: Help = async (drawn, random) => {
  if (drawn.kind !== "receive") throw new Error("Not a receive case");
  const { place } = drawn;
  for (const receiver of place.receivers.splice(0)) {
    const value = fresh();
    assert.ok(place.channel.trySend(value));
    assert.deepEqual(await receiver, { done: false, value });
  }
  const value = fresh();
  const way = random.int(3);
  if (way === 0) assert.ok(place.channel.trySend(value));
  else if (way === 1) await place.channel.send(value);
  else assert.deepEqual(await select([sending(place.channel, value)]), { case: 0, done: false, value: undefined });
  return (picked) => {
    assert.ok(picked.kind === "receive" && picked.place === place, "the partner met the case it came for");
    given.push(value);
  };
};

/** Serves the send case: takes what waits before it first. */
const helpByReceiving: Help = async (drawn, random) => {
  if (drawn.kind !== "send") throw new Error("Not a send case");
  const { place } = drawn;
  const line: (Value | undefined)[] = [...place.buffer, ...place.senders, undefined]; // undefined: the one that is picked
  const takes = place.senders.length + 1;
  const taken: unknown[] = [];
  for (let take = 0; take < takes; take++) {
    const way = random.int(3);
    const result =
      way === 0
        ? place.channel.tryReceive()
        : way === 1
          ? await place.channel.receive()
          : await select({ it: place.channel });
    assert.equal(result?.done, false);
    taken.push(result?.value);
  }
  place.buffer.length = place.senders.length = 0;
  return (picked) => {
    if (picked.kind !== "send" || picked.place !== place) throw new Error("The partner met another case");
    const values = line.map((value) => value ?? picked.value);
    assert.deepEqual(taken, values.slice(0, takes));
    place.buffer.push(...values.slice(takes));
  };
};

/** What partners gave to receive cases, the last at the end. */
const given: unknown[] = [];

interface Draw {
  readonly cases: readonly Drawn[];
  readonly wait: boolean;
  readonly order: "random" | "listed";
  readonly record: boolean;
  /** Which case gets a partner if none is ready; undefined: none does, the select is cancelled. */
  readonly helped: Drawn | undefined;
  /** Microtasks until the partner comes; -1: a macrotask. */
  readonly delay: number;
  readonly random: Random;
}

/** Runs one select, holds it to the rules, and tells what came of it. */
async function run(draw: Draw): Promise<string> {
  const { cases, order, random, helped } = draw;
  const ready = cases.filter(isReady);
  const places = new Set(cases.flatMap((drawn) => ("place" in drawn ? [drawn.place] : [])));
  const keys = cases.map((_, index) => (draw.record ? `k${index}` : index));
  const listed = cases.map((drawn) => drawn.it);
  const named = draw.record ? Object.fromEntries(listed.map((it, index) => [`k${index}`, it])) : listed;
  const cancel = watchedController();
  const reason = new Error("cancelled");

  let picked: { readonly case: string | number; readonly done: boolean; readonly value: unknown } | undefined;
  let failure: { readonly error: unknown } | undefined;
  let checkHelp: ((picked: Drawn) => void) | undefined;
  let cancelled = false;
  let probed: Promise<unknown> | undefined;
  const probe = () => Promise.all(Array.from(places, (place) => place.probe()));
  try {
    if (!draw.wait) {
      picked = trySelect(named, { order });
    } else if (ready.length > 0) {
      picked = await select(named, random.int(4) === 0 ? { order, signal: cancel.signal } : { order });
    } else {
      const result = select(named, { order, signal: cancel.signal });
      if (helped === undefined) {
        result.catch(() => {});
        await yields(draw.delay);
        cancel.abort(reason);
        cancelled = true;
        // In the very turn of the abort the select is gone from everywhere.
        if (random.int(2) === 0) probed = probe();
      } else {
        await yields(draw.delay);
        if (helped.kind === "signal") helped.controller.abort(helped.reason);
        else checkHelp = await (helped.kind === "send" ? helpByReceiving : helpBySending)(helped, random);
        // The wait has been served: it stays served.
        if (random.int(4) === 0) cancel.abort(reason);
      }
      picked = await result;
    }
  } catch (error) {
    failure = { error };
  }

  let outcome: string;
  if (failure !== undefined) {
    const { error } = failure;
    if (cancelled) {
      assert.equal(error, reason);
      outcome = "cancelled";
    } else {
      const first = order === "listed" ? ready.slice(0, 1) : ready;
      assert.ok(
        first.some((drawn) => failsWith(drawn, error)),
        String(error),
      );
      outcome = "failed";
    }
  } else if (picked === undefined) {
    assert.ok(!draw.wait && ready.length === 0, "the default, though a case is ready");
    outcome = "default";
  } else {
    const drawn = cases[keys.indexOf(picked.case)] as Drawn;
    const { done, value } = picked;
    if (ready.length > 0) {
      assert.ok(ready.includes(drawn), "a case that is not ready was picked");
      if (order === "listed") assert.equal(drawn, ready[0]);
      assert.deepEqual({ done, value }, effect(drawn));
    } else if (helped?.kind === "signal") {
      assert.equal(drawn, helped);
      assert.deepEqual({ done, value }, { done: false, value: helped.reason });
    } else {
      checkHelp?.(drawn);
      assert.deepEqual({ done, value }, { done: false, value: drawn.kind === "receive" ? given.pop() : undefined });
    }
    outcome = `${drawn.kind} ${"place" in drawn ? drawn.place.state : ready.length > 0 ? "aborted" : "live"}${ready.length > 0 ? "" : ", parked"}`;
  }

  await (probed ?? probe());
  return outcome;
}

/** Two random swaps, as in Go's test. */
function swapped<T>(values: readonly T[], random: Random): T[] {
  const result = [...values];
  for (let swap = 0; swap < 2 && result.length > 1; swap++) {
    const [a, b] = [random.int(result.length), random.int(result.length)];
    [result[a], result[b]] = [result[b] as T, result[a] as T];
  }
  return result;
}

const offs = [undefined, null, false, never] as const;

describe("P-090 reflect.TestSelect", () => {
  // The kinds of Go's test. A partner may come for those that are helpable.
  const kinds: readonly { readonly helpable?: true; make(): Drawn }[] = [
    { make: () => sendTo(new Place("room")) },
    { make: () => receiveFrom(new Place("full")) },
    { make: () => sendTo(new Place("idle")) },
    { make: () => sendTo(new Place("idle")), helpable: true },
    { make: () => receiveFrom(new Place("idle")) },
    { make: () => receiveFrom(new Place("idle")), helpable: true },
    { make: () => ({ kind: "off", it: false }) },
    { make: () => ({ kind: "off", it: undefined }) },
    { make: () => sendTo(new Place("closed")) },
    { make: () => receiveFrom(new Place("closed")) },
  ];

  it.each([1, 2])(
    "P-090 every subset of the kinds of cases, waiting or not, with each possible partner (seed %i)",
    async (seed) => {
      const random = seeded(seed);
      Math.random = random; // a failure can be run again
      const tally = new Map<string, number>();
      for (let subset = 0; subset < 1 << kinds.length; subset++) {
        const chosen = kinds.filter((_, bit) => (subset >> bit) & 1);
        const nothingReady = [0, 1, 8, 9].every((bit) => !((subset >> bit) & 1));
        const helps = nothingReady ? [undefined, ...chosen.filter((kind) => kind.helpable)] : [undefined];
        for (const wait of [true, false]) {
          for (const help of wait ? helps : [undefined]) {
            const made = new Map(chosen.map((kind) => [kind, kind.make()]));
            const outcome = await run({
              cases: swapped([...made.values()], random),
              wait,
              order: random.int(4) === 0 ? "listed" : "random",
              record: random.int(2) === 0,
              helped: help && made.get(help),
              delay: random.int(7) - 1,
              random,
            });
            tally.set(outcome, (tally.get(outcome) ?? 0) + 1);
          }
        }
      }
      // 64 subsets have nothing that is ready; 32 of them hold either kind of helpable case.
      expect(tally.get("default")).toBe(64);
      expect(tally.get("cancelled")).toBe(64);
      expect(tally.get("send idle, parked")).toBe(32);
      expect(tally.get("receive idle, parked")).toBe(32);
      // 960 subsets have something ready, taken twice; where only the closed send is (64 subsets), it must fail.
      for (const ready of ["send room", "receive full", "receive closed", "failed"]) {
        assert.isAbove(tally.get(ready) ?? 0, 300, ready);
      }
      expect(tally.size).toBe(8);
    },
    10_000,
  );

  it.each([1, 2, 3, 4])(
    "P-090 5,000 draws of any cases in any state, the same channel several times, partners, signals (seed %i)",
    async (seed) => {
      const random = seeded(seed * 1_000_003);
      Math.random = random; // a failure can be run again
      const tally = new Map<string, number>();
      for (let round = 0; round < 5_000; round++) {
        const quiet = random.int(2) === 0; // else nearly every draw has something that is ready
        const places: Place[] = [];
        const cases = Array.from({ length: random.int(7) }, (): Drawn => {
          const which = random.int(10);
          if (which === 0) return { kind: "off", it: offs[random.int(offs.length)] };
          if (which === 1) return signal(!quiet && random.int(2) === 0);
          const old = places[random.int(places.length + 2)];
          const state = quiet
            ? (["room", "full", "full, sender waits", "idle", "idle", "sender waits", "receiver waits"] as const)[
                random.int(7)
              ]
            : states[random.int(states.length)];
          const place = old ?? new Place(state as State);
          if (old === undefined) places.push(place);
          const onlyOne = place.canReceive() !== place.canSend();
          const toSend = quiet && onlyOne ? place.canReceive() : random.int(2) === 0;
          return toSend ? sendTo(place) : receiveFrom(place);
        });
        const helpable = cases.filter((drawn) => drawn.kind !== "off");
        const outcome = await run({
          cases,
          wait: random.int(3) > 0,
          order: random.int(4) === 0 ? "listed" : "random",
          record: random.int(2) === 0,
          helped: helpable[random.int(helpable.length + 1)],
          delay: random.int(7) - 1,
          random,
        });
        tally.set(outcome, (tally.get(outcome) ?? 0) + 1);
      }
      const outcomes = ["default", "cancelled", "failed", "signal aborted", "signal live, parked"];
      for (const state of ["room", "receiver waits"]) outcomes.push(`send ${state}`, `receive ${state}, parked`);
      for (const state of ["full", "full, sender waits", "sender waits"]) {
        outcomes.push(`receive ${state}`, `send ${state}, parked`);
      }
      outcomes.push("receive closed", "receive closed, holding", "send idle, parked", "receive idle, parked");
      for (const outcome of outcomes) assert.isAbove(tally.get(outcome) ?? 0, 30, outcome);
      expect([...tally.keys()].toSorted()).toEqual(outcomes.toSorted());
      await rest();
      assert.isAbove(watched.length, 5_000);
      expect(watched.filter((listeners) => listeners() > 0)).toEqual([]);
    },
    20_000,
  );

  it("P-090 a signal that has aborted wins over every set of cases, and none takes effect", async () => {
    const reason = new Error("too late");
    const aborted = AbortSignal.abort(reason);
    for (const state of states) {
      const [there, back] = [new Place(state), new Place(state)];
      await expect(select([there.channel, sending(back.channel, fresh())], { signal: aborted })).rejects.toBe(reason);
      await there.probe();
      await back.probe();
    }
  });

  it.each(["select", "trySelect"] as const)(
    "P-090 a case that is ready is taken by %s, though a timer that is late ends another wait while it looks",
    async (call) => {
      vi.useFakeTimers();
      Math.random = () => 0.99; // the last of those that are ready
      try {
        const [ready, offered, late] = [channel<string>(1), channel<string>(), after(10)];
        ready.trySend("ready");
        const other = select({ sent: sending(offered, "offered"), late });
        // The timer is due by the clock, but the host has not come round to it yet.
        vi.spyOn(performance, "now").mockReturnValue(performance.now() + 20);
        const cases = [ready, offered, late];
        const picked = call === "select" ? select(cases) : Promise.resolve(trySelect(cases));
        // One of the two that were ready; the timer serves who came first.
        const ended = await other;
        const index = ended.case === "late" ? 0 : 1;
        const value = ["ready", "offered"][index];
        expect(await outcome(picked)).toEqual({ status: "fulfilled", value: { case: index, done: false, value } });
        expect(ready.length).toBe(index);
      } finally {
        vi.restoreAllMocks();
        vi.useRealTimers();
      }
    },
  );
});

describe("P-091 reflect.TestSelectNop", () => {
  it("P-091 a computed list of no cases at all gives the default at once", () => {
    expect(trySelect([])).toBeUndefined();
    expect(trySelect({})).toBeUndefined();
    expect(trySelect(Array.from({ length: 3 }, () => undefined))).toBeUndefined();
    expect(trySelect(Object.fromEntries(offs.map((off, index) => [`k${index}`, off])))).toBeUndefined();
  });

  it("P-091 a computed record names its cases by strings, also where its keys are numbers", async () => {
    const ch = channel<string>(1);
    ch.trySend("one");
    const picked = await select({ 1: ch });
    expect(picked.case as unknown).toBe("1");
  });

  it("P-091 a case in place of the cases is a TypeError at the call", () => {
    const wrong = [channel(), sending(channel<number>(1), 1), new AbortController().signal, undefined, null, false, 1];
    for (const cases of wrong as unknown[] as [][]) {
      expect(() => void select(cases)).toThrow(TypeError);
      expect(() => trySelect(cases)).toThrow(TypeError);
    }
  });

  it("P-091 a wait for no case at all ends only by its signal", async () => {
    const cancel = new AbortController();
    const waits = [select([], cancel), select({}, cancel), select([null, false], cancel), select([never], cancel)];
    const settled = vi.fn<() => void>();
    for (const wait of waits) wait.then(settled, () => {});
    await rest();
    expect(settled).not.toHaveBeenCalled();
    const reason = new Error("enough");
    cancel.abort(reason);
    for (const wait of waits) await expect(wait).rejects.toBe(reason);
  });
});

describe("P-092 reflect.TestSelectMaxCases", () => {
  it.each([65_536, 65_537])(
    "P-092 %i receive cases on one closed channel (no limit, where Go has one)",
    async (length) => {
      const closed = channel<number>();
      closed.close();
      const cases = Array.from({ length }, () => closed);
      let took = Infinity;
      for (let run = 0; run < 3; run++) {
        const start = performance.now();
        await select(cases);
        took = Math.min(took, performance.now() - start);
      }
      expect(took).toBeLessThan(100);
      const picked = await select(cases);
      expect(picked).toMatchObject({ done: true, value: undefined });
      expect(picked.case).toBeGreaterThanOrEqual(0);
      expect(picked.case).toBeLessThan(length);
      expect(took).toBeLessThan(100);
      expect(trySelect(cases, { order: "listed" })).toEqual({ case: 0, done: true, value: undefined });
    },
  );

  it("P-092 65,536 cases can wait, and the one that is served is the one that is picked", async () => {
    const channels = Array.from({ length: 65_536 }, () => channel<string>());
    const picked = select(channels);
    await macro();
    expect(channels[40_000]?.trySend("here")).toBe(true);
    expect(await picked).toEqual({ case: 40_000, done: false, value: "here" });
    expect(channels.filter((ch) => ch.trySend("anybody?"))).toEqual([]);
  });
});

describe("P-093 reflect.TestChan", () => {
  it("P-093 waiting and non-waiting operations meet on one channel of capacity 1", async () => {
    const ch = channel<number>(1);
    await ch.send(2);
    expect(await ch.receive()).toEqual({ done: false, value: 2 });
    expect(ch.tryReceive()).toBeUndefined();
    await ch.send(3);
    expect(ch.tryReceive()).toEqual({ done: false, value: 3 });
    await ch.send(10);
    expect(ch.trySend(11)).toBe(false);
    expect(await ch.receive()).toEqual({ done: false, value: 10 });
    expect(ch.trySend(12)).toBe(true);
    expect(await ch.receive()).toEqual({ done: false, value: 12 });
    await ch.send(123);
    ch.close();
    expect(await ch.receive()).toEqual({ done: false, value: 123 });
    expect(await ch.receive()).toEqual({ done: true, value: undefined });
    expect(ch.tryReceive()).toEqual({ done: true, value: undefined });
  });

  it("P-093 a try on an unbuffered channel fails alone, and meets whoever waits", async () => {
    const ch = channel<number>();
    expect(ch.trySend(1)).toBe(false);
    expect(ch.tryReceive()).toBeUndefined();
    const received = ch.receive();
    expect(ch.trySend(2)).toBe(true);
    expect(await received).toEqual({ done: false, value: 2 });
    const sent = ch.send(3);
    expect(ch.tryReceive()).toEqual({ done: false, value: 3 });
    await sent;
    expect(ch.trySend(4)).toBe(false);
    expect(ch.tryReceive()).toBeUndefined();
  });

  it("P-093 length and capacity after 3 of 10", () => {
    const ch = channel<number>(10);
    for (let n = 0; n < 3; n++) expect(ch.trySend(n)).toBe(true);
    expect([ch.length, ch.capacity]).toEqual([3, 10]);
  });
});
