// Two copies of the package in one program, as two versions of a dependency bring them.
import { beforeAll, expect, it, vi } from "vitest";
import * as mine from "../src/index.ts";
import { done, fulfilled, got, outcome, outcomes, pending, quiet, reasonOf, rest, watchedSignal } from "./support.ts";

let theirs: typeof mine;

beforeAll(async () => {
  vi.resetModules();
  theirs = await import("../src/index.ts");
});

it("are two", () => {
  expect(theirs.channel).not.toBe(mine.channel);
  expect(theirs.never).not.toBe(mine.never);
});

it("take each other's receivers for cases, ready or waiting", async () => {
  const ch = mine.channel<number>(1);
  const picked = theirs.select({ ch, timer: mine.after(60_000), never: mine.never });
  expect(await outcome(picked)).toEqual(pending);
  ch.trySend(1);
  expect(await outcome(picked)).toEqual(fulfilled({ case: "ch", done: false, value: 1 }));
  ch.trySend(2);
  expect(theirs.trySelect([ch])).toEqual({ case: 0, done: false, value: 2 });
  expect(quiet(ch)).toBe(true);
});

it("take each other's sending cases, and make them for each other's channels", async () => {
  const ch = mine.channel<number>();
  for (const it of [mine.sending(ch, 1), theirs.sending(ch, 1)]) {
    const picked = theirs.select({ it });
    expect(ch.tryReceive()).toEqual({ done: false, value: 1 });
    expect(await picked).toEqual({ case: "it", done: false, value: undefined });
  }
  expect(quiet(ch)).toBe(true);
});

it("leave nothing behind in each other's lines", async () => {
  const [a, b, c] = [mine.channel<number>(), theirs.channel<number>(), theirs.channel<number>()];
  const { controller, signal, listeners } = watchedSignal();
  const all = [mine.select({ a, b, signal }), theirs.select({ a, b, out: mine.sending(c, 1) }, { signal })];
  expect(listeners(), "one for each copy").toBe(2);
  expect(a.trySend(1)).toBe(true);
  controller.abort("enough");
  expect((await outcomes<unknown>(all)).map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  expect([quiet(a), quiet(b), quiet(c), listeners()]).toEqual([true, true, true, 0]);
});

it("stand in the same line, first come, first served", async () => {
  const ch = mine.channel<number>();
  const all = [ch.receive(), theirs.select({ ch }), mine.select({ ch })];
  for (const n of [1, 2, 3]) expect(ch.trySend(n)).toBe(true);
  expect((await Promise.all<{ value: unknown }>(all)).map(({ value }) => value)).toEqual([1, 2, 3]);
});

it("bridge from each other's channels without closing them", async () => {
  const ch = mine.channel<number>();
  const merged = theirs.merge(ch);
  const received = merged.receive();
  await ch.send(1);
  expect(await outcome(received)).toEqual(got(1));
  await rest();
  await merged[Symbol.asyncDispose]();
  expect([ch.closed, quiet(ch)]).toEqual([false, true]);

  const piped = theirs.pipe([1], ch);
  expect(await outcomes([ch.receive(), ch.receive()])).toEqual([got(1), done]);
  await piped;
});

it("know each other's errors by their code", async () => {
  const ch = theirs.channel<number>();
  ch.close();
  const error = await reasonOf(mine.select([mine.sending(ch, 1)]));
  expect(error).not.toBeInstanceOf(mine.ChannelClosedError);
  expect(error).toMatchObject({ code: "ERR_CHANNEL_CLOSED" });
});
