// Runs npm scripts one after another, each under its name, and says at the end which of them failed.
import { spawnSync } from "node:child_process";

const bold = process.stdout.isTTY ? (text) => `\x1b[1m${text}\x1b[0m` : (text) => text;
const steps = process.argv.slice(2);

const failed = [];
for (const step of steps) {
  console.log(bold(`\n── ${step}`));
  // One command string: on Windows npm is a script that only the shell finds.
  const { status } = spawnSync(`npm run --silent ${step}`, { stdio: "inherit", shell: true });
  if (status !== 0) failed.push(step);
}

if (failed.length > 0) {
  console.error(bold(`\nFailed: ${failed.join(", ")}`));
  process.exitCode = 1;
} else if (steps.length > 1) {
  console.log(bold(`\nAll good: ${steps.join(", ")}`));
}
