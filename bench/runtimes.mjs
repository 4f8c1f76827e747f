// What the workloads run on besides this Node: other engines, Go, and a copy of channels without its turns.
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const engines = {
  [`Node ${process.versions.node}`]: undefined,
  "Node 22.23.3": "node@22.23.3",
  "Node 24.21.0": "node@24.21.0",
  "Node 26.10.0": "node@26.10.0",
  "Bun 1.4.4": "bun@1.4.4",
};

/**
 * The command of an engine, or why there is none. npx takes a second at each start, so it is only asked where the
 * program is.
 */
export function engineCommand(name) {
  const spec = engines[name];
  if (spec === undefined) return { command: process.execPath, args: ["--expose-gc"] };
  try {
    const asked = execFileSync("npx", ["--yes", spec, "-p", "process.execPath"], {
      encoding: "utf8",
      cwd: tmpdir(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    return { command: asked.trim().split("\n").at(-1), args: spec.startsWith("node") ? ["--expose-gc"] : [] };
  } catch (error) {
    return { why: error.message.split("\n")[0] };
  }
}

/** Builds go/, where there is a Go. */
export function build(folder) {
  const command = join(folder, process.platform === "win32" ? "go.exe" : "go");
  try {
    const version = execFileSync("go", ["env", "GOVERSION"], { encoding: "utf8" }).trim().replace(/^go/, "");
    execFileSync("go", ["build", "-o", command, "."], {
      cwd: fileURLToPath(new URL("go/", import.meta.url)),
      env: { ...process.env, GOFLAGS: "-mod=mod", GOWORK: "off" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    return { command, version };
  } catch (error) {
    return { why: error.code === "ENOENT" ? "no `go` on the PATH" : `go: ${error.message.split("\n")[0]}` };
  }
}

// The turn module without turns: every task goes on at once, and timers wait until all is done.
const noTurns = `
const nothing = Promise.resolve();
export function resume(settle, value) { settle(value); }
export function resumed() { return nothing; }
export function resumedWith(result) { return Promise.resolve(result); }
export function rejectedWith(reason) { return Promise.reject(reason); }
export function nextTurn(callback) { setImmediate(callback); }
`;

/** A copy of the built channels that never gives the event loop its turn: what fairness costs is the difference. */
export function withoutTurns() {
  const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));
  const channels = fileURLToPath(new URL("../packages/channels/", import.meta.url));
  cpSync(join(channels, "dist"), join(folder, "dist"), { recursive: true });
  cpSync(join(channels, "package.json"), join(folder, "package.json"));
  const file = join(folder, "dist", "turn.js");
  const names = (text) =>
    [...text.matchAll(/^export function (\w+)/gm)]
      .map((match) => match[1])
      .sort((a, b) => a.localeCompare(b))
      .join(", ");
  const [has, replaced] = [names(readFileSync(file, "utf8")), names(noTurns)];
  if (has !== replaced) throw new Error(`The turn module exports ${has}, but bench/runtimes.mjs replaces ${replaced}`);
  writeFileSync(file, noTurns);
  process.env["BENCH_NO_TURNS"] = pathToFileURL(join(folder, "dist", "index.js")).href;
  return { folder };
}
