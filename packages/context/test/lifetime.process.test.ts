// What keeps a process alive, and what reaches it as uncaught.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { run } from "../../../test/process.ts";

/** Runs `body` in a module that has imported everything. */
const start = (body: string, flags: string[] = []) =>
  run(
    `import { afterDone, background, contextKey, sleep, withCancel, withDeadline, withSignal, withTimeout, withValue } from "@sluice/context";
import { after, channel, select } from "@sluice/channels";
const began = performance.now();
const hour = 3_600_000;
const waited = (ms) => console.log(performance.now() - began >= ms - 1 ? "waited" : "early");
${body}`,
    { from: "context", flags },
  );

const good = (stdout: string) => ({ code: 0, stdout, stderr: "" });

describe("a process", () => {
  it("is not kept alive by deadlines, their signals, children and callbacks", async () => {
    const result = await start(`
      const ctx = withTimeout(background, hour);
      ctx.signal.addEventListener("abort", () => console.log("never"));
      afterDone(ctx, () => console.log("never"));
      const child = withValue(withDeadline(ctx, Date.now() + 60_000), contextKey("k"), 1);
      afterDone(child, () => console.log("never"));
      withSignal(withTimeout(background, 2 ** 40), new AbortController().signal).signal;
      console.log("end");
    `);
    expect(result).toMatchObject(good("end\n"));
    expect(result.ms).toBeLessThan(10_000);
  });

  it("that awaits nothing but a callback of a deadline ends with 13", async () => {
    const { code } = await start(`await new Promise((resolve) => afterDone(withTimeout(background, hour), resolve));`);
    expect(code).toBe(13);
  });

  it.for([
    ["a sleep on a context with a deadline", `sleep(Infinity, withTimeout(background, 100))`],
    ["a sleep on its signal", `sleep(Infinity, { signal: withTimeout(background, 100).signal })`],
    ["a sleep on a child", `sleep(Infinity, withCancel(withCancel(withTimeout(background, 100))))`],
    ["a sleep on a child with a later deadline", `sleep(Infinity, withTimeout(withTimeout(background, 100), hour))`],
    ["a sleep on one with a value", `sleep(Infinity, withValue(withTimeout(background, 100), contextKey("k"), 1))`],
    [
      "a sleep on one that follows its signal",
      `sleep(Infinity, withSignal(background, withTimeout(background, 100).signal))`,
    ],
    ["a sleep on a child of its signal", `sleep(Infinity, withCancel(withTimeout(background, 100).signal))`],
    ["a longer sleep", `sleep(hour, withTimeout(background, 100))`],
    ["a receive", `channel().receive(withTimeout(background, 100))`],
    ["a receive on a child", `channel().receive({ ...withCancel(withTimeout(background, 100)) })`],
    ["a send", `channel().send(1, withTimeout(background, 100))`],
    ["a select with it as its option", `select({ a: channel() }, withTimeout(background, 100))`],
    ["a select with it as a case", `select({ a: channel(), stop: withTimeout(background, 100).signal })`],
  ])("is kept alive by %s, until it fires", async ([, wait]) => {
    expect(await start(`await ${wait}.catch(() => {});\nwaited(100);`)).toMatchObject(good("waited\n"));
  });

  it("is let go when the last wait on a deadline is over", async () => {
    const result = await start(`
      const ctx = withTimeout(background, hour);
      const ch = channel();
      const received = ch.receive(ctx);
      ch.trySend(1);
      await received;
      await sleep(5, ctx);
      const child = withCancel(ctx);
      const asleep = sleep(Infinity, child).catch(() => {});
      child.cancel();
      await asleep;
      await select({ late: after(5), stop: ctx.signal });
      ctx.signal.addEventListener("abort", () => console.log("never"));
      console.log("end");
    `);
    expect(result).toMatchObject(good("end\n"));
    expect(result.ms).toBeLessThan(10_000);
  });

  it("is kept alive by a sleep, and no longer by one that was canceled", async () => {
    const result = await start(`
      await sleep(50);
      waited(50);
      const ctx = withCancel(background);
      const asleep = sleep(hour, ctx).catch((reason) => console.log(reason));
      ctx.cancel("awake");
      await asleep;
    `);
    expect(result).toMatchObject(good("waited\nawake\n"));
    expect(result.ms).toBeLessThan(10_000);
  });

  it("ends at once when its deadlines have been canceled", async () => {
    const result = await start(`
      const ctx = withTimeout(background, 1_200_000);
      const asleep = sleep(Infinity, withTimeout(ctx, hour)).catch(() => {});
      ctx.cancel();
      await asleep;
      console.log(process.getActiveResourcesInfo().filter((name) => name === "Timeout").length);
    `);
    expect(result).toMatchObject(good("0\n"));
    expect(result.ms).toBeLessThan(10_000);
  });

  it("gets no warning of a timer that is too long, nor of too many listeners", async () => {
    const result = await start(`
      const signal = new AbortController().signal;
      const contexts = [];
      for (let n = 0; n < 200; n++) {
        const child = withCancel(signal);
        afterDone(child, () => {});
        contexts.push(child, withTimeout(signal, 2 ** 31 + n), withDeadline(signal, new Date(8.64e15)), withSignal(background, signal));
        sleep(3_600_000_000, { signal }).catch(() => {});
      }
      for (const ctx of contexts) ctx.signal;
      setTimeout(() => {
        console.log(contexts.filter((ctx) => ctx.error).length);
        process.exit();
      }, 50);
    `);
    expect(result).toMatchObject(good("0\n"));
  });
});

describe("nothing is left unhandled", () => {
  it("by contexts that end, whether or not anybody looks", async () => {
    const result = await start(
      `
      for (const look of [false, true]) {
        for (const cause of [undefined, null, new Error("why")]) {
          const parent = withTimeout(background, 5, { cause });
          const canceled = withCancel(parent);
          const both = [parent, canceled, withCancel(parent), withValue(canceled, contextKey("k"), 1)];
          if (look) for (const ctx of both) void [ctx.signal, ctx.error, ctx.cause, ctx.remaining, ctx.deadline];
          canceled.cancel(cause);
          if (look) for (const ctx of both) void [ctx.signal, ctx.error, ctx.cause, ctx.remaining, ctx.deadline];
        }
      }
      setTimeout(() => console.log("end"), 50);
    `,
      ["--unhandled-rejections=strict"],
    );
    expect(result).toMatchObject(good("end\n"));
  });

  it("but what listeners and callbacks throw is an uncaught exception, each once, after cancel() has returned", async () => {
    const result = await start(`
      process.on("uncaughtException", (error) => console.log("uncaught:", error.message));
      const ctx = withCancel(background);
      const child = withCancel(ctx);
      ctx.signal.addEventListener("abort", () => { throw new Error("one"); });
      ctx.signal.addEventListener("abort", () => console.log("listener"));
      afterDone(ctx, () => { throw new Error("two"); });
      afterDone(child, () => console.log("child"));
      afterDone(child, async () => { throw new Error("three"); });
      ctx.cancel();
      console.log("canceled");
    `);
    expect(result).toMatchObject({ code: 0, stderr: "" });
    const lines = result.stdout.trimEnd().split("\n");
    expect(lines.slice(0, 3)).toEqual(["listener", "child", "canceled"]);
    expect(lines.slice(3).toSorted()).toEqual(["uncaught: one", "uncaught: three", "uncaught: two"]);
  });
});

describe("another copy of the package", () => {
  const folder = mkdtempSync(join(tmpdir(), "context-copy-"));
  cpSync(fileURLToPath(new URL("../dist/", import.meta.url)), folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), `{ "type": "module" }`);
  afterAll(() => rmSync(folder, { recursive: true }));
  const copy = JSON.stringify(pathToFileURL(join(folder, "index.js")).href);

  it("keeps the process alive for who waits here on its deadline", async () => {
    const result = await start(`
      const copy = await import(${copy});
      const parent = copy.withTimeout(copy.background, 100, { cause: "slow" });
      for (const wait of [sleep(Infinity, withCancel(parent.signal)), sleep(Infinity, withTimeout(parent, hour))]) {
        await wait.catch((reason) => console.log(reason));
      }
      waited(100);
    `);
    expect(result).toMatchObject(good("slow\nslow\nwaited\n"));
  });

  it("does not without", async () => {
    const result = await start(`
      const copy = await import(${copy});
      const ctx = withCancel(copy.withTimeout(copy.background, hour));
      ctx.signal.addEventListener("abort", () => console.log("never"));
      console.log("end");
    `);
    expect(result).toMatchObject(good("end\n"));
    expect(result.ms).toBeLessThan(10_000);
  });
});
