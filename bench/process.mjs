// Child processes that measure.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("measure.mjs", import.meta.url));

/**
 * Runs `jobs` one after another in a process, and gives for each `{ figure }` or `{ failed: why }`. After one that fails or
 * is not done within `limit` ms, a new process goes on with the next.
 */
export async function measure(runtime, { jobs, ...rest }, limit) {
  const done = [];
  while (done.length < jobs.length) {
    const left = jobs.slice(done.length);
    const args =
      rest.file === undefined ? runtime.args : [...runtime.args, script, JSON.stringify({ jobs: left, ...rest })];
    const { figures, why } = await run(runtime, args, left.length, limit);
    done.push(...figures);
    if (figures.length < left.length) done.push({ failed: why });
  }
  return done;
}

function run({ command, env }, args, count, limit) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    const figures = [];
    let output = "";
    let errors = "";
    let late = false;
    const stop = () => {
      late = true;
      child.kill("SIGKILL");
    };
    let timer = setTimeout(stop, limit);
    child.stdout.on("data", (data) => {
      output += data;
      const lines = output.split("\n");
      output = lines.pop();
      for (const line of lines) {
        if (!line.startsWith("{")) continue;
        figures.push(JSON.parse(line));
        clearTimeout(timer);
        timer = setTimeout(stop, limit);
      }
    });
    child.stderr.on("data", (data) => (errors = (errors + data).slice(-20_000)));
    child.on("error", (error) => (errors += error.message));
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({
        figures: figures.slice(0, count),
        why: late ? `not done in ${limit / 1000} s` : reason(code, signal, errors),
      });
    });
  });
}

function reason(code, signal, errors) {
  if (code === 13) return "waits forever"; // the end of the event loop before the end of the program
  if (/heap out of memory|Allocation failed/.test(errors)) return "out of memory";
  const line = errors.split("\n").find((it) => /^(panic|\w*(Error|Exception))\b.*:/.test(it));
  return line?.trim() ?? (signal ? `ended by ${signal}` : `ended with code ${code}`);
}
