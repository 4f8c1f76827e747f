// What is on the heap: bytes of each, the peak of many tasks, what many selects leave.
import { expectCount } from "../expect.mjs";
import { channelPeers, each } from "../libraries/channels.mjs";
import { runners } from "./tasks.mjs";

/** Makes that many, and gives back what keeps them alive. */
const many = (make) => (n) => {
  const kept = new Array(n);
  for (let i = 0; i < n; i++) kept[i] = make(i);
  return kept;
};

const parked =
  ({ make, receive }) =>
  async (n) => {
    const ch = make(0);
    let woken = 0;
    const wait = async () => {
      await receive(ch);
      woken++;
    };
    for (let i = 0; i < n; i++) void wait();
    await new Promise((resolve) => setImmediate(resolve));
    expectCount(woken, 0);
    return [ch]; // in an array: some channels are thenables
  };

const effect = (name) => ({ effect: async () => (await import("../libraries/effect.mjs"))[name]() });

const selects = (lib) => {
  const idle = lib.make(0);
  const busy = lib.make(0);
  const pick = lib.selecting([idle, busy]);
  return async (n) => {
    for (let i = 0; i < n; i++) {
      const picking = pick();
      const sent = lib.send(busy, i);
      expectCount(lib.valueOf(await picking), i);
      await sent;
    }
    return [idle, busy];
  };
};

const memory = { kind: "bytes each", n: 100_000, rounds: 3 };

export const workloads = {
  "bytes of an idle channel": {
    ...memory,
    about: "a channel that nobody uses; the slot of the array that keeps it counts, too",
    go: true,
    cases: {
      ...each(["sluice", ...channelPeers], ({ make }) => many(() => make(0))),
      ...effect("idleQueues"),
    },
  },
  "bytes of an idle context": {
    ...memory,
    about: "a cancelable child context that nobody watches (10,000 with a listener each: adding them is quadratic)",
    go: true,
    sizes: { "AbortController + listener": 10_000 },
    cases: {
      sluice: async () => {
        const { background, withCancel } = await import("@sluice/context");
        const parent = withCancel(background);
        return many(() => withCancel(parent));
      },
      "AbortController + listener": async () => {
        const parent = new AbortController().signal;
        return many(() => {
          const child = new AbortController();
          parent.addEventListener("abort", () => child.abort(parent.reason), { once: true });
          return child;
        });
      },
      "AbortSignal.any": async () => {
        const parent = new AbortController();
        return many(() => AbortSignal.any([parent.signal, new AbortController().signal]));
      },
    },
  },
  "bytes of a parked receiver": {
    ...memory,
    about: "an async function that waits at a channel (1,000,000 of ours and of the floor's, 100,000 of the others)",
    n: 1_000_000,
    go: true,
    sizes: Object.fromEntries([...channelPeers, "effect", "Go, 1 core"].map((name) => [name, 100_000])),
    cases: {
      ...each(["floor", "sluice", ...channelPeers.filter((name) => name !== "@thi.ng/csp")], parked), // it allows 1,024
      ...effect("parkedFibers"),
    },
  },
  "bytes of a pending timer": {
    ...memory,
    about: "a receive from `after(60_000)` that waits; the floor: a promise and its setTimeout",
    cases: {
      floor: async () => many(() => new Promise((resolve) => void setTimeout(resolve, 60_000).unref())),
      sluice: async () => {
        const { after } = await import("@sluice/channels");
        return many(() => after(60_000).receive());
      },
    },
  },
  "bytes of a queued task": {
    ...memory,
    about: "a task that waits for its admission",
    cases: {
      sluice: async () => {
        const { Group } = await import("@sluice/errgroup");
        return (n) => {
          const g = new Group(undefined, { limit: 1 });
          void g.go(() => new Promise(() => {}));
          const task = async () => {};
          return [g, many(() => g.go(task))(n)];
        };
      },
      "p-limit": async () => {
        const { default: pLimit } = await import("p-limit");
        return async (n) => {
          const limit = pLimit(1);
          void limit(() => new Promise(() => {}));
          const task = async () => {};
          const kept = many(() => limit(task))(n);
          await new Promise((resolve) => setImmediate(resolve));
          return [limit, kept];
        };
      },
      "p-queue": async () => {
        const { default: PQueue } = await import("p-queue");
        return (n) => {
          const queue = new PQueue({ concurrency: 1 });
          void queue.add(() => new Promise(() => {}));
          const task = async () => {};
          return [queue, many(() => queue.add(task))(n)];
        };
      },
      fastq: async () => {
        const { default: fastq } = await import("fastq");
        return (n) => {
          const queue = fastq.promise(() => new Promise(() => {}), 1);
          return [queue, many((i) => queue.push(i))(n)];
        };
      },
    },
  },
  "peak heap of 1,000,000 tasks": {
    about: "what is alive at limit 10, at most: looked at after a collection in every 100,000th task",
    kind: "peak MB",
    n: 1_000_000,
    rounds: 3,
    cases: runners,
  },
  "heap after 1,000,000 selects": {
    about: "what selects that waited have left on a channel that is never ready",
    kind: "kept bytes",
    n: 1_000_000,
    rounds: 3,
    sizes: Object.fromEntries(channelPeers.map((name) => [name, 100_000])),
    cases: each(["sluice", ...channelPeers], selects),
  },
};
