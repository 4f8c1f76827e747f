// What the conformance tests share: when a task is parked, and every placement of its steps against another's.
import { macro } from "../../../../test/support.ts";
import { outcome } from "../support.ts";

/** Whether `promise` is still pending when everything else has come to rest. Counts as handling its rejection. */
export async function parked(promise: PromiseLike<unknown>): Promise<boolean> {
  return (await outcome(promise)).status === "pending";
}

/** Waits for `turns` microtasks; -1 is a turn of the macrotask queue. */
export async function yields(turns: number): Promise<void> {
  if (turns < 0) await macro();
  for (let turn = 0; turn < turns; turn++) await Promise.resolve();
}

/** Every way to put 0 to 5 microtasks before each of `steps` steps, and the one with a macrotask before each. */
export function* placements(steps: number): Generator<number[]> {
  const turns = new Array<number>(steps).fill(0);
  for (;;) {
    yield [...turns];
    let step = 0;
    while (step < steps && turns[step] === 5) turns[step++] = 0;
    if (step === steps) break;
    turns[step] = (turns[step] as number) + 1;
  }
  yield new Array<number>(steps).fill(-1);
}
