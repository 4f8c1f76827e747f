// What tests share: ways to let pending work run without sleeping, and a random generator one can replay.
// Runs in browsers too, so nothing here comes from Node.

// Captured at import, before a test installs fake timers.
const realSetImmediate: ((callback: () => void) => unknown) | undefined = (
  globalThis as { setImmediate?: (callback: () => void) => unknown }
).setImmediate;
const RealMessageChannel = globalThis.MessageChannel;

/** Lets microtasks run, `turns` rounds of them: enough for any chain of awaits that needs neither timer nor I/O. */
export async function settle(turns = 20): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await Promise.resolve();
}

/** Whether `promise` is still neither resolved nor rejected after {@link settle}. Counts as handling its rejection. */
export async function pending(promise: PromiseLike<unknown>): Promise<boolean> {
  let settled = false;
  const note = () => {
    settled = true;
  };
  promise.then(note, note);
  await settle();
  return !settled;
}

/** Waits for one turn of the macrotask queue, also while timers are faked: timers that are due and I/O get their turn. */
export function macro(): Promise<void> {
  return new Promise((resolve) => {
    if (realSetImmediate !== undefined) {
      realSetImmediate(resolve);
      return;
    }
    const { port1, port2 } = new RealMessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

export interface Random {
  /** A number in [0, 1). */
  (): number;
  /** An integer in [0, n). */
  int(n: number): number;
  /** A new array with the same elements in random order (Fisher-Yates). */
  shuffle<T>(values: readonly T[]): T[];
}

/** A random generator (mulberry32) that gives the same numbers for the same seed on every engine. */
export function seeded(seed: number): Random {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (n: number): number => Math.floor(next() * n);
  const shuffle = <T>(values: readonly T[]): T[] => {
    const shuffled = [...values];
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = int(last + 1);
      const value = shuffled[last] as T;
      shuffled[last] = shuffled[other] as T;
      shuffled[other] = value;
    }
    return shuffled;
  };
  return Object.assign(next, { int, shuffle });
}
