// Go's test/chan/select2: a select that loses on a quiet channel over and over leaves nothing there.
import { describe, expect, it } from "vitest";
import { macro } from "../../../../test/support.ts";
import { channel, never, select, sending } from "../../src/index.ts";
import { quiet } from "../support.ts";

const rounds = 40_000;

async function heapUsed(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await macro();
    globalThis.gc?.();
  }
  return process.memoryUsage().heapUsed;
}

/** Milliseconds of this process that have been spent, whatever else the machine does. */
function spent(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Milliseconds that each tenth of the rounds took. */
async function tenths(round: (i: number) => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let tenth = 0; tenth < 10; tenth++) {
    const start = spent();
    for (let i = 0; i < rounds / 10; i++) await round(i);
    times.push(spent() - start);
  }
  return times;
}

const unit = channel<number>();
const dummy = channel<number>();
const { signal } = new AbortController();

const shapes: Record<string, () => Promise<{ case: string; value: unknown }>> = {
  "a receive": () => select({ unit, dummy }),
  "a receive, listed first": () => select({ dummy, unit }, { order: "listed" }),
  "a send": () => select({ unit, dummy: sending(dummy, 1) }),
  both: () => select({ unit, dummy, offer: sending(dummy, 1) }),
  "a signal": () => select({ unit, dummy, signal }),
  "an option signal": () => select({ unit, dummy }, { signal }),
  never: () => select({ unit, never }),
};

/** Who is there first: the sender, as in Go's program, or the select, which then parks in each round. */
const courses = {
  "the sender waits": async (shape: () => Promise<{ value: unknown }>): Promise<number[]> => {
    const sender = (async () => {
      for (let i = 0; i < rounds; i++) await unit.send(i);
    })();
    const times = await tenths(shape);
    await sender;
    return times;
  },
  "the select waits": (shape: () => Promise<{ value: unknown }>): Promise<number[]> =>
    tenths(async (i) => {
      const picked = shape();
      if (!unit.trySend(i)) throw new Error("the select did not wait");
      const { value } = await picked;
      if (value !== i) throw new Error(`${i} was sent, and ${String(value)} received`);
    }),
};

describe("P-019 select2", () => {
  const every = Object.keys(shapes).flatMap((shape) =>
    Object.keys(courses).map((course) => [shape, course] as [string, keyof typeof courses]),
  );

  it.for(every)("leaves nothing behind where it loses: %s, %s", { timeout: 30_000 }, async ([shape, course]) => {
    const run = () => courses[course](shapes[shape] as () => Promise<{ value: unknown }>);
    expect(globalThis.gc, "needs --expose-gc").toBeTypeOf("function");
    await run();
    const before = await heapUsed();
    const times = await run();
    const after = await heapUsed();
    expect(after - before, "growth of the heap in bytes").toBeLessThan(1_000_000);
    expect([quiet(unit), quiet(dummy)]).toEqual([true, true]);

    // The fastest tenths are compared: those in which the collector did not run.
    const [early, late] = [Math.min(...times.slice(0, 5)), Math.min(...times.slice(5))];
    expect(late, `tenths: ${times.map(Math.round).join()} ms`).toBeLessThan(2 * early);
  });
});
