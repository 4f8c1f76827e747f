import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, it, vi } from "vitest";
import { settle } from "../../../test/support.ts";
import { afterDone, background, sleep, withCancel } from "../src/index.ts";

const storage = new AsyncLocalStorage<string>();

describe("afterDone()", () => {
  it("runs the callback in the async context of who registered it, not of who cancels", () => {
    const ctx = withCancel(background);
    const seen: unknown[] = [];
    const look = () => seen.push(storage.getStore());
    storage.run("registered", () => afterDone(ctx, look));
    storage.run("another", () => afterDone(ctx, look));
    afterDone(ctx, look);
    storage.run("canceling", () => ctx.cancel());
    expect(seen).toEqual(["registered", "another", undefined]);
  });

  it("does so on a done context as well", async () => {
    const ctx = withCancel(background);
    ctx.cancel();
    const seen: unknown[] = [];
    storage.run("registered", () => afterDone(ctx, () => seen.push(storage.getStore())));
    await settle();
    expect(seen).toEqual(["registered"]);
  });

  it("runs it as it is where the host has no such thing", async () => {
    vi.resetModules();
    const { getBuiltinModule } = process;
    try {
      Object.defineProperty(process, "getBuiltinModule", { value: undefined, configurable: true });
      const copy = await import("../src/index.ts");
      const ctx = copy.withCancel(copy.background);
      const callback = vi.fn();
      copy.afterDone(ctx, callback);
      ctx.cancel();
      expect(callback).toHaveBeenCalledOnce();
    } finally {
      Object.defineProperty(process, "getBuiltinModule", { value: getBuiltinModule, configurable: true });
    }
  });
});

describe("sleep()", () => {
  it("goes on in the async context of its own call, whoever cancels", async () => {
    const ctx = withCancel(background);
    const slept = storage.run("sleeper", async () => {
      await sleep(60_000, ctx).catch(() => {});
      return storage.getStore();
    });
    storage.run("canceling", () => ctx.cancel());
    expect(await slept).toBe("sleeper");
  });
});
