// What must compile, what must not, and what the types say. A line under `@ts-expect-error` that compiles is an error.
import { describe, expectTypeOf, it } from "vitest";
import type {
  ChannelClosedError,
  BatchOptions,
  Broadcast,
  Cases,
  Channel,
  ChannelOptions,
  FromOptions,
  PipeOptions,
  Receiver,
  SelectCase,
  Selected,
  SelectOptions,
  SendCase,
  Sender,
  WaitOptions,
} from "../src/index.ts";
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

interface Job {
  readonly id: number;
}

declare const jobs: Channel<Job>;
declare const numbers: Channel<number>;
declare const words: Receiver<string>;
declare const out: Sender<number>;
declare const signal: AbortSignal;

/** Accepts what compiles; never runs. */
function takes<T>(_value: T): void {}
type Result<T> = IteratorResult<T, undefined>;

describe("channel()", () => {
  it("is of the type it is told", () => {
    expectTypeOf(channel<number>()).toEqualTypeOf<Channel<number>>();
    expectTypeOf(channel<number>(3)).toEqualTypeOf<Channel<number>>();
    expectTypeOf(channel<number>({ capacity: 3, overflow: "drop-oldest", name: "n" })).toEqualTypeOf<Channel<number>>();
    expectTypeOf(channel()).toEqualTypeOf<Channel<unknown>>();
  });

  it("takes a capacity or options, nothing else", () => {
    // @ts-expect-error not a number
    channel("3");
    // @ts-expect-error not both
    channel(3, { name: "n" });
    // @ts-expect-error no such policy
    channel({ overflow: "drop" });
    // @ts-expect-error no such option
    channel({ size: 3 });
    takes<ChannelOptions>({ capacity: undefined, overflow: undefined, name: undefined });
  });
});

describe("directions", () => {
  it("a channel is a Sender and a Receiver, an AsyncIterable and Disposable", () => {
    takes<Sender<number>>(numbers);
    takes<Receiver<number>>(numbers);
    takes<AsyncIterable<number>>(numbers);
    takes<Disposable>(numbers);
  });

  it("a Receiver cannot send or close, a Sender cannot receive", () => {
    // @ts-expect-error a direction is a promise
    words.send("x");
    // @ts-expect-error only who sends can close
    words.close();
    // @ts-expect-error a direction is a promise
    out.receive();
    // @ts-expect-error there is nothing to iterate over
    out[Symbol.asyncIterator]();
    // @ts-expect-error a Receiver is no Sender
    takes<Sender<string>>(words);
    // @ts-expect-error a Sender is no Receiver
    takes<Receiver<number>>(out);
    // @ts-expect-error half a channel is no channel
    takes<Channel<string>>(words);
  });

  it("what they give", () => {
    expectTypeOf(out.send(1)).toEqualTypeOf<Promise<void>>();
    expectTypeOf(out.trySend(1)).toEqualTypeOf<boolean>();
    expectTypeOf(out.close()).toEqualTypeOf<boolean>();
    expectTypeOf(out.close(new Error("x"))).toEqualTypeOf<boolean>();
    expectTypeOf(out.closed).toEqualTypeOf<boolean>();
    expectTypeOf(words.receive()).toEqualTypeOf<Promise<Result<string>>>();
    expectTypeOf(words.next()).toEqualTypeOf<Promise<Result<string>>>();
    expectTypeOf(words.tryReceive()).toEqualTypeOf<Result<string> | undefined>();
    expectTypeOf(numbers.capacity).toEqualTypeOf<number>();
    expectTypeOf(numbers.length).toEqualTypeOf<number>();
    expectTypeOf(numbers.dropped).toEqualTypeOf<number>();
    expectTypeOf(numbers.name).toEqualTypeOf<string | undefined>();
  });

  it("takes only values of its type", () => {
    // @ts-expect-error a string is no number
    void numbers.send("x");
    // @ts-expect-error a string is no number
    numbers.trySend("x");
    // @ts-expect-error a value is needed
    void numbers.send();
  });

  it("what it is cannot be changed", () => {
    // @ts-expect-error readonly
    numbers.capacity = 1;
    // @ts-expect-error readonly
    numbers.closed = true;
  });

  it("narrows what it gives by `done`", async () => {
    const result = await numbers.receive();
    if (result.done) expectTypeOf(result.value).toEqualTypeOf<undefined>();
    else expectTypeOf(result.value).toEqualTypeOf<number>();
    const next = await numbers.next();
    expectTypeOf(next.done ? 0 : next.value).toEqualTypeOf<number>();
    for await (const value of numbers) expectTypeOf(value).toEqualTypeOf<number>();
  });
});

describe("variance", () => {
  it("a Receiver of fewer kinds passes for one of more", () => {
    takes<Receiver<number | string>>(numbers);
    takes<Receiver<unknown>>(numbers);
    takes<Receiver<number>>(never);
    // @ts-expect-error it may give a string
    takes<Receiver<number>>(channel<number | string>());
  });

  it("a Sender of more kinds passes for one of fewer", () => {
    takes<Sender<number>>(channel<number | string>());
    takes<Sender<number>>(channel<unknown>());
    takes<Sender<never>>(out);
    // @ts-expect-error a string could be sent to it
    takes<Sender<number | string>>(numbers);
    // @ts-expect-error anything could be sent to it
    takes<Sender<unknown>>(out);
  });

  it("a Channel passes for neither more nor fewer", () => {
    // @ts-expect-error a string could be sent to it
    takes<Channel<number | string>>(numbers);
    // @ts-expect-error it may give a string
    takes<Channel<number>>(channel<number | string>());
  });

  it("holds for functions that take a direction, and for fields", () => {
    const fill = (to: Sender<number | string>) => to.trySend("x");
    // @ts-expect-error the string would arrive in a channel of numbers
    fill(numbers);
    const drain = (source: Receiver<number | string>) => source.tryReceive();
    drain(numbers);
    // @ts-expect-error also inside of an object
    takes<{ to: Sender<number | string> }>({ to: numbers });
    // @ts-expect-error also inside of an array
    takes<readonly Sender<number | string>[]>([numbers]);
  });
});

describe("WaitOptions", () => {
  it("takes a signal, an undefined one, or an object that has more", () => {
    const context = { signal, deadline: 5 };
    void numbers.receive(context);
    void numbers.receive({ signal });
    void numbers.receive({ signal: undefined });
    void numbers.receive(new AbortController());
    void numbers.send(1, {});
    takes<WaitOptions>({});
  });

  it("takes no bare signal, and no wrong one", () => {
    // @ts-expect-error a bare signal would be ignored in silence
    void numbers.receive(signal);
    // @ts-expect-error a controller is no signal
    void numbers.receive({ signal: new AbortController() });
    // @ts-expect-error no such option
    void numbers.receive({ timeout: 5 });
  });
});

describe("select() over a record", () => {
  it("gives a union told apart by `case`", async () => {
    const picked = await select({ job: jobs, sent: sending(out, 1), late: after(5), stop: signal });
    expectTypeOf(picked.case).toEqualTypeOf<"job" | "sent" | "late" | "stop">();
    switch (picked.case) {
      case "job":
        if (picked.done) expectTypeOf(picked.value).toEqualTypeOf<undefined>();
        else expectTypeOf(picked.value).toEqualTypeOf<Job>();
        break;
      case "sent":
        expectTypeOf(picked.done).toEqualTypeOf<false>();
        expectTypeOf(picked.value).toEqualTypeOf<undefined>();
        break;
      case "late":
        if (!picked.done) expectTypeOf(picked.value).toEqualTypeOf<Date>();
        break;
      case "stop":
        expectTypeOf(picked.done).toEqualTypeOf<false>();
        expectTypeOf(picked.value).toEqualTypeOf<unknown>();
        break;
      default:
        expectTypeOf(picked).toBeNever();
    }
  });

  it("gives exactly the union of its cases", () => {
    type Got = Selected<{ ch: Receiver<number>; sent: SendCase; gone: AbortSignal }>;
    expectTypeOf<Got>().toEqualTypeOf<
      | { readonly case: "ch"; readonly done: false; readonly value: number }
      | { readonly case: "ch"; readonly done: true; readonly value: undefined }
      | { readonly case: "sent"; readonly done: false; readonly value: undefined }
      | { readonly case: "gone"; readonly done: false; readonly value: unknown }
    >();
  });

  it("knows no other case names", async () => {
    const picked = await select({ job: jobs, word: words });
    // @ts-expect-error there is no such case
    if (picked.case === "wrod") return;
    // @ts-expect-error there is no such case
    takes(picked.case === "late");
  });

  it("makes a forgotten case an error where all are handled", async () => {
    const picked = await select({ job: jobs, word: words });
    function handle(): number {
      switch (picked.case) {
        case "job":
          return 1;
        case "word":
          return 2;
      }
    }
    function forget() {
      if (picked.case === "job") return;
      // @ts-expect-error "word" is left
      picked satisfies never;
    }
    takes([handle, forget]);
  });

  it("cannot be changed", async () => {
    const picked = await select({ job: jobs });
    // @ts-expect-error readonly
    picked.case = "job";
    // @ts-expect-error readonly
    picked.value = undefined;
  });

  it("leaves disabled cases out, and keeps those that may be disabled", async () => {
    const open = true as boolean;
    const picked = await select({
      a: open && numbers,
      b: open ? words : null,
      c: open ? sending(out, 1) : undefined,
      off: undefined,
      none: null,
      no: false,
    });
    expectTypeOf(picked.case).toEqualTypeOf<"a" | "b" | "c">();
    if (picked.case === "a" && !picked.done) expectTypeOf(picked.value).toEqualTypeOf<number>();
    if (picked.case === "b" && !picked.done) expectTypeOf(picked.value).toEqualTypeOf<string>();
    // @ts-expect-error a disabled case is never picked
    if (picked.case === "off") return;
  });

  it("names a case of a dynamic record by a string", async () => {
    const picked = await select({} as Record<string, Receiver<number>>);
    expectTypeOf(picked.case).toEqualTypeOf<string>();
    if (!picked.done) expectTypeOf(picked.value).toEqualTypeOf<number>();
  });

  it("names a case by its key as it is: a key that looks like a number is a string", async () => {
    const picked = await select({ 1: numbers, 2: words });
    expectTypeOf(picked.case).toEqualTypeOf<"1" | "2">();
  });

  it("knows only string keys: what stands under a symbol is not looked at", async () => {
    const symbol: unique symbol = Symbol("x");
    const picked = await select({ [symbol]: numbers, word: words });
    expectTypeOf(picked.case).toEqualTypeOf<"word">();
  });

  it("gives one of its cases, also where they are optional properties", async () => {
    const picked = await select({} as { a?: Receiver<number>; b: Receiver<string> });
    expectTypeOf(picked.case).toEqualTypeOf<"a" | "b">();
  });

  it("takes a record of any origin, and a frozen one", async () => {
    const cases = { job: jobs, word: words };
    expectTypeOf((await select(cases)).case).toEqualTypeOf<"job" | "word">();
    expectTypeOf((await select(Object.freeze(cases))).case).toEqualTypeOf<"job" | "word">();
    takes<Cases>(cases);
  });
});

describe("select() over a tuple or an array", () => {
  it("names a case of a tuple by its index", async () => {
    const picked = await select([numbers, sending(out, 1), words, signal, null]);
    expectTypeOf(picked.case).toEqualTypeOf<0 | 1 | 2 | 3>();
    if (picked.case === 0 && !picked.done) expectTypeOf(picked.value).toEqualTypeOf<number>();
    if (picked.case === 1) expectTypeOf(picked.value).toEqualTypeOf<undefined>();
    if (picked.case === 2 && !picked.done) expectTypeOf(picked.value).toEqualTypeOf<string>();
    // @ts-expect-error there is no such case
    if (picked.case === 5) return;
  });

  it("names a case of a dynamic array by a number", async () => {
    const list: Receiver<number>[] = [];
    const picked = await select(list);
    expectTypeOf(picked.case).toEqualTypeOf<number>();
    if (picked.done) expectTypeOf(picked.value).toEqualTypeOf<undefined>();
    else expectTypeOf(picked.value).toEqualTypeOf<number>();
    const mixed = await select([] as readonly (Receiver<number> | SendCase | undefined)[]);
    expectTypeOf(mixed.value).toEqualTypeOf<number | undefined>();
  });

  it("takes a readonly tuple", async () => {
    const cases = [numbers, words] as const;
    expectTypeOf((await select(cases)).case).toEqualTypeOf<0 | 1>();
  });
});

describe("wrong cases", () => {
  it("do not compile", () => {
    // @ts-expect-error a Sender is no case: sending(out, value) is
    void select({ out });
    // @ts-expect-error a promise is no case
    void select({ soon: Promise.resolve(1) });
    // @ts-expect-error a number is no case
    void select({ soon: 1 });
    // @ts-expect-error true is no case: `open && ch` with a boolean `open` is never true
    void select({ soon: true });
    // @ts-expect-error an async iterable is no case: from(it) is
    void select({ stream: {} as AsyncIterable<number> });
    // @ts-expect-error a controller is no case: its signal is
    void select([new AbortController()]);
    // @ts-expect-error a channel is a case, not a record of them
    void select(numbers);
    // @ts-expect-error a case is not a record of them
    void select(sending(out, 1));
    // @ts-expect-error a signal is a case, not a record of them
    void select(signal);
    // @ts-expect-error the cases are needed
    void select();
    takes<SelectCase[]>([numbers, words, signal, sending(out, 1), undefined, null, false]);
  });

  it("nor do wrong options", () => {
    // @ts-expect-error no such order
    void select({ numbers }, { order: "first" });
    // @ts-expect-error a bare signal
    void select({ numbers }, signal);
    // @ts-expect-error trySelect does not wait: there is nothing to cancel
    trySelect({ numbers }, { signal });
    takes<SelectOptions>({ order: "listed", signal });
    takes<SelectOptions>({ order: undefined, signal: undefined });
  });
});

describe("trySelect()", () => {
  it("gives the same union, or undefined", () => {
    const picked = trySelect({ job: jobs, sent: sending(out, 1) });
    expectTypeOf(picked).toEqualTypeOf<Selected<{ readonly job: Channel<Job>; readonly sent: SendCase }> | undefined>();
    // @ts-expect-error it may be undefined
    takes(picked.case);
    if (picked?.case === "job" && !picked.done) expectTypeOf(picked.value).toEqualTypeOf<Job>();
  });
});

describe("sending()", () => {
  it("takes a value of the channel's type", () => {
    expectTypeOf(sending(numbers, 1)).toEqualTypeOf<SendCase>();
    sending(channel<number | string>(), "x");
    sending(channel<{ a?: number }>(), {});
    // @ts-expect-error a string is no number
    sending(numbers, "x");
    // @ts-expect-error undefined is no number
    sending(numbers, undefined);
    // @ts-expect-error a value is needed
    sending(numbers);
    // @ts-expect-error a Receiver cannot be sent to
    sending(words, "x");
  });

  it("does not widen the channel to fit the value", () => {
    // @ts-expect-error a channel of 1 or 2 takes no 3
    sending(channel<1 | 2>(), 3);
    sending(channel<1 | 2>(), 1);
  });
});

describe("timers", () => {
  it("are receivers of a Date", () => {
    expectTypeOf(after(1)).toEqualTypeOf<Receiver<Date>>();
    expectTypeOf(at(new Date())).toEqualTypeOf<Receiver<Date>>();
    expectTypeOf(at(1)).toEqualTypeOf<Receiver<Date>>();
    expectTypeOf(tick(1)).toEqualTypeOf<Receiver<Date> & Disposable>();
    expectTypeOf(never).toEqualTypeOf<Receiver<never>>();
    // @ts-expect-error milliseconds, not a Date
    after(new Date());
    // @ts-expect-error nothing can be sent to a timer
    sending(after(1), new Date());
  });
});

describe("bridges", () => {
  const stream = {} as AsyncIterable<string>;

  it("take iterables and async iterables, and give receivers", () => {
    expectTypeOf(from(stream)).toEqualTypeOf<Receiver<string> & AsyncDisposable>();
    expectTypeOf(from([1])).toEqualTypeOf<Receiver<number> & AsyncDisposable>();
    expectTypeOf(from(numbers)).toEqualTypeOf<Receiver<number> & AsyncDisposable>();
    expectTypeOf(merge(numbers, [1], new Set([2]))).toEqualTypeOf<Receiver<number> & AsyncDisposable>();
    expectTypeOf(merge<number | string>(numbers, words)).toEqualTypeOf<Receiver<number | string> & AsyncDisposable>();
    expectTypeOf(broadcast(stream)).toEqualTypeOf<Broadcast<string>>();
    expectTypeOf(broadcast(stream).subscribe()).toEqualTypeOf<Receiver<string> & Disposable>();
    expectTypeOf(batch(stream, { max: 3 })).toEqualTypeOf<AsyncIterableIterator<string[]>>();
    expectTypeOf(pipe([1], out)).toEqualTypeOf<Promise<void>>();
    // @ts-expect-error nothing to iterate over
    from(1);
    // @ts-expect-error max is needed
    batch(stream, {});
  });

  it("pipe only what the target takes", () => {
    void pipe([1], channel<number | string>());
    // @ts-expect-error a string is no number
    void pipe(["x"], out);
    // @ts-expect-error a Receiver is no target
    void pipe(stream, words);
  });

  it("take their options", () => {
    takes<FromOptions>({ capacity: 1, signal });
    takes<PipeOptions>({ close: false, signal });
    takes<BatchOptions>({ max: 1, within: 5 });
    void broadcast(stream, { capacity: 1, overflow: "drop-oldest" });
  });
});

describe("ChannelClosedError", () => {
  it("narrows by its literal name and code", () => {
    const error = {} as ChannelClosedError | { code: "ERR_OTHER" };
    if (error.code === "ERR_CHANNEL_CLOSED") expectTypeOf(error).toEqualTypeOf<ChannelClosedError>();
    expectTypeOf({} as ChannelClosedError["name"]).toEqualTypeOf<"ChannelClosedError">();
    expectTypeOf<ChannelClosedError>().toExtend<Error>();
  });
});
