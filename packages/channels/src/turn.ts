/**
 * Gives the event loop its turn in long busy loops, as Go preempts goroutines after 10 ms.
 *
 * Two tasks that exchange values wake each other by promises alone, and promises go before timers and I/O: without
 * this, a deadline would not fire during a million exchanges. So a burst of operations asks the event loop for a turn,
 * goes on for one slice of time, and then every task that an operation would let go on waits for that turn. The
 * operations themselves are not held up: a value is handed over at once, only its receiver continues a little later.
 *
 * Invariants, true whenever no function runs:
 * T1  `parked` is empty unless the slice is over, and then a turn has been asked for.
 * T2  All that wait go on together, in the order in which they were to: no task gets a smaller share.
 */

/** How long tasks may keep the event loop waiting, in milliseconds. */
const SLICE = 10;
/** Looking at the clock costs a quarter of a hand-over, so it is looked at once in this many operations at most. */
const MOST_BETWEEN_LOOKS = 64;
/** A slice is over after this many looks, too: the clock may be coarse, or a fake that stands still. */
const MOST_LOOKS = 1024;

// Taken when the module is loaded: a test that fakes time must not stop the turn.
const clock = performance.now.bind(performance);
const requestTurn = macrotask();

let sliceEnd = 0; // 0: no slice runs
let sliceOver = false;
let looks = 0; // in this slice
let looked = 0; // when
let betweenLooks = MOST_BETWEEN_LOOKS;
let credit = MOST_BETWEEN_LOOKS; // operations until the next look at the clock
let parked: unknown[] = []; // settle function, value, settle function, value, …
const nothing = Promise.resolve();

/** Calls `settle(value)`, a promise's resolve or reject function: now, or after the event loop had its turn. */
export function resume<V>(settle: (value: V) => void, value: V): void {
  if (--credit < 0 && isSliceOver()) parked.push(settle, value);
  else settle(value);
}

/** A promise of `undefined`: fulfilled already, or after the event loop had its turn. */
export function resumed(): Promise<void> {
  return --credit < 0 && isSliceOver() ? later(undefined) : nothing;
}

/** The same with a result, which must not be a thenable. */
export function resumedWith<R extends object>(result: R): Promise<R> {
  return --credit < 0 && isSliceOver() ? later(result) : Promise.resolve(result);
}

/** A promise rejected already, or after the event loop had its turn: a loop that tries again and again must not stop it. */
export function rejectedWith(reason: unknown): Promise<never> {
  return --credit < 0 && isSliceOver() ? laterRejected(reason) : Promise.reject(reason);
}

// Apart from the functions above, which would otherwise allocate for a closure that they hardly ever make.

function later<R>(result: R): Promise<R> {
  return new Promise((resolve) => void parked.push(resolve, result));
}

function laterRejected(reason: unknown): Promise<never> {
  return new Promise((_, reject) => void parked.push(reject, reason));
}

/** Calls `callback` in the next turn of the event loop. */
export function nextTurn(callback: () => void): void {
  requestTurn(callback);
}

function isSliceOver(): boolean {
  credit = 0;
  if (sliceOver) return true;
  const now = clock();
  if (sliceEnd === 0) {
    sliceEnd = now + SLICE;
    looks = 0;
    // Two steps: Node runs immediates between I/O and timers, and a single one could come before a timer that is due.
    requestTurn(() => requestTurn(turn));
  } else if (now >= sliceEnd || ++looks === MOST_LOOKS) {
    sliceOver = true;
    return true;
  }
  // Where the tasks do much between two operations, the clock is looked at more often.
  betweenLooks = now - looked > 1 ? Math.max(1, betweenLooks >> 2) : Math.min(MOST_BETWEEN_LOOKS, betweenLooks << 1);
  looked = now;
  credit = betweenLooks;
  return false;
}

function turn(): void {
  const due = parked;
  parked = [];
  sliceEnd = 0;
  sliceOver = false;
  credit = betweenLooks;
  for (let i = 0; i < due.length; i += 2) (due[i] as (value: unknown) => void)(due[i + 1]); // keeps T2
}

/** The cheapest way to a later turn of the event loop that is not a fake and lets timers and I/O go first. */
function macrotask(): (callback: () => void) => void {
  const host = globalThis as { setImmediate?: ((callback: () => void) => void) & { clock?: unknown } };
  const { setImmediate, setTimeout } = globalThis as typeof globalThis & typeof host;
  if (setImmediate !== undefined && setImmediate.clock === undefined) return (callback) => setImmediate(callback);
  if (typeof MessageChannel === "undefined") return (callback) => void setTimeout(callback, 0);
  return (callback) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close(); // an open port would keep a process alive
      callback();
    };
    port2.postMessage(undefined);
  };
}
