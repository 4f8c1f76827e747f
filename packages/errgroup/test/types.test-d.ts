import { background, type Context } from "@sluice/context";
import pLimit from "p-limit";
import PQueue from "p-queue";
import { describe, expectTypeOf, it } from "vitest";
import {
  all,
  any,
  forEach,
  group,
  Group,
  map,
  race,
  type GroupOptions,
  type Limiter,
  type Results,
  type Source,
  type Task,
} from "../src/index.ts";

const text = async (): Promise<string> => "";
const count = (): number => 0;

describe("all()", () => {
  it("gives a record the types of its tasks", () => {
    expectTypeOf(all(background, { text, count, both: () => [text, count] as const })).resolves.toEqualTypeOf<{
      text: string;
      count: number;
      both: readonly [() => Promise<string>, () => number];
    }>();
  });

  it("gives a tuple the types of its tasks, in its places", () => {
    expectTypeOf(all(background, [text, count])).resolves.toEqualTypeOf<[string, number]>();
    const tuple = [text, count] as const;
    expectTypeOf(all(background, tuple)).resolves.toEqualTypeOf<[string, number]>();
  });

  it("gives an array an array", () => {
    const tasks: ((ctx: Context) => Promise<string>)[] = [];
    expectTypeOf(all(background, tasks)).resolves.toEqualTypeOf<string[]>();
  });

  it("gives the tasks their context without being told", () => {
    void all(background, { a: (ctx) => expectTypeOf(ctx).toEqualTypeOf<Context>() });
    void all(background, [(ctx) => expectTypeOf(ctx).toEqualTypeOf<Context>()]);
    expectTypeOf(all(background, { a: async (ctx) => ctx.remaining })).resolves.toEqualTypeOf<{ a: number }>();
    expectTypeOf(all(background, [async (ctx) => ctx.remaining, text])).resolves.toEqualTypeOf<[number, string]>();
  });

  it("keeps its type through a generic function", () => {
    const twice = <T extends { readonly [name: string]: Task }>(tasks: T): Promise<Results<T>> =>
      all(background, tasks);
    expectTypeOf(twice({ text })).resolves.toEqualTypeOf<{ text: string }>();
  });

  it("takes only tasks", () => {
    // @ts-expect-error a promise is no task: it runs already
    void all(background, { text: text() });
    // @ts-expect-error
    void all(background, [5]);
    // @ts-expect-error its parameter is no context
    void all(background, { a: (n: number) => n });
    // @ts-expect-error a parent comes first
    void all({ text });
  });

  it("takes an optional limit", () => {
    void all(background, [text], { limit: 2 });
    void all(background, [text], {});
    void all(background, [text], { limit: undefined });
    // @ts-expect-error
    void all(background, [text], { limit: "2" });
    // @ts-expect-error
    void all(background, [text], { concurrency: 2 });
  });
});

describe("any() and race()", () => {
  it("give one of the results", () => {
    expectTypeOf(any(background, [text, count])).resolves.toEqualTypeOf<string | number>();
    expectTypeOf(race(background, [text, count])).resolves.toEqualTypeOf<string | number>();
    expectTypeOf(race(background, [async (ctx) => ctx.remaining])).resolves.toEqualTypeOf<number>();
    const tasks: ((ctx: Context) => Promise<string>)[] = [];
    expectTypeOf(any(background, tasks)).resolves.toEqualTypeOf<string>();
  });

  it("take a list, not a record", () => {
    // @ts-expect-error
    void any(background, { text });
    // @ts-expect-error
    void race(background, { text });
  });
});

describe("group()", () => {
  it("gives what its body gives, awaited", () => {
    expectTypeOf(group(background, () => 5)).resolves.toEqualTypeOf<number>();
    expectTypeOf(group(background, async () => text())).resolves.toEqualTypeOf<string>();
    expectTypeOf(group(background, (g) => void g.go(text))).resolves.toEqualTypeOf<undefined>();
  });

  it("gives its body a group", () => {
    void group(background, (g) => expectTypeOf(g).toEqualTypeOf<Group>());
  });
});

describe("Group", () => {
  it("has the types of its contract", () => {
    const g = new Group();
    expectTypeOf(g.go(text)).toEqualTypeOf<Promise<boolean>>();
    expectTypeOf(g.tryGo(count)).toEqualTypeOf<boolean>();
    expectTypeOf(g.wait()).toEqualTypeOf<Promise<void>>();
    expectTypeOf(g.context).toEqualTypeOf<Context>();
    expectTypeOf(g.errors).toEqualTypeOf<readonly unknown[]>();
    expectTypeOf(g).toExtend<AsyncDisposable>();
    void g.go((ctx) => expectTypeOf(ctx).toEqualTypeOf<Context>());
    // @ts-expect-error a promise is no task: it runs already
    void g.go(text());
    // @ts-expect-error
    g.active = 1;
  });

  it("does not hand out the right to cancel with its context", () => {
    // @ts-expect-error
    new Group().context.cancel();
  });

  it("takes a context or a signal as parent", () => {
    void new Group(background);
    void new Group(new AbortController().signal);
    // @ts-expect-error a controller is no parent
    void new Group(new AbortController());
  });

  it("takes p-limit's function and p-queue's add as its limit", () => {
    const queue = new PQueue({ concurrency: 2 });
    expectTypeOf(pLimit(2)).toExtend<Limiter>();
    expectTypeOf<{ limit: Limiter }>().toExtend<GroupOptions>();
    void new Group(background, { limit: pLimit(2) });
    void new Group(background, { limit: (task) => queue.add(task) });
    // @ts-expect-error its promise must be that of the task
    void new Group(background, { limit: () => {} });
  });
});

describe("map() and forEach()", () => {
  it("infer values and results", () => {
    const results = map(background, [1, 2], async (n, ctx) => `${n}${ctx.remaining}`, { limit: 2 });
    expectTypeOf(results).toEqualTypeOf<AsyncIterableIterator<string>>();
    expectTypeOf(map(background, ["a"], (s) => s.length, { limit: 2, ordered: false })).toEqualTypeOf<
      AsyncIterableIterator<number>
    >();
    void forEach(
      background,
      new Set([1]),
      (n, ctx) => {
        expectTypeOf(n).toEqualTypeOf<number>();
        expectTypeOf(ctx).toEqualTypeOf<Context>();
      },
      { limit: 2 },
    );
  });

  it("await the promises of a synchronous source, and only those", () => {
    void map(background, [Promise.resolve(1), 2], (n) => expectTypeOf(n).toEqualTypeOf<number>(), { limit: 2 });
    const source = {} as AsyncIterable<Promise<number>>;
    void map(background, source, (n) => expectTypeOf(n).toEqualTypeOf<Promise<number>>(), { limit: 2 });
    expectTypeOf<Promise<number>[]>().toExtend<Source<number>>();
  });

  it("want a limit, and nothing that is not iterable", () => {
    // @ts-expect-error
    void map(background, [1], count, {});
    // @ts-expect-error
    void map(background, [1], count);
    // @ts-expect-error
    void forEach(background, [1], count);
    // @ts-expect-error
    void map(background, 5, count, { limit: 1 });
    // @ts-expect-error
    void forEach(background, [1], (s: string) => s, { limit: 1 });
    // @ts-expect-error a limit here is a number
    void forEach(background, [1], count, { limit: pLimit(2) });
  });
});
