import { EventEmitter, getEventListeners, once } from "node:events";
import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { inspect } from "node:util";
import { background, withCancel, type Context } from "@sluice/context";
import { describe, expect, it } from "vitest";
import { macro } from "../../../test/support.ts";
import { Group, map } from "../src/index.ts";
import { untilDone } from "./deferred.ts";

describe("a group beside Node's own functions", () => {
  const waits: [string, (ctx: Context) => Promise<unknown>][] = [
    ["events.once", (ctx) => once(new EventEmitter(), "never", ctx)],
    ["setTimeout of timers/promises", (ctx) => pause(60_000, undefined, ctx)],
    ["a stream that ends with the signal", (ctx) => new Readable({ read() {}, ...ctx }).toArray()],
    [
      "readFile",
      async (ctx) => {
        await untilDone(ctx).catch(() => {});
        return await readFile(import.meta.filename, ctx);
      },
    ],
  ];

  it.for(waits)("takes %s, which obeys by an AbortError, for obedience", async ([, wait]) => {
    const boom = new Error("boom");
    const g = new Group();
    void g.go(wait);
    await macro();
    void g.go(() => Promise.reject(boom));
    await expect(g.wait()).rejects.toBe(boom);
    expect(g.errors).toEqual([boom]);
  });

  it("leaves no listener on a foreign signal, however it ends", async () => {
    const { signal } = new AbortController();
    for (let i = 0; i < 20; i++) {
      const g = new Group(signal, { limit: 1 });
      void g.go(() => (i % 2 === 0 ? macro() : Promise.reject(new Error("boom"))));
      void g.go(() => macro());
      await g.wait().catch(() => {});
    }
    await macro();
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  it("maps a stream, and destroys it on leaving the loop", async () => {
    const stream = Readable.from(["a", "b", "c"]);
    for await (const letter of map(background, stream, async (s: string) => s.toUpperCase(), { limit: 1 })) {
      expect(letter).toBe("A");
      break;
    }
    await macro();
    expect(stream.destroyed).toBe(true);
  });

  it("can be printed, whatever it runs", () => {
    const g = new Group(withCancel(background), { limit: 1 });
    for (let i = 0; i < 100; i++) void g.go(untilDone);
    expect(inspect(g)).toBe("Group {}");
    g.cancel();
  });
});
