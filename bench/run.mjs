// Runs the benchmarks on the built packages: one process per case, rounds interleaved, medians with their spread.
import { existsSync, readdirSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { build, engines, engineCommand, withoutTurns } from "./runtimes.mjs";
import { measure } from "./process.mjs";
import { format, isGo, isOurs, isPeer, peersOf, spreadOf, unitOf } from "./report.mjs";
import { emptyResults, figureOf, hasResults, readResults, saveResults, stamp, writeResults } from "./results.mjs";

const usage = `npm run bench -- [options]

  --only text   only the workloads whose name holds the text; results.json keeps the others
  --rounds n    rounds of each case (default 5; fewer for memory, growth and what is slow)
  --quick       one round of a thousandth of the work: whether all of it runs. Writes nothing
  --ours        no peers and no Go. Writes nothing
  --no-go       no Go
  --no-write    prints only: results.json, README.md and the charts stay as they are
  --engines     the core workloads on ${Object.keys(engines).join(", ")} instead (by npx)
  --report      measures nothing: writes README.md and the charts from results.json
  --help        this text
`;

const TIME_LIMIT = 10_000; // ms, of one case in one round
const CASE_LIMIT = 3_000; // ms, of one case in all rounds: what is slow varies little, and gets fewer rounds
const SERIES_LIMIT = 1e9; // ns: ten times the work would come near to the time limit
const TIMES = { ms: 100, warmMs: 120 };

let options;
try {
  ({ values: options } = parseArgs({
    options: {
      only: { type: "string", default: "" },
      rounds: { type: "string" },
      quick: { type: "boolean", default: false },
      ours: { type: "boolean", default: false },
      "no-go": { type: "boolean", default: false },
      "no-write": { type: "boolean", default: false },
      engines: { type: "boolean", default: false },
      report: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  }));
  options.rounds = Number(options.rounds ?? (options.quick ? 1 : 5));
  if (!Number.isInteger(options.rounds) || options.rounds < 1)
    throw new RangeError("--rounds is not a positive integer");
} catch (error) {
  console.error(`${error.message}\n\n${usage}`);
  process.exit(2);
}
if (options.help) {
  console.log(usage);
  process.exit(0);
}
const writes = !options.quick && !options.ours && !options["no-write"];
if (options.report) {
  if (!hasResults()) {
    console.error("There is no results.json: npm run bench");
    process.exit(2);
  }
  await writeResults(readResults());
  process.exit(0);
}

const folder = new URL("workloads/", import.meta.url);
const workloads = [];
for (const file of readdirSync(folder).sort()) {
  const module = await import(new URL(file, folder).href);
  for (const [name, workload] of Object.entries(module.workloads)) {
    if (name.includes(options.only)) workloads.push({ file, name, ...workload });
  }
}
if (workloads.length === 0) {
  console.error(`No workload has "${options.only}" in its name`);
  process.exit(2);
}

if (!existsSync(new URL("../packages/channels/dist/index.js", import.meta.url))) {
  console.error("The packages are not built: npm run build");
  process.exit(2);
}

const started = performance.now();
const temporary = withoutTurns();
let failedOurs = false;
process.on("exit", () => rmSync(temporary.folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));

const results = writes && hasResults() ? readResults() : emptyResults();
if (options.engines) await measureEngines();
else await measureAll();

if (writes) {
  await writeResults(results);
  console.log("\nWritten: results.json, README.md, charts/");
}
console.log(`\n${Math.round((performance.now() - started) / 1000)} s`);
process.exit(failedOurs ? 1 : 0);

async function measureAll() {
  const go = options.ours || options["no-go"] ? { why: "not asked for" } : build(temporary.folder);
  Object.assign(results, stamp(options.rounds, go.version));
  console.log(`${results.machine.cpu}, ${results.machine.cores} cores; Node ${results.node}; commit ${results.commit}`);
  console.log(go.command ? `Go ${go.version}` : `Without Go: ${go.why}`);
  console.log(`${workloads.length} workloads, medians of ${options.rounds} rounds\n`);
  printHead();

  const runtime = { command: process.execPath, args: ["--expose-gc"] };
  if (options.quick) await quickly(runtime, go);
  else
    for (const workload of workloads) {
      await interleaved(workload, runtime, go);
      if (writes) await saveResults(results); // a run that is broken off keeps what it has measured
    }
}

/** What runs a case: one of ours, of a peer, or Go. */
function casesOf(workload, go) {
  const names = Object.keys(workload.cases).filter((name) => !options.ours || !isPeer(name));
  if (go.command && workload.go) {
    names.push("Go, 1 core");
    if (workload.kind !== "bytes each") names.push("Go, 2 cores");
  }
  return names;
}

function sizeOf(workload, name) {
  const n = workload.sizes?.[name] ?? workload.n;
  return options.quick ? Math.max(20, n / 1000) : n;
}

async function interleaved(workload, runtime, go) {
  const names = casesOf(workload, go);
  const rounds = Math.min(options.rounds, workload.rounds ?? options.rounds);
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  const failed = {};
  const spent = Object.fromEntries(names.map((name) => [name, 0]));
  for (const name of names) {
    const reason = hopeless(workload, name);
    if (reason) failed[name] = reason;
  }
  for (let round = 0; round < rounds; round++) {
    for (const [index, name] of names.entries()) {
      progress(`${workload.name}: round ${round + 1} of ${rounds}, ${index + 1} of ${names.length}: ${name}`);
      if (name in failed || (round > 0 && (spent[name] / round) * (round + 1) > CASE_LIMIT)) continue;
      const start = performance.now();
      const jobs = [{ workload: workload.name, name, n: sizeOf(workload, name) }];
      const [measured] = isGo(name)
        ? await measureGo(workload, name, go)
        : await measure(runtime, { file: workload.file, jobs, ...TIMES }, TIME_LIMIT);
      if (measured.failed) failed[name] = measured.failed;
      else samples[name].push(measured.figure);
      spent[name] += performance.now() - start;
    }
  }
  record(workload, names, samples, failed, rounds);
}

/** In a series, what takes so long at one size is not tried at ten times that size. */
function hopeless({ series, size }, name) {
  if (series === undefined) return undefined;
  const before = Object.values(results.workloads).find((it) => it.series === series && it.size === size / 10)?.cases[
    name
  ];
  if (before === undefined) return undefined;
  if (before.failed)
    return before.failed.startsWith("not tried") ? before.failed : `not tried: at a tenth, ${before.failed}`;
  return (before.median * size) / 10 > SERIES_LIMIT
    ? `not tried: a tenth takes ${format((before.median * size) / 1e10)} s`
    : undefined;
}

function measureGo(workload, name, go) {
  const cores = name.startsWith("Go, 1") ? "1" : "2";
  const args = [workload.name, String(sizeOf(workload, name)), String(options.quick ? 1 : TIMES.ms)];
  return measure({ command: go.command, args, env: { GOMAXPROCS: cores } }, { jobs: [{}] }, TIME_LIMIT);
}

/** All cases of a file in one process, several files at once: fifty times as fast, and of no use as a measurement. */
async function quickly(runtime, go) {
  const files = new Map();
  for (const workload of workloads) {
    const jobs = casesOf(workload, {}).map((name) => ({ workload: workload.name, name, n: sizeOf(workload, name) }));
    files.set(workload.file, [...(files.get(workload.file) ?? []), ...jobs]);
  }
  const found = new Map(workloads.map(({ name }) => [name, { samples: {}, failed: {} }]));
  const take = (workload, name, { figure, failed }) => {
    if (failed) found.get(workload).failed[name] = failed;
    else found.get(workload).samples[name] = [figure];
  };
  const left = [...files].sort(([, a], [, b]) => b.length - a.length); // the longest first
  const one = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [file, jobs] = next;
      const measured = await measure(runtime, { file, jobs, ms: 1, warmMs: 0 }, 10_000);
      for (const [i, job] of jobs.entries()) take(job.workload, job.name, measured[i]);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, one));
  for (const workload of workloads) {
    const names = casesOf(workload, go);
    for (const name of names.filter(isGo)) take(workload.name, name, (await measureGo(workload, name, go))[0]);
    const { samples, failed } = found.get(workload.name);
    record(workload, names, samples, failed, 1);
  }
}

function record(workload, names, samples, failed, rounds) {
  const scale = workload.whole ? workload.n / 1e6 : 1; // ms of the whole
  const cases = Object.fromEntries(
    names.map((name) => [
      name,
      name in failed
        ? { failed: failed[name], n: sizeOf(workload, name) }
        : { ...figureOf(samples[name].map((it) => it * scale)), n: sizeOf(workload, name) },
    ]),
  );
  const { about, series, size } = workload;
  const unit = unitOf(workload);
  const entry = {
    about,
    unit,
    rounds,
    series,
    size,
    date: results.date,
    commit: results.commit,
  };
  results.workloads[workload.name] = { ...entry, cases };
  printRow(workload.name, results.workloads[workload.name]);
  for (const name of names) if (isOurs(name) && cases[name].failed) failedOurs = true;
}

async function measureEngines() {
  const core = workloads.filter((workload) => workload.engines !== undefined);
  const all = Object.keys(engines).map((name) => ({ name, ...engineCommand(name) }));
  for (const { name, why } of all) if (why !== undefined) console.log(`Without ${name}: ${why}`);
  const runtimes = all.filter(({ why }) => why === undefined);
  const rounds = Math.min(3, options.rounds);
  results.engines.run = stamp(rounds);
  for (const workload of core) {
    const samples = {};
    for (let round = 0; round < rounds; round++) {
      for (const runtime of runtimes) {
        for (const name of workload.engines) {
          progress(`${workload.name}: round ${round + 1} of ${rounds}: ${runtime.name}, ${name}`);
          const jobs = [{ workload: workload.name, name, n: sizeOf(workload, name) }];
          const [it] = await measure(runtime, { file: workload.file, jobs, ...TIMES }, TIME_LIMIT);
          const list = ((samples[runtime.name] ??= {})[name] ??= []);
          if (it.failed) list.failed = it.failed;
          else list.push(it.figure);
        }
      }
    }
    const measured = Object.fromEntries(
      Object.entries(samples).map(([engine, cases]) => [
        engine,
        Object.fromEntries(
          Object.entries(cases).map(([name, list]) => [name, list.failed ? { failed: list.failed } : figureOf(list)]),
        ),
      ]),
    );
    progress("");
    console.log(workload.name);
    for (const [engine, cases] of Object.entries(measured)) {
      const figures = Object.entries(cases).map(([name, it]) => `${name} ${it.failed ?? format(it.median)}`);
      console.log(`  ${engine.padEnd(14)} ${figures.join(", ")}`);
    }
    results.engines.workloads[workload.name] = measured;
    if (writes) await saveResults(results);
  }
}

function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

function printHead() {
  const heads = ["floor", "sluice", "ratio", "spread", "try", "fastest peer", ""];
  console.log("".padEnd(32) + heads.map((head, i) => (i === 6 ? head : head.padStart(i === 5 ? 14 : 10))).join(""));
}

function printRow(name, { unit, cases }) {
  progress("");
  const at = (each) => cases[each]?.median;
  const [peer, best] = peersOf({ cases })[0] ?? [];
  const ours = cases["sluice"];
  const cells = [
    at("floor") === undefined ? "" : format(at("floor")),
    ours?.failed ? "failed" : ours ? format(ours.median) : "",
    ours?.median && at("floor") ? format(ours.median / at("floor")) : "",
    ours?.median ? spreadOf(ours) : "",
    at("sluice, try or await") === undefined ? "" : format(at("sluice, try or await")),
    best === undefined ? "" : format(best.median),
  ];
  const row = cells.map((cell, i) => cell.padStart(i === 5 ? 14 : 10)).join("");
  console.log(`${name.padEnd(32)}${row}  ${peer ?? ""} (${unit})`);
  for (const [each, it] of Object.entries(cases)) if (it.failed) console.log(`${"".padEnd(34)}${each}: ${it.failed}`);
}
