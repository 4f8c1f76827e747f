// What only a process of its own can tell: its timers, its warnings, what goes unhandled, and when it ends.
import { describe, expect, it } from "vitest";
import { run } from "../../../../test/process.ts";

const strict = ["--unhandled-rejections=strict", "--trace-warnings"];
const imports = `
  import {
    afterDone, background, contextKey, sleep, withCancel, withDeadline, withoutCancel, withSignal, withTimeout, withValue,
  } from "@sluice/context";
  import { getEventListeners } from "node:events";
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const MINUTES = 60_000;
  const HOURS = 3_600_000;
`;

interface Ending {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function ending(program: string, flags: readonly string[] = strict): Promise<Ending> {
  const { code, stdout, stderr } = await run(imports + program, { from: "context", flags });
  return { code, stdout: stdout.trim(), stderr };
}

const well = (stdout: string): Ending => ({ code: 0, stdout, stderr: "" });

describe("P-100 TestCanceledTimeout (process)", () => {
  it("P-100 no timer is left to Node when it was canceled", async () => {
    const program = `
      const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
      const ctx = withTimeout(withCancel(withTimeout(background, 1_000)), 1_000 * HOURS);
      const seen = [timers()];
      const nap = sleep(Infinity, ctx).catch((error) => error.name);
      seen.push(timers());
      ctx.cancel();
      seen.push(timers());
      console.log(...seen, await nap);
    `;
    expect(await ending(program)).toEqual(well("0 1 0 AbortError"));
  });
});

describe("P-123 TestAfterFuncCalledAsynchronously (process)", () => {
  it("P-123 what a callback throws is an uncaught exception, what an async one throws an unhandled rejection; cancel() returns", async () => {
    const program = `
      const seen = [];
      process.on("uncaughtException", (error, origin) => seen.push(origin + ": " + error.message));
      const ctx = withCancel(background);
      afterDone(ctx, () => { throw new Error("thrown"); });
      afterDone(ctx, async () => { throw new Error("rejected"); });
      afterDone(ctx, () => seen.push("ran"));
      ctx.cancel();
      seen.push("canceled");
      afterDone(ctx, () => { throw new Error("thrown late"); });
      await turn();
      console.log(seen.join(", "));
    `;
    const order = [
      "ran",
      "canceled",
      "uncaughtException: thrown",
      "uncaughtException: thrown late",
      "unhandledRejection: rejected",
    ];
    const { stdout, ...rest } = await ending(program, ["--trace-warnings"]);
    expect(rest).toEqual({ code: 0, stderr: "" });
    expect(stdout.split(", ").slice(0, 2)).toEqual(order.slice(0, 2));
    expect(stdout.split(", ").toSorted((a, b) => a.localeCompare(b))).toEqual(
      order.toSorted((a, b) => a.localeCompare(b)),
    );
  });
});

describe("P-143 synctest, contextWithTimeout (process)", () => {
  it.for(['["setTimeout"]', '["setTimeout", "Date"]'])(
    "P-143 follows the clock of node:test that mocks %s: live before 5,000 ms, over then",
    async (apis) => {
      // Where only timers are mocked, real time passes between the making of a context and the first look at it.
      const before = apis.includes("Date") ? 4_999 : 4_000;
      const program = `
        import { mock } from "node:test";
        mock.timers.enable({ apis: ${apis} });
        const [ctx, unwatched] = [withTimeout(background, 5_000), withTimeout(background, 5_000)];
        let slept = false;
        sleep(5_000).then(() => { slept = true; });
        ctx.signal.aborted;
        const look = async () => {
          await turn();
          console.log(ctx.error?.name, ctx.signal.aborted, slept, ${apis.includes("Date") ? "unwatched.error?.name" : "undefined"});
        };
        mock.timers.tick(${before});
        await look();
        mock.timers.tick(${5_000 - before});
        await look();
      `;
      const last = `TimeoutError true true ${apis.includes("Date") ? "TimeoutError" : "undefined"}`;
      const flags = [...strict, "--disable-warning=ExperimentalWarning"];
      expect(await ending(program, flags)).toEqual(well(`undefined false false undefined\n${last}`));
    },
  );
});

describe("P-146, P-170 (context) timers beyond the range of the host's (process)", () => {
  it.for(["P-146", "P-170"])(
    "%s with Node's own timers, nothing is over after 50 ms, and there is no warning",
    async (id) => {
      const times: Record<string, string> = {
        "P-146": "[2 ** 31, 2 ** 53, Number.MAX_VALUE, Infinity]",
        "P-170": "[1_000 * HOURS, 2 ** 31 - 1, 2 ** 31, 2 ** 32 + 1, Infinity]",
      };
      const program = `
      const fired = [];
      const root = withCancel(background);
      for (const ms of ${times[id]}) {
        for (const ctx of [withTimeout(root, ms), withDeadline(root, Date.now() + ms), withDeadline(root, new Date(8.64e15))]) {
          afterDone(ctx, () => fired.push(ms));
          sleep(ms, ctx).catch(() => {}).finally(() => fired.push(ms));
        }
      }
      setTimeout(() => {
        console.log(fired.length);
        root.cancel();
        setImmediate(() => console.log(fired.length));
      }, 60);
    `;
      expect(await ending(program)).toEqual(well(`0\n${(id === "P-146" ? 4 : 5) * 6}`));
    },
  );
});

describe("P-154 Node, test-abortcontroller long timeout (process)", () => {
  const uses: Record<string, string> = {
    dropped: "withTimeout(background, 20 * MINUTES);",
    "dropped, its signal in use": "withTimeout(background, 20 * MINUTES).signal.addEventListener('abort', () => {});",
    "dropped, a child's signal in use": "withCancel(withTimeout(background, 20 * MINUTES)).signal.aborted;",
    "dropped, with a callback": "afterDone(withTimeout(background, 20 * MINUTES), () => {});",
    "followed by AbortSignal.any": "globalThis.any = AbortSignal.any([withTimeout(background, 20 * MINUTES).signal]);",
    canceled: "const ctx = withTimeout(background, 20 * MINUTES); ctx.signal.aborted; ctx.cancel();",
    "waited on, then canceled":
      "const ctx = withTimeout(background, 20 * MINUTES); sleep(Infinity, ctx).catch(() => {}); ctx.cancel();",
    "waited on until the sleep was over": "await sleep(5, withTimeout(background, 20 * MINUTES));",
    "above a sleep that was canceled":
      "const ctx = withCancel(background); sleep(20 * MINUTES, ctx).catch(() => {}); ctx.cancel();",
  };

  it.for(Object.entries(uses))("P-154 a timeout of 20 minutes does not keep the process: %s", async ([, use]) => {
    const program = `${use} console.log("at the end");`;
    expect(await ending(program)).toEqual(well("at the end"));
  });
});

describe("P-164 contexts that nobody looks at (process)", () => {
  const program = (touch: string): string => `
    const touch = ${touch};
    let thens = 0;
    const thenable = { then(resolve) { thens++; resolve(); } };
    const live = [];
    for (const cause of [undefined, null, 0, "", "text", new Error("cause"), thenable]) {
      const parent = withCancel(background);
      const all = [
        parent,
        withCancel(parent),
        withTimeout(parent, 1, { cause }),
        withTimeout(parent, 0, { cause }),
        withTimeout(parent, 1 * HOURS, { cause }),
        withDeadline(parent, new Date(Date.now() + 1), { cause }),
        withValue(parent, contextKey("key"), cause),
        withoutCancel(parent),
        withSignal(background, parent.signal, AbortSignal.abort(cause)),
        withSignal(background, parent.signal),
        withCancel(AbortSignal.abort(cause)),
      ];
      for (const ctx of all) touch(ctx);
      live.push(...all);
      setTimeout(() => {
        parent.cancel(cause);
        for (const ctx of all) ctx.cancel?.(cause);
        for (const ctx of all) touch(ctx);
      }, cause === null ? 20 : 0);
    }
    await new Promise((resolve) => setTimeout(resolve, 40));
    await turn();
    console.log(live.filter((ctx) => ctx.error !== undefined).length, live.length, thens);
  `;

  it("P-164 no rejection goes unhandled, however they end", async () => {
    expect(await ending(program("() => {}"))).toEqual(well("70 77 0"));
  });

  it("P-164 nor when each of their properties has been looked at, before and after", async () => {
    const touch = `(ctx) => {
      for (const name of ["signal", "deadline", "remaining", "error", "cause"]) ctx[name];
      afterDone(ctx, () => {});
      ({ ...ctx });
      JSON.stringify(ctx);
      try { ctx.throwIfDone(); } catch {}
      sleep(0, ctx).catch(() => {});
    }`;
    expect(await ending(program(touch))).toEqual(well("70 77 0"));
  });
});

describe("P-168 a listener that throws (process)", () => {
  const report = `
    const uncaught = [];
    process.on("uncaughtException", (error) => uncaught.push(error.message));
    const ran = [];
    const boom = (name) => () => { ran.push(name); throw new Error(name); };
    const tell = (name) => () => ran.push(name);
    const listen = (ctx, listener) => ctx.signal.addEventListener("abort", listener);
    const end = async (top, children) => {
      ran.push("canceled");
      await turn();
      await turn();
      console.log(ran.join(" "));
      console.log(uncaught.join(" "));
      console.log([top, ...children].every((ctx) => ctx.error !== undefined && ctx.signal.aborted));
    };
  `;

  it.for(["cancel()", "a foreign signal"])(
    "P-168 keeps no other listener, callback or child from its turn, and is uncaught once; ended by %s",
    async (by) => {
      const program = `${report}
        const controller = new AbortController();
        const top = withCancel(controller.signal);
        const one = withCancel(top);
        const under = withTimeout(one, 1 * HOURS);
        const two = withCancel(top);
        listen(top, boom("top-throws"));
        listen(top, tell("top"));
        afterDone(top, boom("top-callback-throws"));
        afterDone(top, tell("top-callback"));
        listen(one, boom("one-throws"));
        listen(one, tell("one"));
        listen(under, { handleEvent: boom("under-throws") });
        listen(two, tell("two"));
        const nap = sleep(Infinity, two).catch(() => ran.push("woken"));
        ${by === "cancel()" ? "top.cancel('why')" : "controller.abort('why')"};
        await end(top, [one, under, two]);
      `;
      const ran = "top-throws top top-callback-throws top-callback one-throws one under-throws two canceled woken";
      const { code, stdout, stderr } = await ending(program);
      const [order = "", uncaught = "", all = ""] = stdout.split("\n");
      expect({ code, stderr, order, all }).toEqual({ code: 0, stderr: "", order: ran, all: "true" });
      const names = uncaught.split(" ").toSorted((a, b) => a.localeCompare(b));
      expect(names).toEqual(["one-throws", "top-callback-throws", "top-throws", "under-throws"]);
    },
  );

  it("P-168 so it is when a deadline ends them: the timer of another context fires all the same", async () => {
    const program = `${report}
      const top = withTimeout(background, 5);
      const one = withCancel(top);
      const other = withTimeout(background, 6);
      listen(top, boom("top-throws"));
      listen(one, tell("one"));
      listen(other, tell("other"));
      await sleep(Infinity, other).catch(() => {});
      await end(top, [one, other]);
    `;
    expect(await ending(program)).toEqual(well("top-throws one other canceled\ntop-throws\ntrue"));
  });
});

describe("P-171 (context) when a process ends (process)", () => {
  it.for([
    ["itself", "const wait = ctx"],
    ["a child", "const wait = withCancel(ctx)"],
    ["a child with a later deadline", "const wait = withTimeout(ctx, 1 * HOURS)"],
    ["its signal", "const wait = { signal: ctx.signal }"],
    ["a copy", "const wait = { ...ctx }"],
    ["a child of its signal", "const wait = withCancel(ctx.signal)"],
    ["a context that follows it", "const wait = withSignal(background, ctx.signal)"],
  ])("P-171 (context) c: it goes on while main waits for a deadline, and tells of it: %s", async ([, wait]) => {
    const program = `
      const began = performance.now();
      const ctx = withTimeout(background, 50);
      ${wait};
      await sleep(Infinity, wait).catch((error) => console.log(error.name, performance.now() - began > 45));
    `;
    expect(await ending(program)).toEqual(well("TimeoutError true"));
  });

  it("P-171 (context) b: an hour that was canceled, and one that nobody waits for, end with main", async () => {
    const program = `
      const canceled = withTimeout(background, 1 * HOURS);
      canceled.signal.addEventListener("abort", () => console.log("canceled"));
      canceled.cancel();
      const left = withTimeout(background, 1 * HOURS);
      left.signal.addEventListener("abort", () => console.log("never"));
      console.log("main");
    `;
    expect(await ending(program)).toEqual(well("canceled\nmain"));
  });

  it.for([
    ["a listener", "new Promise((resolve) => ctx.signal.addEventListener('abort', resolve))"],
    ["a callback", "new Promise((resolve) => afterDone(ctx, resolve))"],
  ])("P-171 (context) %s is no wait: main ends with 13, Node's code for a deadlock", async ([, wait]) => {
    const { code, stdout } = await ending(
      `const ctx = withTimeout(background, 50); await ${wait}; console.log("went on");`,
    );
    expect({ code, stdout }).toEqual({ code: 13, stdout: "" });
  });
});

describe("P-173 many on one parent (process)", () => {
  it.for([
    ["a context", "withCancel(background)"],
    ["a timeout", "withTimeout(background, 1 * HOURS)"],
    ["a foreign signal", "withValue(controller.signal, contextKey('key'), 1)"],
    ["background", "background"],
  ])("P-173 200 children, callbacks, timeouts, followers and sleeps: no warning; %s", async ([, make]) => {
    const program = `
      let warnings = 0;
      process.on("warning", () => warnings++);
      const controller = new AbortController();
      const parent = ${make};
      const all = [];
      let ended = 0;
      for (let i = 0; i < 200; i++) {
        all.push(withCancel(parent), withTimeout(parent, 2 * HOURS), withSignal(parent, controller.signal));
        afterDone(parent, () => ended++);
        const stop = new AbortController();
        all.push({ cancel: () => stop.abort() });
        sleep(2 * HOURS, withSignal(parent, stop.signal)).catch(() => ended++);
      }
      for (const { signal } of all) signal?.aborted;
      const count = (signal) => getEventListeners(signal, "abort").length;
      const before = [count(parent.signal), count(controller.signal)];
      if (parent.cancel !== undefined) parent.cancel();
      else if (parent !== background) controller.abort();
      else for (const ctx of all) ctx.cancel();
      await turn();
      await turn();
      console.log(warnings, ...before, count(parent.signal), count(controller.signal), ended);
    `;
    const listeners =
      make === "background" ? "0 1 0 0 200" : make?.includes("controller") ? "1 1 0 0 400" : "0 1 0 0 400";
    expect(await ending(program)).toEqual(well(`0 ${listeners}`));
  });
});
