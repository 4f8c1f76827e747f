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

// One object, and the rare part of each function below in a function of its own: with variables of the module, or all in
// one place, this costs 25 % of an exchange through a buffer on Node 20, and so 4 %.
const pace = {
  /** Operations until the next look at the clock. */
  credit: MOST_BETWEEN_LOOKS,
  betweenLooks: MOST_BETWEEN_LOOKS,
  /** When the clock was looked at. */
  looked: 0,
  /** How often in this slice. */
  looks: 0,
  /** 0: no slice runs. */
  sliceEnd: 0,
  sliceOver: false,
};
let parked: unknown[] = []; // settle function, value, settle function, value, …
const nothing = Promise.resolve();

/** Calls `settle(value)`, a promise's resolve or reject function: now, or after the event loop had its turn. */
export function resume<V>(settle: (value: V) => void, value: V): void {
  if (--pace.credit >= 0) settle(value);
  else resumeOrPark(settle, value);
}

/** A promise of `undefined`: fulfilled already, or after the event loop had its turn. */
export function resumed(): Promise<void> {
  return --pace.credit >= 0 ? nothing : fulfilledOrParked(undefined);
}

/** The same with a result, which must not be a thenable. */
export function resumedWith<R extends object>(result: R): Promise<R> {
  return --pace.credit >= 0 ? Promise.resolve(result) : fulfilledOrParked(result);
}

/** A promise rejected already, or after the event loop had its turn: a loop that tries again and again must not stop it. */
export function rejectedWith(reason: unknown): Promise<never> {
  return --pace.credit >= 0 ? Promise.reject(reason) : rejectedOrParked(reason);
}

function resumeOrPark<V>(settle: (value: V) => void, value: V): void {
  if (isSliceOver()) parked.push(settle, value);
  else settle(value);
}

function fulfilledOrParked<R>(result: R): Promise<R> {
  return new Promise((resolve) => resumeOrPark(resolve, result));
}

function rejectedOrParked(reason: unknown): Promise<never> {
  return new Promise((_, reject) => resumeOrPark(reject, reason));
}

/** Calls `callback` in the next turn of the event loop. */
export function nextTurn(callback: () => void): void {
  requestTurn(callback);
}

function isSliceOver(): boolean {
  pace.credit = 0;
  if (pace.sliceOver) return true;
  const now = clock();
  if (pace.sliceEnd === 0) {
    pace.sliceEnd = now + SLICE;
    pace.looks = 0;
    // Two steps: Node runs immediates between I/O and timers, and a single one could come before a timer that is due.
    requestTurn(() => requestTurn(turn));
  } else if (now >= pace.sliceEnd || ++pace.looks === MOST_LOOKS) {
    pace.sliceOver = true;
    return true;
  }
  // Where the tasks do much between two operations, the clock is looked at more often.
  pace.betweenLooks =
    now - pace.looked > 1 ? Math.max(1, pace.betweenLooks >> 2) : Math.min(MOST_BETWEEN_LOOKS, pace.betweenLooks << 1);
  pace.looked = now;
  pace.credit = pace.betweenLooks;
  return false;
}

function turn(): void {
  const due = parked;
  parked = [];
  pace.sliceEnd = 0;
  pace.sliceOver = false;
  pace.credit = pace.betweenLooks;
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
