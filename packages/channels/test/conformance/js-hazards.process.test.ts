// Hazards of JavaScript that show only in a process: unhandled rejections, warnings, exit codes, two copies of a package.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run, type RunOptions } from "../../../../test/process.ts";

const strict: RunOptions = {
  from: "channels",
  flags: ["--unhandled-rejections=strict", "--trace-warnings"],
  limit: 10_000,
};

describe("P-068 ken/chan1, tasks that stay parked", () => {
  it("P-068 do not keep the process alive", async () => {
    const { code, stdout, stderr } = await run(
      `import { channel, never, select, sending } from "@sluice/channels";
       const ch = channel(2);
       for (let task = 0; task < 10; task++) void (async () => { for (;;) await select({ ch }); })();
       for (let task = 0; task < 10; task++) void (async () => { for await (const _ of ch); })();
       void never.receive();
       void channel().send(1, new AbortController());
       void select([sending(channel(), 1), new AbortController().signal]);
       for (let n = 0; n < 1000; n++) await ch.send(n);
       console.log("sent");`,
      strict,
    );
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "sent\n", stderr: "" });
  });

  it("P-068 and a program that awaits what nobody serves ends with the exit code 13, at once", async () => {
    const { code, stdout } = await run(
      `import { channel } from "@sluice/channels";
       console.log("waiting");
       await channel().receive();
       console.log("never");`,
      strict,
    );
    expect({ code, stdout }).toEqual({ code: 13, stdout: "waiting\n" });
  });
});

describe("P-162 timers beside two tasks that exchange values for ever", () => {
  it.each([
    ["send and receive", "await there.send(1); await back.receive();", "await there.receive(); await back.send(1);"],
    [
      "select",
      "await select({ sent: sending(there, 1) }); await select([back]);",
      "await select([there]); await select([sending(back, 1)]);",
    ],
    [
      "the idiom of hot loops",
      "there.trySend(1) || (await there.send(1)); back.tryReceive() ?? (await back.receive());",
      "there.tryReceive() ?? (await there.receive()); back.trySend(1) || (await back.send(1));",
    ],
  ])("P-162 fire in time, by %s", async (_, ping, pong) => {
    const { code, stdout, stderr } = await run(
      `import { after, channel, select, sending } from "@sluice/channels";
       const [there, back, quiet] = [channel(), channel(), channel()];
       let rounds = 0;
       void (async () => { for (;;) { rounds++; ${ping} } })();
       void (async () => { for (;;) { ${pong} } })();
       const began = performance.now();
       const timer = new Promise((resolve) => setTimeout(resolve, 20));
       const stop = AbortSignal.timeout(20);
       const picks = await Promise.all([
         timer.then(() => "timer"),
         select({ quiet, late: after(20) }).then((picked) => picked.case),
         select({ quiet, stop }).then((picked) => picked.case),
         quiet.receive({ signal: stop }).catch((error) => error.name),
       ]);
       const late = performance.now() - began;
       console.log(picks.join(), rounds > 100 || rounds, late < 1000 || late);
       process.exit();`,
      { ...strict, limit: 5_000 },
    );
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: "timer,late,stop,TimeoutError true true\n",
      stderr: "",
    });
  });
});

describe("P-163 losers of a select", () => {
  it("P-163 reject nothing: their channels close, with and without a cause, and their signals abort, later", async () => {
    const { code, stdout, stderr } = await run(
      `import { after, batch, broadcast, channel, from, merge, pipe, select, sending } from "@sluice/channels";
       let picks = 0;
       const turn = () => new Promise((resolve) => setImmediate(resolve));
       for (let n = 0; n < 1000; n++) {
         const [winner, loser, full, failed] = [channel(), channel(), channel(), channel()];
         const [asCase, asOption] = [new AbortController(), new AbortController()];
         const cases = { winner, loser, sent: sending(full, n), failed, again: sending(failed, n), stop: asCase.signal };
         const picked = select({ ...cases, late: after(1_000) }, { signal: asOption.signal });
         if (n % 2 === 0) winner.trySend(n); else winner.close();
         if (n % 3 === 0) await picked;
         loser.close();
         full.close();
         failed.close(new Error("broken"));
         asCase.abort(new Error("stopped"));
         asOption.abort(new Error("cancelled"));
         if ((await picked).case === "winner") picks++;
         if (n % 100 === 0) await turn();
       }
       // Bridges that end with an error which nobody looks at.
       const cause = new Error("broken");
       const broken = () => { const ch = channel(); ch.close(cause); return ch; };
       const bridges = [from(broken()), merge(broken(), channel()), broadcast(broken()).subscribe(), batch(broken(), { max: 2 })];
       await turn();
       for (const bridge of [from(channel()), merge(channel(), channel())]) await bridge[Symbol.asyncDispose]();
       const gone = from(channel(), { signal: AbortSignal.abort(cause) });
       const all = broadcast(channel());
       const heard = all.subscribe();
       await all[Symbol.asyncDispose]();
       await turn();
       await turn();
       console.log(picks, bridges.length, heard.tryReceive().done, gone !== undefined);`,
      strict,
    );
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "1000 4 true true\n", stderr: "" });
  });
});

describe("P-166 a send that nobody awaits, on a channel that is closed", () => {
  it.each([
    ["is closed later", "void ch.send(1); ch.close();"],
    ["is closed already", "ch.close(); void ch.send(1);"],
    ["is closed later, in a select", "void select([sending(ch, 1)]); ch.close();"],
  ])("P-166 is one unhandled rejection with the error of the library, where it %s", async (_, statements) => {
    const program = `import { channel, select, sending } from "@sluice/channels";
       const ch = channel({ name: "jobs" });
       let seen = 0;
       process.on("unhandledRejection", (error) => { seen++; console.log(error.name, error.code); });
       ${statements}
       setTimeout(() => console.log("seen", seen), 10);`;
    const heard = await run(program, { from: "channels" });
    expect(heard).toMatchObject({ code: 0, stdout: "ChannelClosedError ERR_CHANNEL_CLOSED\nseen 1\n", stderr: "" });
    const unheard = await run(program.replace(/process\.on.*/, ""), { from: "channels" });
    expect(unheard.code).toBe(1);
    expect(unheard.stderr).toContain('Cannot send: send on closed channel "jobs"');
  });
});

describe("P-170 (channels) timers beyond the range of the host's", () => {
  it("P-170 (channels) do not fire within 50 ms, and the host prints no warning", async () => {
    const { code, stdout, stderr } = await run(
      `import { after, at, channel, select, tick } from "@sluice/channels";
       const fired = [];
       const timers = {
         hours: after(3.6e9), over: after(2 ** 31), most: after(2 ** 31 - 1), far: after(2 ** 53), infinite: after(Infinity),
         last: at(new Date(8.64e15)), never: at(Infinity), beat: tick(2 ** 31), slow: tick(Infinity),
       };
       const ways = Object.entries(timers).flatMap(([name, timer]) => [[name, timer.receive()], [name, select({ timer })]]);
       for (const [name, promise] of ways) void promise.then(() => fired.push(name));
       void after(-(2 ** 53)).receive().then(() => fired.push("negative"));
       await new Promise((resolve) => setTimeout(resolve, 50));
       console.log(ways.length, fired.join());
       process.exit();`,
      strict,
    );
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "18 negative\n", stderr: "" });
  });

  it("P-170 (channels) keep no process alive once nobody waits for them", async () => {
    const { code, stdout, ms } = await run(
      `import { after, at, channel, select, tick } from "@sluice/channels";
       const ready = channel(10);
       const cancel = new AbortController();
       for (let n = 0; n < 10; n++) {
         ready.trySend(n);
         await select({ ready, late: after(3.6e9), then: at(Date.now() + 3.6e9), beat: tick(3.6e6) });
       }
       const waits = [after(3.6e9), at(Date.now() + 3.6e6), tick(3.6e6)].map((timer) => timer.receive(cancel));
       cancel.abort();
       await Promise.allSettled(waits);
       console.log("done");`,
      strict,
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: "done\n" });
    expect(ms).toBeLessThan(5_000);
  });
});

describe("P-172 a long-lived signal", () => {
  it("P-172 gives no warning while fifty operations wait on it, and has no listener after ten thousand", async () => {
    const { code, stdout, stderr } = await run(
      `import { getEventListeners } from "node:events";
       import { channel, from, select, sending } from "@sluice/channels";
       const turn = () => new Promise((resolve) => setImmediate(resolve));
       const { signal } = new AbortController();
       const ch = channel(1);
       for (let n = 0; n < 10_000; n++) {
         await ch.send(n, { signal });
         await select({ ch, signal }, { signal });
       }
       const waits = Array.from({ length: 50 }, () => [ch.receive({ signal }), select({ ch, signal }), from(ch, { signal }).next()]);
       await turn();
       const during = getEventListeners(signal, "abort").length;
       ch.close();
       await Promise.all(waits.flat());
       await turn();
       await turn();
       console.log(during, getEventListeners(signal, "abort").length);`,
      strict,
    );
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "1 0\n", stderr: "" });
  });
});

describe("P-181 two copies of the package in one process", () => {
  let folder = "";
  let copies = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "sluice-"));
    writeFileSync(join(folder, "package.json"), `{ "type": "module" }`);
    for (const copy of ["a", "b"]) {
      cpSync(fileURLToPath(new URL("../../dist", import.meta.url)), join(folder, copy), { recursive: true });
    }
    const url = (copy: string) => JSON.stringify(pathToFileURL(join(folder, copy, "index.js")).href);
    copies = `import * as a from ${url("a")};
      import * as b from ${url("b")};
      import assert from "node:assert/strict";
      assert.notEqual(a.channel, b.channel);
      assert.notEqual(a.ChannelClosedError, b.ChannelClosedError);
      const turn = () => new Promise((resolve) => setImmediate(resolve));\n`;
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const programs: Record<string, string> = {
    "channels of one as receive cases in the select of the other, ready and waiting": `
      const [ch, other] = [a.channel(1), b.channel()];
      ch.trySend(1);
      assert.deepEqual(await b.select({ ch, other }), { case: "ch", done: false, value: 1 });
      assert.equal(b.trySelect({ ch, other }), undefined);
      const picked = b.select({ ch, other });
      assert.ok(ch.trySend(2));
      assert.deepEqual(await picked, { case: "ch", done: false, value: 2 });
      assert.equal(other.trySend(3), false);
      const lost = b.select([ch, other]);
      assert.ok(other.trySend(4));
      assert.deepEqual(await lost, { case: 1, done: false, value: 4 });
      ch.trySend(5);
      assert.equal(ch.length, 1);
      ch.tryReceive();
      const closing = b.select([ch]);
      ch.close();
      assert.deepEqual(await closing, { case: 0, done: true, value: undefined });`,
    "cases made by one in the select of the other, and on channels of the other": `
      const [mine, theirs] = [a.channel(1), b.channel()];
      assert.equal((await b.select({ sent: a.sending(mine, 1) })).case, "sent");
      assert.equal(mine.tryReceive().value, 1);
      assert.equal((await a.select([b.sending(mine, 2)])).case, 0);
      assert.equal(mine.tryReceive().value, 2);
      const picked = b.select({ sent: a.sending(theirs, 3), quiet: a.channel() });
      assert.equal(theirs.tryReceive().value, 3);
      assert.equal((await picked).case, "sent");
      assert.equal(theirs.tryReceive(), undefined);
      assert.equal(b.trySelect([a.sending(theirs, 4)]), undefined);`,
    "two selects, one of each, that meet": `
      const ch = a.channel();
      const [received, sent] = [b.select({ ch, self: b.sending(ch, "b") }), a.select({ ch, self: a.sending(ch, "a") })];
      const picks = await Promise.all([received, sent]);
      assert.deepEqual(picks.map((picked) => picked.case).sort(), ["ch", "self"]);
      assert.equal(ch.tryReceive(), undefined);
      assert.equal(ch.trySend(0), false);`,
    "timers of one in the select of the other": `
      const began = performance.now();
      assert.equal((await b.select({ late: a.after(5), quiet: b.channel() })).case, "late");
      assert.ok(performance.now() - began >= 4);
      assert.equal((await a.select([b.at(0)])).case, 0);
      const beat = a.tick(5);
      assert.equal((await b.select([beat])).done, false);
      const stopped = b.select([beat]);
      beat[Symbol.dispose]();
      assert.equal((await stopped).done, true);
      assert.equal(b.trySelect([a.never]), undefined);
      assert.equal(b.trySelect([a.after(1e9)]), undefined);`,
    "one signal for waits of both: everybody is cancelled, one listener each": `
      const { getEventListeners } = await import("node:events");
      const stop = new AbortController();
      const reason = new Error("stop");
      const ch = a.channel();
      const waits = [ch.receive(stop), b.select([ch], stop), b.channel().receive(stop), a.select([b.after(1e9)], stop)];
      const picked = [a.select([stop.signal]), b.select([stop.signal, ch])];
      assert.equal(getEventListeners(stop.signal, "abort").length, 2);
      stop.abort(reason);
      for (const outcome of await Promise.allSettled(waits)) assert.equal(outcome.reason, reason);
      for (const { value } of await Promise.all(picked)) assert.equal(value, reason);
      assert.equal(ch.trySend(1), false);
      await turn();
      await turn();
      assert.equal(getEventListeners(stop.signal, "abort").length, 0);`,
    "bridges of one over channels of the other: nothing is taken that is not handed out, and channels stay open": `
      const ch = a.channel(4);
      ch.trySend(1);
      const joined = b.merge(ch, b.channel());
      assert.deepEqual(await joined.receive(), { done: false, value: 1 });
      const pulled = b.from(ch);
      const batches = b.batch(ch, { max: 2 });
      const next = batches.next();
      await turn();
      await Promise.all([joined[Symbol.asyncDispose](), pulled[Symbol.asyncDispose](), batches.return()]);
      assert.equal((await next).done, true);
      assert.equal(ch.closed, false);
      for (let n = 0; n < 4; n++) assert.ok(ch.trySend(n));
      assert.equal(ch.trySend(4), false);
      assert.equal(ch.length, 4);
      const to = b.channel(4);
      ch.close();
      await a.pipe(ch, to);
      assert.equal(to.length, 4);
      assert.deepEqual((await b.batch(to, { max: 9 }).next()).value, [0, 1, 2, 3]);`,
    "the error of one is known to the other by its code": `
      const ch = a.channel({ name: "jobs" });
      ch.close();
      const error = await b.select([b.sending(ch, 1)]).catch((reason) => reason);
      assert.ok(error instanceof a.ChannelClosedError && !(error instanceof b.ChannelClosedError));
      assert.equal(error.code, new b.ChannelClosedError().code);
      assert.equal(error.name, new b.ChannelClosedError().name);`,
    "wrong cases and targets are told apart as ever": `
      assert.throws(() => b.select([a.channel]), TypeError);
      assert.throws(() => b.select(a.channel()), TypeError);
      assert.throws(() => b.sending(a.after(1), 1), TypeError);
      assert.throws(() => b.select([{ [Symbol.for("@sluice/other")]: 1 }]), TypeError);`,
  };

  it.each(Object.entries(programs))("P-181 %s", async (_, program) => {
    const { code, stdout, stderr } = await run(`${copies}${program}\nconsole.log("ok");`, strict);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "ok\n", stderr: "" });
  });

  it("P-181 a busy loop over channels of both lets timers fire", async () => {
    const { code, stdout } = await run(
      `${copies}
       const [there, back] = [a.channel(), b.channel()];
       void (async () => { for (;;) { await there.send(1); await a.select([back]); } })();
       void (async () => { for (;;) { await b.select([there]); await back.send(1); } })();
       const began = performance.now();
       await b.select({ quiet: a.channel(), late: a.after(20) });
       console.log(performance.now() - began < 1000);
       process.exit();`,
      { ...strict, limit: 5_000 },
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: "true\n" });
  });

  it("P-181 require and import give one and the same module", async () => {
    const { code, stdout } = await run(
      `import { createRequire } from "node:module";
       import { channel, select } from "@sluice/channels";
       const required = createRequire(process.cwd() + "/")("@sluice/channels");
       console.log(required.channel === channel, required.select === select);`,
      { from: "channels", flags: ["--no-warnings"] },
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: "true true\n" });
  });
});
