// What only a process of its own can tell, with all three packages: what goes unhandled, warnings, busy loops, its end.
import { describe, expect, it } from "vitest";
import { run } from "../../../../test/process.ts";

const strict = ["--unhandled-rejections=strict", "--trace-warnings"];
const imports = `
  import { channel, select, sending } from "@sluice/channels";
  import { afterDone, background, sleep, withCancel, withTimeout } from "@sluice/context";
  import { all, any, forEach, Group, group, map, race } from "@sluice/errgroup";
  import { getEventListeners } from "node:events";
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const HOURS = 3_600_000;
`;

interface Ending {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function ending(program: string, limit = 20_000): Promise<Ending> {
  const { code, stdout, stderr } = await run(imports + program, { from: "errgroup", flags: strict, limit });
  return { code, stdout: stdout.trim(), stderr };
}

const well = (stdout: string): Ending => ({ code: 0, stdout, stderr: "" });

describe("P-135 the first error cancels (process)", () => {
  it("P-135 neither a later failure nor an echo of the cancellation goes unhandled", async () => {
    const program = `
      const g = new Group();
      g.go((ctx) => sleep(Infinity, ctx));
      g.go(async () => { await sleep(1); throw new Error("e1"); });
      g.go(async () => { await sleep(5); throw new Error("e2"); });
      await g.wait().catch((error) => console.log(error.message, g.errors.map(String).join(" ")));
      await turn();
    `;
    expect(await ending(program)).toEqual(well("e1 Error: e1 Error: e2"));
  });
});

describe("P-162 (context) deadlines in a busy loop (process)", () => {
  const pingPong = `
    const ping = channel();
    const pong = channel();
    const peer = (async () => {
      for await (const n of ping) await pong.send(n);
    })().catch(() => {}); // who is left with a value in its hands when the other stops
    let exchanges = 0;
  `;
  const loops: Record<string, string> = {
    "the context as an option": `
      try {
        for (;;) {
          await ping.send(exchanges, ctx);
          await pong.receive(ctx);
          exchanges++;
        }
      } catch (error) {
        if (error !== ctx.cause) throw error;
      }`,
    "its signal as a case": `
      for (;;) {
        const sent = await select({ ping: sending(ping, exchanges), stop: ctx.signal });
        if (sent.case === "stop") break;
        const got = await select({ pong, stop: ctx.signal });
        if (got.case === "stop") break;
        exchanges++;
      }`,
    "nothing but a look at its error": `
      while (ctx.error === undefined) {
        await ping.send(exchanges);
        await pong.receive();
        exchanges++;
      }`,
    "a look at its signal": `
      while (!ctx.signal.aborted) {
        await ping.send(exchanges);
        await pong.receive();
        exchanges++;
      }`,
  };

  it.for(Object.entries(loops))(
    "P-162 (context) two tasks that exchange for ever leave timers, sleeps, callbacks and groups their turn: %s",
    async ([, loop]) => {
      const program = `${pingPong}
        const began = performance.now();
        const seen = {};
        const note = (name) => () => { seen[name] = performance.now() - began; };
        setTimeout(note("setTimeout"), 20);
        sleep(20).then(note("sleep"));
        const ctx = withTimeout(background, 300);
        const early = withTimeout(background, 20);
        afterDone(early, note("afterDone"));
        select({ quiet: channel(), stop: early.signal }).then(note("select"));
        const g = new Group(early);
        g.go((inner) => sleep(Infinity, inner));
        g.wait().catch(note("group"));
        ${loop}
        ping.close();
        pong.close();
        await peer;
        await turn();
        const late = Object.entries(seen).filter(([, ms]) => ms > 250);
        console.log(Object.keys(seen).sort().join(" "), late.length, exchanges > 100, ctx.error.name);
      `;
      expect(await ending(program, 5_000)).toEqual(well("afterDone group select setTimeout sleep 0 true TimeoutError"));
    },
  );

  it("P-162 (context) a loop that never waits sees its deadline by the clock", async () => {
    const program = `
      const ctx = withTimeout(background, 20);
      let rounds = 0;
      try {
        for (;;) { rounds++; ctx.throwIfDone(); }
      } catch (error) {
        console.log(error.name, rounds > 100, ctx.signal.aborted);
      }
    `;
    expect(await ending(program, 5_000)).toEqual(well("TimeoutError true true"));
  });
});

describe("P-165 a group whose tasks fail before anybody waits (process)", () => {
  const fail = `const fail = (text) => async () => { throw new Error(text); };`;

  it("P-165 a wait after three turns, two failures, two waits: nothing goes unhandled", async () => {
    const program = `${fail}
      const one = new Group();
      one.go(fail("one"));
      const two = new Group(background, { limit: 1 });
      two.go(fail("first"));
      two.tryGo(fail("none"));
      two.go(fail("second"));
      const three = new Group();
      three.go(fail("first"));
      three.go(fail("second"));
      for (let i = 0; i < 3; i++) await turn();
      for (const g of [one, two, two, three, three]) await g.wait().catch((error) => console.log(error.message, g.errors.length));
      await turn();
    `;
    expect(await ending(program)).toEqual(well("one 1\nfirst 1\nfirst 1\nfirst 2\nfirst 2"));
  });

  it("P-165 when nobody ever waits there is silence, as documented", async () => {
    const program = `${fail}
      for (const limit of [1, 2, Infinity]) {
        const g = new Group(background, { limit });
        for (const text of ["one", "two", "three"]) g.go(fail(text));
        g.tryGo(() => { throw new Error("sync"); });
      }
      for (let i = 0; i < 3; i++) await turn();
      console.log("alive");
    `;
    expect(await ending(program)).toEqual(well("alive"));
  });
});

describe("P-171 when a process ends (process)", () => {
  it("P-171 a: a receive that nobody will serve holds nothing: Node ends with 13 for the await at the top", async () => {
    const { code, stdout } = await ending(`console.log("waiting"); await channel().receive(); console.log("went on");`);
    expect({ code, stdout }).toEqual({ code: 13, stdout: "waiting" });
  });

  it("P-171 b: a deadline of an hour does not hold it when the wait was served, or its context canceled", async () => {
    const program = `
      const ctx = withTimeout(background, 1 * HOURS);
      const ch = channel();
      const received = ch.receive(ctx);
      ch.trySend("value");
      console.log((await received).value);
      const picked = select({ ch, stop: ctx.signal });
      await ch.send("another");
      console.log((await picked).value);
      const canceled = withTimeout(background, 1 * HOURS);
      const waits = [ch.receive(canceled), ch.send(1, canceled), select([ch], canceled), sleep(2 * HOURS, canceled)];
      waits.pop().catch(() => {});
      canceled.cancel("why");
      for (const wait of waits) await wait.catch(() => {});
      const g = new Group(withTimeout(background, 1 * HOURS));
      g.go(() => {});
      await g.wait();
      console.log("end");
    `;
    const { code, stdout, stderr } = await ending(program);
    expect({ code, stdout, stderr }).toEqual(well("value\nanother\nend"));
  });

  it.for([
    ["receive", "channel().receive(ctx)"],
    ["send", "channel().send(1, ctx)"],
    ["select, the context as option", "select({ ch: channel() }, ctx)"],
    [
      "select, the signal as a case",
      "select({ ch: channel(), stop: ctx.signal }).then(({ value }) => { throw value; })",
    ],
    ["a receive with a child", "channel().receive(withCancel(ctx))"],
    ["sleep", "sleep(Infinity, ctx)"],
    [
      "a group whose task receives",
      "(() => { const g = new Group(ctx); g.go((c) => channel().receive(c)); return g.wait(); })()",
    ],
    ["forEach", "forEach(ctx, channel(), () => {}, { limit: 2 })"],
    ["map", "map(ctx, channel(), () => {}, { limit: 2 }).next()"],
    ["all", "all(ctx, { one: (c) => channel().receive(c), two: (c) => sleep(Infinity, c) })"],
  ])("P-171 c: it goes on while main waits for a deadline of 50 ms, and tells of it: %s", async ([, wait]) => {
    const program = `
      const began = performance.now();
      const ctx = withTimeout(background, 50);
      await ${wait}.catch((error) => console.log(error.name, error === ctx.cause, performance.now() - began > 45));
    `;
    expect(await ending(program)).toEqual(well("TimeoutError true true"));
  });

  it("P-171 d: a group whose task waits at a channel does not hold it, whether main waits for it or not", async () => {
    const start = `
      const g = new Group(background, { limit: 1 });
      g.go((ctx) => channel().receive(ctx));
      g.go(() => {});
      console.log("started");
    `;
    expect(await ending(`${start} g.wait();`)).toEqual(well("started"));
    const { code, stdout } = await ending(`${start} await g.wait(); console.log("went on");`);
    expect({ code, stdout }).toEqual({ code: 13, stdout: "started" });
  });
});

describe("P-173 (errgroup) many on one parent (process)", () => {
  it("P-173 (errgroup) 200 groups, receives, selects and sleeps on one context: no warning", async () => {
    const program = `
      let warnings = 0;
      process.on("warning", () => warnings++);
      const controller = new AbortController();
      const outcomes = [];
      for (const parent of [withTimeout(controller.signal, 1 * HOURS), { signal: controller.signal }]) {
        const ch = channel();
        const waits = [];
        for (let i = 0; i < 200; i++) {
          const g = new Group(parent, { limit: 1 });
          for (let task = 0; task < 3; task++) g.go((ctx) => ch.receive(ctx));
          waits.push(g.wait(), ch.receive(parent), ch.send(i, parent), select({ quiet: channel(), ch }, parent), sleep(2 * HOURS, parent));
          waits.push(select({ quiet: channel(), stop: parent.signal }).then(({ value }) => { throw value; }));
        }
        outcomes.push(Promise.allSettled(waits));
        await turn();
      }
      const before = getEventListeners(controller.signal, "abort").length;
      controller.abort("why");
      const settled = (await Promise.all(outcomes)).flat();
      await turn();
      const canceled = settled.filter(({ reason }) => reason === "why").length;
      console.log(warnings, before, getEventListeners(controller.signal, "abort").length, settled.length - canceled > 0, canceled > 1_000);
    `;
    // A sender meets a receiver, so some of these waits have been served.
    expect(await ending(program)).toEqual(well("0 2 0 true true"));
  });
});

describe("P-177 on a runtime without Symbol.dispose (process)", () => {
  it("P-177 the packages load in a realm that lacks the symbols, and work", async () => {
    const program = `
      import { readFileSync } from "node:fs";
      import vm from "node:vm";
      const globals = {
        console, AbortController, AbortSignal, performance, queueMicrotask, setTimeout, clearTimeout, setImmediate, DOMException,
      };
      const context = vm.createContext(globals);
      // Where the engine itself has the symbols they cannot be taken away; then this is one more realm.
      const lacking = vm.runInContext("Symbol.dispose === undefined", context);
      const loaded = new Map();
      const load = (path) => {
        if (!loaded.has(path)) {
          const [name, file] = path.split("/");
          const text = readFileSync(new URL("../" + name + "/dist/" + file, "file://" + process.cwd() + "/"), "utf8");
          loaded.set(path, new vm.SourceTextModule(text, { context, identifier: path }));
        }
        return loaded.get(path);
      };
      const link = (specifier, from) => {
        const [name] = from.identifier.split("/");
        return load(specifier.startsWith("@sluice/") ? specifier.slice(8) + "/index.js" : name + specifier.slice(1));
      };
      const main = new vm.SourceTextModule(\`
        import { channel, select } from "@sluice/channels";
        import { afterDone, background, sleep, withCancel, withTimeout } from "@sluice/context";
        import { Group } from "@sluice/errgroup";
        const ctx = withCancel(background);
        const ch = channel(1);
        afterDone(ctx, () => ch.close());
        const g = new Group(ctx);
        g.go(async (c) => { await sleep(1, c); await ch.send("value", c); });
        console.log((await ch.receive(ctx)).value);
        await g.wait();
        const late = await select({ ch, stop: withTimeout(ctx, 1).signal });
        console.log(late.case, late.value.name);
        ctx.cancel();
        console.log(ch.closed);
      \`, { context, identifier: "main/index.js" });
      await main.link(link);
      await main.evaluate();
      console.log(lacking || process.versions.node.split(".")[0] >= 24, loaded.size > 20);
    `;
    const flags = [...strict, "--experimental-vm-modules", "--disable-warning=ExperimentalWarning"];
    const { code, stdout, stderr } = await run(program, { from: "errgroup", flags });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.trim().split("\n")).toEqual(["value", "stop TimeoutError", "true", "true true"]);
  });
});
