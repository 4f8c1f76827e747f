// Holds the list of scenarios and guarantees to the tests that exist.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("every scenario has a test or a reason, every guarantee has its tests, and the lists say so", () => {
  const script = fileURLToPath(new URL("../scripts/conformance.mjs", import.meta.url));
  const output = execFileSync(process.execPath, [script, "--check"], { encoding: "utf8" });
  expect(output).toMatch(/^\d+ pass, \d+ do not apply, 0 problems/);
});
