// The floor: the least that JavaScript needs for the same shape, written by hand. No closing, no cancellation, no
// fairness to timers, no checks, no select of more than what is asked.
import { expectSum } from "../expect.mjs";

const accepted = Promise.resolve();

/** A queue without holes: what is shifted is forgotten once half of it is. */
class Fifo {
  #values = [];
  #head = 0;

  get length() {
    return this.#values.length - this.#head;
  }

  push(value) {
    this.#values.push(value);
  }

  shift() {
    const value = this.#values[this.#head];
    this.#values[this.#head++] = undefined;
    if (this.#head === this.#values.length) {
      this.#values.length = 0;
      this.#head = 0;
    } else if (this.#head === 1024) {
      this.#values.splice(0, 1024);
      this.#head = 0;
    }
    return value;
  }
}

/** A bare channel of bare promises. */
class Bare {
  #capacity;
  #buffer = new Fifo();
  #receivers = new Fifo();
  #senders = new Fifo(); // resolve, value, resolve, value, …
  #parkReceiver = (resolve) => this.#receivers.push(resolve);
  #ended = false;

  constructor(capacity) {
    this.#capacity = capacity;
  }

  send(value) {
    if (this.#receivers.length > 0) {
      this.#receivers.shift()({ done: false, value });
      return accepted;
    }
    if (this.#buffer.length < this.#capacity) {
      this.#buffer.push(value);
      return accepted;
    }
    return new Promise((resolve) => {
      this.#senders.push(resolve);
      this.#senders.push(value);
    });
  }

  receive() {
    if (this.#buffer.length > 0) {
      const value = this.#buffer.shift();
      if (this.#senders.length > 0) {
        this.#senders.shift()();
        this.#buffer.push(this.#senders.shift());
      }
      return Promise.resolve({ done: false, value });
    }
    if (this.#senders.length > 0) {
      this.#senders.shift()();
      return Promise.resolve({ done: false, value: this.#senders.shift() });
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise(this.#parkReceiver);
  }

  end() {
    this.#ended = true;
    while (this.#receivers.length > 0) this.#receivers.shift()({ done: true, value: undefined });
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
    await undefined;
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
