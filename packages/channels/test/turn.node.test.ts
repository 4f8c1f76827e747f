// The pause for the event loop in a copy of the package that was loaded in other surroundings.
import { afterEach, expect, it, vi } from "vitest";
import { macro } from "../../../test/support.ts";

const now = performance.now.bind(performance);

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  vi.resetModules();
});

function without(...names: string[]): () => void {
  return () => {
    for (const name of names) vi.stubGlobal(name, undefined);
  };
}

const surroundings: readonly [name: string, prepare: () => void, tidy: () => void][] = [
  ["as they are", () => {}, () => {}],
  ["without setImmediate", without("setImmediate"), () => vi.unstubAllGlobals()],
  ["without MessageChannel", without("MessageChannel"), () => vi.unstubAllGlobals()],
  ["with setTimeout alone", without("setImmediate", "MessageChannel"), () => vi.unstubAllGlobals()],
  ["with fake timers", () => void vi.useFakeTimers(), () => {}],
  [
    "with fake timers and real performance",
    () => void vi.useFakeTimers({ toFake: ["setTimeout", "setImmediate", "Date"] }),
    () => {},
  ],
  ["with fake timers that are gone afterwards", () => void vi.useFakeTimers(), () => void vi.useRealTimers()],
];

it.for(surroundings)(
  "a busy loop gives the event loop its turn in a copy loaded in surroundings %s",
  async ([, prepare, tidy]) => {
    vi.resetModules();
    prepare();
    const { channel } = await import("../src/index.ts");
    tidy();
    const ch = channel<number>(1);
    let turned = false;
    void macro().then(() => (turned = true));
    const end = now() + 500;
    let received = 0;
    while (!turned && now() < end) {
      await ch.send(received);
      if ((await ch.receive()).value === received) received++;
    }
    expect(turned).toBe(true);
    expect(received).toBeGreaterThan(0);
  },
);
