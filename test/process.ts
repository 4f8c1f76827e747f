// Runs programs in a Node process of their own, on the built packages: for exit codes, warnings and process lifetime.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../", import.meta.url);

export interface Run {
  /** The exit code; null if the program was killed, as it is when it runs longer than the limit. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** How long it ran, the start of Node included. */
  readonly ms: number;
}

export interface RunOptions {
  /** The folder under `packages/` in which it runs: from there it imports the packages by their names. */
  readonly from: "channels" | "context" | "errgroup";
  /** Flags of Node. */
  readonly flags?: readonly string[];
  /** Kills it after so many milliseconds. Default 20,000. */
  readonly limit?: number;
}

/** Runs `program`, the text of a module. */
export function run(program: string, { from, flags = [], limit = 20_000 }: RunOptions): Promise<Run> {
  const cwd = new URL(`packages/${from}/`, root);
  if (!existsSync(new URL("dist/index.js", cwd))) {
    return Promise.reject(new Error(`packages/${from} is not built: npm run build`));
  }
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(process.execPath, [...flags, "--input-type=module", "--eval", program], {
      cwd: fileURLToPath(cwd),
      stdio: ["ignore", "pipe", "pipe"],
      // Nothing of the test runner's own settings, such as loaders.
      env: { ...process.env, NODE_OPTIONS: "" },
      timeout: limit,
      killSignal: "SIGKILL",
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => void (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr, ms: performance.now() - started }));
  });
}
