// What a run has to reach. Ratios are taken inside one workload, so inside one run; absolute limits are bytes and ms.
//
// A row: { what, figure, unit, atMost | atLeast, note, see }. Its figure is undefined where the results lack what it needs.
import { format, peersOf } from "./report.mjs";

const TRY = "sluice, try or await";
const NO_TURNS = "sluice, no turns";
const GO = "Go, 1 core";
const engines = ["Node 22", "Node 24", "Node 26", "Bun"];
const growing = ["buffered values", "parked waiters", "children", "listeners"];
const GROWTH_FROM = 100;
const GROWTH_TO = 1_000_000;
/** Why a row may miss its target. */
const SPEED = "docs/decisions/0021-what-is-written-for-speed.md";

export function targets(results) {
  const at = (workload, name) => results.workloads[workload]?.cases[name]?.median;

  const peer = (workload) => (workload in results.workloads ? peersOf(results.workloads[workload])[0] : undefined);

  /** Times of this to the time of that: less is better. */
  const atMost = (what, workload, name, base, limit) => ({
    what: `${workload}: ${what}`,
    figure: ratio(at(workload, name), at(workload, base)),
    unit: "×",
    atMost: limit,
    note: pair(name, at(workload, name), base, at(workload, base)),
  });

  /** How many times as fast as that: more is better. */
  const timesAsFast = (what, workload, name, other, limit) => ({
    what: `${workload}: ${what}`,
    figure: ratio(at(workload, other), at(workload, name)),
    unit: "×",
    atLeast: limit,
    note: pair(name, at(workload, name), other, at(workload, other)),
  });

  /** The note says how much faster than the peer the floor is: no library of the same shape can be faster than that. */
  const fasterThanPeers = (workload, limit, name = "sluice", how = "all awaits, as fast as the fastest peer") => {
    const fastest = peer(workload)?.[0];
    const row = timesAsFast(how, workload, name, fastest, limit);
    const best = ratio(at(workload, fastest), at(workload, "floor"));
    return best === undefined || name !== "sluice" ? row : { ...row, note: `${row.note}; the floor ${format(best)} ×` };
  };

  const aheadOfGo = (workload, name, how) => {
    const row = timesAsFast(`${how}, as fast as Go on 1 core`, workload, name, GO, 1);
    const two = at(workload, "Go, 2 cores");
    return two === undefined ? row : { ...row, note: `${row.note}; Go, 2 cores ${format(two)}` };
  };

  const absolute = (what, workload, name, unit, limit) => ({
    what: `${workload}: ${what}`,
    figure: at(workload, name),
    unit,
    atMost: limit,
  });

  /** What one costs at each size of a series, smallest size first; nothing where the sizes are not of one run. */
  const curve = (series, name) => {
    const points = Object.values(results.workloads).filter((it) => it.series === series);
    if (new Set(points.map(({ date }) => date)).size > 1) return [];
    return points
      .map(({ size, cases }) => ({ size, cost: cases[name]?.median }))
      .filter(({ cost }) => cost !== undefined)
      .sort((a, b) => a.size - b.size);
  };

  /** Linear in all is flat for each: what one costs at `size`, against a tenth of it. */
  const linear = (series, size) => {
    const cost = (name, n) => curve(series, name).find((it) => it.size === n)?.cost;
    const growth = (name) => ratio(cost(name, size), cost(name, size / 10));
    return {
      see: SPEED,
      what: `${series}: what one costs at ${count(size)}, against ${count(size / 10)}`,
      figure: growth("sluice"),
      unit: "×",
      atMost: 1.3,
      note: growth("floor") === undefined ? undefined : `the floor: ${format(growth("floor"))} ×`,
    };
  };

  const flat = (series) => ({
    see: SPEED,
    what: `${series}: flat from ${count(GROWTH_FROM)} to ${count(GROWTH_TO)}, off the median at most`,
    figure: unevenness(curve(series, "sluice")),
    unit: "%",
    atMost: 30,
    note: [
      costs("sluice", curve(series, "sluice")),
      costs("the floor", curve(series, "floor")),
      costs(GO, curve(series, GO)),
      unevenness(curve(series, "floor")) && `the floor is off by ${format(unevenness(curve(series, "floor")))} %`,
    ]
      .filter(Boolean)
      .join("; "),
  });

  const aheadOfAbortController = (engine) => {
    const found = Object.entries(results.engines.workloads["child context"] ?? {});
    const [name, cases] = found.find(([each]) => each.startsWith(engine)) ?? [engine, {}];
    const [ours, theirs] = ["sluice", "AbortController + listener"].map((each) => cases[each]?.median);
    return {
      what: `child context: as fast as AbortController + listener, ${name}`,
      figure: ratio(theirs, ours),
      unit: "×",
      atLeast: 1,
      note: pair("sluice", ours, "AbortController + listener", theirs),
    };
  };

  const fairness = () => {
    const measured = Object.keys(results.workloads).filter((name) => at(name, NO_TURNS) !== undefined);
    const names = [...new Set(["unbuffered", "buffered 16", "ping-pong", "for await 16", "fan-in 100", ...measured])];
    return names.map((name) => atMost("with turns for timers, against without", name, "sluice", NO_TURNS, 1.1));
  };

  const buffered = (workload) => [
    atMost("try or await, against an await alone", workload, TRY, "await alone", 45 / 55),
    fasterThanPeers(workload, 4, TRY, "try or await, as fast as the fastest peer"),
    aheadOfGo(workload, TRY, "try or await"),
  ];

  const selects = (kind, limits, see) =>
    Object.entries(limits).map(([width, limit]) => ({ ...fasterThanPeers(`select ${width}, ${kind}`, limit), see }));

  return [
    atMost("all awaits, against the floor", "unbuffered", "sluice", "floor", 1.45),
    { ...fasterThanPeers("unbuffered", 1), see: SPEED },
    atMost("all awaits, against the floor", "buffered 16", "sluice", "floor", 1.25),
    fasterThanPeers("buffered 16", 1.5),
    ...buffered("buffered 16"),
    ...buffered("buffered 1,024"),
    fasterThanPeers("for await 16", 2),
    fasterThanPeers("fan-in 100", 2.5),
    fasterThanPeers("fan-out 100", 2.5),
    ...selects("ready", { 2: 1.5, 8: 1.6, 64: 2 }, SPEED),
    ...selects("parks", { 2: 2, 8: 2, 64: 2 }),
    fasterThanPeers("daisy chain", 1.7),
    aheadOfGo("daisy chain", "sluice", "all awaits"),
    absolute("1,000,000 of them, each", "bytes of a parked receiver", "sluice", "bytes", 700),
    linear("parked waiters", 1_000_000),
    absolute("each", "bytes of an idle channel", "sluice", "bytes", 120),
    absolute("each", "bytes of an idle context", "sluice", "bytes", 120),
    timesAsFast("as fast as AbortSignal.any", "child context", "sluice", "AbortSignal.any", 50),
    timesAsFast("as fast as AbortController + listener", "child context", "sluice", "AbortController + listener", 1),
    ...engines.map(aheadOfAbortController),
    atMost("against Go on 1 core", "child context", "sluice", GO, 1.5),
    linear("listeners", 100_000),
    absolute("100,000 waits on one AbortSignal", "listeners on one AbortSignal", "sluice", "listeners", 1),
    timesAsFast("as fast as p-limit", "tasks at limit 10", "sluice", "p-limit", 12),
    timesAsFast("as fast as p-queue", "tasks at limit 10", "sluice", "p-queue", 12),
    absolute("at limit 10", "peak heap of 1,000,000 tasks", "sluice", "MB", 5),
    aheadOfGo("tasks at limit 10", "sluice", "all awaits"),
    absolute("all awaits, at most", "lateness of a timer", "sluice", "ms", 15),
    absolute("try or await, at most", "lateness of a timer", TRY, "ms", 15),
    ...fairness(),
    ...growing.map(flat),
  ];
}

/** "met", "NOT met" or "not measured". */
export function verdict({ figure, atMost = Infinity, atLeast = -Infinity }) {
  if (figure === undefined) return "not measured";
  return figure <= atMost && figure >= atLeast ? "met" : "NOT met";
}

const count = (n) => n.toLocaleString("en");

const ratio = (a, b) => (a === undefined || b === undefined ? undefined : a / b);

function pair(name, figure, other, base) {
  if (figure === undefined || base === undefined) return undefined;
  return `${name} ${format(figure)}, ${other} ${format(base)}`;
}

const costs = (name, points) => points.length > 0 && `${name} ${points.map(({ cost }) => format(cost)).join(", ")} ns`;

/** How far what one costs is off the median of all sizes, at most, in per cent. */
function unevenness(points) {
  if (points[0]?.size !== GROWTH_FROM || points.at(-1).size !== GROWTH_TO) return undefined;
  const sorted = points.map(({ cost }) => cost).sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1];
  return Math.max(...sorted.map((cost) => Math.abs(cost / median - 1))) * 100;
}
