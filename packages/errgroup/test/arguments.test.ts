// Wrong arguments throw at the call, as TypeError (of a wrong kind) or RangeError (out of range), and nothing runs.
import { background, type Parent } from "@sluice/context";
import { describe, expect, it, vi } from "vitest";
import { settle } from "../../../test/support.ts";
import { all, any, forEach, Group, group, map, race } from "../src/index.ts";

const wrong = {} as never;

describe("a wrong argument", () => {
  const task = vi.fn<() => void>();
  const calls: [string, typeof TypeError | typeof RangeError, (parent: Parent) => unknown][] = [
    ["the parent of a group", TypeError, () => new Group(wrong)],
    ["the limit of a group", TypeError, (parent) => new Group(parent, { limit: wrong })],
    ["the limit of a group, 0", RangeError, (parent) => new Group(parent, { limit: 0 })],
    ["the task of go()", TypeError, (parent) => new Group(parent).go(wrong)],
    ["the task of tryGo()", TypeError, (parent) => new Group(parent).tryGo(wrong)],
    ["the limit of setLimit()", TypeError, (parent) => new Group(parent).setLimit(wrong)],
    ["the limit of setLimit(), a fraction", RangeError, (parent) => new Group(parent).setLimit(1.5)],
    ["the parent of group()", TypeError, () => group(wrong, task)],
    ["the body of group()", TypeError, (parent) => group(parent, wrong)],
    ["the limit of group()", RangeError, (parent) => group(parent, task, { limit: -1 })],
    ["the parent of all()", TypeError, () => all(wrong, [task])],
    ["the tasks of all()", TypeError, (parent) => all(parent, 5 as never)],
    ["one task of all() in a record", TypeError, (parent) => all(parent, { task, other: wrong })],
    ["one task of all() in a list", TypeError, (parent) => all(parent, [task, wrong])],
    ["the limit of all()", RangeError, (parent) => all(parent, [task], { limit: Number.NaN })],
    ["the parent of any()", TypeError, () => any(wrong, [task])],
    ["the tasks of any()", TypeError, (parent) => any(parent, wrong)],
    ["one task of any()", TypeError, (parent) => any(parent, [task, wrong])],
    ["the limit of any()", RangeError, (parent) => any(parent, [task], { limit: 0 })],
    ["the parent of race()", TypeError, () => race(wrong, [task])],
    ["the tasks of race()", TypeError, (parent) => race(parent, wrong)],
    ["no tasks of race()", RangeError, (parent) => race(parent, [])],
    ["the limit of race()", RangeError, (parent) => race(parent, [task], { limit: 0 })],
    ["the parent of map()", TypeError, () => map(wrong, [1], task, { limit: 1 })],
    ["the source of map()", TypeError, (parent) => map(parent, wrong, task, { limit: 1 })],
    ["the callback of map()", TypeError, (parent) => map(parent, [1], wrong, { limit: 1 })],
    ["the limit of map()", TypeError, (parent) => map(parent, [1], task, wrong)],
    ["the limit of map(), 0", RangeError, (parent) => map(parent, [1], task, { limit: 0 })],
    ["the parent of forEach()", TypeError, () => forEach(wrong, [1], task, { limit: 1 })],
    ["the source of forEach()", TypeError, (parent) => forEach(parent, wrong, task, { limit: 1 })],
    ["the callback of forEach()", TypeError, (parent) => forEach(parent, [1], wrong, { limit: 1 })],
    ["the limit of forEach()", TypeError, (parent) => forEach(parent, [1], task, wrong)],
    ["the limit of forEach(), 0", RangeError, (parent) => forEach(parent, [1], task, { limit: 0 })],
  ];

  it.for(calls)(
    "throws at the call, says what cannot be done and why, and runs nothing: %s",
    async ([, type, call]) => {
      for (const parent of [background, AbortSignal.abort("over")]) {
        let error: unknown;
        try {
          void call(parent);
        } catch (thrown) {
          error = thrown;
        }
        expect((error as Error | undefined)?.constructor).toBe(type);
        expect((error as Error).message).toMatch(/^Cannot [a-z ]+: \S/);
      }
      await settle();
      expect(task).not.toHaveBeenCalled();
    },
  );
});
