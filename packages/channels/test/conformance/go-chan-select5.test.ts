// Go's test/chan/select5: a family of selects, one for each combination of cases beside the one that matters.
import { describe, expect, it } from "vitest";
import type { Channel, SelectCase } from "../../src/index.ts";
import { channel, never, select, sending, trySelect } from "../../src/index.ts";
import { quiet } from "../support.ts";

type Order = "random" | "listed";

/** The cases that never win, each by its bit: they stand on a channel that nobody else uses, or are off. */
interface Dummy {
  name: string;
  make: (dummy: Channel<number>) => SelectCase;
}

const sendDummy: Dummy = { name: "sendDummy", make: (dummy) => sending(dummy, -1) };
const receiveDummy: Dummy = { name: "receiveDummy", make: (dummy) => dummy };
const sendNil: Dummy = { name: "sendNil", make: () => false };
const receiveNil: Dummy = { name: "receiveNil", make: () => never };

function subsets<T>(all: readonly T[]): T[][] {
  return Array.from({ length: 2 ** all.length }, (_, bits) => all.filter((_one, i) => (bits >> i) & 1));
}

/** Where Go's default stands; it has no place among the cases here, so the case that matters takes it. */
const placements = ["no default", "default first", "default last"] as const;

interface Shape {
  placement: (typeof placements)[number];
  dummies: Dummy[];
}

const shapes: Shape[] = placements.flatMap((placement) =>
  subsets([sendDummy, receiveDummy, sendNil, receiveNil]).map((dummies) => ({ placement, dummies })),
);

function nameOf({ placement, dummies }: Shape): string {
  return [placement, ...dummies.map(({ name }) => name)].join(", ");
}

/** Runs the select of `shape`, in which `it` stands between the dummies; as a record or as an array. */
async function run(
  shape: Shape,
  it: SelectCase,
  dummy: Channel<number>,
  form: "record" | "array",
  order: Order,
): Promise<{ key: unknown; done: unknown; value: unknown } | undefined> {
  const entries: [string, SelectCase][] = shape.dummies.map(({ name, make }) => [name, make(dummy)]);
  const place =
    shape.placement === "default first" ? entries.length : shape.placement === "default last" ? 0 : entries.length >> 1;
  entries.splice(place, 0, ["it", it]);
  const cases = form === "record" ? Object.fromEntries(entries) : entries.map(([, one]) => one);
  const picked: { case: string | number; done: boolean; value: unknown } | undefined =
    shape.placement === "no default" ? await select(cases, { order }) : trySelect(cases, { order });
  if (picked === undefined) return undefined;
  const key = form === "record" ? picked.case : entries[picked.case as number]?.[0];
  return { key, done: picked.done, value: picked.value };
}

const forms = (["record", "array"] as const).flatMap((form) =>
  (["random", "listed"] as const).map((order) => ({ form, order })),
);

describe("P-033 select5: recv", () => {
  it.for(forms)("receives in each of the 48 shapes: $form, $order", async ({ form, order }) => {
    const ch = channel<number>(1);
    const dummy = channel<number>();
    let n = 0;
    for (const shape of shapes) {
      for (let round = 0; round < 5; round++) {
        await ch.send(++n);
        expect(await ch.receive()).toEqual({ done: false, value: n });
        await ch.send(++n);
        expect(await run(shape, ch, dummy, form, order), `in ${nameOf(shape)}`).toEqual({
          key: "it",
          done: false,
          value: n,
        });
        expect(ch.length).toBe(0);
        expect(quiet(dummy), `in ${nameOf(shape)}`).toBe(true);
      }
    }
    expect(shapes).toHaveLength(48);
    expect(n).toBe(48 * 10);
  });
});

describe("P-035 select5: send", () => {
  it.for(forms)("sends in each of the 48 shapes: $form, $order", async ({ form, order }) => {
    const ch = channel<number>(1);
    const dummy = channel<number>();
    let n = 0;
    for (const shape of shapes) {
      for (let round = 0; round < 5; round++) {
        await ch.send(++n);
        expect(await ch.receive()).toEqual({ done: false, value: n });
        const sent = await run(shape, sending(ch, ++n), dummy, form, order);
        expect(sent, `in ${nameOf(shape)}`).toEqual({ key: "it", done: false, value: undefined });
        expect(ch.length).toBe(1);
        expect(await ch.receive(), `in ${nameOf(shape)}`).toEqual({ done: false, value: n });
        expect(quiet(dummy), `in ${nameOf(shape)}`).toBe(true);
      }
    }
    expect(n).toBe(48 * 10);
  });
});

/** Notes in which order things are evaluated. */
class Sequence {
  readonly steps: string[] = [];

  at<T>(step: string, value: T): T {
    this.steps.push(step);
    return value;
  }
}

/** `entries` as cases whose reading is noted. */
function watched(sequence: Sequence, entries: [string, SelectCase][], form: "record" | "array"): SelectCase[] {
  const cases = form === "record" ? {} : [];
  entries.forEach(([name, one], i) => {
    const get = () => sequence.at(`read ${name}`, one);
    Object.defineProperty(cases, form === "record" ? name : i, { enumerable: true, configurable: true, get });
  });
  return cases as SelectCase[];
}

const orders = [
  { id: "P-034", name: "recvOrder", receives: true },
  { id: "P-036", name: "sendOrder", receives: false },
];

for (const { id, name, receives } of orders)
  describe(`${id} select5: ${name}`, () => {
    /** The case that matters, and what its partner does without waiting. */
    const operation = (ch: Channel<number>) => (receives ? ch : sending(ch, 7));
    const meet = (ch: Channel<number>) => (receives ? ch.trySend(7) : ch.tryReceive()?.value === 7);
    const value = receives ? 7 : undefined;

    it.for(forms)(
      `${id} reads each case once, in the order written, and all before one takes effect: $form, $order`,
      async ({ form, order }) => {
        for (const shape of shapes) {
          const ch = channel<number>(1);
          const dummy = channel<number>();
          const sequence = new Sequence();
          const lengthBefore = receives ? 1 : 0;
          for (let i = 0; i < lengthBefore; i++) await ch.send(7);

          // The expressions of the cases: evaluated by the language, in the order written, before the select begins.
          const entries: [string, SelectCase][] = [
            receives
              ? ["it", sequence.at("channel", ch)]
              : ["it", sending(sequence.at("channel", ch), sequence.at("value", 7))],
            ...shape.dummies.map((one): [string, SelectCase] => [one.name, one.make(sequence.at(one.name, dummy))]),
          ];
          const expected = [
            "channel",
            ...(receives ? [] : ["value"]),
            ...shape.dummies.map((one) => one.name),
            ...entries.map(([key]) => `read ${key}`),
          ];

          const cases = watched(sequence, entries, form);
          // The last one read sees that nothing has happened yet.
          const [lastKey, last] = entries.at(-1) as [string, SelectCase];
          const lengths: number[] = [];
          Object.defineProperty(cases, form === "record" ? lastKey : entries.length - 1, {
            get: () => {
              lengths.push(ch.length);
              return sequence.at(`read ${lastKey}`, last);
            },
          });

          const result = shape.placement === "no default" ? select(cases, { order }) : trySelect(cases, { order });
          expect(sequence.steps, `in ${nameOf(shape)}`).toEqual(expected);
          const picked = (await result) as { value: unknown };
          sequence.at("assigned", picked.value);
          expect(picked).toEqual({ case: form === "record" ? "it" : 0, done: false, value });
          expect(lengths, "a case took effect before all were read").toEqual([lengthBefore]);
          expect(ch.length, `in ${nameOf(shape)}`).toBe(1 - lengthBefore);
          expect(sequence.steps, "a case was read again").toEqual([...expected, "assigned"]);
          expect(quiet(dummy), `in ${nameOf(shape)}`).toBe(true);
        }
      },
    );

    it.for(forms)(`${id} reads no case again when it has to wait: $form, $order`, async ({ form, order }) => {
      for (const { dummies } of shapes.slice(0, 16)) {
        const ch = channel<number>();
        const dummy = channel<number>();
        const sequence = new Sequence();
        const entries: [string, SelectCase][] = dummies.map((one) => [one.name, one.make(dummy)]);
        entries.push(["it", operation(ch)]);
        const picked = select(watched(sequence, entries, form), { order }) as Promise<{ value: unknown }>;
        const expected = entries.map(([key]) => `read ${key}`);
        expect(sequence.steps).toEqual(expected);
        expect(meet(ch)).toBe(true);
        expect((await picked).value).toBe(value);
        expect(sequence.steps).toEqual(expected);
        expect(quiet(dummy), `in ${expected.join()}`).toBe(true);
      }
    });

    it(`${id} is not changed by what becomes of the cases after the call`, async () => {
      const [first, second] = [channel<number>(), channel<number>()];
      const record: Record<string, SelectCase> = { it: operation(first) };
      const array: SelectCase[] = [operation(first)];
      for (const [cases, key] of [
        [record, "it"],
        [array, 0],
      ] as const) {
        const picked: Promise<{ case: unknown }> = select(cases as Record<string, SelectCase>);
        (cases as Record<string | number, SelectCase>)[key] = operation(second);
        expect(meet(second)).toBe(false);
        expect(meet(first)).toBe(true);
        expect((await picked).case).toBe(key);
        expect(quiet(first), "first").toBe(true);
        expect(quiet(second), "second").toBe(true);
      }
      const frozen = Object.freeze([operation(first)] as const);
      const picked = select(frozen);
      expect(meet(first)).toBe(true);
      expect((await picked).case).toBe(0);
    });
  });

describe("P-037 select5: nonblock", () => {
  // Eight cases that are not ready: go's three ways to store what is received are three cases with code of their own.
  const receivesDummy = [1, 2, 3].map((i): Dummy => ({ ...receiveDummy, name: `receiveDummy${i}` }));
  const receivesNil: Dummy[] = [
    { name: "receiveNil1", make: () => undefined },
    { name: "receiveNil2", make: () => null },
    { name: "receiveNil3", make: () => never },
  ];
  const all = subsets([sendDummy, ...receivesDummy, sendNil, ...receivesNil]);

  it.for(forms)(
    "takes the default for each of the 256 subsets, forwards and backwards: $form, $order",
    ({ form, order }) => {
      const dummy = channel<number>();
      let defaults = 0;
      for (const subset of all) {
        for (const dummies of [subset, subset.toReversed()]) {
          const named = dummies.map(({ name }) => name).join();
          const entries = dummies.map(({ name, make }): [string, SelectCase] => [name, make(dummy)]);
          const cases = form === "record" ? Object.fromEntries(entries) : entries.map(([, one]) => one);
          let kept = "untouched";
          const picked: { case: unknown } | undefined = trySelect(cases, { order });
          if (picked === undefined) defaults++;
          else kept = `picked ${String(picked.case)}`;
          expect(kept, `in ${named}`).toBe("untouched");
          expect(quiet(dummy), `in ${named}`).toBe(true);
        }
      }
      expect(all).toHaveLength(256);
      expect(defaults).toBe(512);
    },
  );
});
