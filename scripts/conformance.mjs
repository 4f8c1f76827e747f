// Writes test/CONFORMANCE.md, and its totals into README.md, from the names of the tests. With --check it only compares.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(fileURLToPath(import.meta.url), "..", "..");
const packages = ["channels", "context", "errgroup"];
const read = (path) => readFileSync(join(root, path), "utf8");

/** Every file of tests, as a path from the root. */
const files = ["test", ...packages.map((name) => `packages/${name}/test`)].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.test(-d)?\.ts$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)).replaceAll("\\", "/"))
    .sort(),
);

/** A list in JSON; an absent file is an empty one. */
function list(path) {
  try {
    return JSON.parse(read(path));
  } catch (error) {
    if (error.code === "ENOENT") return [];
    throw error;
  }
}

const scenarios = list("test/scenarios.json");
const notApplicable = new Map(
  packages.flatMap((name) =>
    list(`packages/${name}/test/conformance/not-applicable.json`).map(({ id, why }) => [id, why]),
  ),
);

/** Scenario → the files whose tests have its number in their names. */
const testedIn = new Map();
for (const file of files.filter((path) => path.includes("/conformance/"))) {
  for (const [, id] of read(file).matchAll(/["'`](P-\d{3})\b/g)) {
    testedIn.set(id, (testedIn.get(id) ?? new Set()).add(file));
  }
}

const problems = [];
const known = new Set(scenarios.map(({ id }) => id));
for (const id of [...testedIn.keys(), ...notApplicable.keys()])
  if (!known.has(id)) problems.push(`${id} is no scenario`);

let passing = 0;
let left = 0;
const rows = scenarios.map(({ id, scenario, about }) => {
  const tests = testedIn.get(id);
  const why = notApplicable.get(id);
  if (tests !== undefined && why !== undefined) problems.push(`${id} has tests and is listed as not applicable`);
  if (tests !== undefined) {
    passing++;
    const links = [...tests].map(
      (file) => `[${file.split("/conformance/")[1].replace(/\.test(-d)?\.ts$/, "")}](../${file})`,
    );
    return `| ${id} | \`${scenario}\` | ${about} | passes | ${links.join(", ")} |`;
  }
  if (why === undefined) problems.push(`${id} \`${scenario}\` has no test and no reason`);
  left++;
  return `| ${id} | \`${scenario}\` | ${about} | does not apply | ${why} |`;
});

/** What may stand as a name in a file: its strings, with anything in place of what a parametrized name leaves open. */
const stringsOf = new Map();
function namesIn(path) {
  if (!stringsOf.has(path)) {
    const imported = Array.from(
      read(path).matchAll(/from "\.\/([\w.-]+\.ts)"/g),
      ([, file]) => `${dirname(path)}/${file}`,
    );
    const strings = Array.from(
      [path, ...imported]
        .map(read)
        .join("\n")
        .matchAll(/"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`/g),
      (match) => match[1] ?? match[2] ?? match[3],
    );
    const patterns = strings.map((text) => {
      const fixed = text.replaceAll(/\\(.)/g, "$1").split(/\$\{[^}]*\}|\$[\w.]+|%[sdifjoO]/);
      return new RegExp(`^${fixed.map((piece) => piece.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*")}$`);
    });
    stringsOf.set(
      path,
      patterns.filter(({ source }) => !/^\^(\.\*)*\$$/.test(source)),
    );
  }
  return stringsOf.get(path);
}

/** The guarantees of each package, with their tests. */
const guarantees = packages.map((name) => {
  const lines = list(`packages/${name}/test/guarantees.json`).map(({ row, tests }) => {
    const links = tests.map((test) => {
      const [file, ...names] = test.split(" › ");
      const path = files.find((candidate) => candidate === `packages/${name}/test/${file}`);
      if (path === undefined) {
        problems.push(`${name}: no file ${file} (${row})`);
        return test;
      }
      for (const part of names) {
        if (!namesIn(path).some((name) => name.test(part)))
          problems.push(`${name}: ${file} has no test "${part}" (${row})`);
      }
      return `[${names.at(-1).replaceAll("|", "\\|")}](../${path})`;
    });
    if (links.length === 0) problems.push(`${name}: no test for "${row}"`);
    return `| ${row.replaceAll("|", "\\|")} | ${links.join("<br>")} |`;
  });
  return `### @sluice/${name}\n\n| what users may rely on | tests |\n|---|---|\n${lines.join("\n")}\n`;
});

const conformance = `<!-- Written by scripts/conformance.mjs from the names of the tests: do not edit. -->

# Conformance

${scenarios.length} scenarios, taken from the behaviour of Go's own test suites (channels, select, context, errgroup), of a few
other libraries, and of JavaScript's hazards, and written anew as tests: **${passing} pass, ${left} do not apply**. A scenario that
"passes" has tests with its number in their names, and \`npm test\` fails if one of them does.

| | scenario | about | | where, or why not |
|---|---|---|---|---|
${rows.join("\n")}

## Guarantees

${guarantees.join("\n")}`;

const summary = `<!-- conformance: written by scripts/conformance.mjs -->
Of [${scenarios.length} scenarios](test/CONFORMANCE.md) out of Go's own test suites, other libraries' and JavaScript's hazards, ${passing} pass and
${left} do not apply, each with its reason. The same page names the tests of every guarantee.
<!-- /conformance -->`;
const readme = read("README.md").replace(/<!-- conformance:[\s\S]*?<!-- \/conformance -->/, () => summary);

const outputs = { "test/CONFORMANCE.md": conformance, "README.md": readme };
for (const [path, text] of Object.entries(outputs)) {
  if (process.argv.includes("--check")) {
    let present = "";
    try {
      present = read(path);
    } catch {
      // It is missing, hence different.
    }
    if (present !== text) problems.push(`${path} is not up to date: run \`npm run conformance\``);
  } else {
    writeFileSync(join(root, path), text);
  }
}

for (const problem of problems) console.error(problem);
console.log(`${passing} pass, ${left} do not apply, ${problems.length} problems`);
process.exitCode = problems.length > 0 ? 1 : 0;
