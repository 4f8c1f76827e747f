// The floor: the least that JavaScript needs for the same shape, written by hand. No closing, no cancellation, no
// fairness to timers, no checks, no select of more than what is asked.
import { expectSum } from "../expect.mjs";

/** What a party awaits that need not wait. One promise for all: `await undefined` would make one each time. */
export const accepted = Promise.resolve();

/** A ring that doubles when it is full. */
class Fifo {
  length = 0;
  #values = [];
  #head = 0;

  push(value) {
    if (this.length === this.#values.length) this.#grow();
    this.#values[(this.#head + this.length++) & (this.#values.length - 1)] = value;
  }

  shift() {
    const value = this.#values[this.#head];
    this.#values[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#values.length - 1);
    this.length--;
    return value;
  }

  #grow() {
    const old = this.#values;
    this.#values = new Array(Math.max(4, old.length * 2));
    for (let i = 0; i < old.length; i++) this.#values[i] = old[(this.#head + i) & (old.length - 1)];
    this.#head = 0;
  }
}

/** A bare channel of bare promises. What it holds is made on first use: a chain of channels would pay for it. */
class Bare {
  #capacity;
  #buffer;
  #receivers;
  #senders; // resolve, value, resolve, value, …
  #ended = false;

  constructor(capacity) {
    this.#capacity = capacity;
  }

  send(value) {
    if (this.#receivers !== undefined && this.#receivers.length > 0) {
      this.#receivers.shift()({ done: false, value });
      return accepted;
    }
    if (this.#capacity > 0) {
      this.#buffer ??= new Fifo();
      if (this.#buffer.length < this.#capacity) {
        this.#buffer.push(value);
        return accepted;
      }
    }
    const senders = (this.#senders ??= new Fifo());
    return new Promise((resolve) => {
      senders.push(resolve);
      senders.push(value);
    });
  }

  receive() {
    const senders = this.#senders;
    const buffer = this.#buffer;
    if (buffer !== undefined && buffer.length > 0) {
      const value = buffer.shift();
      if (senders !== undefined && senders.length > 0) {
        senders.shift()();
        buffer.push(senders.shift());
      }
      return Promise.resolve({ done: false, value });
    }
    if (senders !== undefined && senders.length > 0) {
      senders.shift()();
      return Promise.resolve({ done: false, value: senders.shift() });
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    const receivers = (this.#receivers ??= new Fifo());
    return new Promise((resolve) => receivers.push(resolve));
  }

  end() {
    this.#ended = true;
    while (this.#receivers?.length > 0) this.#receivers.shift()({ done: true, value: undefined });
  }

  next() {
    return this.receive();
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}

/** In the shape of the other libraries of channels. */
export const bare = {
  make: (capacity) => new Bare(capacity),
  send: (ch, value) => ch.send(value),
  receive: (ch) => ch.receive(),
  read: (received) => received.value,
  close: (ch) => ch.end(),
  iterate: (ch) => ch,
};

/** One party parks on a promise, the other wakes it: the shape of one hand-over. */
export async function parkAndWake(n) {
  let wake = () => {};
  let sum = 0;
  const woken = (async () => {
    for (let i = 0; i < n; i++) sum += await new Promise((resolve) => (wake = resolve));
  })();
  for (let i = 0; i < n; i++) {
    wake(i);
    await accepted;
  }
  await woken;
  expectSum(sum, n);
}

/** Two parties that wake each other in turn. */
export async function roundTrip(n) {
  let wakePing = () => {};
  let wakePong = () => {};
  let sum = 0;
  const pong = (async () => {
    for (let i = 0; i < n; i++) {
      const value = await new Promise((resolve) => (wakePong = resolve));
      wakePing(value);
    }
  })();
  for (let i = 0; i < n; i++) {
    const back = new Promise((resolve) => (wakePing = resolve));
    wakePong(i);
    sum += await back;
  }
  await pong;
  expectSum(sum, n);
}

export async function awaitResolved(n) {
  const resolved = Promise.resolve(1);
  let count = 0;
  for (let i = 0; i < n; i++) count += await resolved;
  if (count !== n) throw new Error(`${count} of ${n}`);
}
