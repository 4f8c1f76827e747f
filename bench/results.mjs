// results.json: every figure with its samples. A workload's figures come from one run; those of others may be older.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import { fileURLToPath } from "node:url";
import { writeCharts } from "./charts.mjs";
import { writeReadme } from "./report.mjs";

const file = new URL("results.json", import.meta.url);

export const hasResults = () => existsSync(file);

export const readResults = (from = file) => JSON.parse(readFileSync(from, "utf8"));

export const emptyResults = () => ({ workloads: {}, engines: { workloads: {} } });

/** What a run says of itself. */
export function stamp(rounds, go) {
  return {
    date: new Date().toISOString(),
    commit: commit(),
    machine: {
      cpu: cpus()[0]?.model ?? "unknown",
      cores: cpus().length,
      memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
      system: `${type()} ${release()}`,
    },
    node: process.versions.node,
    v8: process.versions.v8,
    go: go ?? null,
    rounds,
    peers: versions(),
  };
}

function commit() {
  const cwd = fileURLToPath(new URL(".", import.meta.url));
  const written = ["results.json", "README.md", "charts"].map((it) => `:(exclude)${it}`);
  try {
    const git = (...args) =>
      execFileSync("git", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    const changed = git("status", "--porcelain", "--", "../packages", ".", ...written) !== "";
    return git("rev-parse", "--short", "HEAD") + (changed ? ", with changes" : "");
  } catch {
    return "unknown";
  }
}

function versions() {
  const { devDependencies } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
  const tools = new Set(["tinybench", "vega", "vega-lite"]);
  return Object.fromEntries(Object.entries(devDependencies).filter(([name]) => !tools.has(name)));
}

const rounded = (value) => Number(value.toPrecision(4));

export function figureOf(samples) {
  const sorted = [...samples].sort((a, b) => a - b);
  return {
    median: rounded((sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2),
    low: rounded(sorted[0]),
    high: rounded(sorted.at(-1)),
    samples: samples.map(rounded),
  };
}

/** Writes results.json alone. */
export async function saveResults(results) {
  const { workloads, engines, ...run } = results;
  const ordered = { ...run, workloads: inOrder(workloads, await namesInOrder()), engines };
  // One line for each figure.
  const text = JSON.stringify(ordered, undefined, 2).replace(
    /\[\s+([^[\]{}]*?)\s+\]/g,
    (_, list) => `[${list.replace(/\s+/g, " ")}]`,
  );
  // Whole or not at all: a run may be broken off at any time.
  const temporary = new URL("results.json.tmp", file);
  writeFileSync(temporary, `${text}\n`);
  renameSync(temporary, file);
}

/** Writes results.json, and from it README.md and the charts. */
export async function writeResults(measured) {
  await saveResults(measured);
  const results = readResults(); // in order
  writeReadme(results, await writeCharts(results));
}

async function namesInOrder() {
  const names = [];
  const folder = new URL("workloads/", import.meta.url);
  for (const each of order(readdirSync(folder))) {
    const { workloads } = await import(new URL(each, folder).href);
    names.push(...Object.keys(workloads));
  }
  return names;
}

/** Channels first, as one reads them; what has no place in the list comes last. */
function order(files) {
  const first = [
    "exchange.mjs",
    "select.mjs",
    "cancelable.mjs",
    "create.mjs",
    "context.mjs",
    "tasks.mjs",
    "busy.mjs",
    "memory.mjs",
  ];
  const place = (each) => (first.includes(each) ? first.indexOf(each) : first.length);
  return [...files].sort((a, b) => place(a) - place(b));
}

/** What is no longer among the workloads is left out. */
function inOrder(workloads, names) {
  return Object.fromEntries(names.filter((name) => name in workloads).map((name) => [name, workloads[name]]));
}
