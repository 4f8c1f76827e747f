// The tables of README.md: everything between the two marks is written by a run, all else by hand.
import { readFileSync, writeFileSync } from "node:fs";

const file = new URL("README.md", import.meta.url);
const BEGIN = "<!-- figures: written by `npm run bench` -->";
const END = "<!-- end of the figures -->";

export const isOurs = (name) => name.startsWith("sluice");
export const isGo = (name) => name.startsWith("Go");
const baselines = new Set(["floor", "await alone"]);
export const isPeer = (name) => !isOurs(name) && !isGo(name) && !baselines.has(name);

const units = {
  "bytes each": "bytes",
  "peak MB": "MB",
  "kept bytes": "bytes",
  "lateness ms": "ms",
  count: "listeners",
};

/** What the figures of a workload are in. */
export const unitOf = ({ kind, whole }) => units[kind] ?? (whole ? "ms" : "ns");

const isMemory = ({ unit }) => unit === "bytes" || unit === "MB";

/** Three digits that matter, with commas between thousands. */
export function format(value) {
  const size = Math.abs(value);
  const digits = size >= 100 || size < 0.0005 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  const rounded = size >= 1000 ? Number(value.toPrecision(3)) : value;
  return rounded.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Half of what lies between the lowest and the highest sample, in per cent of the median. */
export const spreadOf = ({ median, low, high, samples }) =>
  median === 0 || samples.length === 1 ? "" : `±${Math.round(((high - low) / 2 / Math.abs(median)) * 100)} %`;

/** The peers that have a figure, the fastest (or smallest) first: `[name, case]`. */
export const peersOf = ({ cases }) =>
  Object.entries(cases)
    .filter(([name, it]) => isPeer(name) && it.median !== undefined)
    .sort(([, a], [, b]) => a.median - b.median);

/** `charts`: name and title of each picture in charts/. */
export function writeReadme(results, charts) {
  const text = readFileSync(file, "utf8");
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`README.md lacks its marks: ${BEGIN} … ${END}`);
  const figures = sections(results, charts).filter(Boolean).join("\n\n");
  writeFileSync(file, `${text.slice(0, begin)}${BEGIN}\n\n${figures}\n\n${text.slice(end)}`);
}

function sections(results, charts) {
  const picture = ({ name, title }) => `![${title}](./charts/${name}.svg)`;
  const curves = charts.filter(({ name }) => name.startsWith("growth")).map(picture);
  const all = Object.entries(results.workloads);
  if (all.length === 0 && Object.keys(results.engines.workloads).length === 0)
    return ["No results yet: `npm run bench`."];
  const single = all.filter(([, it]) => it.series === undefined);
  const time = single.filter(([, it]) => !isMemory(it));
  const memory = single.filter(([, it]) => isMemory(it));
  return [
    all.length > 0 && provenance(results),
    ...charts.filter(({ name }) => name === "ratio").map(picture),
    time.length > 0 && `### Time\n\n${timeTable(time)}`,
    memory.length > 0 && `### Memory\n\n${memoryTable(memory)}`,
    ...growth(all, curves),
    ...otherEngines(results.engines),
    missing(all),
  ];
}

function provenance({ machine, node, v8, go, date, commit, rounds, peers, workloads }) {
  const older = Object.entries(workloads).filter(([, it]) => it.date !== date);
  const versions = Object.entries(peers).map(([name, version]) => `${name} ${version}`);
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memory}, ${machine.system}. Node ${node} (V8 ${v8}), ` +
      `${go ? `Go ${go}` : "no Go"}. Commit ${commit}, ${date.slice(0, 16).replace("T", " ")} UTC. Medians of ${rounds} ` +
      `${rounds === 1 ? "round" : "rounds"}.`,
    `Peers: ${versions.join(", ")}.`,
    ...(older.length > 0 ? [`Of earlier runs: ${older.map(([name, it]) => `${name} (${ran(it)})`).join("; ")}.`] : []),
  ].join("\n\n");
}

const ran = ({ date, commit }) => `${date.slice(0, 10)}, commit ${commit}`;

function timeTable(workloads) {
  const heads = [
    "workload",
    "unit",
    "floor",
    "Sluice",
    "÷ floor",
    "spread",
    "Sluice, try or await",
    "fastest peers",
    "Go, 1 core",
    "Go, 2 cores",
  ];
  const rows = workloads.map(([name, workload]) => {
    const { cases, unit } = workload;
    const { floor, sluice } = cases;
    return [
      name,
      unit,
      cell(floor),
      cell(sluice),
      floor?.median && sluice?.median ? format(sluice.median / floor.median) : "",
      sluice?.median ? spreadOf(sluice) : "",
      cell(cases["sluice, try or await"]),
      peerCell(workload),
      goCell(cases["Go, 1 core"], sluice),
      goCell(cases["Go, 2 cores"], sluice),
    ];
  });
  return table(heads, "lrrrrrrlrr", rows);
}

function memoryTable(workloads) {
  const rows = workloads.map(([name, workload]) => [
    name,
    workload.unit,
    cell(workload.cases.floor),
    cell(workload.cases.sluice),
    workload.cases.sluice?.median ? spreadOf(workload.cases.sluice) : "",
    peerCell(workload),
    goCell(workload.cases["Go, 1 core"], workload.cases.sluice),
  ]);
  return table(["what", "unit", "floor", "Sluice", "spread", "smallest peers", "Go"], "lrrrrlr", rows);
}

const cell = (it) => (it?.median === undefined ? "" : format(it.median));

/** The best three, and whoever else is ahead of us. */
function peerCell(workload) {
  const ours = workload.cases.sluice?.median;
  return peersOf(workload)
    .map(([name, { median }]) => ({ text: `${name} ${format(median)}`, ahead: ours !== undefined && median < ours }))
    .filter(({ ahead }, i) => ahead || i < 3)
    .map(({ text, ahead }) => (ahead ? `**ahead: ${text}**` : text))
    .join("; ");
}

function goCell(go, ours) {
  if (go?.median === undefined) return "";
  return ours?.median !== undefined && go.median < ours.median ? `**${format(go.median)}**` : format(go.median);
}

function growth(all, curves) {
  const series = new Set(all.map(([, it]) => it.series).filter(Boolean));
  if (series.size === 0) return [];
  const parts = [...series].map((name) => {
    const points = all.filter(([, it]) => it.series === name).map(([, it]) => it);
    const names = [...new Set(points.flatMap((it) => Object.keys(it.cases)))];
    const rows = names.map((each) => [
      each,
      ...points.map(({ cases }) => (cases[each]?.median === undefined ? "–" : format(cases[each].median))),
    ]);
    const sizes = points.map(({ size }) => size.toLocaleString("en"));
    return `**${name}**: ${points[0].about}\n\n${table([`ns, at`, ...sizes], `l${"r".repeat(sizes.length)}`, rows)}`;
  });
  return ["### Growth", ...curves, ...parts];
}

function otherEngines({ run, workloads }) {
  const all = Object.entries(workloads);
  if (all.length === 0) return [];
  const engines = [...new Set(all.flatMap(([, by]) => Object.keys(by)))];
  const rows = all.flatMap(([name, by]) => {
    const cases = [...new Set(Object.values(by).flatMap((it) => Object.keys(it)))];
    return cases.map((each) => [name, each, ...engines.map((engine) => cell(by[engine]?.[each]) || "–")]);
  });
  const heads = ["workload", "case", ...engines];
  return [`### Other engines\n\nOf ${ran(run)}.\n\n${table(heads, `ll${"r".repeat(engines.length)}`, rows)}`];
}

function missing(all) {
  const lines = all.flatMap(([name, { cases }]) =>
    Object.entries(cases)
      .filter(([, it]) => it.failed)
      .map(([each, it]) => `* ${name}, ${each}: ${it.failed}`),
  );
  return lines.length > 0 && `### Without a figure\n\n${lines.join("\n")}`;
}

/** `align` has a letter for each column. */
function table(heads, align, rows) {
  const line = (cells) => `| ${cells.map((each) => String(each).replaceAll("|", "\\|")).join(" | ")} |`;
  const rule = `|${[...align].map((each) => (each === "r" ? "---:" : "---")).join("|")}|`;
  return [line(heads), rule, ...rows.map(line)].join("\n");
}
