// Random groups, beside a model that is told what happens; and random streams of values through map and forEach.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Flow, plans } from "./flow.ts";
import { programs, Run } from "./program.ts";

/** MODEL_RUNS=50 runs fifty times as many programs. */
const { process: host } = globalThis as { process?: { env?: Record<string, string | undefined> } };
const factor = Number(host?.env?.["MODEL_RUNS"] ?? 1);
const timeout = 60_000 * factor;

describe("groups", () => {
  it("do what the model does, in random programs", { timeout }, async () => {
    await fc.assert(
      fc.asyncProperty(programs, async (program) => {
        expect(await new Run(program).run()).toBe("");
      }),
      { numRuns: 1_000 * factor },
    );
  });
});

describe("map() and forEach()", () => {
  it("keep to their limit, give each value once, and leave nothing behind, in random plans", { timeout }, async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        expect(await new Flow(plan).run()).toBe("");
      }),
      { numRuns: 1_000 * factor },
    );
  });
});
