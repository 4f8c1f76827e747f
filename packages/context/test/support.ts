// What the tests of this package share. Runs in browsers too.
import { vi } from "vitest";

/** A controller whose signal tells how many listeners it has. */
export function counted(): AbortController & { listeners: () => number } {
  const controller = new AbortController();
  const { signal } = controller;
  const added = vi.spyOn(signal, "addEventListener");
  const removed = vi.spyOn(signal, "removeEventListener");
  return Object.assign(controller, { listeners: () => added.mock.calls.length - removed.mock.calls.length });
}

/** A clock of our own, so that it can pass a deadline while no timer fires, as in a long busy loop. */
export function lateTimers(): { pass: (ms: number) => void; run: (ms: number) => void } {
  let time = 1_000;
  let step = 0;
  vi.spyOn(performance, "now").mockImplementation(() => (time += step));
  return {
    pass: (ms) => {
      time += ms;
    },
    /** From now on it moves by `ms` whenever it is read. */
    run: (ms) => {
      step = ms;
    },
  };
}

/** Catches what is reported as uncaught. */
export function uncaught(): unknown[] {
  const errors: unknown[] = [];
  vi.stubGlobal("reportError", (error: unknown) => errors.push(error));
  return errors;
}

/** What `action` throws. */
export function thrown(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
