// Compares results.json with what a run has to reach: one line for each row, and the exit code.
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { format } from "./report.mjs";
import { readResults } from "./results.mjs";
import { targets, verdict } from "./targets.mjs";

const usage = `bench/check [options]

Compares bench/results.json, which \`npm run bench\` and \`npm run bench -- --engines\` write, with the targets.
Exit code: 0 if all are met; 1 if one is not, or has no figure; 2 if there are no results.

  --file path   other results than bench/results.json
  --missed      only the rows that are not met or not measured
  --help        this text
`;

let options;
try {
  ({ values: options } = parseArgs({
    options: {
      file: { type: "string" },
      missed: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  }));
} catch (error) {
  fail(`${error.message}\n\n${usage}`);
}
if (options.help) {
  console.log(usage);
  process.exit(0);
}

let rows;
let results;
try {
  results = readResults(options.file === undefined ? undefined : pathToFileURL(options.file));
  rows = targets(results);
} catch (error) {
  fail(`No results to check (${error.message.split("\n")[0]}): run \`npm run bench\` first.`);
}

if (results.machine) {
  const { machine, node, go, commit, date } = results;
  console.log(`${machine.cpu}, ${machine.cores} cores; Node ${node}, Go ${go ?? "none"}; commit ${commit}; ${date}\n`);
}
const verdicts = rows.map(verdict);
const width = Math.max(...rows.map(({ what }) => what.length));
for (const [i, row] of rows.entries()) {
  if (options.missed && verdicts[i] === "met") continue;
  const figure = row.figure === undefined ? "–" : `${format(row.figure)} ${row.unit}`;
  const target = `${row.atMost === undefined ? "≥" : "≤"} ${format(row.atMost ?? row.atLeast)} ${row.unit}`;
  const cells = [verdicts[i].padEnd(13), row.what.padEnd(width), figure.padStart(13), target.padStart(13)];
  const why = verdicts[i] === "NOT met" && row.see ? `   see ${row.see}` : "";
  console.log(`${cells.join("  ")}${row.note ? `   (${row.note})` : ""}${why}`);
}
const number = (which) => verdicts.filter((it) => it === which).length;
console.log(`\n${number("met")} met, ${number("NOT met")} not met, ${number("not measured")} not measured`);
process.exitCode = verdicts.every((it) => it === "met") ? 0 : 1;

function fail(text) {
  console.error(text);
  process.exit(2);
}
