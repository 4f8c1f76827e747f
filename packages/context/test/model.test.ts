// Random trees of contexts, beside a plain tree that tells everybody everything at once.
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { settle } from "../../../test/support.ts";
import type { Context, Parent } from "../src/index.ts";
import {
  afterDone,
  background,
  CanceledError,
  contextKey,
  DeadlineExceededError,
  withCancel,
  withDeadline,
  withoutCancel,
  withSignal,
  withTimeout,
  withValue,
} from "../src/index.ts";
import type { Ending, Telling, Watcher } from "./model.ts";
import { Model, ModelScope } from "./model.ts";
import { thrown } from "./support.ts";

/** MODEL_RUNS=50 runs fifty times as many programs. */
const { process: host } = globalThis as { process?: { env?: Record<string, string | undefined> } };
const factor = Number(host?.env?.["MODEL_RUNS"] ?? 1);

// Numbers of contexts, callbacks and signals are taken modulo how many there are; LAST is the newest context.
const LAST = -1;
const placeOf = (number: number, count: number): number => (number === LAST ? count - 1 : number % count);

/** How a parent is given: as a context, by the signal of one, or a signal from elsewhere. */
interface From {
  readonly from: number;
  readonly as: "context" | "signal" | "foreign signal";
}

type Time = number | "the next deadline" | "just before the next deadline";

type Step =
  | ({ readonly op: "withCancel" | "withoutCancel" } & From)
  | ({ readonly op: "withTimeout" | "withDeadline"; readonly due: number; readonly cause: boolean } & From)
  | ({ readonly op: "withValue"; readonly key: number; readonly hides: boolean } & From)
  | ({ readonly op: "withSignal"; readonly signals: readonly From[] } & From)
  | { readonly op: "cancel"; readonly at: number; readonly cause: "none" | "null" | "some" }
  | { readonly op: "abort"; readonly foreign: number; readonly reason: "none" | "TimeoutError" | "some" }
  | { readonly op: "signal" | "ask"; readonly at: number }
  | { readonly op: "afterDone"; readonly at: number; readonly reaction: Reaction; readonly target: number }
  | { readonly op: "stop"; readonly callback: number }
  | { readonly op: "pass" | "jump"; readonly time: Time }
  | { readonly op: "set the date"; readonly by: number };

/** What a callback does. "stop" is for one that is stopped again at once. */
type Reaction = "nothing" | "derive" | "throw" | "cancel" | "stop";

const FOREIGN = 3;
const FAR = 2 ** 32;

class Program {
  readonly steps: readonly Step[];
  /** Whether the clock may jump over deadlines while no timer fires, as in a long busy loop. */
  readonly jumps: boolean;

  constructor(steps: readonly Step[], jumps: boolean) {
    this.steps = steps;
    this.jumps = jumps;
  }

  /** fast-check prints a program that failed by this. */
  toString(): string {
    let contexts = 1;
    let callbacks = 0;
    const name = (at: number) => {
      const place = placeOf(at, contexts);
      return place === 0 ? "background" : `c${place}`;
    };
    const parent = ({ from, as }: From) => {
      return as === "foreign signal"
        ? `f${placeOf(from, FOREIGN)}`
        : `${name(from)}${as === "signal" ? ".signal" : ""}`;
    };
    const derived = (by: string, args: readonly unknown[]) => `c${contexts++} = ${by}(${args.join(", ")})`;
    const lines = this.steps.map((step, place) => {
      switch (step.op) {
        case "withCancel":
        case "withoutCancel":
          return derived(step.op, [parent(step)]);
        case "withTimeout":
        case "withDeadline":
          return derived(step.op, [parent(step), `to ${dueAt(step.due, place)}`, step.cause ? "a cause" : "no cause"]);
        case "withValue":
          return derived(step.op, [parent(step), `key ${step.key}`, valueAt(step.hides, place)]);
        case "withSignal":
          return derived(step.op, [parent(step), ...step.signals.map(parent)]);
        case "cancel":
          return `${name(step.at)}.cancel(${step.cause})`;
        case "abort":
          return `f${step.foreign} aborts (${step.reason})`;
        case "signal":
        case "ask":
          return `${name(step.at)}: ${step.op}`;
        case "afterDone":
          callbacks++;
          return `afterDone(${name(step.at)}, ${step.reaction}${step.reaction === "cancel" ? ` ${name(step.target)}` : ""})`;
        case "stop":
          return callbacks === 0 ? "nothing" : `stop callback ${placeOf(step.callback, callbacks) + 1}`;
        case "pass":
        case "jump":
          return `time ${this.jumps && step.op === "jump" ? "jumps" : "passes"}: ${step.time}`;
        case "set the date":
          return `the date is set by ${step.by}`;
      }
    });
    return `\n  ${lines.join("\n  ")}\n`;
  }
}

/** Each deadline has an instant of its own, counted from the start: two at once may come in any order. */
const dueAt = (due: number, step: number): number => due * 100 + step;
const valueAt = (hides: boolean, step: number): number | undefined => (hides ? undefined : step);

// Often the newest, for trees that are deep.
const index = fc.oneof(fc.nat(40), fc.constant(LAST));
const from = {
  from: index,
  as: fc.oneof(
    { weight: 6, arbitrary: fc.constant("context" as const) },
    { weight: 1, arbitrary: fc.constantFrom("signal" as const, "foreign signal" as const) },
  ),
};
const time = fc.constantFrom<Time[]>("the next deadline", "just before the next deadline", 0, 1, 150, 2 * FAR);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ op: fc.constantFrom("withCancel", "withCancel", "withoutCancel"), ...from }) },
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constantFrom("withTimeout", "withDeadline"),
      due: fc.constantFrom(-1, 0, 1, 2, 3, 4, 5, 6, FAR),
      cause: fc.boolean(),
      ...from,
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("withValue"), key: fc.nat(1), hides: fc.boolean(), ...from }) },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant("withSignal"),
      signals: fc.array(
        fc.record({
          from: index,
          as: fc.constantFrom("foreign signal" as const, "foreign signal" as const, "signal" as const),
        }),
        { maxLength: 3 },
      ),
      ...from,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant("cancel"), at: index, cause: fc.constantFrom("none", "null", "some") }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("abort"),
      foreign: fc.nat(FOREIGN - 1),
      reason: fc.constantFrom("none", "TimeoutError", "some"),
    }),
  },
  { weight: 4, arbitrary: fc.record({ op: fc.constantFrom("signal", "ask"), at: index }) },
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant("afterDone"),
      at: index,
      reaction: fc.constantFrom("nothing", "nothing", "derive", "throw", "cancel", "stop"),
      target: index,
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("stop"), callback: index }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constantFrom("pass", "jump"), time }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("set the date"), by: fc.constantFrom(-3_600_000, 3_600_000) }) },
);
const programs = fc
  .tuple(fc.array(step, { maxLength: 30, size: "max" }), fc.boolean())
  .map(([steps, jumps]) => new Program(steps, jumps));

/** A context, and what the model knows of it. */
interface Known {
  readonly name: string;
  readonly ctx: Context & { cancel?: (cause?: unknown) => void };
  readonly scope: ModelScope;
  readonly values: ReadonlyMap<number, unknown>;
}

/** A signal from elsewhere, which knows how many listen to it. (Without `vi.spyOn`, which would take half of the time.) */
class Foreign {
  readonly controller = new AbortController();
  readonly signal: AbortSignal = this.controller.signal;
  readonly scope = new ModelScope([], undefined);
  listeners = 0;

  constructor() {
    const { addEventListener, removeEventListener } = this.signal;
    this.signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      this.listeners++;
      addEventListener.apply(this.signal, args);
    };
    this.signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      this.listeners--;
      removeEventListener.apply(this.signal, args);
    };
  }
}

const keys = [contextKey<unknown>("plain"), contextKey<unknown>("with default", "default")] as const;

/** How far the clock has jumped ahead of the timers. */
let ahead = 0;

/** A program on its way, beside the model. Throws at the first thing that the model does not say. */
class Run {
  readonly #program: Program;
  readonly #start = performance.now();
  readonly #model = new Model(this.#start);
  readonly #contexts: Known[] = [
    { name: "background", ctx: background, scope: this.#model.derive([]), values: new Map() },
  ];
  readonly #foreign = Array.from({ length: FOREIGN }, () => new Foreign());
  readonly #signals = new Map<ModelScope, AbortSignal>();
  readonly #callbacks: { readonly stop: () => boolean; readonly watcher: Watcher }[] = [];
  /** The causes of endings that the model leaves to the contexts: the errors themselves. */
  readonly #causes = new Map<Ending, unknown>();
  #watchers = 0;
  #cancels = 0;
  /** What the model has told, and the contexts have not yet. */
  readonly #owed: Telling[] = [];
  readonly #log: { readonly watcher: Watcher; readonly time: number }[] = [];
  #problem = "";
  /** How many errors of callbacks must have been reported. */
  throws = 0;

  constructor(program: Program) {
    this.#program = program;
  }

  async run(): Promise<void> {
    for (const [place, step] of this.#program.steps.entries()) {
      this.#perform(step, place);
      await this.#reconcile();
    }
    // Every deadline passes; then whoever still lives is cancelled, and whoever still waits goes.
    vi.advanceTimersByTime(4 * FAR);
    this.#model.advance(4 * FAR);
    await this.#reconcile();
    this.#same("owed at the end", this.#owed.map(({ watcher }) => watcher.name).join(), "");
    for (const callback of this.#callbacks) this.#stop(callback);
    for (const known of this.#contexts) this.#cancel(known, undefined);
    for (const known of this.#contexts) this.#ask(known);
    await this.#reconcile();
    this.#same("timers at the end", vi.getTimerCount(), 0);
    for (const { listeners } of this.#foreign) this.#same("listeners at the end", listeners, 0);
  }

  #same(what: string, real: unknown, model: unknown): void {
    if (!Object.is(real, model)) throw new Error(`${what}: ${String(real)}; the model: ${String(model)}`);
  }

  #at(number: number): Known {
    return this.#contexts[placeOf(number, this.#contexts.length)] as Known;
  }

  #foreignAt(number: number): Foreign {
    return this.#foreign[placeOf(number, FOREIGN)] as Foreign;
  }

  #perform(step: Step, place: number): void {
    const model = this.#model;
    switch (step.op) {
      case "withCancel":
      case "withoutCancel": {
        const { parent, scope, values } = this.#from(step);
        if (step.op === "withCancel") this.#add(withCancel(parent), model.derive([scope]), values);
        else this.#add(withoutCancel(parent), model.derive([]), values);
        return;
      }
      case "withTimeout":
      case "withDeadline": {
        const { parent, scope, values } = this.#from(step);
        const due = this.#start + dueAt(step.due, place);
        const at = Date.now() + due - model.now;
        const cause = step.cause ? new Error(`cause of step ${place}`) : undefined;
        const ctx =
          step.op === "withTimeout"
            ? withTimeout(parent, due - model.now, { cause })
            : withDeadline(parent, place % 2 === 0 ? at : new Date(at), { cause });
        this.#add(ctx, model.derive([scope], { due, at, cause }), values);
        return;
      }
      case "withValue": {
        const { parent, scope, values } = this.#from(step);
        const value = valueAt(step.hides, place);
        const ctx = withValue(parent, keys[step.key] ?? keys[0], value);
        this.#add(ctx, scope, new Map([...values, [step.key, value]]));
        return;
      }
      case "withSignal": {
        const { parent, scope, values } = this.#from(step);
        const sources = step.signals.map((from) => this.#from(from));
        // A signal whose timer is late has not aborted, whatever the clock says. Who asks the context makes it abort.
        for (const { from, as } of step.signals) if (as === "signal") this.#ask(this.#at(from));
        const ctx = withSignal(parent, ...sources.map((source) => source.parent as AbortSignal));
        this.#add(ctx, model.derive([scope, ...sources.map((source) => source.scope)]), values);
        return;
      }
      case "cancel":
        return this.#cancel(
          this.#at(step.at),
          { none: undefined, null: null, some: new Error(`step ${place}`) }[step.cause],
        );
      case "abort": {
        const { controller, scope } = this.#foreignAt(step.foreign);
        if (controller.signal.aborted) return;
        const reason = new Error(`step ${place}`);
        if (step.reason === "TimeoutError") reason.name = "TimeoutError";
        controller.abort(step.reason === "none" ? undefined : reason);
        const kind = step.reason === "TimeoutError" ? "deadline exceeded" : "canceled";
        return model.end(scope, { kind, cause: controller.signal.reason, foreign: true });
      }
      case "signal":
        return void this.#signal(this.#at(step.at));
      case "ask":
        return void this.#ask(this.#at(step.at));
      case "afterDone":
        return this.#afterDone(this.#at(step.at), step.reaction, this.#at(step.target));
      case "stop": {
        const callback = this.#callbacks[placeOf(step.callback, this.#callbacks.length)];
        return callback && this.#stop(callback);
      }
      case "pass":
      case "jump": {
        const { now } = model;
        const next = Math.min(
          ...model.scopes.map(({ own }) => (own !== undefined && own.due > now ? own.due : Infinity)),
        );
        const until = next === Infinity ? 0 : next - now;
        const ms =
          step.time === "the next deadline"
            ? until
            : step.time === "just before the next deadline"
              ? until - 1
              : step.time;
        if (step.op === "jump" && this.#program.jumps) {
          ahead += Math.max(ms, 0);
          vi.setSystemTime(Date.now() + Math.max(ms, 0));
        } else {
          vi.advanceTimersByTime(Math.max(ms, 0));
        }
        return model.advance(Math.max(ms, 0));
      }
      case "set the date":
        vi.setSystemTime(Date.now() + step.by);
    }
  }

  #add(ctx: Context, scope: ModelScope, values: ReadonlyMap<number, unknown>): void {
    this.#contexts.push({ name: `c${this.#contexts.length}`, ctx, scope, values });
  }

  #from({ from, as }: From): { parent: Parent; scope: ModelScope; values: ReadonlyMap<number, unknown> } {
    if (as === "foreign signal") {
      const { signal, scope } = this.#foreignAt(from);
      return { parent: signal, scope, values: new Map() };
    }
    const known = this.#at(from);
    if (as === "signal") return { parent: this.#signal(known), scope: known.scope, values: new Map() };
    return { parent: known.ctx, scope: known.scope, values: known.values };
  }

  #cancel({ ctx, scope }: Known, cause: unknown): void {
    if (ctx.cancel === undefined) return;
    ctx.cancel(cause);
    this.#model.cancel(scope, cause);
  }

  /** Reads the signal, and from the first time on listens to it. */
  #signal(known: Known): AbortSignal {
    const { name, ctx, scope } = known;
    const { signal } = ctx;
    const before = this.#signals.get(scope);
    if (before !== undefined) {
      this.#same(`${name}.signal is another one`, signal === before, true);
      return signal;
    }
    this.#signals.set(scope, signal);
    const ending = this.#ask(known);
    // The background's is never told; and a context that is a foreign signal with values has that very signal.
    const isForeign = this.#foreign.some((foreign) => foreign.signal === signal);
    if (ending !== undefined || isForeign || signal === background.signal) return signal;
    const watcher = { name: `${name}.signal`, scope, place: 0, reaction: undefined };
    signal.addEventListener("abort", () => {
      this.#heard(watcher);
      if (signal.reason !== ctx.cause) this.#problem ||= `${name}.signal.reason is not the cause`;
    });
    this.#model.watch(watcher);
    return signal;
  }

  #afterDone(known: Known, reaction: Reaction, target: Known): void {
    const { name, ctx, scope } = known;
    const place = ++this.#watchers;
    const cause = new Error(`callback ${place}`);
    // One for each program: of several, it might depend on their order who is first to cancel a third.
    const cancels = reaction === "cancel" && this.#cancels === 0 && !this.#program.jumps;
    if (cancels) this.#cancels++;
    const watcher: Watcher = {
      name: `callback ${place} of ${name}`,
      scope,
      place,
      reaction: cancels && target.ctx.cancel ? () => this.#model.cancel(target.scope, cause) : undefined,
    };
    const stop = afterDone(ctx, () => {
      this.#heard(watcher);
      if (cancels) target.ctx.cancel?.(cause);
      if (reaction === "derive" && withCancel(ctx).cause !== ctx.cause) this.#problem ||= `a child of ${name} lives`;
      if (reaction === "throw") {
        this.throws++;
        throw new Error("thrown by a callback");
      }
    });
    this.#ask(known);
    if (reaction === "stop") {
      this.#same(`stop() of ${watcher.name}`, stop(), true);
      this.#same(`stop() of ${watcher.name} again`, stop(), false);
    } else {
      this.#callbacks.push({ stop, watcher });
      this.#model.watch(watcher);
    }
  }

  #stop({ stop, watcher }: { readonly stop: () => boolean; readonly watcher: Watcher }): void {
    const stopped = stop();
    const owed = this.#owed.findIndex((telling) => telling.watcher === watcher);
    if (owed >= 0) {
      // Where timers are late, only the contexts know whether they have noticed by now. Those that nobody watches any more
      // must be asked before something else ends them, too.
      if (stopped) this.#owed.splice(owed, 1);
      for (const known of this.#contexts) this.#ask(known);
      return;
    }
    const { watchers } = watcher.scope;
    const place = watchers.indexOf(watcher);
    this.#same(`stop() of ${watcher.name}`, stopped, place >= 0);
    if (stopped) watchers.splice(place, 1);
  }

  /** What watchers do when they are told. All below must be done by now, whether they have been told or not. */
  #heard(watcher: Watcher): void {
    this.#log.push({ watcher, time: performance.now() });
    const { subtree } = watcher.scope;
    for (const { name, ctx, scope } of this.#contexts) {
      if (!subtree.includes(scope)) continue;
      if (ctx.error === undefined) this.#problem ||= `${watcher.name} saw ${name} live`;
      const signal = this.#signals.get(scope);
      if (signal !== undefined && (!signal.aborted || signal.reason !== ctx.cause)) {
        this.#problem ||= `${watcher.name} saw ${name}.signal live, or with another reason`;
      }
    }
  }

  /** Compares all that a context says about itself. */
  #ask({ name, ctx, scope, values }: Known): Ending | undefined {
    const { error, cause } = ctx;
    const kind = error && (error instanceof CanceledError ? "canceled" : "deadline exceeded");
    const givenBy = (ending: Ending) =>
      ending.cause === undefined ? (this.#causes.get(ending) ?? error) : ending.cause;
    const ending = this.#model.ask(scope, (it) => it.kind === kind && givenBy(it) === cause);
    this.#same(`${name}.error`, kind, ending?.kind);
    if (ending === undefined) {
      this.#same(`${name}.cause`, cause, undefined);
      this.#same(`${name}.throwIfDone()`, ctx.throwIfDone(), undefined);
    } else {
      this.#same(`${name}.cause`, cause, givenBy(ending));
      this.#causes.set(ending, cause);
      this.#same(
        `${name}.error is a ${error?.name}`,
        error instanceof CanceledError || error instanceof DeadlineExceededError,
        true,
      );
      this.#same(
        `${name}.throwIfDone()`,
        thrown(() => ctx.throwIfDone()),
        cause,
      );
    }
    this.#same(`${name}.error is another one`, ctx.error === error, true);
    const left = scope.deadline === undefined ? Infinity : scope.deadline.due - this.#model.now;
    this.#same(`${name}.remaining`, ctx.remaining, ending === undefined ? left : 0);
    this.#same(`${name}.deadline`, ctx.deadline, scope.deadline?.at);
    for (const [place, key] of keys.entries()) {
      this.#same(
        `${name}.value(${key.name})`,
        ctx.value(key),
        values.has(place) ? values.get(place) : key.defaultValue,
      );
    }
    const signal = this.#signals.get(scope);
    if (signal !== undefined) {
      this.#same(`${name}.signal.aborted`, signal.aborted, ending !== undefined);
      this.#same(`${name}.signal.reason`, signal.reason, cause);
    }
    return ending;
  }

  /** Whoever the model has told must have been told: at that time, and in the order of the contract. */
  async #reconcile(): Promise<void> {
    await settle(2); // callbacks of contexts that were done come in a microtask
    this.#same("problem", this.#problem, "");
    const { jumps } = this.#program;
    this.#owed.push(...this.#model.tellings.splice(0));
    const heard: Telling[] = [];
    for (const { watcher, time } of this.#log.splice(0)) {
      const place = this.#owed.findIndex((telling) => telling.watcher === watcher);
      const [telling] = place >= 0 ? this.#owed.splice(place, 1) : [];
      if (telling === undefined) throw new Error(`${watcher.name} was told; the model: it was not`);
      if (jumps ? time < telling.time : time !== telling.time)
        this.#same(`time at which ${watcher.name} was told`, time, telling.time);
      for (const earlier of heard) {
        if (earlier.event === telling.event && comesBefore(watcher, earlier.watcher)) {
          throw new Error(`${earlier.watcher.name} was told before ${watcher.name}; the model: after it`);
        }
      }
      heard.push(telling);
    }
    if (jumps) return;
    this.#same("not told", this.#owed.map(({ watcher }) => watcher.name).join(), "");
    const timed = this.#model.scopes.filter((scope) => scope.own !== undefined && scope.watched);
    this.#same("timers", vi.getTimerCount(), timed.length);
    for (const [number, { listeners, scope }] of this.#foreign.entries()) {
      this.#same(`listeners on f${number}`, listeners, Number(scope.watched));
    }
  }
}

/**
 * A parent's events come before its children's, siblings' in the order made, those of one context as they were registered.
 * Where the way leads through a context that follows other signals, too, it may have been told by one of them.
 */
function comesBefore(one: Watcher, other: Watcher): boolean {
  if (one.scope === other.scope) return one.place < other.place;
  const [parent, ...others] = other.scope.parents;
  for (let it = other.scope; it.parents.length === 1 && it !== one.scope;) {
    it = it.parents[0] as ModelScope;
    if (it === one.scope) return true;
  }
  if (parent === undefined || others.length > 0 || one.scope.parents.length > 1) return false;
  const { children } = parent;
  return one.scope.parents[0] === parent && children.indexOf(one.scope) < children.indexOf(other.scope);
}

describe("trees of contexts", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    const clock = performance.now.bind(performance);
    vi.spyOn(performance, "now").mockImplementation(() => clock() + ahead);
  });

  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  it("do what a plain tree does, in random programs", { timeout: 60_000 * factor }, async () => {
    await fc.assert(
      fc.asyncProperty(programs, async (program) => {
        const reported: unknown[] = [];
        vi.stubGlobal("reportError", (error: unknown) => reported.push(error));
        vi.clearAllTimers();
        const run = new Run(program);
        await run.run();
        expect(reported).toHaveLength(run.throws);
      }),
      { numRuns: 1_000 * factor },
    );
  });
});
