// Random programs of groups: how they are drawn and printed, and run beside the model.
import type { CancelableContext, Context } from "@sluice/context";
import { withCancel, background } from "@sluice/context";
import fc from "fast-check";
import { macro, settle } from "../../../test/support.ts";
import { Group } from "../src/index.ts";
import { untilDone } from "./deferred.ts";
import type { Fate, Outcome } from "./model.ts";
import { ModelGroup } from "./model.ts";

/** How a task ends. The first three wait until the group is done, and then obey in some way or not at all. */
type End = "throws the cause" | "throws an AbortError" | "ignores" | "succeeds" | "fails" | "throws undefined";

type Act =
  | { readonly act: "go" | "await go" | "tryGo"; readonly task: TaskSpec }
  | { readonly act: "cancel" | "cancel the parent" | "wait" }
  | { readonly act: "setLimit"; readonly limit: number };

/** Something done some microtasks after what was done before. */
type Step = Act & { readonly jitter: number };

interface TaskSpec {
  /** Whether it returns no promise: then it waits for nothing. */
  readonly sync: boolean;
  readonly steps: readonly Step[];
  readonly end: End;
}

export class Program {
  readonly limit: number;
  readonly parentDone: boolean;
  readonly steps: readonly Step[];
  readonly last: "wait" | "dispose";
  readonly names = new Map<TaskSpec, string>();

  constructor(it: Pick<Program, "limit" | "parentDone" | "steps" | "last">) {
    this.limit = it.limit;
    this.parentDone = it.parentDone;
    this.steps = it.steps;
    this.last = it.last;
    this.#name(it.steps);
  }

  #name(steps: readonly Step[]): void {
    for (const step of steps) {
      if (!("task" in step)) continue;
      this.names.set(step.task, `t${this.names.size}`);
      this.#name(step.task.steps);
    }
  }

  /** fast-check prints a program that failed by this. */
  toString(): string {
    const lines = (steps: readonly Step[], indent: string): string[] =>
      steps.flatMap((step) => {
        const start = `${indent}${"· ".repeat(step.jitter)}${step.act}`;
        if (step.act === "setLimit") return [`${start}(${step.limit})`];
        if (!("task" in step)) return [start];
        const { sync, steps: inner, end } = step.task;
        return [
          `${start} ${this.names.get(step.task)}${sync ? " (sync)" : ""} {`,
          ...lines(inner, `${indent}  `),
          `${indent}  ${end}`,
          `${indent}}`,
        ];
      });
    const head = `new Group(${this.parentDone ? "done parent" : "parent"}, { limit: ${this.limit} })`;
    return `\n${[head, ...lines(this.steps, ""), this.last].map((line) => `  ${line}`).join("\n")}\n`;
  }
}

const limit = fc.constantFrom(1, 1, 2, 3, 4, Infinity);
const jitter = fc.nat(3);
const end = fc.constantFrom<End[]>(
  "succeeds",
  "succeeds",
  "succeeds",
  "fails",
  "throws undefined",
  "throws the cause",
  "throws an AbortError",
  "ignores",
);

/** @param most - How many steps there are at the most, on each level of tasks in tasks. */
function stepsArbitrary(most: number, ...below: number[]): fc.Arbitrary<Step[]> {
  const [next, ...rest] = below;
  const steps = next === undefined ? fc.constant([]) : stepsArbitrary(next, ...rest);
  const task = fc.record({ sync: fc.boolean(), steps, end });
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 2, arbitrary: fc.record({ act: fc.constantFrom("cancel", "cancel the parent", "wait"), jitter }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant("setLimit"), limit, jitter }) },
    { weight: 18, arbitrary: fc.record({ act: fc.constantFrom("go", "go", "await go", "tryGo"), task, jitter }) },
  );
  return fc.array(step, { maxLength: most, size: "max" });
}

export const programs: fc.Arbitrary<Program> = fc
  .record({
    limit,
    parentDone: fc.oneof({ weight: 20, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    steps: stepsArbitrary(12, 3, 2),
    last: fc.constantFrom("wait", "dispose"),
  })
  .map((it) => new Program(it));

/** A program on its way, beside the model. */
export class Run {
  readonly #program: Program;
  readonly #parent: CancelableContext = withCancel(background);
  readonly #group: Group;
  readonly #model: ModelGroup;
  /** The first thing that the model does not say. */
  #problem = "";
  #happened = 0;
  /** Calls of go() whose promise has not settled. */
  readonly #going = new Set<string>();
  /** Calls of wait(), those before the end, and the disposal. */
  #waits = 0;
  #earlyWaits = 0;
  #disposals = 0;
  #settledEnds = 0;
  /** Counted here, whatever the model says. */
  #running = 0;

  constructor(program: Program) {
    const { limit, parentDone } = program;
    this.#program = program;
    this.#model = new ModelGroup(limit);
    if (parentDone) this.#parent.cancel();
    if (parentDone) this.#model.cancel();
    this.#group = new Group(this.#parent, { limit });
  }

  /** Says what went wrong first; nothing if all went as in the model. */
  async run(): Promise<string> {
    const { steps, last } = this.#program;
    void this.#perform(steps).catch((error: unknown) => this.#same("the program throws", String(error), ""));
    await this.#rest();
    if (last === "wait") this.#wait();
    else this.#dispose();
    await this.#rest();
    if (this.#model.outcome === undefined) this.#cancel();
    await this.#rest();
    this.#same("the group has ended", this.#model.outcome !== undefined, true);
    this.#same(
      "tryGo() after the end",
      fateOf(() => this.#group.tryGo(() => {})),
      "throws",
    );
    return this.#problem;
  }

  #same(what: string, real: unknown, model: unknown): void {
    this.#happened++;
    if (!Object.is(real, model)) this.#problem ||= `${what}: ${String(real)}; the model: ${String(model)}`;
  }

  /** Waits until nothing happens any more. Then nobody is under way between two states. */
  async #rest(): Promise<void> {
    for (let quiet = 0; quiet < 2; quiet++) {
      const before = this.#happened;
      await macro();
      if (this.#happened > before) quiet = 0;
    }
    const { admitted, leaving, running, waiting, outcome } = this.#model;
    this.#same("let in and not started", "", [...admitted, ...leaving].join());
    this.#same("active at rest", this.#group.active, running.size);
    this.#same("waiting for admission", [...this.#going].join(), waiting.join());
    this.#same("waits that have settled", this.#settledEnds, outcome === undefined ? 0 : this.#waits + this.#disposals);
    this.#look("at rest");
  }

  /** Compares all that shows. */
  #look(when: string): void {
    const { errors, context, active } = this.#group;
    const { running, admitted, ...model } = this.#model;
    this.#same(`errors, ${when}`, errors.map(String).join(), model.errors.map(String).join());
    this.#same(
      `errors are the same, ${when}`,
      errors.every((error, place) => error === model.errors[place]),
      true,
    );
    this.#same(`the context is done, ${when}`, context.error !== undefined, model.done);
    this.#same(
      `active is ${active}, ${when}`,
      active >= running.size + admitted.length && active <= this.#model.active,
      true,
    );
  }

  async #perform(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      await settle(step.jitter);
      const admission = this.#act(step);
      if (step.act === "await go") await admission;
    }
  }

  #act(step: Step): Promise<void> | undefined {
    this.#look(`before ${step.act}`);
    switch (step.act) {
      case "go":
      case "await go":
        return this.#go(step.task);
      case "tryGo":
        return this.#tryGo(step.task);
      case "cancel":
        return this.#cancel();
      case "cancel the parent":
        this.#model.cancel();
        this.#parent.cancel(new Error("parent canceled"));
        return undefined;
      case "wait":
        return this.#wait();
      case "setLimit": {
        const { active, waiting, leaving } = this.#model;
        const fate = fateOf(() => this.#group.setLimit(step.limit));
        // Who is leaving may have left.
        if (leaving.size === 0) this.#same("setLimit()", fate, active + waiting.length > 0 ? "throws" : "refused");
        if (fate !== "throws") this.#model.limit = step.limit;
        return undefined;
      }
    }
  }

  #go(spec: TaskSpec): Promise<void> | undefined {
    const { name, task, started } = this.#task(spec);
    const model = this.#model;
    const ending = model.leaving.size > 0;
    const fate = model.go(name);
    let admission: Promise<boolean> | undefined;
    const throws = fateOf(() => void (admission = this.#group.go(task))) === "throws";
    // When those who are leaving have left, it may have ended.
    if (!ending || !throws) this.#same(`go(${name}) throws`, throws, fate === "throws");
    this.#same(`${name} has started when go() returns`, started(), fate === "runs");
    if (admission === undefined) return undefined;
    this.#going.add(name);
    return admission.then(
      (admitted) => {
        this.#going.delete(name);
        this.#same(`go(${name}) resolves with`, admitted, started());
        this.#same(`${name} still waits`, false, model.waiting.includes(name) || model.admitted.includes(name));
        model.leave(name);
      },
      (error: unknown) => this.#same(`go(${name}) rejects`, String(error), ""),
    );
  }

  #tryGo(spec: TaskSpec): undefined {
    const { name, task, started } = this.#task(spec);
    const ending = this.#model.leaving.size > 0;
    const fate = this.#model.tryGo(name);
    const real = fateOf(() => this.#group.tryGo(task));
    if (!ending || real !== "throws") this.#same(`tryGo(${name})`, real, fate);
    this.#same(`${name} has started when tryGo() returns`, started(), fate === "runs");
  }

  #cancel(): undefined {
    this.#model.cancel();
    this.#group.cancel(new Error("group canceled"));
  }

  #wait(): undefined {
    this.#waits++;
    if (this.#model.outcome === undefined) this.#earlyWaits++;
    this.#model.wait();
    this.#group.wait().then(
      () => this.#endsWith("well"),
      (error: unknown) => this.#endsWith({ error }),
    );
  }

  /** wait() has settled. */
  #endsWith(real: Exclude<Outcome, "canceled">): void {
    this.#settledEnds++;
    this.#same("wait() is early: running", this.#running, 0);
    const outcome = this.#model.outcome ?? "not yet";
    const model = outcome === "canceled" ? { error: this.#group.context.cause } : outcome;
    this.#same("wait() rejects", typeof real, typeof model);
    if (typeof real === "object" && typeof model === "object")
      this.#same("wait() rejects with", real.error, model.error);
  }

  #dispose(): void {
    this.#disposals++;
    const model = this.#model;
    model.cancel();
    model.wait();
    const ended = (failed: boolean, error?: unknown) => {
      this.#settledEnds++;
      this.#same("the disposal is early: running", this.#running, 0);
      if (failed) this.#same("the disposal throws", error, model.errors[0]);
      // An error is thrown once: here, unless somebody has called wait().
      if (this.#waits === 0) this.#same("the disposal throws", failed, model.errors.length > 0);
      if (this.#earlyWaits > 0) this.#same("the disposal throws", failed, false);
    };
    this.#group[Symbol.asyncDispose]().then(
      () => ended(false),
      (error: unknown) => ended(true, error),
    );
  }

  /** A task that does as it is told, and tells the model what becomes of it. */
  #task(spec: TaskSpec): { name: string; task: (ctx: Context) => unknown; started: () => boolean } {
    const name = this.#program.names.get(spec) ?? "?";
    let started = false;
    const task = (ctx: Context): unknown => {
      const { limit, running } = this.#model;
      if (!running.has(name)) this.#same("the next to start", name, this.#model.start());
      this.#same(`${name} starts twice`, started, false);
      started = true;
      this.#running++;
      this.#same(`tasks over the limit of ${limit}`, Math.max(this.#running - limit, 0), 0);
      this.#same(`${name} has the context of the group`, ctx === this.#group.context, true);
      this.#same(`${name} starts although the group is done`, ctx.error !== undefined, false);
      return spec.sync ? this.#runAtOnce(name, spec, ctx) : this.#run(name, spec, ctx);
    };
    return { name, task, started: () => started };
  }

  #runAtOnce(name: string, { steps, end }: TaskSpec, ctx: Context): unknown {
    for (const step of steps) void this.#act(step);
    const { how, error } = endOf(end, ctx);
    this.#ended(name, how);
    if (how !== "well") throw error;
    return name;
  }

  #run(name: string, { steps, end }: TaskSpec, ctx: Context): Promise<void> {
    let how: Outcome = "well";
    const run = async () => {
      await this.#perform(steps);
      if (end === "throws the cause" || end === "throws an AbortError" || end === "ignores") {
        await untilDone(ctx).catch(() => {});
      }
      const ending = endOf(end, ctx);
      how = ending.how;
      if (how !== "well") throw ending.error;
    };
    const ran = run();
    // The group hears of the end next: nothing comes between two reactions to one promise.
    const ended = () => this.#ended(name, how);
    ran.then(ended, ended);
    return ran;
  }

  #ended(name: string, how: Outcome): void {
    this.#running--;
    this.#happened++;
    this.#model.end(name, how);
  }
}

/** How a task ends, and what it throws then. */
function endOf(end: End, ctx: Context): { how: Outcome; error?: unknown } {
  const canceled = ctx.error === undefined ? "well" : "canceled";
  switch (end) {
    case "succeeds":
    case "ignores":
      return { how: "well" };
    case "fails": {
      const error = new Error("failed");
      return { how: { error }, error };
    }
    case "throws undefined":
      return { how: { error: undefined } };
    case "throws the cause":
      return { how: canceled, error: ctx.cause };
    case "throws an AbortError":
      return {
        how: canceled,
        error: Object.assign(new Error("stopped", { cause: ctx.cause }), { name: "AbortError" }),
      };
  }
}

/** What a call comes to that waits for nothing: of one that gives nothing, only whether it throws counts. */
function fateOf(call: () => boolean | void): Fate {
  try {
    return call() === true ? "runs" : "refused";
  } catch {
    return "throws";
  }
}
