// Runs cases of one file of workloads, and prints the figure of each as a line of JSON. The driver gives it one case, so
// that each has a process of its own; with --quick, all of a file.
// node --expose-gc measure.mjs '{ "file", "jobs": [{ "workload", "name", "n" }], "ms", "warmMs" }'
import { performance } from "node:perf_hooks";

const WARM_N = 20_000;

const kinds = {
  /** Nanoseconds per operation: the median of whole runs, which are repeated for `ms`. */
  async time(run, n, ms, warmMs, warmN) {
    await warm(run, Math.min(n, warmN), warmMs);
    collect();
    await warm(run, Math.min(n, warmN), warmMs / 2); // a collection may throw compiled code away
    const start = performance.now();
    const took = [];
    for (let last = start; last - start < ms;) {
      await run(n);
      const now = performance.now();
      took.push(now - last);
      last = now;
    }
    return (took.sort((a, b) => a - b)[took.length >> 1] * 1e6) / n;
  },

  /** Nanoseconds per call of one function: `run` calls it n times. */
  async function(run, n, ms, warmMs) {
    const { Bench } = await import("tinybench");
    const bench = new Bench({ time: ms, warmupTime: warmMs, warmupIterations: 1, iterations: 8, throws: true });
    bench.add("it", () => run(n));
    const [task] = await bench.run();
    return (task.result.latency.mean * 1e6) / n;
  },

  /** Bytes that each of what `run` makes keeps on the heap. */
  async "bytes each"(run, n) {
    await run(100);
    const before = await heap();
    const kept = await run(n);
    const used = (await heap()) - before;
    return keep(kept, used / n);
  },

  /** The most that is alive during a run, in MB. */
  async "peak MB"(run, n) {
    await run(1_000);
    const before = await heap();
    let peak = 0;
    await run(n, () => {
      collect();
      peak = Math.max(peak, process.memoryUsage().heapUsed - before);
    });
    return peak / 1e6;
  },

  /** Bytes that are left after a run. Less than nothing is code that was thrown away meanwhile. */
  async "kept bytes"(run, n) {
    await run(Math.min(50_000, n));
    const before = await heap();
    const kept = await run(n);
    return keep(kept, Math.max(0, (await heap()) - before));
  },

  /** What a run counts. */
  count: (run, n) => run(n),

  /** How late timers of 1 ms come during a run, at most. */
  async "lateness ms"(run, n, _, warmMs) {
    let latest = 0;
    let armed = performance.now();
    const look = () => (latest = Math.max(latest, performance.now() - armed - 1));
    let timer;
    const arm = () => {
      armed = performance.now();
      timer = setTimeout(() => {
        look();
        arm();
      }, 1);
    };
    await warm(run, Math.min(n, WARM_N), warmMs);
    arm();
    await run(n);
    look();
    clearTimeout(timer);
    return latest;
  },
};

async function warm(run, n, ms) {
  const start = performance.now();
  do await run(n);
  while (performance.now() - start < ms);
}

function collect() {
  if (globalThis.gc) globalThis.gc();
  else globalThis.Bun?.gc(true);
}

async function heap() {
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  return process.memoryUsage().heapUsed;
}

/** Uses `kept` after the measurement, so that nothing of it is collected before. */
function keep(kept, figure) {
  if (kept === undefined) throw new Error("The workload keeps nothing");
  return figure;
}

const { file, jobs, ms, warmMs } = JSON.parse(process.argv[2]);
const { workloads } = await import(new URL(`workloads/${file}`, import.meta.url).href);
for (const { workload, name, n } of jobs) {
  const { kind = "time", cases, warmN = WARM_N } = workloads[workload];
  const run = await cases[name]();
  const figure = await kinds[kind](run, n, ms, warmMs, warmN);
  console.log(JSON.stringify({ figure }));
}
process.exit(0); // what a case has left waiting must not hold up the next
