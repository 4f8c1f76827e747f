import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a program against the built packages, in a Node that dies of an unhandled rejection. */
async function run(program: string): Promise<Ended> {
  const args = ["--unhandled-rejections=strict", "--trace-warnings", "--input-type=module", "--eval", program];
  const options = { cwd: new URL("..", import.meta.url), timeout: 20_000 };
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, options);
    return { code: 0, out: stdout.trim(), err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout.trim(), err: stderr };
  }
}

const imports = `
  import { background, withCancel } from "@sluice/context";
  import { all, any, forEach, group, Group, map, race } from "@sluice/errgroup";
  const turn = () => new Promise(setImmediate);
  const fail = (text) => async () => { throw new Error(text); };
`;

describe("a program with groups", () => {
  it("may wait late for a task that has failed", async () => {
    const ended = await run(`${imports}
      const g = new Group();
      g.go(fail("one"));
      g.go(fail("two"));
      for (let i = 0; i < 3; i++) await turn();
      for (const _ of "12") await g.wait().catch((error) => console.log(error.message, g.errors.length));
    `);
    expect(ended).toEqual({ code: 0, out: "one 2\none 2", err: "" });
  });

  it("hears nothing of a group that nobody waits for", async () => {
    const ended = await run(`${imports}
      const g = new Group(background, { limit: 1 });
      g.go(fail("one"));
      g.go(fail("two"));
      for (let i = 0; i < 3; i++) await turn();
      console.log("alive");
    `);
    expect(ended).toEqual({ code: 0, out: "alive", err: "" });
  });

  it("is told of a wait() that nobody handles, as of any promise", async () => {
    const ended = await run(`${imports}
      const g = new Group();
      g.go(fail("one"));
      g.wait();
    `);
    expect(ended.code).toBe(1);
    expect(ended.err).toContain("Error: one");
  });

  it("meets no unhandled rejection in what all, any, race, map and forEach leave behind", async () => {
    const ended = await run(`${imports}
      const late = (text) => async (ctx) => { await new Promise((r) => ctx.signal.addEventListener("abort", r)); throw new Error(text); };
      const quiet = () => {};
      await all(background, [fail("a"), late("b")]).catch(quiet);
      await any(background, [late("a"), async () => 1]).catch(quiet);
      await race(background, [late("a"), fail("b")]).catch(quiet);
      await group(background, (g) => { g.go(late("a")); throw new Error("b"); }).catch(quiet);
      await forEach(background, [1, 2, 3], fail("a"), { limit: 2 }).catch(quiet);
      async function* stuck() { yield 1; yield new Promise(() => {}); }
      const results = map(background, stuck(), fail("a"), { limit: 2 });
      await results.next().catch(quiet);
      const left = map(background, [1, 2, 3], (n, ctx) => n === 1 ? n : late("a")(ctx), { limit: 3 });
      await left.next();
      await left.return().catch(quiet);
      map(background, [Promise.resolve()], fail("a"), { limit: 1 });
      for (let i = 0; i < 3; i++) await turn();
      console.log("alive");
    `);
    expect(ended).toEqual({ code: 0, out: "alive", err: "" });
  });

  it("is not kept alive by a group: Node ends with code 13 when only a stuck task is waited for", async () => {
    const ended = await run(`${imports}
      const g = new Group(background, { limit: 1 });
      g.go(() => new Promise(() => {}));
      g.go(() => {});
      console.log("waiting");
      await g.wait();
    `);
    expect([ended.code, ended.out]).toEqual([13, "waiting"]);
  });

  it("gets no warning for many groups under one signal", async () => {
    const ended = await run(`${imports}
      const controller = new AbortController();
      const groups = Array.from({ length: 200 }, () => new Group(controller.signal, { limit: 1 }));
      for (const g of groups) for (let i = 0; i < 20; i++) g.go((ctx) => new Promise((_, no) => ctx.signal.addEventListener("abort", () => no(ctx.cause))));
      await turn();
      controller.abort("why");
      const outcomes = await Promise.allSettled(groups.map((g) => g.wait()));
      console.log(outcomes.every(({ reason }) => reason === "why"));
    `);
    expect(ended).toEqual({ code: 0, out: "true", err: "" });
  });
});
