// The pictures in charts/, drawn from the results. Each brings its own background: it is shown on light and dark pages.
import { mkdirSync, writeFileSync } from "node:fs";
import { format, isGo, isOurs, isPeer, peersOf } from "./report.mjs";

const folder = new URL("charts/", import.meta.url);

const config = {
  background: "#ffffff",
  padding: 16,
  font: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
  title: {
    anchor: "start",
    fontSize: 16,
    subtitleFontSize: 12,
    subtitleColor: "#57606a",
    color: "#1f2328",
    offset: 12,
  },
  axis: {
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: "normal",
    labelColor: "#1f2328",
    titleColor: "#57606a",
    gridColor: "#e6e8eb",
    domainColor: "#8c959f",
    tickColor: "#8c959f",
    labelLimit: 400,
  },
  legend: { labelFontSize: 12, titleFontSize: 12, labelColor: "#1f2328", labelLimit: 400, symbolSize: 90 },
  view: { stroke: null },
};

/** Gives the drawn ones: `{ name, title }`. */
export async function writeCharts(results) {
  const charts = { ratio: ratios(results) };
  const series = new Set(Object.values(results.workloads).map((it) => it.series));
  for (const name of series) if (name) charts[`growth-${name.replaceAll(" ", "-")}`] = growth(results, name);
  const drawn = Object.entries(charts).filter(([, chart]) => chart !== undefined);
  if (drawn.length === 0) return [];
  const [{ compile }, { parse, View }] = await Promise.all([import("vega-lite"), import("vega")]);
  mkdirSync(folder, { recursive: true });
  for (const [name, chart] of drawn) {
    const view = new View(parse(compile({ ...chart, config }).spec), { renderer: "none" });
    writeFileSync(new URL(`${name}.svg`, folder), `${await view.toSVG()}\n`);
    view.finalize();
  }
  return drawn.map(([name, { title }]) => ({ name, title: title.text }));
}

const kinds = {
  "Sluice, all awaits": { color: "#0969da", shape: "circle", size: 110 },
  "Sluice, try or await": { color: "#54aeff", shape: "diamond", size: 110 },
  "the fastest peer (named at the right)": { color: "#d1570c", shape: "square", size: 90 },
  "other peers": { color: "#b5bcc4", shape: "square", size: 45 },
  "Go, 1 core": { color: "#1a7f64", shape: "triangle-up", size: 90 },
};
const [OURS, TRY, FASTEST, PEER, GO] = Object.keys(kinds);

/** A row of dots for each workload, by how many times the floor's time each library takes. */
function ratios({ workloads }) {
  const values = [];
  const names = [];
  for (const [workload, it] of Object.entries(workloads)) {
    const floor = it.cases.floor?.median;
    if (!floor || it.series || !["ns", "ms"].includes(it.unit) || !it.cases.sluice?.median) continue;
    if (workload === "lateness of a timer") continue; // no amount of work
    const fastest = peersOf(it)[0]?.[0];
    const add = (kind, name) => {
      const median = it.cases[name]?.median;
      if (median) values.push({ workload, kind, ratio: median / floor });
    };
    // What is drawn last lies on top.
    for (const name of Object.keys(it.cases)) if (isPeer(name) && name !== fastest) add(PEER, name);
    add(GO, "Go, 1 core");
    if (fastest) add(FASTEST, fastest);
    add(TRY, "sluice, try or await");
    add(OURS, "sluice");
    names.push({ workload, fastest: fastest ? `${fastest} ${format(it.cases[fastest].median / floor)} ×` : "" });
  }
  if (names.length === 0) return undefined;
  const order = names.map(({ workload }) => workload);
  const all = values.map((it) => it.ratio);
  const domain = [
    10 ** Math.floor(Math.log10(Math.min(...all, 0.5))),
    10 ** Math.ceil(Math.log10(Math.max(...all, 2))),
  ];
  const y = { field: "workload", type: "nominal", sort: order, axis: { title: null, grid: true, ticks: false } };
  const present = Object.keys(kinds).filter((kind) => values.some((it) => it.kind === kind));
  const scale = (what) => ({ domain: present, range: present.map((kind) => kinds[kind][what]) });
  const legend = { title: null, orient: "top", columns: 3, symbolOpacity: 1 };
  return {
    title: {
      text: "Time as a multiple of the floor",
      subtitle: "Left is faster. The floor, at 1, is the same shape in bare promises, written by hand.",
    },
    width: 560,
    height: { step: 24 },
    layer: [
      {
        data: { values: [{ floor: 1 }] },
        mark: { type: "rule", color: "#1f2328", strokeDash: [4, 3] },
        encoding: { x: { field: "floor", type: "quantitative" } },
      },
      {
        data: { values },
        mark: { type: "point", filled: true, opacity: 1 },
        encoding: {
          x: {
            field: "ratio",
            type: "quantitative",
            scale: { type: "log", domain },
            axis: { title: "times the floor (logarithmic)", format: ",~r", values: decades(domain), ...everyLabel },
          },
          y,
          color: { field: "kind", type: "nominal", scale: scale("color"), legend },
          shape: { field: "kind", type: "nominal", scale: scale("shape"), legend },
          size: { field: "kind", type: "nominal", sort: present, scale: scale("size"), legend },
        },
      },
      {
        data: { values: names },
        mark: { type: "text", align: "left", fontSize: 12, color: kinds[FASTEST].color },
        encoding: { x: { value: 570 }, y, text: { field: "fastest" } },
      },
    ],
  };
}

const everyLabel = { labelOverlap: false, labelFlush: false, labelBound: false };

function decades([from, to]) {
  const values = [];
  for (let power = Math.round(Math.log10(from)); power <= Math.round(Math.log10(to)); power++) values.push(10 ** power);
  return values;
}

const lineColors = ["#d1570c", "#1a7f64", "#8250df", "#bf3989", "#9a6700", "#57606a", "#b8860b", "#a40e26"];

/** What one costs, by how many there are: a flat line where the cost does not depend on the number. */
function growth({ workloads }, series) {
  const points = Object.values(workloads).filter((it) => it.series === series);
  const values = points.flatMap(({ size, cases }) =>
    Object.entries(cases)
      .filter(([, it]) => it.median > 0)
      .map(([name, { median }]) => ({ name: shown(name), size, ns: median })),
  );
  const names = [...new Set(points.flatMap(({ cases }) => Object.keys(cases)))].filter((name) =>
    values.some((it) => it.name === shown(name)),
  );
  if (!values.some(({ size }) => size !== values[0].size)) return undefined; // one point is no curve
  const rest = names.filter((name) => isPeer(name) || isGo(name));
  const color = (name) => {
    if (isOurs(name)) return "#0969da";
    return name === "floor" ? "#1f2328" : lineColors[rest.indexOf(name) % lineColors.length];
  };
  const costs = values.map((it) => it.ns);
  const domain = [10 ** Math.floor(Math.log10(Math.min(...costs))), 10 ** Math.ceil(Math.log10(Math.max(...costs)))];
  const scale = { domain: names.map(shown), range: names.map(color) };
  const legend = { title: null, symbolType: "stroke", symbolStrokeWidth: 3 };
  return {
    title: { text: capitalized(series), subtitle: capitalized(points[0].about) },
    width: 460,
    height: 300,
    data: { values },
    encoding: {
      x: {
        field: "size",
        type: "quantitative",
        scale: { type: "log", domain: [100, 1_000_000] },
        axis: {
          title: `number of ${series} (logarithmic)`,
          format: ",",
          values: decades([100, 1_000_000]),
          ...everyLabel,
        },
      },
      y: {
        field: "ns",
        type: "quantitative",
        scale: { type: "log", domain },
        axis: { title: "ns each (logarithmic)", format: ",~r", values: decades(domain), ...everyLabel },
      },
      color: {
        field: "name",
        type: "nominal",
        scale,
        legend: { title: null, symbolType: "stroke", symbolStrokeWidth: 3 },
      },
      strokeDash: {
        field: "name",
        type: "nominal",
        scale: { domain: names.map(shown), range: names.map((name) => (name === "floor" ? [4, 3] : [1, 0])) },
        legend,
      },
    },
    mark: { type: "line", point: { filled: true, size: 45 }, strokeWidth: 2 },
  };
}

const shown = (name) => (name === "sluice" ? "Sluice" : name);

const capitalized = (text) => text[0].toUpperCase() + text.slice(1);
