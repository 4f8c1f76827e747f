// The benchmarks as programs: whether every workload runs and counts what it moved, and what bench/check says of results.
import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const bench = fileURLToPath(new URL("../bench/", import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

function run(script: string, ...options: string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(bench, script), ...options], {
      stdio: ["ignore", "pipe", "pipe"],
      // Nothing of the test runner's own settings, such as loaders.
      env: { ...process.env, NODE_OPTIONS: "" },
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => void (output += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => void (output += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}

interface Workloads {
  readonly workloads: Record<string, { readonly cases: Record<string, unknown> }>;
}

async function workloads(): Promise<[string, string[]][]> {
  const names: [string, string[]][] = [];
  for (const file of await readdir(join(bench, "workloads"))) {
    const module = (await import(new URL(`../bench/workloads/${file}`, import.meta.url).href)) as Workloads;
    for (const [name, { cases }] of Object.entries(module.workloads)) names.push([name, Object.keys(cases)]);
  }
  return names;
}

describe("npm run bench", () => {
  it("runs every workload, and none of ours fails", async () => {
    const { code, output } = await run("run.mjs", "--quick", "--no-go");
    for (const [name] of await workloads()) expect(output).toMatch(new RegExp(`^${name} {2,}`, "m"));
    expect(output).not.toMatch(/^ *sluice.*: /m);
    expect(code, output).toBe(0);
  });

  it("measures ours in every workload", async () => {
    for (const [name, cases] of await workloads()) expect(cases, name).toContain("sluice");
  });

  it.each([
    [["--sideways"], "Unknown option '--sideways'"],
    [["--rounds", "0"], "--rounds is not a positive integer"],
    [["--only", "no such workload"], 'No workload has "no such workload" in its name'],
  ])("refuses %j", async (options, message) => {
    const { code, output } = await run("run.mjs", ...options);
    expect(output).toContain(message);
    expect(code).toBe(2);
  });
});

describe("bench/check", () => {
  let folder: string;
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "sluice-check-"))));
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function check(text: string, ...options: string[]): Promise<Ended> {
    const file = join(folder, "results.json");
    await writeFile(file, text);
    return run("check", "--file", file, ...options);
  }

  const cases = (medians: Record<string, number>) =>
    Object.fromEntries(Object.entries(medians).map(([name, median]) => [name, { median }]));
  const workload = (medians: Record<string, number>, rest = {}) => ({ date: "today", cases: cases(medians), ...rest });
  const sizes = [100, 1_000, 10_000, 100_000, 1_000_000];
  const growing = (series: string, grow: (size: number) => number = () => 200) =>
    Object.fromEntries(
      sizes.map((size) => [`${size} ${series}`, workload({ sluice: grow(size), floor: 100 }, { series, size })]),
    );

  /** Results in which every target is met. */
  const good = () => {
    const fast = { floor: 100, "await alone": 100, "sluice, try or await": 10, sluice: 110, "sluice, no turns": 105 };
    const slow = { medium: 1_000, "p-limit": 9_000, "p-queue": 9_000, "Go, 1 core": 200, "Go, 2 cores": 300 };
    const all = { ...fast, ...slow };
    const context = { sluice: 10, "AbortController + listener": 100, "AbortSignal.any": 1_000, "Go, 1 core": 10 };
    const timed = [
      "unbuffered",
      "buffered 16",
      "buffered 1,024",
      "ping-pong",
      "for await 16",
      "fan-in 100",
      "fan-out 100",
    ];
    const selects = [2, 8, 64].flatMap((width) => [`select ${width}, ready`, `select ${width}, parks`]);
    const names = [...timed, ...selects, "daisy chain", "tasks at limit 10"];
    return {
      workloads: {
        ...Object.fromEntries(names.map((name) => [name, workload(all)])),
        "child context": workload(context),
        "bytes of a parked receiver": workload({ sluice: 600 }),
        "bytes of an idle channel": workload({ sluice: 100 }),
        "bytes of an idle context": workload({ sluice: 100 }),
        "listeners on one AbortSignal": workload({ sluice: 1 }),
        "peak heap of 1,000,000 tasks": workload({ sluice: 2 }),
        "lateness of a timer": workload({ sluice: 11, "sluice, try or await": 10 }),
        ...growing("buffered values"),
        ...growing("parked waiters"),
        ...growing("children"),
        ...growing("listeners"),
      } as Record<string, { date: string; cases: Record<string, { median: number }> }>,
      engines: {
        workloads: {
          "child context": Object.fromEntries(
            ["Node 22.0.0", "Node 24.0.0", "Node 26.0.0", "Bun 1.0.0"].map((name) => [name, cases(context)]),
          ),
        } as Record<string, unknown>,
      },
    };
  };

  it("exits with 0 where every target is met", async () => {
    const { code, output } = await check(JSON.stringify(good()));
    expect(output).toMatch(/^met {2,}unbuffered: all awaits, against the floor +1\.10 × +≤ 1\.45 ×/m);
    expect(output).toMatch(/^\d+ met, 0 not met, 0 not measured$/m);
    expect(code, output).toBe(0);
  });

  it("exits with 1 where a target is missed, and names it", async () => {
    const results = good();
    results.workloads["unbuffered"]!.cases["sluice"]!.median = 146;
    Object.assign(
      results.workloads,
      growing("children", (size) => 200 + size / 10_000),
    );
    const { code, output } = await check(JSON.stringify(results), "--missed");
    expect(output).toMatch(/^NOT met {2,}unbuffered: all awaits, against the floor +1\.46 × +≤ 1\.45 ×/m);
    expect(output).toMatch(/^NOT met {2,}unbuffered: with turns for timers, against without +1\.39 ×/m);
    expect(output).toMatch(/^NOT met {2,}children: flat from 100 to 1,000,000/m);
    expect(output).toMatch(/^\d+ met, 3 not met, 0 not measured$/m);
    expect(output).not.toMatch(/^met /m);
    expect(code).toBe(1);
  });

  it("exits with 1 where a figure is missing, and names it", async () => {
    const results = good();
    delete results.workloads["daisy chain"];
    delete results.engines.workloads["child context"];
    const { code, output } = await check(JSON.stringify(results), "--missed");
    expect(output).toMatch(/^not measured {2,}daisy chain: all awaits, as fast as Go on 1 core/m);
    expect(output).toMatch(/^not measured {2,}child context: as fast as AbortController \+ listener, Node 24/m);
    expect(output).toMatch(/^\d+ met, 0 not met, 6 not measured$/m);
    expect(code).toBe(1);
  });

  it("takes no curve whose sizes are of several runs", async () => {
    const results = good();
    results.workloads["100 children"]!.date = "yesterday";
    const { code, output } = await check(JSON.stringify(results), "--missed");
    expect(output).toMatch(/^not measured {2,}children: flat/m);
    expect(code).toBe(1);
  });

  it.each(["", "{}", '{ "workloads": ', "null"])("exits with 2 where the results are broken: %j", async (text) => {
    const { code, output } = await check(text);
    expect(output).toContain("run `npm run bench` first");
    expect(code).toBe(2);
  });

  it("exits with 2 where there are no results", async () => {
    const { code, output } = await run("check", "--file", join(folder, "none.json"));
    expect(output).toContain("run `npm run bench` first");
    expect(code).toBe(2);
  });

  it("explains itself, and refuses an unknown option", async () => {
    const help = await run("check", "--help");
    expect(help.output).toContain("Exit code: 0 if all are met");
    expect(help.code).toBe(0);
    const wrong = await run("check", "--sideways");
    expect(wrong.output).toContain("Unknown option '--sideways'");
    expect(wrong.code).toBe(2);
  });
});
