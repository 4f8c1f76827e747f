// Prints `N passed, N failed` from the last test run, as the closing line of the continuous integration.
// Its argument is the exit status of that run: what failed outside of a test, or left no report, counts as one failure.
import { existsSync, readFileSync } from "node:fs";

const report = new URL("../.cache/vitest.json", import.meta.url);
const complete = process.argv[2] === "0" && existsSync(report);

const { numPassedTests = 0, numFailedTests = 0 } = existsSync(report) ? JSON.parse(readFileSync(report, "utf8")) : {};
const failed = Math.max(numFailedTests, complete ? 0 : 1);
console.log(`${numPassedTests} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
