// The channel workloads in effect: generators, fibers and its Queue.
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Fiber from "effect/Fiber";
import * as Queue from "effect/Queue";
import * as Scope from "effect/Scope";
import { expectCount, expectSum } from "../expect.mjs";

const run = (program) => Effect.runPromise(program);

const sendAll = (queue, from, to, step) =>
  Effect.gen(function* () {
    for (let i = from; i < to; i += step) yield* Queue.offer(queue, i);
  });

const receiveSum = (queue, n) =>
  Effect.gen(function* () {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += yield* Queue.take(queue);
    return sum;
  });

export const exchange = (capacity) => (n) =>
  run(
    Effect.gen(function* () {
      const queue = yield* Queue.bounded(capacity);
      yield* Effect.forkChild(sendAll(queue, 0, n, 1));
      expectSum(yield* receiveSum(queue, n), n);
    }),
  );

export const pingPong = () => (n) =>
  run(
    Effect.gen(function* () {
      const there = yield* Queue.bounded(0);
      const back = yield* Queue.bounded(0);
      yield* Effect.forkChild(
        Effect.gen(function* () {
          for (let i = 0; i < n; i++) yield* Queue.offer(back, yield* Queue.take(there));
        }),
      );
      let sum = 0;
      for (let i = 0; i < n; i++) {
        yield* Queue.offer(there, i);
        sum += yield* Queue.take(back);
      }
      expectSum(sum, n);
    }),
  );

export const fanIn = (width) => (n) =>
  run(
    Effect.gen(function* () {
      const queue = yield* Queue.bounded(0);
      for (let i = 0; i < width; i++) yield* Effect.forkChild(sendAll(queue, i, n, width));
      expectSum(yield* receiveSum(queue, n), n);
    }),
  );

export const fanOut = (width) => (n) =>
  run(
    Effect.gen(function* () {
      const queue = yield* Queue.bounded(0);
      let sum = 0;
      yield* Effect.forkChild(sendAll(queue, 0, n, 1));
      yield* Effect.forEach(
        Array.from({ length: width }, (_, i) => Math.ceil((n - i) / width)),
        (share) => Effect.map(receiveSum(queue, share), (part) => void (sum += part)),
        { concurrency: "unbounded", discard: true },
      );
      expectSum(sum, n);
    }),
  );

/** It has no select: takes that race, of which the losers are interrupted. */
export const selectReady = (width) => (n) =>
  run(
    Effect.gen(function* () {
      const queues = [];
      for (let i = 0; i < width; i++) queues.push(yield* Queue.bounded(0));
      const fibers = queues.map((queue) => sendAll(queue, 0, Infinity, 1));
      for (const fiber of fibers) yield* Effect.forkChild(fiber);
      const next = new Array(width).fill(0);
      const takes = queues.map((queue, index) => Effect.map(Queue.take(queue), (value) => ({ index, value })));
      for (let i = 0; i < n; i++) {
        const { index, value } = yield* Effect.raceAllFirst(takes);
        expectCount(value, next[index]++);
      }
    }),
  );

/** Through queues of 1: at capacity 0 a chain of some length stops, since a take that waits is not always woken. */
export const daisy = () => (n) =>
  run(
    Effect.gen(function* () {
      const last = yield* Queue.bounded(1);
      let left = last;
      for (let i = 0; i < n; i++) {
        const right = yield* Queue.bounded(1);
        const to = left;
        yield* Effect.forkChild(Effect.flatMap(Queue.take(right), (value) => Queue.offer(to, value + 1)));
        left = right;
      }
      yield* Effect.forkChild(Queue.offer(left, 0));
      expectCount(yield* Queue.take(last), n);
    }),
  );

export const tasks = (limit) => async (n, sample) => {
  let count = 0;
  function* numbers() {
    for (let i = 0; i < n; i++) yield i;
  }
  const task = Effect.promise(async () => {
    if (++count % 100_000 === 100) sample?.();
  });
  await run(Effect.forEach(numbers(), () => task, { concurrency: limit, discard: true }));
  expectCount(count, n);
};

export const parked = () => (n) =>
  run(
    Effect.gen(function* () {
      const queue = yield* Queue.unbounded();
      let sum = 0;
      const take = Effect.map(Queue.take(queue), (value) => void (sum += value));
      const takes = Array.from({ length: n }, () => take);
      const all = yield* Effect.forkChild(
        Effect.forEach(takes, (each) => each, { concurrency: "unbounded", discard: true }),
      );
      yield* Effect.yieldNow; // all have parked
      for (let i = 0; i < n; i++) Queue.offerUnsafe(queue, i);
      yield* Fiber.join(all);
      expectSum(sum, n);
    }),
  );

/** Fibers that wait for a value; what is returned keeps them. */
export const parkedFibers = () => async (n) => {
  const queue = await run(Queue.unbounded());
  for (let i = 0; i < n; i++) Effect.runFork(Queue.take(queue));
  return queue;
};

export const idleQueues = () => (n) => Promise.all(Array.from({ length: n }, () => run(Queue.bounded(1))));

export const scopes = () => async () => {
  const parent = await run(Scope.make());
  return (n) => {
    for (let i = 0; i < n; i++) Effect.runSync(Scope.close(Scope.forkUnsafe(parent), Exit.void));
  };
};

export const sieve = () => (count) =>
  run(
    Effect.gen(function* () {
      let source = yield* Queue.bounded(0);
      yield* Effect.forkChild(sendAll(source, 2, Infinity, 1));
      let prime = 0;
      for (let i = 0; i < count; i++) {
        prime = yield* Queue.take(source);
        const from = source;
        const to = yield* Queue.bounded(0);
        const by = prime;
        yield* Effect.forkChild(
          Effect.gen(function* () {
            for (;;) {
              const value = yield* Queue.take(from);
              if (value % by !== 0) yield* Queue.offer(to, value);
            }
          }),
        );
        source = to;
      }
      return prime;
    }),
  );
