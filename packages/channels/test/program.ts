// Random programs of channels: how they are drawn and printed, run with the real channels, and followed by the model.
import fc from "fast-check";
import { macro, settle } from "../../../test/support.ts";
import type { Channel, SelectCase } from "../src/index.ts";
import { channel, ChannelClosedError, select, sending, trySelect } from "../src/index.ts";
import type { ModelCall, ModelCase, ModelChannel, ModelSignal, Outcome } from "./model.ts";
import { Model, ModelClosed } from "./model.ts";

/** How a channel is made. */
export type Kind = Pick<ModelChannel, "capacity" | "overflow">;

type CaseSpec =
  | { readonly kind: "receive" | "send"; readonly channel: number }
  | { readonly kind: "signal"; readonly signal: number }
  | { readonly kind: "disabled"; readonly as: undefined | null | false };

interface CasesSpec {
  readonly cases: readonly CaseSpec[];
  readonly named: boolean;
  readonly order: "random" | "listed";
}

type Operation =
  | { readonly op: "send" | "receive"; readonly channel: number; readonly signal: number | undefined }
  | { readonly op: "next"; readonly channel: number }
  | { readonly op: "trySend" | "tryReceive"; readonly channel: number; readonly times: number }
  | ({ readonly op: "select"; readonly signal: number | undefined } & CasesSpec)
  | ({ readonly op: "trySelect" } & CasesSpec)
  | { readonly op: "close"; readonly channel: number; readonly cause: boolean }
  | { readonly op: "abort"; readonly signal: number }
  | { readonly op: "turn" };

/** What a task does: some microtasks after what it did before; and it may wait for it, or go on at once. */
interface Step {
  readonly task: number;
  readonly jitter: number;
  readonly awaited: boolean;
  readonly operation: Operation;
}

const TASKS = 4;
export const CHANNELS = 3;
const SIGNALS = 3;

/** A program: what its tasks do, in one list. */
export class Program {
  readonly kinds: readonly Kind[];
  readonly steps: readonly Step[];
  readonly seed: number;

  constructor(kinds: readonly Kind[], steps: readonly Step[], seed: number) {
    this.kinds = kinds;
    this.steps = steps;
    this.seed = seed;
  }

  /** fast-check prints a program that failed by this. */
  toString(): string {
    const kinds = this.kinds.map(({ capacity, overflow }, i) => `ch${i} = channel(${capacity}, "${overflow}")`);
    const steps = this.steps.map(({ task, jitter, awaited, operation }, i) => {
      return `task ${task}: ${"· ".repeat(jitter)}${awaited ? "await " : ""}${textOf(operation, i)}`;
    });
    return `\n  ${[`Math.random = seeded(${this.seed})`, ...kinds, ...steps].join("\n  ")}\n`;
  }
}

/** A call of one case that never waits. */
function lone(it: ModelCase): ModelCall {
  return { cases: [it], signal: undefined, order: "random" };
}

/** Each send has a value of its own, told by its place in the program. */
const valueAt = (step: number, place = 0): unknown => {
  const number = step * 10 + place;
  return odd.has(number) ? odd.get(number) : number;
};
const thenable = {
  then(): never {
    throw new Error("A value was awaited");
  },
};
const odd = new Map<number, unknown>([
  [0, undefined],
  [10, null],
  [20, false],
  [30, thenable],
]);

function textOf(operation: Operation, step: number): string {
  const options = "signal" in operation && operation.signal !== undefined ? `s${operation.signal}` : "";
  switch (operation.op) {
    case "send":
      return `ch${operation.channel}.send(${[show(valueAt(step)), options].filter(Boolean).join(", ")})`;
    case "receive":
    case "next":
      return `ch${operation.channel}.${operation.op}(${options})`;
    case "trySend": {
      const values = Array.from({ length: operation.times }, (_, place) => show(valueAt(step, place)));
      return values.map((value) => `ch${operation.channel}.trySend(${value})`).join("; ");
    }
    case "tryReceive":
      return `ch${operation.channel}.tryReceive()${operation.times > 1 ? ` x ${operation.times}` : ""}`;
    case "select":
    case "trySelect": {
      const cases = operation.cases.map((it, place) => {
        const key = operation.named ? `${keyOf(place, true)}: ` : "";
        switch (it.kind) {
          case "receive":
            return `${key}ch${it.channel}`;
          case "send":
            return `${key}sending(ch${it.channel}, ${show(valueAt(step, place))})`;
          case "signal":
            return `${key}s${it.signal}`;
          case "disabled":
            return `${key}${it.as}`;
        }
      });
      const list = operation.named ? `{ ${cases.join(", ")} }` : `[${cases.join(", ")}]`;
      return `${operation.op}(${[list, operation.order, options].filter(Boolean).join(", ")})`;
    }
    case "close":
      return `ch${operation.channel}.close(${operation.cause ? `"cause of ch${operation.channel}"` : ""})`;
    case "abort":
      return `s${operation.signal} aborts`;
    case "turn":
      return "a turn of the event loop";
  }
}

const keyOf = (place: number, named: boolean) => (named ? "abcdef".charAt(place) : place);

function show(value: unknown): string {
  if (value === thenable) return "thenable";
  return value instanceof Error ? value.message : String(value);
}

function outcomeText(outcome: Outcome): string {
  if (!("error" in outcome)) {
    const { case: key, done, value } = outcome;
    return `${key === "" ? "" : `case ${key}, `}${done ? "done" : "value"} ${show(value)}`;
  }
  const { error } = outcome;
  if (error instanceof ModelClosed) {
    const { name, cause } = error.channel;
    return `error Cannot send: send on closed channel "${name}" (${show(cause)})`;
  }
  return `error ${show(error)}${error instanceof ChannelClosedError ? ` (${show(error.cause)})` : ""}`;
}

export const kind = fc.constantFrom<Kind[]>(
  { capacity: 0, overflow: "wait" },
  { capacity: 1, overflow: "wait" },
  { capacity: 2, overflow: "wait" },
  { capacity: Infinity, overflow: "wait" },
  { capacity: 1, overflow: "drop-oldest" },
  { capacity: 2, overflow: "drop-oldest" },
  { capacity: 2, overflow: "drop-newest" },
);

export const channelIndex = fc.constantFrom(0, 0, 0, 1, 1, 2); // few meet where all are equally likely
/** Now and then more than the buffer's ring has room for at first. */
const times = fc.oneof(
  { weight: 4, arbitrary: fc.constant(1) },
  { weight: 1, arbitrary: fc.integer({ min: 2, max: 10 }) },
);
const signalIndex = fc.nat(SIGNALS - 1);
const optionSignal = fc.option(signalIndex, { nil: undefined, freq: 2 });
const oneCase = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ kind: fc.constantFrom("receive" as const, "send" as const), channel: channelIndex }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("signal" as const), signal: signalIndex }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("disabled" as const), as: fc.constantFrom(undefined, null, false) }),
  },
);
const cases = {
  cases: fc.array(oneCase, { maxLength: 4, size: "max" }),
  named: fc.boolean(),
  order: fc.constantFrom("random", "listed"),
};
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ op: fc.constantFrom("send", "receive"), channel: channelIndex, signal: optionSignal }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ op: fc.constantFrom("trySend", "tryReceive"), channel: channelIndex, times }),
  },
  { weight: 6, arbitrary: fc.record({ op: fc.constant("select"), signal: optionSignal, ...cases }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant("trySelect"), ...cases }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("next"), channel: channelIndex }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("close"), channel: channelIndex, cause: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("abort"), signal: signalIndex }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("turn") }) },
);
export const programs: fc.Arbitrary<Program> = fc
  .record({
    kinds: fc.array(kind, { minLength: CHANNELS, maxLength: CHANNELS }),
    steps: fc.array(fc.record({ task: fc.nat(TASKS - 1), jitter: fc.nat(3), awaited: fc.boolean(), operation }), {
      maxLength: 40,
      size: "max",
    }),
    seed: fc.nat(),
  })
  .map(({ kinds, steps, seed }) => new Program(kinds, steps, seed));

/** One thing that happened, in the order in which it did. */
interface Happening {
  readonly text: string;
  /** What the channels gave at once, and how it looked afterwards from outside. */
  readonly gave: string;
  readonly state: string;
  readonly listeners: readonly (readonly [number, number])[];
  /** Lets the model do the same; what it gives at once. */
  readonly follow: (model: Model) => string;
}

/** How a call was settled, and after how many happenings that was seen. */
interface Settlement {
  readonly outcome: Outcome;
  readonly after: number;
}

/** An AbortSignal that counts who listens to it, and who says that somebody waits on it. */
export class SpiedSignal {
  readonly controller = new AbortController();
  readonly model: ModelSignal;
  readonly #listeners = new Set<unknown>();
  waiting = 0;

  constructor(index: number) {
    this.model = { name: `s${index}`, aborted: false, reason: undefined };
    const { signal } = this.controller;
    const spy: Partial<AbortSignal> = {
      addEventListener: (type: string, listener: EventListener) => {
        this.#listeners.add(listener);
        EventTarget.prototype.addEventListener.call(signal, type, listener);
      },
      removeEventListener: (type: string, listener: EventListener) => {
        this.#listeners.delete(listener);
        EventTarget.prototype.removeEventListener.call(signal, type, listener);
      },
    };
    Object.assign(signal, spy, { [Symbol.for("@sluice/waiting")]: (change: number) => (this.waiting += change) });
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  get listeners(): number {
    return this.#listeners.size;
  }
}

/** A program on its way. */
export class Run {
  readonly #program: Program;
  readonly #channels: readonly (readonly [Channel<unknown>, ModelChannel])[];
  readonly #signals = Array.from({ length: SIGNALS }, (_, index) => new SpiedSignal(index));
  readonly #history: Happening[] = [];
  readonly #texts = new Map<ModelCall, string>();
  readonly #settled = new Map<ModelCall, Settlement>();
  /** What channels have taken, dropped values included, and given. */
  readonly #taken = new Map<ModelChannel, unknown[]>();
  readonly #given = new Map<ModelChannel, unknown[]>();
  #crash: { readonly error: unknown } | undefined;

  constructor(program: Program) {
    this.#program = program;
    this.#channels = program.kinds.map(({ capacity, overflow }, index) => {
      const name = `ch${index}`;
      const model = { name, capacity, overflow, values: [], dropped: 0, closed: false, cause: undefined };
      this.#taken.set(model, []);
      this.#given.set(model, []);
      return [channel({ capacity, overflow, name }), model] as const;
    });
  }

  /** Runs all tasks until they have ended or wait, then closes everything, then takes out what is still buffered. */
  async run(): Promise<void> {
    for (let task = 0; task < TASKS; task++)
      void this.#task(task).catch((error: unknown) => (this.#crash ??= { error }));
    await this.#rest();
    for (let at = 0; at < CHANNELS; at++) void this.#perform({ op: "close", channel: at, cause: false }, "at the end");
    await this.#rest();
    for (let at = 0; at < SIGNALS; at++) void this.#perform({ op: "abort", signal: at }, "at the end");
    await this.#rest();
    for (const [at, [{ length }]] of this.#channels.entries()) {
      void this.#perform({ op: "tryReceive", channel: at, times: length }, "at the end");
    }
    await this.#rest();
  }

  async #task(task: number): Promise<void> {
    for (const [index, step] of this.#program.steps.entries()) {
      if (step.task !== task) continue;
      await settle(step.jitter);
      const settled = this.#perform(step.operation, `task ${task}`, index);
      if (step.awaited) await settled;
    }
  }

  /** Waits until nothing happens any more. Several turns: the package itself waits for two in a long busy loop. */
  async #rest(): Promise<void> {
    for (let quiet = 0; quiet < 4; quiet++) {
      const before = this.#history.length + this.#settled.size;
      await macro();
      if (this.#history.length + this.#settled.size > before) quiet = 0;
    }
    const waiting = [...this.#texts.keys()].filter((call) => !this.#settled.has(call));
    this.#note(AT_REST, this.#list(waiting), (model) => this.#list(model.waiting));
  }

  #list(calls: readonly ModelCall[]): string {
    return calls.length === 0 ? "nobody waits" : calls.map((call) => `“${this.#texts.get(call)}” waits`).join(", ");
  }

  #note(text: string, gave: string, follow: (model: Model) => string): void {
    const state = this.#channels.map(([real]) => stateText(real, real.length)).join(", ");
    const listeners = this.#signals.map((signal) => [signal.listeners, signal.waiting] as const);
    this.#history.push({ text, gave, state, listeners, follow });
  }

  #channel(index: number): readonly [Channel<unknown>, ModelChannel] {
    return present(this.#channels[index]);
  }

  #signal(index: number): SpiedSignal {
    return present(this.#signals[index]);
  }

  /** Does it, and notes what happens. The promise is that of a call that may wait, and never rejects. */
  async #perform(operation: Operation, who: string, step = 0): Promise<void> {
    const text = `${who}: ${textOf(operation, step)}`;
    switch (operation.op) {
      case "send": {
        const [real, model] = this.#channel(operation.channel);
        const value = valueAt(step);
        const call = this.#call(text, [{ key: "", kind: "send", at: model, value }], operation.signal);
        const sent = real.send(value, this.#options(operation.signal));
        return this.#waits(call, sent, (result) => ({ case: "", done: false, value: result }));
      }
      case "receive":
      case "next": {
        const [real, model] = this.#channel(operation.channel);
        const signal = operation.op === "receive" ? operation.signal : undefined;
        const call = this.#call(text, [{ key: "", kind: "receive", at: model }], signal);
        const received = operation.op === "next" ? real.next() : real.receive(this.#options(signal));
        return this.#waits(call, received, (result) => ({ case: "", done: result.done === true, value: result.value }));
      }
      case "select": {
        const [real, model] = this.#cases(operation, step);
        const call = this.#call(text, model, operation.signal, operation.order);
        const selected = select(real, { order: operation.order, ...this.#options(operation.signal) });
        return this.#waits(call, selected, (result) => result);
      }
      case "trySend": {
        const [real, model] = this.#channel(operation.channel);
        for (let place = 0; place < operation.times; place++) {
          const value = valueAt(step, place);
          const call = lone({ key: "", kind: "send", at: model, value });
          const { dropped } = real;
          const sent = real.trySend(value);
          this.#note(text, String(sent), (following) => String(following.trySend(call, model)));
          if (sent || real.dropped > dropped) this.#settle(call, { case: "", done: false, value: undefined });
        }
        return;
      }
      case "tryReceive": {
        const [real, model] = this.#channel(operation.channel);
        for (let n = 0; n < operation.times; n++) {
          this.#tries(text, lone({ key: "", kind: "receive", at: model }), () => {
            const result = real.tryReceive();
            return result && { case: "", done: result.done === true, value: result.value };
          });
        }
        return;
      }
      case "trySelect": {
        const [real, model] = this.#cases(operation, step);
        const call = { cases: model, signal: undefined, order: operation.order };
        return this.#tries(text, call, () => trySelect(real, { order: operation.order }));
      }
      case "close": {
        const [real, model] = this.#channel(operation.channel);
        const cause = operation.cause ? new Error(`cause of ch${operation.channel}`) : undefined;
        const closed = real.close(cause);
        return this.#note(text, String(closed), (following) => String(following.close(model, cause)));
      }
      case "abort": {
        const { controller, model } = this.#signal(operation.signal);
        if (controller.signal.aborted) return;
        const reason = new Error(`${model.name} aborted`);
        controller.abort(reason);
        return this.#note(text, "", (following) => {
          following.abort(model, reason);
          return "";
        });
      }
      case "turn":
        return macro();
    }
  }

  #call(text: string, cases: readonly ModelCase[], signal?: number, order: "random" | "listed" = "random"): ModelCall {
    const call = { cases, signal: signal === undefined ? undefined : this.#signal(signal).model, order };
    this.#texts.set(call, text);
    return call;
  }

  #options(signal: number | undefined): { signal?: AbortSignal } {
    return signal === undefined ? {} : { signal: this.#signal(signal).signal };
  }

  /** The cases of a select: as the package wants them, and as the model does. */
  #cases({ cases, named }: CasesSpec, step: number): [Record<string, SelectCase> | SelectCase[], ModelCase[]] {
    const real: [string | number, SelectCase][] = [];
    const model: ModelCase[] = [];
    for (const [place, it] of cases.entries()) {
      const key = keyOf(place, named);
      switch (it.kind) {
        case "receive": {
          const [from, at] = this.#channel(it.channel);
          real.push([key, from]);
          model.push({ key, kind: "receive", at });
          break;
        }
        case "send": {
          const [to, at] = this.#channel(it.channel);
          const value = valueAt(step, place);
          real.push([key, sending(to, value)]);
          model.push({ key, kind: "send", at, value });
          break;
        }
        case "signal": {
          const { signal, model: at } = this.#signal(it.signal);
          real.push([key, signal]);
          model.push({ key, kind: "signal", at });
          break;
        }
        case "disabled":
          real.push([key, it.as]);
      }
    }
    return [named ? Object.fromEntries(real) : real.map(([, it]) => it), model];
  }

  /** A call that may wait, and has just been made. */
  #waits<R>(call: ModelCall, promise: Promise<R>, outcomeOf: (result: R) => Outcome): Promise<void> {
    this.#note(this.#texts.get(call) ?? "", "", (model) => {
      model.call(call);
      return "";
    });
    return promise.then(
      (result) => this.#settle(call, outcomeOf(result)),
      (error: unknown) => this.#settle(call, { error }),
    );
  }

  /** A call that never waits. */
  #tries(text: string, call: ModelCall, act: () => Outcome | undefined): void {
    let outcome: Outcome | undefined;
    try {
      outcome = act();
    } catch (error) {
      outcome = { error };
    }
    this.#note(text, outcome === undefined ? "nothing" : outcomeText(outcome), (model) => {
      const it = model.try(call) ? model.outcomes.get(call) : undefined;
      return it === undefined ? "nothing" : outcomeText(it);
    });
    if (outcome !== undefined) this.#settle(call, outcome);
  }

  #settle(call: ModelCall, outcome: Outcome): void {
    this.#settled.set(call, { outcome, after: this.#history.length });
    if ("error" in outcome) return;
    const it = call.cases.find(({ key }) => key === outcome.case);
    if (it?.kind === "send") this.#taken.get(it.at)?.push(it.value);
    if (it?.kind === "receive" && !outcome.done) this.#given.get(it.at)?.push(outcome.value);
  }

  /** Lets the model do the same, step by step. Says what it would not have done first; nothing if it did it all. */
  disagreement(): string {
    try {
      this.#follow();
      return "";
    } catch (error) {
      return String(error);
    }
  }

  #follow(): void {
    if (this.#crash !== undefined) throw this.#crash.error;
    const model = new Model((call, allowed) => allowed.find((it) => this.#chose(call, it)));
    let known = 0;
    for (const [index, { text, gave, state, listeners, follow }] of this.#history.entries()) {
      const says = follow(model);
      agree(`“${text}” gave`, gave, says);
      for (const [call, outcome] of [...model.outcomes].slice(known)) {
        const name = this.#texts.get(call) ?? text;
        const settled = this.#settled.get(call);
        agree(
          `“${name}” after “${text}” gave`,
          settled ? outcomeText(settled.outcome) : "nothing",
          outcomeText(outcome),
        );
        if (settled && settled.after <= index) throw new Error(`“${name}” settled before “${text}”`);
      }
      known = model.outcomes.size;
      agree(`After “${text}”`, state, this.#channels.map(([, it]) => stateText(it, it.values.length)).join(", "));
      for (const [at, [count, waiting]] of listeners.entries()) {
        const { model: signal } = this.#signal(at);
        const waits = model.waiting.some((it) => it.signal === signal || it.cases.some((other) => other.at === signal));
        const allowed = text === AT_REST ? [Number(waits)] : [Number(waits), 1];
        if (count !== waiting || !allowed.includes(count)) {
          throw new Error(
            `After “${text}” ${signal.name} has ${count} listeners and ${waiting} waiting, not ${Number(waits)}`,
          );
        }
      }
    }
    // Whatever the model says: each value that was taken was given or dropped, and none twice.
    for (const [real, at] of this.#channels) {
      const taken = new Set(this.#taken.get(at));
      const given = present(this.#given.get(at));
      const strange = given.filter((value) => !taken.delete(value)).map(show);
      if (strange.length > 0) throw new Error(`${at.name} gave twice or without having it: ${strange.join(", ")}`);
      if (taken.size !== real.dropped)
        throw new Error(`${at.name} lost ${taken.size} values and dropped ${real.dropped}`);
    }
  }

  /** Whether the real call was settled by that case. */
  #chose(call: ModelCall, it: ModelCase): boolean {
    const outcome = this.#settled.get(call)?.outcome;
    if (outcome === undefined) return false;
    if (!("error" in outcome)) return outcome.case === it.key;
    if (it.kind === "signal") return false;
    return outcomeText(outcome) === outcomeText({ error: it.kind === "send" ? new ModelClosed(it.at) : it.at.cause });
  }
}

const AT_REST = "at rest";

function stateText(
  { name, closed, dropped }: Pick<ModelChannel, "closed" | "dropped"> & { name?: string | undefined },
  length: number,
): string {
  return `${name} holds ${length}${dropped > 0 ? `, dropped ${dropped}` : ""}${closed ? ", closed" : ""}`;
}

function agree(what: string, real: string, model: string): void {
  if (real !== model) throw new Error(`${what}: ${real}; the model: ${model}`);
}

function present<T>(it: T | undefined): T {
  if (it === undefined) throw new Error("There is no such thing");
  return it;
}
