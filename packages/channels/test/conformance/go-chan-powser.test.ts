// Go's test/chan/powser1 and powser2: power series as networks of tasks, with exact rationals for terms.
//
// A series is a demand channel: ask on `req`, and the next term comes on `dat`. What a program computes lazily here is
// nothing but sends, receives and selects; a term lost, doubled or overtaken shows as a wrong fraction.
import { describe, expect, it } from "vitest";
import type { Channel, Receiver } from "../../src/index.ts";
import { channel, select, sending } from "../../src/index.ts";
import { rest } from "../support.ts";

/** What terms can do. A term without value is the mark at the end of a finite series. */
interface Terms<T> {
  of(num: bigint, den?: bigint): T;
  readonly end: T;
  isEnd(term: T): boolean;
  add(a: T, b: T): T;
  times(a: T, b: T): T;
  inverse(term: T): T;
  text(term: T): string;
}

interface Demand<T> {
  readonly req: Channel<void>;
  readonly dat: Channel<T>;
}

type Pair<T> = readonly [Demand<T>, Demand<T>];

/** The series of powser, over terms of any kind. */
class Series<T> {
  readonly terms: Terms<T>;
  /** How many terms were asked for, and how many were made ready to answer. */
  gets = 0;
  puts = 0;
  tasks = 0;
  ended = 0;
  operations = 0;
  /** Received terms that are not the very objects that were sent. */
  strangers = 0;
  excess = 0;
  readonly #sent = new Set<T>();

  constructor(terms: Terms<T>) {
    this.terms = terms;
  }

  #task(body: () => Promise<void>): void {
    this.tasks++;
    void (async () => {
      await body();
      this.ended++;
    })();
  }

  demand(): Demand<T> {
    return { req: channel<void>(), dat: channel<T>() };
  }

  async #ask(u: Demand<T>): Promise<void> {
    this.operations++;
    this.gets++;
    await u.req.send();
  }

  async #asked(z: Demand<T>): Promise<void> {
    this.operations++;
    await z.req.receive();
    this.puts++;
    if (this.puts > this.gets) this.excess++;
  }

  async #give(z: Demand<T>, term: T): Promise<void> {
    this.operations++;
    this.#sent.add(term);
    await z.dat.send(term);
  }

  #taken(result: { readonly value: T | undefined }): T {
    const term = result.value as T;
    if (!this.#sent.has(term)) this.strangers++;
    return term;
  }

  async get(u: Demand<T>): Promise<T> {
    await this.#ask(u);
    this.operations++;
    return this.#taken(await u.dat.receive());
  }

  async #put(term: T, z: Demand<T>): Promise<void> {
    await this.#asked(z);
    await this.#give(z, term);
  }

  async #copy(u: Demand<T>, z: Demand<T>): Promise<void> {
    for (;;) {
      await this.#asked(z);
      await this.#give(z, await this.get(u));
    }
  }

  /** A series that a task of its own makes. */
  #made(body: (z: Demand<T>) => Promise<void>): Demand<T> {
    const z = this.demand();
    this.#task(() => body(z));
    return z;
  }

  rep(term: T): Demand<T> {
    return this.#made(async (z) => {
      for (;;) await this.#put(term, z);
    });
  }

  /** A finite series. */
  list(...terms: number[]): Demand<T> {
    return this.#made(async (z) => {
      for (const term of terms) await this.#put(this.terms.of(BigInt(term)), z);
      await this.#put(this.terms.end, z);
    });
  }

  /** One term from each of two series, asked for at once and taken in whatever order they come. */
  async #get2(u: Demand<T>, v: Demand<T>): Promise<readonly [T, T]> {
    let [askU, askV, waitU, waitV] = [true, true, false, false];
    let fromU: T | undefined;
    let fromV: T | undefined;
    this.gets += 2;
    for (let n = 0; n < 4; n++) {
      this.operations++;
      const picked = await select({
        askU: askU && sending(u.req, undefined),
        askV: askV && sending(v.req, undefined),
        datU: waitU && u.dat,
        datV: waitV && v.dat,
      });
      switch (picked.case) {
        case "askU":
          [askU, waitU] = [false, true];
          break;
        case "askV":
          [askV, waitV] = [false, true];
          break;
        case "datU":
          waitU = false;
          fromU = this.#taken(picked);
          break;
        case "datV":
          waitV = false;
          fromV = this.#taken(picked);
          break;
      }
    }
    return [fromU as T, fromV as T];
  }

  add(u: Demand<T>, v: Demand<T>): Demand<T> {
    const { terms } = this;
    return this.#made(async (z) => {
      for (;;) {
        await this.#asked(z);
        const [a, b] = await this.#get2(u, v);
        const [endA, endB] = [terms.isEnd(a), terms.isEnd(b)];
        if (endA && endB) return this.#give(z, terms.end);
        if (endA || endB) {
          await this.#give(z, endA ? b : a);
          return this.#copy(endA ? v : u, z);
        }
        await this.#give(z, terms.add(a, b));
      }
    });
  }

  sub(u: Demand<T>, v: Demand<T>): Demand<T> {
    return this.add(u, this.cmul(this.terms.of(-1n), v));
  }

  cmul(factor: T, u: Demand<T>): Demand<T> {
    const { terms } = this;
    return this.#made(async (z) => {
      for (;;) {
        await this.#asked(z);
        const term = await this.get(u);
        if (terms.isEnd(term)) return this.#give(z, terms.end);
        await this.#give(z, terms.times(factor, term));
      }
    });
  }

  diff(u: Demand<T>): Demand<T> {
    const { terms } = this;
    return this.#made(async (z) => {
      await this.#asked(z);
      let term = await this.get(u);
      for (let i = 1n; !terms.isEnd(term); i++) {
        term = await this.get(u);
        if (terms.isEnd(term)) break;
        await this.#give(z, terms.times(terms.of(i), term));
        await this.#asked(z);
      }
      await this.#give(z, terms.end);
    });
  }

  integ(constant: T, u: Demand<T>): Demand<T> {
    const { terms } = this;
    return this.#made(async (z) => {
      await this.#put(constant, z);
      for (let i = 1n; ; i++) {
        await this.#asked(z);
        const term = await this.get(u);
        if (terms.isEnd(term)) return this.#give(z, terms.end);
        await this.#give(z, terms.times(terms.of(1n, i), term));
      }
    });
  }

  /** Delivers the whole of `u` on both of `out`, however far one reader is ahead of the other. */
  splitInto(u: Demand<T>, out: Pair<T>): void {
    const free = channel<void>();
    this.#generation(u, out, free);
    this.#task(async () => {
      this.operations++;
      await free.send();
    });
  }

  split(u: Demand<T>): Pair<T> {
    const out = [this.demand(), this.demand()] as const;
    this.splitInto(u, out);
    return out;
  }

  /** Delivers one term of `u` to both; the token on `wait` says that the generation before has delivered its own. */
  #generation(u: Demand<T>, pair: Pair<T>, wait: Receiver<void>): void {
    this.#task(async () => {
      let [ahead, behind] = pair;
      this.operations++;
      const first = await select({ asked: ahead.req, free: wait });
      const isAlone = first.case === "free";
      if (isAlone) {
        this.operations++;
        const second = await select({ ahead: ahead.req, behind: behind.req });
        if (second.case === "behind") [ahead, behind] = [behind, ahead];
      }
      this.puts++;
      await this.#ask(u);
      const release = channel<void>();
      this.#generation(u, [ahead, behind], release);
      this.operations++;
      const term = this.#taken(await u.dat.receive());
      await this.#give(ahead, term);
      this.operations += isAlone ? 1 : 2;
      if (!isAlone) await wait.receive();
      await this.#asked(behind);
      await this.#give(behind, term);
      await release.send();
    });
  }

  mul(u: Demand<T>, v: Demand<T>): Demand<T> {
    const { terms } = this;
    return this.#made(async (z) => {
      await this.#asked(z);
      const [a, b] = await this.#get2(u, v);
      if (terms.isEnd(a) || terms.isEnd(b)) return this.#give(z, terms.end);
      await this.#give(z, terms.times(a, b));
      const [u0, u1] = this.split(u);
      const [v0, v1] = this.split(v);
      const w = this.add(this.cmul(a, v0), this.cmul(b, u0));
      await this.#asked(z);
      await this.#give(z, await this.get(w));
      await this.#copy(this.add(w, this.mul(u1, v1)), z);
    });
  }

  exp(u: Demand<T>): Demand<T> {
    const zz = [this.demand(), this.demand()] as const;
    this.splitInto(this.integ(this.terms.of(1n), this.mul(zz[0], this.diff(u))), zz);
    return zz[1];
  }

  shift(constant: T, u: Demand<T>): Demand<T> {
    return this.#made(async (z) => {
      await this.#put(constant, z);
      await this.#copy(u, z);
    });
  }

  recip(u: Demand<T>): Demand<T> {
    const { terms } = this;
    return this.#made(async (z) => {
      await this.#asked(z);
      const constant = terms.inverse(await this.get(u));
      await this.#give(z, constant);
      const zz = [this.demand(), this.demand()] as const;
      const minus = terms.times(terms.of(-1n), constant);
      this.splitInto(this.mul(this.cmul(minus, u), this.shift(constant, zz[0])), zz);
      await this.#copy(zz[1], z);
    });
  }

  /** As upstream: it ends when the power has come down to 0, so of a whole power the last term is missing. */
  binom(num: bigint, den = 1n): Demand<T> {
    const { terms } = this;
    return this.#made(async (z) => {
      let term = terms.of(1n);
      for (let n = 0n; num - n * den !== 0n; n++) {
        await this.#put(term, z);
        term = terms.times(term, terms.times(terms.of(num - n * den, den), terms.of(1n, n + 1n)));
      }
      await this.#put(terms.end, z);
    });
  }

  subst(u: Demand<T>, v: Demand<T>): Demand<T> {
    return this.#made(async (z) => {
      const [v0, v1] = this.split(v);
      await this.#asked(z);
      const term = await this.get(u);
      await this.#give(z, term);
      if (this.terms.isEnd(term)) return;
      await this.get(v0);
      await this.#copy(this.mul(v0, this.subst(u, v1)), z);
    });
  }

  monSubst(u: Demand<T>, factor: T, n: number): Demand<T> {
    const { terms } = this;
    return this.#made(async (z) => {
      for (let power = terms.of(1n); ; power = terms.times(power, factor)) {
        await this.#asked(z);
        const term = await this.get(u);
        if (terms.isEnd(term)) return this.#give(z, terms.end);
        await this.#give(z, terms.times(term, power));
        for (let i = 1; i < n; i++) await this.#put(terms.of(0n), z);
      }
    });
  }

  get ones(): Demand<T> {
    return this.rep(this.terms.of(1n));
  }

  get twos(): Demand<T> {
    return this.rep(this.terms.of(2n));
  }

  /** The first `n` terms as text, fewer if the series ends: then its last word is "end". */
  async first(n: number, u: Demand<T>): Promise<string> {
    const words: string[] = [];
    while (words.length < n) {
      const term = await this.get(u);
      words.push(this.terms.text(term));
      if (this.terms.isEnd(term)) break;
    }
    return words.join(" ");
  }
}

interface Rational {
  readonly num: bigint;
  /** Above 0; 0 in the mark at the end. */
  readonly den: bigint;
}

function gcd(a: bigint, b: bigint): bigint {
  return b === 0n ? a : gcd(b, a % b);
}

function rational(num: bigint, den = 1n): Rational {
  const divisor = gcd(num < 0n ? -num : num, den < 0n ? -den : den) * (den < 0n ? -1n : 1n);
  return { num: num / divisor, den: den / divisor };
}

/** powser1: plain records. */
const records: Terms<Rational> = {
  of: rational,
  end: { num: 0n, den: 0n },
  isEnd: ({ den }) => den === 0n,
  add: (a, b) => rational(a.num * b.den + b.num * a.den, a.den * b.den),
  times: (a, b) => rational(a.num * b.num, a.den * b.den),
  inverse: ({ num, den }) => rational(den, num),
  text: ({ num, den }) => (den === 0n ? "end" : den === 1n ? `${num}` : `${num}/${den}`),
};

/** powser2: what goes through the channels is an interface, behind it objects with methods and private state. */
interface Item {
  plus(other: Item): Item;
  times(other: Item): Item;
  inverse(): Item;
  parts(): Rational;
  isEnd(): boolean;
  toString(): string;
}

class RationalItem implements Item {
  readonly #value: Rational;

  constructor(value: Rational) {
    this.#value = value;
  }

  plus(other: Item): Item {
    return new RationalItem(records.add(this.#value, other.parts()));
  }

  times(other: Item): Item {
    return new RationalItem(records.times(this.#value, other.parts()));
  }

  inverse(): Item {
    return new RationalItem(records.inverse(this.#value));
  }

  parts(): Rational {
    return this.#value;
  }

  isEnd(): boolean {
    return records.isEnd(this.#value);
  }

  toString(): string {
    return records.text(this.#value);
  }
}

const items: Terms<Item> = {
  of: (num, den) => new RationalItem(rational(num, den)),
  end: new RationalItem(records.end),
  isEnd: (item) => item.isEnd(),
  add: (a, b) => a.plus(b),
  times: (a, b) => a.times(b),
  inverse: (item) => item.inverse(),
  text: String,
};

interface Program {
  id: string;
  name: string;
  n: number;
  series: <T>(s: Series<T>) => Demand<T>;
  terms: string;
}

const fibonacci = "1 1 2 3 5 8 13 21 34 55";
const exponential =
  "1 1 3/2 13/6 73/24 167/40 4051/720 37633/5040 43817/4480 4596553/362880 58941091/3628800 274691047/13305600";

// One line each, so that they read as a table.
const programs: Program[] = [
  { id: "P-008", name: "Ones", n: 5, series: (s) => s.ones, terms: "1 1 1 1 1" },
  { id: "P-008", name: "Twos", n: 5, series: (s) => s.twos, terms: "2 2 2 2 2" },
  { id: "P-008", name: "a finite series", n: 9, series: (s) => s.list(1, 2, 3), terms: "1 2 3 end" },
  { id: "P-009", name: "Add(Ones, Ones)", n: 10, series: (s) => s.add(s.ones, s.ones), terms: "2 2 2 2 2 2 2 2 2 2" },
  { id: "P-009", name: "Add(Ones, Twos)", n: 10, series: (s) => s.add(s.ones, s.twos), terms: "3 3 3 3 3 3 3 3 3 3" },
  {
    id: "P-009",
    name: "Sub(Ones, Twos)",
    n: 10,
    series: (s) => s.sub(s.ones, s.twos),
    terms: "-1 -1 -1 -1 -1 -1 -1 -1 -1 -1",
  },
  { id: "P-009", name: "Add(1 2 3, Twos)", n: 6, series: (s) => s.add(s.list(1, 2, 3), s.twos), terms: "3 4 5 2 2 2" },
  { id: "P-009", name: "Add(Twos, 1 2 3)", n: 6, series: (s) => s.add(s.twos, s.list(1, 2, 3)), terms: "3 4 5 2 2 2" },
  {
    id: "P-009",
    name: "Add(1 2, 1 2 3)",
    n: 6,
    series: (s) => s.add(s.list(1, 2), s.list(1, 2, 3)),
    terms: "2 4 3 end",
  },
  { id: "P-009", name: "Add(1 2, 3 4)", n: 6, series: (s) => s.add(s.list(1, 2), s.list(3, 4)), terms: "4 6 end" },
  {
    id: "P-010",
    name: "Cmul(-1, Twos)",
    n: 10,
    series: (s) => s.cmul(s.terms.of(-1n), s.twos),
    terms: "-2 -2 -2 -2 -2 -2 -2 -2 -2 -2",
  },
  {
    id: "P-010",
    name: "Cmul(-1, 1 2 3)",
    n: 9,
    series: (s) => s.cmul(s.terms.of(-1n), s.list(1, 2, 3)),
    terms: "-1 -2 -3 end",
  },
  { id: "P-011", name: "Diff(Ones)", n: 10, series: (s) => s.diff(s.ones), terms: "1 2 3 4 5 6 7 8 9 10" },
  { id: "P-011", name: "Diff(1 2 3)", n: 9, series: (s) => s.diff(s.list(1, 2, 3)), terms: "2 6 end" },
  { id: "P-011", name: "Diff of the empty series", n: 9, series: (s) => s.diff(s.list()), terms: "end" },
  {
    id: "P-012",
    name: "Integ(0, Ones)",
    n: 10,
    series: (s) => s.integ(s.terms.of(0n), s.ones),
    terms: "0 1 1/2 1/3 1/4 1/5 1/6 1/7 1/8 1/9",
  },
  {
    id: "P-012",
    name: "Integ(7, 1 2 3)",
    n: 9,
    series: (s) => s.integ(s.terms.of(7n), s.list(1, 2, 3)),
    terms: "7 1 1 1 end",
  },
  { id: "P-013", name: "Mul(Ones, Ones)", n: 10, series: (s) => s.mul(s.ones, s.ones), terms: "1 2 3 4 5 6 7 8 9 10" },
  {
    id: "P-013",
    name: "Mul of both halves of split(Ones)",
    n: 10,
    series: (s) => s.mul(...s.split(s.ones)),
    terms: "1 2 3 4 5 6 7 8 9 10",
  },
  { id: "P-014", name: "Exp(Ones)", n: 12, series: (s) => s.exp(s.ones), terms: exponential },
  {
    id: "P-015",
    name: "ATan",
    n: 10,
    series: (s) => s.integ(s.terms.of(0n), s.monSubst(s.ones, s.terms.of(-1n), 2)),
    terms: "0 1 0 -1/3 0 1/5 0 -1/7 0 1/9",
  },
  { id: "P-016", name: "Recip(Ones)", n: 6, series: (s) => s.recip(s.ones), terms: "1 -1 0 0 0 0" },
  { id: "P-016", name: "Recip(1 -2)", n: 8, series: (s) => s.recip(s.list(1, -2)), terms: "1 2 4 8 16 32 64 128" },
  {
    id: "P-016",
    name: "Binom(5), its last 1 missing as upstream",
    n: 9,
    series: (s) => s.binom(5n),
    terms: "1 5 10 10 5 end",
  },
  { id: "P-016", name: "Binom(-1/2)", n: 6, series: (s) => s.binom(-1n, 2n), terms: "1 -1/2 3/8 -5/16 35/128 -63/256" },
  { id: "P-016", name: "Subst(Ones, 0 1 1)", n: 10, series: (s) => s.subst(s.ones, s.list(0, 1, 1)), terms: fibonacci },
];

interface Computed<T> {
  readonly text: string;
  readonly series: Series<T>;
  /** What may not be, whatever the series. */
  readonly faults: string[];
}

/** Computes `program` over `terms`. */
async function compute<T>(terms: Terms<T>, program: Program): Promise<Computed<T>> {
  const series = new Series(terms);
  const start = performance.now();
  const text = await series.first(program.n, program.series(series));
  const time = performance.now() - start;
  await rest();
  const faults: string[] = [];
  if (series.excess > 0) faults.push(`${series.excess} terms made before they were asked for`);
  if (series.strangers > 0) faults.push(`${series.strangers} terms are not the objects that were sent`);
  if (series.puts === 0 || series.puts > series.gets) faults.push(`${series.puts} puts for ${series.gets} gets`);
  // Some thousand operations at most: more than this is a wait for a timer, or something worse than linear.
  if (time > 1_000) faults.push(`took ${time} ms`);
  return { text, series, faults };
}

describe("powser1: rationals as records", () => {
  for (const program of programs) {
    it(`${program.id} powser1: ${program.name}`, async () => {
      const { text, faults } = await compute(records, program);
      expect(text).toBe(program.terms);
      expect(faults).toEqual([]);
    });
  }

  it("P-008 powser1: makes no term before it is asked for one", async () => {
    const s = new Series(records);
    const ones = s.ones;
    await rest();
    expect([s.gets, s.puts]).toEqual([0, 0]);
    for (let n = 1; n <= 5; n++) {
      expect(records.text(await s.get(ones))).toBe("1");
      await rest();
      expect([s.gets, s.puts]).toEqual([n, n]);
    }
    // The producer waits to be asked: neither a term nor a request is on its way.
    expect(ones.dat.tryReceive()).toBeUndefined();
    expect(ones.req.tryReceive()).toBeUndefined();
    expect([s.tasks, s.ended]).toEqual([1, 0]);
  });

  it("P-013 powser1: takes some 400 operations and 50 tasks for ten terms of a product", async () => {
    const program = programs.find(({ name }) => name === "Mul(Ones, Ones)") as Program;
    const { series } = await compute(records, program);
    expect(series.operations).toBeGreaterThan(100);
    expect(series.operations).toBeLessThan(2_000);
    expect(series.tasks - series.ended, "parked tasks").toBeLessThan(200);
  });

  it("P-013 powser1: splits for readers of any speed: each gets the whole, however far one is ahead", async () => {
    for (const turns of ["0000011111", "1111100000", "0101010101", "0011001101", "1000101110"]) {
      const s = new Series(records);
      const halves = s.split(s.integ(records.of(0n), s.ones));
      const got: string[][] = [[], []];
      for (const turn of turns) {
        const half = turn === "0" ? 0 : 1;
        got[half]?.push(records.text(await s.get(halves[half])));
      }
      const terms = ["0", "1", "1/2", "1/3", "1/4"];
      expect(got, `in turns ${turns}`).toEqual([terms, terms]);
    }
  });

  it("P-014 powser1: computes two exponentials at once without mixing them up", async () => {
    const s = new Series(records);
    const logarithm = () => s.integ(records.of(9n), s.ones);
    const [first, second] = await Promise.all([s.first(10, s.exp(s.ones)), s.first(10, s.exp(logarithm()))]);
    expect(first).toBe(exponential.split(" ").slice(0, 10).join(" "));
    // exp(-log(1 - x)) = 1 / (1 - x)
    expect(second).toBe("1 1 1 1 1 1 1 1 1 1");
    expect(s.strangers).toBe(0);
  });
});

describe("P-017 powser2: rationals behind an interface", () => {
  for (const program of programs) {
    it(`P-017 powser2: ${program.name}, as in ${program.id}`, async () => {
      const { text, faults } = await compute(items, program);
      expect(text).toBe(program.terms);
      expect(faults).toEqual([]);
    });
  }

  it("P-017 powser2: delivers the very objects, to both halves of a split", async () => {
    const s = new Series(items);
    const made = [1, 2, 3].map((n) => items.of(BigInt(n)));
    const source = s.demand();
    void (async () => {
      for (const item of made) {
        await source.req.receive();
        await source.dat.send(item);
      }
    })();
    const halves = s.split(source);
    const got: unknown[][] = [[], []];
    for (const half of [0, 1, 1, 0, 1, 0] as const) {
      await halves[half].req.send();
      got[half]?.push((await halves[half].dat.receive()).value);
    }
    for (const items of got) {
      expect(items).toHaveLength(3);
      items.forEach((item, i) => expect(item).toBe(made[i]));
    }
  });
});
