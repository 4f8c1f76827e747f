// Wrong arguments throw at the call, as TypeError (of a wrong kind) or RangeError (out of range), and nothing happens.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  afterDone,
  contextKey,
  sleep,
  withCancel,
  withDeadline,
  withoutCancel,
  withSignal,
  withTimeout,
  withValue,
} from "../src/index.ts";
import type { Parent } from "../src/index.ts";
import { counted, thrown } from "./support.ts";

const key = contextKey("k", 0);
const wrong = {} as never;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("a wrong argument", () => {
  const calls: [string, typeof TypeError | typeof RangeError, (parent: Parent) => unknown][] = [
    ["the parent of withCancel", TypeError, () => withCancel(wrong)],
    ["the parent of withTimeout", TypeError, () => withTimeout(wrong, 1)],
    ["the parent of withDeadline", TypeError, () => withDeadline(wrong, 1)],
    ["the parent of withValue", TypeError, () => withValue(wrong, key, 1)],
    ["the parent of withoutCancel", TypeError, () => withoutCancel(wrong)],
    ["the parent of withSignal", TypeError, () => withSignal(wrong)],
    ["the context of afterDone", TypeError, () => afterDone(wrong, () => {})],
    ["the callback of afterDone", TypeError, (parent) => afterDone(withCancel(parent), wrong)],
    ["the time of withTimeout", TypeError, (parent) => withTimeout(parent, "5" as never)],
    ["the time of withTimeout, NaN", RangeError, (parent) => withTimeout(parent, Number.NaN)],
    ["the instant of withDeadline", TypeError, (parent) => withDeadline(parent, "2030-01-01" as never)],
    ["the instant of withDeadline, NaN", RangeError, (parent) => withDeadline(parent, Number.NaN)],
    ["the instant of withDeadline, an invalid Date", RangeError, (parent) => withDeadline(parent, new Date("no"))],
    ["the key of withValue", TypeError, (parent) => withValue(parent, wrong, 1 as never)],
    ["the key of value()", TypeError, (parent) => withCancel(parent).value(wrong)],
    ["the name of contextKey", TypeError, () => contextKey(wrong)],
    ["a signal of withSignal", TypeError, (parent) => withSignal(parent, new AbortController().signal, wrong)],
    ["the time of sleep", TypeError, () => sleep("5" as never)],
    ["the time of sleep, NaN", RangeError, (parent) => sleep(Number.NaN, withCancel(parent))],
    ["the options of sleep", TypeError, (parent) => sleep(5, parent as never)],
    ["the signal of sleep", TypeError, () => sleep(5, { signal: wrong })],
  ];

  it.for(calls)(
    "throws at the call, says what cannot be done and why, and leaves nothing behind: %s",
    ([, type, call]) => {
      const foreign = counted();
      const error = thrown(() => call(foreign.signal)) as Error;
      expect(error.constructor).toBe(type);
      expect(error.message).toMatch(/^Cannot [a-z ]+: \S/);
      expect([vi.getTimerCount(), foreign.listeners()]).toEqual([0, 0]);
    },
  );

  it.for(calls.filter(([name]) => !name.includes("parent")))(
    "throws under a parent that is done as well: %s",
    ([, type, call]) => {
      expect(() => call(AbortSignal.abort("over"))).toThrow(type);
    },
  );
});
