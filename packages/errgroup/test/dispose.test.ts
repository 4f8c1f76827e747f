import { background, withCancel } from "@sluice/context";
import { describe, expect, it } from "vitest";
import { pending, settle } from "../../../test/support.ts";
import { Group } from "../src/index.ts";
import { deferred, untilDone } from "./deferred.ts";

describe("await using", () => {
  it("cancels on leaving the scope what still runs, and waits for it", async () => {
    const log: string[] = [];
    const cleanup = deferred();
    const scope = (async () => {
      await using g = new Group();
      void g.go(async (ctx) => {
        try {
          await untilDone(ctx);
        } finally {
          await cleanup.promise;
          log.push("task ended");
        }
      });
      log.push("scope left");
    })();
    expect(await pending(scope)).toBe(true);
    cleanup.resolve();
    await scope;
    expect(log).toEqual(["scope left", "task ended"]);
  });

  it("refuses what waits for admission", async () => {
    const admitted: boolean[] = [];
    {
      await using g = new Group(background, { limit: 1 });
      await g.go(untilDone);
      void g.go(() => {}).then((yes) => admitted.push(yes));
    }
    expect(admitted).toEqual([false]);
  });

  it("throws a real error that nobody has waited for", async () => {
    const boom = new Error("boom");
    const scope = async (): Promise<void> => {
      await using g = new Group();
      await g.go(() => Promise.reject(boom));
      await settle();
    };
    await expect(scope()).rejects.toBe(boom);
  });

  it("throws an error that a task met while it cleaned up", async () => {
    const boom = new Error("boom");
    const scope = async (): Promise<void> => {
      await using g = new Group();
      await g.go(async (ctx) => {
        await untilDone(ctx).catch(() => {});
        throw boom;
      });
    };
    await expect(scope()).rejects.toBe(boom);
  });

  it("does not throw what wait() has thrown", async () => {
    const boom = new Error("boom");
    let g: Group;
    {
      await using inner = (g = new Group());
      await inner.go(() => Promise.reject(boom));
      await expect(inner.wait()).rejects.toBe(boom);
    }
    expect(g.errors).toEqual([boom]);
  });

  it("does not throw the cancellation that it caused itself", async () => {
    const g = new Group();
    await g.go(untilDone);
    await g.go((ctx) => untilDone(ctx).catch(() => Promise.reject(new DOMException("aborted", "AbortError"))));
    await g.go((ctx) =>
      untilDone(ctx).catch((cause: unknown) => {
        throw Object.assign(new Error("aborted", { cause }), { name: "AbortError" });
      }),
    );
    expect(await g[Symbol.asyncDispose]()).toBeUndefined();
    expect(g.errors).toEqual([]);
  });

  it("does not throw the cancellation of the parent", async () => {
    const parent = withCancel(background);
    const g = new Group(parent);
    await g.go(untilDone);
    parent.cancel(new Error("why"));
    expect(await g[Symbol.asyncDispose]()).toBeUndefined();
  });

  it("throws an error once, though the group is disposed of twice", async () => {
    const boom = new Error("boom");
    const g = new Group();
    void g.go(() => Promise.reject(boom));
    await settle();
    const both = await Promise.allSettled([g[Symbol.asyncDispose](), g[Symbol.asyncDispose]()]);
    expect(both.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
    await g[Symbol.asyncDispose]();
  });

  it("of a group that has ended well does nothing", async () => {
    const g = new Group();
    await g.go(async () => {});
    await g.wait();
    expect(await g[Symbol.asyncDispose]()).toBeUndefined();
  });

  it("after an error in the scope keeps that one in sight", async () => {
    const [inScope, inTask] = [new Error("in scope"), new Error("in task")];
    const scope = async (): Promise<void> => {
      await using g = new Group();
      await g.go(async (ctx) => {
        await untilDone(ctx).catch(() => {});
        throw inTask;
      });
      throw inScope;
    };
    await expect(scope()).rejects.toMatchObject({ name: "SuppressedError", error: inTask, suppressed: inScope });
  });

  it("ends the group", async () => {
    const g = new Group();
    await g[Symbol.asyncDispose]();
    expect(() => g.go(() => {})).toThrow("the group has ended");
    await g.wait();
  });
});
