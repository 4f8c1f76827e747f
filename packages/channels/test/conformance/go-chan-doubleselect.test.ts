// Go's test/chan/doubleselect: one select with four send cases, and the four ends meet again in one channel.
import { describe, expect, it } from "vitest";
import { macro } from "../../../../test/support.ts";
import type { Channel } from "../../src/index.ts";
import { channel, select, sending } from "../../src/index.ts";

interface Course {
  /** What main received, in order. */
  received: number[];
  /** What each mux forwarded, in order. */
  forwarded: number[][];
  /** How often each case was picked, as the sender saw it. */
  picked: number[];
  closed: boolean;
}

/** Runs the program with `n` values to its very end; `pause` is awaited by a mux after each value it forwarded. */
async function run(n: number, pause: (count: number) => Promise<void> | undefined): Promise<Course> {
  const inputs = [channel<number>(), channel<number>(), channel<number>(), channel<number>()] as const;
  const out = channel<number>();
  const done = channel<void>();
  const picked = [0, 0, 0, 0];

  const sender = async () => {
    for (let i = 0; i < n; i++) {
      const { case: index } = await select([
        sending(inputs[0], i),
        sending(inputs[1], i),
        sending(inputs[2], i),
        sending(inputs[3], i),
      ]);
      picked[index] = (picked[index] ?? 0) + 1;
    }
    for (const input of inputs) input.close();
  };
  const mux = async (input: Channel<number>, values: number[]) => {
    for await (const value of input) {
      values.push(value);
      await out.send(value);
      await pause(values.length);
    }
    await done.send();
  };
  const closer = async () => {
    for (let i = 0; i < inputs.length; i++) await done.receive();
    out.close();
  };

  const forwarded: number[][] = inputs.map(() => []);
  const tasks = [sender(), closer(), ...inputs.map((input, i) => mux(input, forwarded[i] as number[]))];
  const received: number[] = [];
  for await (const value of out) received.push(value);
  await Promise.all(tasks);
  return { received, forwarded, picked, closed: out.closed };
}

/** What may not be in a run of `n` values, found in `course`. */
function faults({ received, forwarded, picked, closed }: Course, n: number): string[] {
  const found: string[] = [];
  const times = new Array<number>(n).fill(0);
  for (const value of received) times[value] = (times[value] ?? NaN) + 1;
  const wrong = times.findIndex((count) => count !== 1);
  if (wrong >= 0) found.push(`${wrong} was received ${times[wrong]} times`);
  if (received.length !== n) found.push(`${received.length} values were received`);
  forwarded.forEach((values, mux) => {
    if (values.length !== picked[mux])
      found.push(`case ${mux} was picked ${picked[mux]}, mux ${mux} got ${values.length}`);
    if (values.some((value, i) => i > 0 && value <= (values[i - 1] as number)))
      found.push(`mux ${mux} is out of order`);
    if (values.length < n / 8) found.push(`mux ${mux} got ${values.length} values only`);
  });
  if (!closed) found.push("out is not closed");
  return found;
}

describe("P-001 doubleselect", () => {
  const n = 20_000;

  it("commits one case of each select: nothing arrives twice, nothing is lost, every mux gets its share", async () => {
    const course = await run(n, () => undefined);
    expect(faults(course, n)).toEqual([]);
    expect(course.forwarded).toHaveLength(4);
  });

  it("does so when receivers are sometimes parked and sometimes not", { timeout: 20_000 }, async () => {
    const course = await run(n, (count) => (count % 7 === 0 ? macro() : undefined));
    expect(faults(course, n)).toEqual([]);
    expect(course.forwarded).toHaveLength(4);
  });
});
