// Holds the packages to ARCHITECTURE.md: its tables name every source file and say what each may import.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const root = new URL("../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), "utf8");

/** What each package needs at run time. */
const dependencies: Record<string, string[]> = {
  channels: [],
  context: [],
  errgroup: ["@sluice/context"],
};

interface Row {
  file: string;
  /** Specifiers as they stand in an import: `./queue.ts`, `@sluice/context`. */
  mayImport: string[];
}

/** The rows of the table under `### packages/<name>`. */
function table(name: string): Row[] {
  const section =
    read("ARCHITECTURE.md")
      .split(/^#{2,3} /m)
      .find((part) => part.startsWith(`packages/${name}\n`)) ?? "";
  const rows: Row[] = [];
  for (const [, file = "", , allowed = ""] of section.matchAll(/^\| *`([^`]+)` *\|([^|]*)\|([^|]*)\|$/gm)) {
    const named = Array.from(allowed.matchAll(/`([^`]+)`/g), ([, module = ""]) => module);
    const mayImport = named.map((module) => (module.startsWith("@") ? module : `./${module}.ts`));
    if (allowed.includes("all above")) mayImport.push(...rows.map((row) => `./${row.file}`));
    rows.push({ file, mayImport });
  }
  return rows;
}

/** What a source file imports or re-exports, types included. Examples in doc comments don't count. */
function imports(path: string): string[] {
  const code = read(path).replaceAll(/\/\*[^]*?\*\//g, "");
  const statements = code.matchAll(/^(?:import|export)\b(?:[\w\s*,]|\{[^}]*\})*?\bfrom\s*["']([^"']+)["']/gm);
  const bare = code.matchAll(/\bimport\s*\(?\s*["']([^"']+)["']/g);
  return [...statements, ...bare].map(([, specifier = ""]) => specifier);
}

it("knows every package", () => {
  expect(readdirSync(new URL("packages/", root)).toSorted()).toEqual(Object.keys(dependencies));
});

describe.for(Object.entries(dependencies))("packages/%s", ([name, needs]) => {
  const rows = table(name);

  it("has a row for each source file, and no other", () => {
    const files = readdirSync(new URL(`packages/${name}/src/`, root));
    expect(rows.map((row) => row.file).toSorted()).toEqual(files.toSorted());
  });

  it("allows imports only of rows above, so that no cycle can arise", () => {
    const above = new Set(needs);
    const upwards: string[] = [];
    for (const { file, mayImport } of rows) {
      upwards.push(...mayImport.filter((module) => !above.has(module)).map((module) => `${file} -> ${module}`));
      above.add(`./${file}`);
    }
    expect(upwards).toEqual([]);
  });

  it("imports only what its table allows, other packages by their name alone", () => {
    const forbidden = rows.flatMap(({ file, mayImport }) =>
      imports(`packages/${name}/src/${file}`)
        .filter((specifier) => !mayImport.includes(specifier))
        .map((specifier) => `${file} -> ${specifier}`),
    );
    expect(forbidden).toEqual([]);
  });

  it("depends on nothing else at run time", () => {
    const manifest = JSON.parse(read(`packages/${name}/package.json`)) as Record<string, object | undefined>;
    expect(Object.keys(manifest["dependencies"] ?? {})).toEqual(needs);
    expect(manifest).not.toHaveProperty("peerDependencies");
    expect(manifest).not.toHaveProperty("optionalDependencies");
  });
});
