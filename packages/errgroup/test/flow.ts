// Random streams of values through map and forEach: how they are drawn and printed, run and watched.
import type { CancelableContext, Context } from "@sluice/context";
import { background, withCancel } from "@sluice/context";
import fc from "fast-check";
import { macro, settle } from "../../../test/support.ts";
import type { Source } from "../src/index.ts";
import { forEach, map } from "../src/index.ts";
import { untilDone } from "./deferred.ts";

/** A value of the source: how long it takes there and in the callback, and what the callback does at last. */
interface Value {
  readonly ticks: number;
  readonly work: number;
  readonly end: "gives" | "gives at once" | "fails" | "throws at once" | "obeys";
}

/** What the reader of a map does: some calls of next() at once, then perhaps nothing until all has come to rest. */
interface Reading {
  readonly calls: number;
  readonly rests: boolean;
}

export class Plan {
  readonly form: "map" | "unordered map" | "forEach";
  readonly limit: number;
  readonly source: "async" | "sync";
  readonly values: readonly Value[];
  /** After its last value. */
  readonly then: "ends" | "fails" | "hangs";
  readonly closing: "well" | "fails";
  readonly readings: readonly Reading[];
  readonly leaves: "at the end" | "by return()" | "by throw()" | "during next()";
  /** After how many microtasks the parent is cancelled; undefined for only if nothing else ends it. */
  readonly canceled: number | undefined;

  constructor(it: Omit<Plan, "toString">) {
    this.form = it.form;
    this.limit = it.limit;
    this.source = it.source;
    this.values = it.values;
    this.then = it.then;
    this.closing = it.closing;
    this.readings = it.readings;
    this.leaves = it.leaves;
    this.canceled = it.canceled;
  }

  /** fast-check prints a plan that failed by this. */
  toString(): string {
    const dots = (ticks: number) => "· ".repeat(ticks);
    const lines = [
      `${this.form}, limit ${this.limit}, from a source that is ${this.source}:`,
      ...this.values.map(({ ticks, work, end }, n) => `  ${dots(ticks)}${n} -> ${dots(work)}${end}`),
      `  ${this.then}; closes ${this.closing}`,
      ...this.readings.map(({ calls, rests }) => `next() x ${calls}${rests ? ", rests" : ""}`),
      `leaves ${this.leaves}`,
      `parent canceled after ${this.canceled} ticks`,
    ];
    return `\n  ${lines.join("\n  ")}\n`;
  }
}

const ticks = fc.constantFrom(0, 0, 0, 1, 2, 3, 7);
export const plans: fc.Arbitrary<Plan> = fc
  .record({
    form: fc.constantFrom("map", "unordered map", "forEach"),
    limit: fc.constantFrom(1, 2, 3, 4, Infinity),
    source: fc.constantFrom("async", "sync"),
    values: fc.array(
      fc.record({
        ticks,
        work: ticks,
        end: fc.constantFrom(
          "gives",
          "gives",
          "gives",
          "gives",
          "gives",
          "gives at once",
          "gives at once",
          "fails",
          "throws at once",
          "obeys",
        ),
      }),
      { maxLength: 12, size: "max" },
    ),
    then: fc.constantFrom("ends", "ends", "ends", "fails", "hangs"),
    closing: fc.constantFrom("well", "well", "well", "fails"),
    readings: fc.array(fc.record({ calls: fc.integer({ min: 1, max: 3 }), rests: fc.boolean() }), { maxLength: 5 }),
    leaves: fc.constantFrom("at the end", "at the end", "by return()", "by throw()", "during next()"),
    canceled: fc.option(fc.nat(40), { nil: undefined, freq: 4 }),
  })
  .map((it) => new Plan(it));

/** A plan on its way. */
export class Flow {
  readonly #plan: Plan;
  readonly #parent: CancelableContext = withCancel(background);
  readonly #why = new Error("parent canceled");
  #problem = "";
  #happened = 0;

  // The source.
  #opened = 0;
  #pulling = false;
  #pulled = 0;
  #over = false;
  #closed = 0;

  // The callback.
  #started = 0;
  #running = 0;
  readonly #finished: number[] = [];
  #ended = 0;

  // The reader.
  #resting = false;
  #asking = 0;
  readonly #given: number[] = [];
  #left = false;
  #told = false;

  /** In the order in which they came about, and how many results in front were finished at the first. */
  readonly #failures: unknown[] = [];
  #inFront = 0;
  /** Errors of the source, which count if it was still wanted: they may come too late, or while it is given up. */
  readonly #doubtful = new Set<unknown>();

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** Says what went wrong first; nothing if all went well. */
  async run(): Promise<string> {
    const { form, canceled } = this.#plan;
    let settled = false;
    const reading = form === "forEach" ? this.#forEach() : this.#read();
    const done = reading.catch((error: unknown) => this.#check(String(error), false)).then(() => (settled = true));
    if (canceled !== undefined) void settle(canceled).then(() => this.#parent.cancel(this.#why));
    do await this.#rest();
    while (this.#resting);
    const disturbed = this.#failures.length > 0 || this.#left || this.#parent.error !== undefined || !settled;
    this.#parent.cancel(this.#why);
    do await this.#rest();
    while (this.#resting);
    this.#check("it has ended", settled);
    if (settled) await done;
    this.#check("nothing runs at the end", this.#running === 0);
    const open = this.#opened === 1 && !this.#over;
    // One that ends while it is given up may be closed all the same.
    const mayBe = open || disturbed ? 1 : 0;
    this.#check(`the source was closed ${this.#closed} times`, this.#closed >= Number(open) && this.#closed <= mayBe);
    return this.#problem;
  }

  #check(what: string, holds: boolean): void {
    this.#happened++;
    if (!holds) this.#problem ||= `wrong: ${what}`;
  }

  /** Waits until nothing happens any more. */
  async #rest(): Promise<void> {
    for (let quiet = 0; quiet < 2; quiet++) {
      const before = this.#happened;
      await macro();
      if (this.#happened > before) quiet = 0;
    }
  }

  #fails(error: unknown): unknown {
    if (this.#failures.length === 0) {
      const done = new Set(this.#finished);
      while (done.has(this.#inFront)) this.#inFront++;
    }
    this.#failures.push(error);
    return error;
  }

  get #source(): Source<number> {
    const open = (): void => {
      this.#check("the source is opened once", ++this.#opened === 1);
    };
    const close = (): void => {
      this.#check("the source is closed once", ++this.#closed === 1);
      if (this.#plan.closing === "well") return;
      const error = new Error("closing failed");
      // While a value is on its way, nobody waits for the closing.
      if (this.#plan.source === "sync") this.#fails(error);
      else this.#doubtful.add(error);
      throw error;
    };
    if (this.#plan.source === "async") {
      const next = async (): Promise<IteratorResult<number, undefined>> => {
        this.#pull();
        this.#pulling = true;
        await settle(this.#plan.values[this.#pulled]?.ticks ?? 0);
        if (this.#pulled === this.#plan.values.length && this.#plan.then === "hangs") await new Promise(() => {});
        this.#pulling = false;
        return this.#give();
      };
      const result = async (): Promise<IteratorResult<number, undefined>> => {
        close();
        return { done: true, value: undefined };
      };
      return {
        [Symbol.asyncIterator]: () => {
          open();
          return { next, return: result };
        },
      };
    }
    const next = (): IteratorResult<number, undefined> => {
      this.#pull();
      return this.#give();
    };
    const result = (): IteratorResult<number, undefined> => {
      close();
      return { done: true, value: undefined };
    };
    return {
      [Symbol.iterator]: () => {
        open();
        return { next, return: result };
      },
    };
  }

  #pull(): void {
    const { form, limit } = this.#plan;
    this.#check("pulls do not overlap", !this.#pulling);
    this.#check("nothing is pulled from a source that has ended or was closed", !this.#over && this.#closed === 0);
    const held = this.#pulled - (form === "forEach" ? this.#ended : this.#given.length);
    // What a call of next() was promised a moment ago counts as handed over, though nobody knows yet.
    const promised = form === "forEach" ? 0 : this.#asking;
    this.#check(`a pull with ${held} values held and ${promised} promised`, held < limit + promised);
  }

  #give(): IteratorResult<number, undefined> {
    const { values, then } = this.#plan;
    if (this.#pulled < values.length) {
      this.#check("a value is pulled", true);
      return { done: false, value: this.#pulled++ };
    }
    this.#over = this.#closed === 0;
    if (then !== "fails") return { done: true, value: undefined };
    const error = new Error("source failed");
    this.#doubtful.add(error);
    throw error;
  }

  readonly #callback = (value: number, ctx: Context): number | Promise<number> => {
    const { limit, values } = this.#plan;
    this.#check(`values come in order: ${value}`, value === this.#started++);
    this.#check("no more than the limit run", ++this.#running <= limit);
    this.#check("nothing starts in a context that is done", ctx.error === undefined);
    const { work: ticks, end } = values[value] as Value;
    if (end === "gives at once" || end === "throws at once") {
      // The package goes on in the microtask after this one.
      if (end === "gives at once") queueMicrotask(() => this.#finish(value));
      else this.#finish(value, new Error(`${value} failed`));
      if (end === "throws at once") throw this.#failures.at(-1);
      return value;
    }
    const work = (async () => {
      await settle(ticks);
      if (end === "obeys") {
        await untilDone(ctx).catch(() => {});
        throw ctx.cause;
      }
      if (end === "fails") throw new Error(`${value} failed`);
      return value;
    })();
    // The package goes on right after this: nothing comes between two reactions to one promise.
    work.then(
      () => this.#finish(value),
      (error: unknown) => this.#finish(value, end === "fails" ? error : undefined),
    );
    return work;
  };

  /** Of a task that obeys nothing is counted but that it does not run any more. */
  #finish(value: number, error?: unknown): void {
    this.#running--;
    this.#ended++;
    this.#check(`${value} is finished`, true);
    if (error !== undefined) this.#fails(error);
    else if (this.#plan.values[value]?.end !== "obeys") this.#finished.push(value);
  }

  async #forEach(): Promise<void> {
    const { limit, values } = this.#plan;
    try {
      await forEach(this.#parent, this.#source, this.#callback, { limit });
    } catch (error) {
      this.#failed(error);
      return;
    }
    this.#check("nothing runs any more", this.#running === 0);
    this.#check("all values were processed", this.#finished.length === values.length && this.#over);
    this.#check("no failure is hidden", this.#failures.length + this.#doubtful.size === 0);
  }

  /** Somebody was told that it has failed. */
  #failed(error: unknown): void {
    const [first] = this.#failures;
    this.#check("nothing runs when a failure is told", this.#running === 0);
    this.#check("one failure is told", !this.#told);
    this.#told = true;
    if (this.#doubtful.has(error)) return;
    if (first === undefined) this.#check(`the failure is the cancellation, not ${String(error)}`, error === this.#why);
    else this.#check(`${String(error)} is the first failure`, error === first);
    this.#check(`there is a failure`, first !== undefined || this.#parent.error !== undefined);
  }

  async #read(): Promise<void> {
    const { form, limit, values, readings, leaves } = this.#plan;
    const results = map(this.#parent, this.#source, this.#callback, { limit, ordered: form === "map" });
    this.#check("nothing is pulled before the first next()", this.#opened === 0);
    let more = true;
    const next = async (): Promise<void> => {
      this.#asking++;
      const result = results.next();
      await result.then(
        ({ done, value }) => {
          this.#asking--;
          if (done !== true) {
            this.#take(value);
            return;
          }
          more = false;
          if (this.#left || this.#told) return;
          this.#check("all were given at the end", this.#given.length === values.length && this.#over);
          this.#check("nothing runs at the end", this.#running === 0);
          this.#check("no failure is hidden", this.#failures.length + this.#doubtful.size === 0);
        },
        (error: unknown) => {
          this.#asking--;
          more = false;
          this.#failed(error);
          if (form === "map" && this.#failures.length > 0 && !this.#parent.error) {
            this.#check("the results in front of the failure came first", this.#given.length >= this.#inFront);
          }
        },
      );
    };
    for (const { calls, rests } of readings) {
      await Promise.all(Array.from({ length: calls }, next));
      if (!rests) continue;
      this.#resting = true;
      await this.#rest();
      this.#resting = false;
      const held = this.#pulled - this.#given.length;
      this.#check(`${held} values are held at rest`, held <= limit);
      // As far as there is room it goes on alone.
      const live = this.#failures.length === 0 && this.#parent.error === undefined;
      this.#check(
        `only ${held} values are held`,
        !live || held === Math.min(limit, values.length - this.#given.length),
      );
    }
    while (more && leaves === "at the end") await next();
    if (!more) return;
    const pending = leaves === "during next()" ? next() : undefined;
    this.#left = true;
    const left = leaves === "by throw()" ? results.throw?.(this.#why) : results.return?.();
    await left?.then(
      ({ done }) => {
        this.#check("return() gives the end", done === true && leaves !== "by throw()");
        this.#check("no failure is kept from who leaves", this.#told || this.#failures.length === 0);
      },
      (error: unknown) => {
        if (leaves === "by throw()") this.#check("throw() throws its error", error === this.#why);
        else {
          this.#failed(error);
        }
      },
    );
    this.#check("nothing runs after leaving", this.#running === 0);
    await pending;
    await next();
    this.#check("there is nothing more after leaving", !more);
  }

  #take(value: number): void {
    const expected = this.#plan.form === "map" ? this.#given.length : this.#finished[this.#given.length];
    this.#check(`${value} is given, not ${expected}`, value === expected);
    this.#given.push(value);
  }
}
