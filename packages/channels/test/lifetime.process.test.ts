// What keeps a process alive, and what it says when it ends.
import { describe, expect, it } from "vitest";
import { run } from "../../../test/process.ts";

/** Runs `body` in a module that has imported everything. */
function program(body: string): string {
  return `import { after, at, batch, broadcast, channel, from, merge, never, pipe, select, sending, tick, trySelect } from "@sluice/channels";
const ignore = () => {};
${body}`;
}

const start = (body: string, flags: string[] = []) => run(program(body), { from: "channels", flags });

describe("a process", () => {
  it("is not kept alive by timers, channels and bridges on which nobody waits", async () => {
    const { code, stdout, stderr, ms } = await start(`
      const timers = [after(60_000), at(Date.now() + 60_000), tick(60_000), after(2 ** 40)];
      const ch = channel(1);
      ch.trySend(1);
      const source = from(ch), merged = merge(channel(), channel());
      const news = broadcast(channel()), one = news.subscribe();
      const batches = batch(channel(), { max: 3, within: 60_000 });
      for (const timer of timers) timer.tryReceive();
      trySelect({ ...timers });
      console.log("end");
    `);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "end\n", stderr: "" });
    expect(ms).toBeLessThan(10_000);
  });

  it("is kept alive by who waits on a timer, until it fires", async () => {
    const body = `
      const began = performance.now();
      await after(50).receive();
      await at(Date.now() + 50).receive();
      for await (const _ of tick(50)) break;
      await select({ ch: channel(), late: after(50) });
      console.log(performance.now() - began >= 199);
    `;
    expect(await start(body)).toMatchObject({ code: 0, stdout: "true\n", stderr: "" });
  });

  it.for([
    ["receive()", "await channel().receive()"],
    ["send()", "await channel().send(1)"],
    ["a select()", "await select({ a: channel(), b: sending(channel(), 1), never })"],
    ["a select() without a case", "await select({})"],
    ["never.receive()", "await never.receive()"],
    ["after(Infinity).receive()", "await after(Infinity).receive()"],
    [
      "a receive() under a signal that nobody aborts",
      "await channel().receive({ signal: new AbortController().signal })",
    ],
    ["for await", "for await (const _ of channel());"],
    ["pipe()", "await pipe(channel(), channel())"],
    ["from().receive()", "await from(channel()).receive()"],
  ] as const)("that waits in %s, which nobody will ever serve, ends with 13", async ([, wait]) => {
    const { code, stdout } = await start(`console.log("waits");\n${wait};\nconsole.log("never");`);
    expect({ code, stdout }).toEqual({ code: 13, stdout: "waits\n" });
  });

  it("is not held by a timer that lost a select, whether that had to wait or not", async () => {
    const { code, stdout, stderr, ms } = await start(`
      const ready = channel(1), later = channel();
      ready.trySend(1);
      console.log((await select({ ready, late: after(60_000), beat: tick(60_000), at: at(Date.now() + 60_000) })).case);
      setTimeout(() => later.trySend(1), 5);
      console.log((await select({ later, late: after(60_000), beat: tick(60_000), at: at(Date.now() + 60_000) })).case);
    `);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "ready\nlater\n", stderr: "" });
    expect(ms).toBeLessThan(10_000);
  });

  it("is not held by a wait that was cancelled, nor by a ticker that was disposed", async () => {
    const { code, stdout, stderr, ms } = await start(`
      const controller = new AbortController();
      const beat = tick(60_000);
      const waits = [after(60_000).receive(controller), select({ late: after(60_000) }, controller), beat.receive()];
      setTimeout(() => (controller.abort("enough"), beat[Symbol.dispose]()), 5);
      console.log((await Promise.allSettled(waits)).map((it) => it.reason ?? it.value.done).join());
    `);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "enough,enough,true\n", stderr: "" });
    expect(ms).toBeLessThan(10_000);
  });

  it("gets no warning of any kind: 1,000 waits on one signal, delays beyond 2^31-1, an abort during all of it", async () => {
    const { code, stdout, stderr } = await start(
      `
      const controller = new AbortController();
      const { signal } = controller;
      const waits = [];
      for (let i = 0; i < 1_000; i++) {
        waits.push(channel().receive({ signal }), channel().send(i, { signal }), select({ signal, ch: channel() }, { signal }));
      }
      for (const ms of [2 ** 31 - 1, 2 ** 31, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER, Number.MAX_VALUE]) {
        waits.push(after(ms).receive({ signal }), tick(ms).receive({ signal }), at(Date.now() + ms).receive({ signal }));
      }
      waits.push(after(Infinity).receive({ signal }), pipe(channel(), channel(), { signal }), from([1], { signal }).receive());
      for (const wait of waits) wait.catch(ignore);
      setTimeout(() => controller.abort(), 5);
      const settled = await Promise.allSettled(waits);
      console.log(settled.filter((it) => it.status === "rejected" && it.reason === signal.reason).length);
    `,
      ["--trace-warnings", "--pending-deprecation"],
    );
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "3017\n", stderr: "" });
  });
});

describe("--unhandled-rejections=strict", () => {
  const flags = ["--unhandled-rejections=strict"];

  it("finds nothing where the caller handles what it was given", async () => {
    const { code, stdout, stderr } = await start(
      `
      const why = new Error("why");
      const settle = (promise) => promise.then(ignore, ignore);
      const turn = () => new Promise(setImmediate);
      async function* broken() { yield 1; throw why; }
      const endless = () => (function* () { for (;;) yield 1; })();
      const rejecting = () => (function* () { yield Promise.reject(why); })();
      const refuses = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(ignore), return: () => Promise.reject(why) }) };

      for (const cause of [undefined, why]) {
        const ch = channel();
        const waits = [ch.receive(), ch.next(), select({ ch })];
        ch.close(cause);
        waits.push(ch.send(1), select([sending(ch, 1)]), ch.receive());
        await Promise.all(waits.map(settle));
        const full = channel();
        const sends = [full.send(1), select([sending(full, 1), after(60_000)])];
        full.close(cause);
        await Promise.all(sends.map(settle));
      }
      {
        const controller = new AbortController();
        const waits = [channel().receive(controller), channel().send(1, controller), select({}, controller), after(60_000).receive(controller)];
        controller.abort(why);
        await Promise.all(waits.map(settle));
      }
      // Bridges that nobody listens to any more: their sources fail, are left, disposed, cancelled.
      for (const source of [broken, endless, () => refuses, () => channel(), rejecting]) {
        const controller = new AbortController();
        const bridges = [from(source()), from(source(), controller), merge(source(), source(), broken()), broadcast(source())];
        bridges[3].subscribe();
        const batches = batch(source(), { max: 2, within: 60_000 });
        const waits = [pipe(source(), channel(1), controller), batches.next(), bridges[0].receive(), bridges[2].receive()];
        const settled = Promise.all(waits.map(settle));
        await turn();
        controller.abort(why);
        await Promise.all(bridges.map((bridge) => settle(bridge[Symbol.asyncDispose]())));
        await settle(batches.return());
        await settled;
        await turn();
      }
      await turn();
      console.log("end");
    `,
      flags,
    );
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "end\n", stderr: "" });
  });

  it("finds a rejection that the caller was given and does not handle", async () => {
    const { code, stderr } = await start(
      `const ch = channel(); ch.close(); void ch.send(1); await after(1_000).receive();`,
      flags,
    );
    expect(code).not.toBe(0);
    expect(stderr).toContain("ERR_CHANNEL_CLOSED");
  });
});
