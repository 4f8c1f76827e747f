// Many tasks, ten at a time.
import { expectCount } from "../expect.mjs";

const LIMIT = 10;

/** `sample`, where the heap is measured, is called now and then from within a task. */
const counting = (sample) => {
  const counter = { count: 0 };
  const task = async () => {
    if (++counter.count % 100_000 === 100) sample?.();
  };
  return { counter, task };
};

export const runners = {
  /** Ten loops over one counter: no queue, no errors. */
  floor: async () => async (n, sample) => {
    const { counter, task } = counting(sample);
    let next = 0;
    await Promise.all(
      Array.from({ length: LIMIT }, async () => {
        while (next++ < n) await task();
      }),
    );
    expectCount(counter.count, n);
  },

  sluice: async () => {
    const { Group } = await import("@sluice/errgroup");
    return async (n, sample) => {
      const { counter, task } = counting(sample);
      const g = new Group(undefined, { limit: LIMIT });
      for (let i = 0; i < n; i++) await g.go(task);
      await g.wait();
      expectCount(counter.count, n);
    };
  },

  "sluice, try or await": async () => {
    const { Group } = await import("@sluice/errgroup");
    return async (n, sample) => {
      const { counter, task } = counting(sample);
      const g = new Group(undefined, { limit: LIMIT });
      for (let i = 0; i < n; i++) g.tryGo(task) || (await g.go(task));
      await g.wait();
      expectCount(counter.count, n);
    };
  },

  "sluice, forEach": async () => {
    const { background } = await import("@sluice/context");
    const { forEach } = await import("@sluice/errgroup");
    return async (n, sample) => {
      const { counter, task } = counting(sample);
      await forEach(background, numbers(n), task, { limit: LIMIT });
      expectCount(counter.count, n);
    };
  },

  "p-limit": async () => {
    const { default: pLimit } = await import("p-limit");
    return async (n, sample) => {
      const { counter, task } = counting(sample);
      const limit = pLimit(LIMIT);
      await Promise.all(Array.from({ length: n }, () => limit(task)));
      expectCount(counter.count, n);
    };
  },

  "p-queue": async () => {
    const { default: PQueue } = await import("p-queue");
    return async (n, sample) => {
      const { counter, task } = counting(sample);
      const queue = new PQueue({ concurrency: LIMIT });
      for (let i = 0; i < n; i++) void queue.add(task);
      await queue.onIdle();
      expectCount(counter.count, n);
    };
  },

  "p-map": async () => {
    const { default: pMap, pMapSkip } = await import("p-map");
    return async (n, sample) => {
      const { counter, task } = counting(sample);
      const skipping = async () => {
        await task();
        return pMapSkip; // else it collects the results
      };
      await pMap(numbers(n), skipping, { concurrency: LIMIT });
      expectCount(counter.count, n);
    };
  },

  fastq: async () => {
    const { default: fastq } = await import("fastq");
    return async (n, sample) => {
      const { counter, task } = counting(sample);
      const queue = fastq.promise(task, LIMIT);
      for (let i = 0; i < n; i++) void queue.push(i);
      await queue.drained();
      expectCount(counter.count, n);
    };
  },

  "async-sema": async () => {
    const { Sema } = await import("async-sema");
    return async (n, sample) => {
      const { counter, task } = counting(sample);
      const sema = new Sema(LIMIT);
      const held = async () => {
        try {
          await task();
        } finally {
          sema.release();
        }
      };
      for (let i = 0; i < n; i++) {
        await sema.acquire();
        void held();
      }
      for (let i = 0; i < LIMIT; i++) await sema.acquire();
      expectCount(counter.count, n);
    };
  },

  effect: async () => (await import("../libraries/effect.mjs")).tasks(LIMIT),
};

function* numbers(n) {
  for (let i = 0; i < n; i++) yield i;
}

export const workloads = {
  "tasks at limit 10": {
    about: "1,000,000 short async tasks, at most ten at a time; the floor: ten bare loops",
    n: 1_000_000,
    go: true,
    engines: ["floor", "sluice", "sluice, try or await"],
    cases: runners,
  },
  "go and wait": {
    about: "a group of 100 tasks without a limit, made and waited for; per task; the floor: Promise.all",
    n: 100,
    cases: {
      floor: async () => async (n) => {
        const { counter, task } = counting();
        await Promise.all(Array.from({ length: n }, task));
        expectCount(counter.count, n);
      },
      sluice: async () => {
        const { Group } = await import("@sluice/errgroup");
        return async (n) => {
          const { counter, task } = counting();
          const g = new Group();
          for (let i = 0; i < n; i++) void g.go(task);
          await g.wait();
          expectCount(counter.count, n);
        };
      },
    },
  },
};
