// Values from task to task: one pair, many to one, one to many, around, along a chain.
import { expectCount, expectSum } from "../expect.mjs";
import { channelPeers, each } from "../libraries/channels.mjs";
import { accepted, awaitResolved, bare, parkAndWake, roundTrip } from "../libraries/floor.mjs";

const all = ["sluice", ...channelPeers];

const exchange =
  (capacity) =>
  ({ make, send, receive, read }) =>
  async (n) => {
    const ch = make(capacity);
    const producer = (async () => {
      for (let i = 0; i < n; i++) await send(ch, i);
    })();
    let sum = 0;
    for (let i = 0; i < n; i++) sum += read(await receive(ch));
    await producer;
    expectSum(sum, n);
  };

/** The same, waiting only where there is need. */
const exchangeByTries =
  (capacity) =>
  ({ make, send, receive, read, trySend, tryReceive }) =>
  async (n) => {
    const ch = make(capacity);
    const producer = (async () => {
      for (let i = 0; i < n; i++) trySend(ch, i) || (await send(ch, i));
    })();
    let sum = 0;
    for (let i = 0; i < n; i++) sum += read(tryReceive(ch) ?? (await receive(ch)));
    await producer;
    expectSum(sum, n);
  };

const pingPong =
  ({ make, send, receive, read }) =>
  async (n) => {
    const there = make(0);
    const back = make(0);
    const pong = (async () => {
      for (let i = 0; i < n; i++) await send(back, read(await receive(there)));
    })();
    let sum = 0;
    for (let i = 0; i < n; i++) {
      await send(there, i);
      sum += read(await receive(back));
    }
    await pong;
    expectSum(sum, n);
  };

const pingPongByTries =
  ({ make, send, receive, read, trySend, tryReceive }) =>
  async (n) => {
    const there = make(0);
    const back = make(0);
    const pong = (async () => {
      for (let i = 0; i < n; i++) {
        const value = read(tryReceive(there) ?? (await receive(there)));
        trySend(back, value) || (await send(back, value));
      }
    })();
    let sum = 0;
    for (let i = 0; i < n; i++) {
      trySend(there, i) || (await send(there, i));
      sum += read(tryReceive(back) ?? (await receive(back)));
    }
    await pong;
    expectSum(sum, n);
  };

const forAwait =
  (capacity) =>
  ({ make, send, close, iterate }) =>
  async (n) => {
    const ch = make(capacity);
    void (async () => {
      for (let i = 0; i < n; i++) await send(ch, i);
      close(ch);
    })();
    await consume(iterate(ch), n);
  };

async function consume(source, n) {
  let sum = 0;
  let count = 0;
  for await (const value of source) {
    sum += value;
    if (++count === n) break;
  }
  expectSum(sum, n);
}

const fanIn =
  (width) =>
  ({ make, send, receive, read }) =>
  async (n) => {
    const ch = make(0);
    const produce = async (from) => {
      for (let i = from; i < n; i += width) await send(ch, i);
    };
    const producers = Array.from({ length: width }, (_, i) => produce(i));
    let sum = 0;
    for (let i = 0; i < n; i++) sum += read(await receive(ch));
    await Promise.all(producers);
    expectSum(sum, n);
  };

const fanOut =
  (width) =>
  ({ make, send, receive, read }) =>
  async (n) => {
    const ch = make(0);
    let sum = 0;
    const consumers = Array.from({ length: width }, async (_, index) => {
      for (let i = index; i < n; i += width) {
        const value = read(await receive(ch));
        sum += value;
      }
    });
    for (let i = 0; i < n; i++) await send(ch, i);
    await Promise.all(consumers);
    expectSum(sum, n);
  };

const manyToMany =
  (width, capacity) =>
  ({ make, send, receive, read }) =>
  async (n) => {
    const ch = make(capacity);
    let sum = 0;
    const producers = Array.from({ length: width }, async (_, index) => {
      for (let i = index; i < n; i += width) await send(ch, i);
    });
    const consumers = Array.from({ length: width }, async (_, index) => {
      for (let i = index; i < n; i += width) {
        const value = read(await receive(ch));
        sum += value;
      }
    });
    await Promise.all([...producers, ...consumers]);
    expectSum(sum, n);
  };

/** One task alone: sends, then receives. */
const alone =
  ({ make, send, receive, read }) =>
  async (n) => {
    const ch = make(1);
    let sum = 0;
    for (let i = 0; i < n; i++) {
      await send(ch, i);
      sum += read(await receive(ch));
    }
    expectSum(sum, n);
  };

const daisy =
  ({ make, send, receive, read }) =>
  async (n) => {
    const pass = async (left, right) => {
      const value = read(await receive(right));
      await send(left, value + 1);
    };
    const last = make(0);
    let left = last;
    for (let i = 0; i < n; i++) {
      const right = make(0);
      void pass(left, right);
      left = right;
    }
    void send(left, 0);
    expectCount(read(await receive(last)), n);
  };

// The last prime, where its size is known: what the others left over is garbage.
const primes = new Map([
  [20, 71],
  [100, 541],
  [2_000, 17_389],
]);

const sieve =
  ({ make, send, receive, read }) =>
  async (count) => {
    let stop = false;
    const filter = async (from, to, prime) => {
      while (!stop) {
        const value = read(await receive(from));
        if (value % prime !== 0) await send(to, value);
      }
    };
    let source = make(0);
    void (async (to) => {
      for (let i = 2; !stop; i++) await send(to, i);
    })(source);
    let prime = 0;
    for (let i = 0; i < count; i++) {
      prime = read(await receive(source));
      const to = make(0);
      void filter(source, to, prime);
      source = to;
    }
    stop = true;
    if (primes.has(count)) expectCount(prime, primes.get(count));
  };

const sieveByTries =
  ({ make, send, receive, read, trySend, tryReceive }) =>
  async (count) => {
    let stop = false;
    const filter = async (from, to, prime) => {
      while (!stop) {
        const value = read(tryReceive(from) ?? (await receive(from)));
        if (value % prime !== 0) trySend(to, value) || (await send(to, value));
      }
    };
    let source = make(0);
    void (async (to) => {
      for (let i = 2; !stop; i++) trySend(to, i) || (await send(to, i));
    })(source);
    let prime = 0;
    for (let i = 0; i < count; i++) {
      prime = read(tryReceive(source) ?? (await receive(source)));
      const to = make(0);
      void filter(source, to, prime);
      source = to;
    }
    stop = true;
    if (primes.has(count)) expectCount(prime, primes.get(count));
  };

/** Cases of streams, which have no channel: they take part in `for await` alone. */
const streams = (capacity) => ({
  async "@repeaterjs/repeater"() {
    const { FixedBuffer, Repeater } = await import("@repeaterjs/repeater");
    return (n) =>
      consume(
        new Repeater(
          async (push, stop) => {
            for (let i = 0; i < n; i++) await push(i);
            stop();
          },
          capacity === 0 ? undefined : new FixedBuffer(capacity),
        ),
        n,
      );
  },
  async PassThrough() {
    const { PassThrough } = await import("node:stream");
    const { once } = await import("node:events");
    return async (n) => {
      const stream = new PassThrough({ objectMode: true, highWaterMark: Math.max(1, capacity) });
      void (async () => {
        for (let i = 0; i < n; i++) stream.write(i) || (await once(stream, "drain"));
        stream.end();
      })();
      await consume(stream, n);
    };
  },
  TransformStream: async () => async (n) => {
    const { readable, writable } = new TransformStream(undefined, { highWaterMark: Math.max(1, capacity) });
    void (async () => {
      const writer = writable.getWriter();
      for (let i = 0; i < n; i++) {
        await writer.ready;
        void writer.write(i);
      }
      await writer.close();
    })().catch(() => {}); // leaving the loop cancels the stream
    await consume(readable, n);
  },
});

/** Queues without back-pressure, fed so that few values wait: filled first, effection is quadratic. */
const queues = {
  async "it-pushable"() {
    const { pushable } = await import("it-pushable");
    return async (n) => {
      const source = pushable({ objectMode: true });
      void (async () => {
        for (let i = 0; i < n; i++) {
          source.push(i);
          await accepted; // the consumer's turn
        }
        source.end();
      })();
      await consume(source, n);
    };
  },
  async effection() {
    const { createQueue, run, spawn, until } = await import("effection");
    return (n) =>
      run(function* () {
        const queue = createQueue();
        let sum = 0;
        void (yield* spawn(function* () {
          for (let i = 0; i < n; i++) {
            queue.add(i);
            if (i % 16 === 15) yield* until(accepted); // the consumer's turn
          }
        }));
        for (let i = 0; i < n; i++) sum += (yield* queue.next()).value;
        expectSum(sum, n);
      });
  },
};

const inEffect = (name, ...args) => ({ effect: async () => (await import("../libraries/effect.mjs"))[name](...args) });
const byTries = (workload) => {
  const { sluice } = each(["sluice"], workload);
  return { "sluice, try or await": sluice };
};
const floor = (run) => ({ floor: async () => run });
const core = ["floor", "sluice", "sluice, try or await"];

export const workloads = {
  unbuffered: {
    about: "one producer, one consumer, no buffer; the floor: one party parks on a promise, the other wakes it",
    n: 100_000,
    go: true,
    engines: [...core, "medium", "@thi.ng/csp"],
    cases: {
      ...floor(parkAndWake),
      ...each(["sluice"], exchange(0)),
      ...byTries(exchangeByTries(0)),
      ...each(["sluice, no turns", ...channelPeers], exchange(0)),
      ...inEffect("exchange", 0),
    },
  },
  "buffered 16": {
    about: "the same through a buffer of 16; the floor: a hand-written buffer of promises",
    n: 100_000,
    go: true,
    engines: [...core, "@thi.ng/csp"],
    cases: {
      ...each(["floor", "sluice"], exchange(16)),
      ...byTries(exchangeByTries(16)),
      "await alone": async () => awaitResolved,
      ...each(["sluice, no turns", ...channelPeers], exchange(16)),
      ...inEffect("exchange", 16),
    },
  },
  "buffered 1,024": {
    about: "the same through a buffer of 1,024",
    n: 100_000,
    go: true,
    cases: {
      ...each(["floor", "sluice"], exchange(1024)),
      ...byTries(exchangeByTries(1024)),
      "await alone": async () => awaitResolved,
      ...each(channelPeers, exchange(1024)),
      ...inEffect("exchange", 1024),
    },
  },
  "ping-pong": {
    about: "a value goes there and back; per round trip",
    n: 50_000,
    go: true,
    engines: core,
    cases: {
      ...floor(roundTrip),
      ...each(["sluice"], pingPong),
      ...byTries(pingPongByTries),
      ...each(["sluice, no turns", ...channelPeers], pingPong),
      ...inEffect("pingPong"),
    },
  },
  alone: {
    about: "one task sends to a buffer of 1 and receives from it; per value",
    n: 100_000,
    cases: each(
      ["floor", ...all.filter((name) => name !== "@thi.ng/csp")], // its write waits for the read
      alone,
    ),
  },
  "for await 0": {
    about: "`for await` over an unbuffered channel",
    n: 100_000,
    cases: {
      ...each(
        ["floor", ...all.filter((name) => name !== "medium")], // it has no iterator
        forAwait(0),
      ),
      ...streams(0),
    },
  },
  "for await 16": {
    about: "`for await` over a channel with a buffer of 16 (it-pushable and effection have no bound)",
    n: 100_000,
    engines: core,
    cases: {
      ...each(
        ["floor", "sluice", "sluice, no turns", ...channelPeers.filter((name) => name !== "medium")],
        forAwait(16),
      ),
      ...streams(16),
      ...queues,
    },
  },
  "fan-in 100": {
    about: "100 producers, one consumer, no buffer",
    n: 100_000,
    go: true,
    engines: core,
    cases: { ...each(["floor", "sluice, no turns", ...all], fanIn(100)), ...inEffect("fanIn", 100) },
  },
  "fan-out 100": {
    about: "one producer, 100 consumers, no buffer",
    n: 100_000,
    go: true,
    cases: { ...each(["floor", ...all], fanOut(100)), ...inEffect("fanOut", 100) },
  },
  "many to many": {
    about: "8 producers, 8 consumers, a buffer of 64",
    n: 100_000,
    cases: each(["floor", ...all], manyToMany(8, 64)),
  },
  "daisy chain": {
    about: "a value along 100,000 tasks and channels, made on the way; per link",
    n: 100_000,
    go: true,
    cases: { ...each(["floor", ...all], daisy), ...inEffect("daisy") },
  },
  "prime sieve": {
    about: "a chain of filters until the 2,000th prime",
    n: 2_000,
    warmN: 100,
    whole: true,
    go: true,
    cases: {
      floor: async () => sieve(bare),
      ...each(["sluice"], sieve),
      ...byTries(sieveByTries),
      ...each(channelPeers, sieve),
      ...inEffect("sieve"),
    },
  },
};
