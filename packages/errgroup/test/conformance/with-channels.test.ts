// The three packages together: Go's programs that use channels, contexts and groups at once.
import { channel, type Channel, never, type Receiver, select, sending } from "@sluice/channels";
import {
  background,
  type CancelableContext,
  type Context,
  DeadlineExceededError,
  isCanceled,
  isDeadlineExceeded,
  withCancel,
  withDeadline,
  withTimeout,
} from "@sluice/context";
import { afterEach, assert, beforeEach, describe, expect, it, vi } from "vitest";
import { tracked } from "../../../context/test/conformance/foreign.ts";
import { yields } from "../../../context/test/conformance/steps.ts";
import { macro, pending, settle } from "../../../../test/support.ts";
import { Group } from "../../src/index.ts";

describe("P-125 ExampleWithCancel", () => {
  /** Sends 1, 2, 3 … until `ctx` is done. */
  const generators: Record<string, (ctx: Context, to: Channel<number>) => Promise<string>> = {
    "a select with the signal as a case": async (ctx, to) => {
      for (let n = 1; ; n++) {
        const picked = await select({ stop: ctx.signal, sent: sending(to, n) });
        if (picked.case === "stop") return "stopped";
      }
    },
    "a select with the context as option": async (ctx, to) => {
      try {
        for (let n = 1; ; n++) await select([sending(to, n)], ctx);
      } catch (error) {
        assert.strictEqual(error, ctx.cause);
        return "stopped";
      }
    },
    "a send with the context as option": async (ctx, to) => {
      try {
        for (let n = 1; ; n++) await to.send(n, ctx);
      } catch (error) {
        assert.strictEqual(error, ctx.cause);
        return "stopped";
      }
    },
  };

  it.for(Object.entries(generators))(
    "P-125 a generator ends when its context is canceled, not when its reader leaves: %s",
    async ([, generate]) => {
      const root = tracked();
      const ctx = withCancel(root.signal);
      const numbers = channel<number>();
      const task = generate(ctx, numbers);
      const seen: number[] = [];
      for await (const n of numbers) {
        seen.push(n);
        if (n === 5) break;
      }
      expect(seen).toEqual([1, 2, 3, 4, 5]);
      await macro();
      expect(await pending(task)).toBe(true); // it holds out a 6
      expect([ctx.error, numbers.closed]).toEqual([undefined, false]);
      ctx.cancel();
      await macro();
      expect(await pending(task)).toBe(false);
      expect(await task).toBe("stopped");
      expect(numbers.tryReceive()).toBeUndefined();
      expect(root.listeners()).toBe(0);
    },
  );
});

describe("P-126 ExampleWithDeadline, ExampleWithTimeout", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const times: Record<string, () => CancelableContext> = {
    withDeadline: () => withDeadline(background, Date.now() + 1),
    withTimeout: () => withTimeout(background, 1),
  };
  const waits: Record<string, (ctx: Context, neverReady: Receiver<number>) => Promise<unknown>> = {
    "the signal as a case": async (ctx, neverReady) => {
      const picked = await select({ neverReady, stop: ctx.signal });
      return picked.case === "stop" ? picked.value : "overslept";
    },
    "the context as the option of select": async (ctx, neverReady) =>
      await select({ neverReady }, ctx).catch((error: unknown) => error),
    "the context as the option of receive": async (ctx, neverReady) =>
      await neverReady.receive(ctx).catch((error: unknown) => error),
  };

  for (const [name, make] of Object.entries(times)) {
    it.for(Object.entries(waits))(
      `P-126 ${name}: what waits gets "context deadline exceeded"; by %s`,
      async ([, wait]) => {
        for (const neverReady of [channel<number>(), never]) {
          const ctx = make();
          const result = wait(ctx, neverReady);
          expect(await pending(result)).toBe(true);
          await vi.advanceTimersByTimeAsync(1);
          const error = await result;
          expect(error).toBeInstanceOf(DeadlineExceededError);
          expect(error).toBe(ctx.error);
          expect(String(error)).toContain("context deadline exceeded");
          await vi.runAllTimersAsync();
          expect(vi.getTimerCount()).toBe(0);
        }
      },
    );
  }
});

describe("P-137 ExampleGroup_pipeline", { timeout: 20_000 }, () => {
  const paths = Array.from({ length: 500 }, (_, i) => `dir/${i % 7}/file-${i}`);
  /** A checksum (FNV-1a); what it is does not matter. */
  const digest = (text: string): number => {
    let hash = 0x811c9dc5;
    for (const letter of text) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193);
    return hash >>> 0;
  };

  interface Run {
    readonly error: unknown;
    readonly sums: Map<string, number>;
    readonly digested: Map<string, number>;
    readonly stopped: { walker: boolean; digesters: number; closer: boolean };
    readonly g: Group;
  }

  /** Go's MD5All: a walker, twenty digesters, one that closes, and a reader. `trouble` is called with each path. */
  async function digestAll(
    ctx: Context,
    trouble: { walker?: (path: string) => void; digester?: (path: string) => void } = {},
  ): Promise<Run> {
    const g = new Group(ctx);
    const found = channel<string>();
    const results = channel<{ path: string; sum: number }>();
    const stopped = { walker: false, digesters: 0, closer: false };
    const digested = new Map<string, number>();

    void g.go(async ({ signal: stop }) => {
      try {
        for (const path of paths) {
          trouble.walker?.(path);
          const picked = await select({ sent: sending(found, path), stop });
          if (picked.case === "stop") throw picked.value;
        }
      } finally {
        found.close();
        stopped.walker = true;
      }
    });
    for (let digester = 0; digester < 20; digester++) {
      void g.go(async ({ signal: stop }) => {
        try {
          for await (const path of found) {
            await yields(digester % 3);
            trouble.digester?.(path);
            digested.set(path, (digested.get(path) ?? 0) + 1);
            const picked = await select({ sent: sending(results, { path, sum: digest(path) }), stop });
            if (picked.case === "stop") throw picked.value;
          }
        } finally {
          stopped.digesters++;
        }
      });
    }
    const closer = (async () => {
      await g.wait().catch(() => {});
      results.close();
      stopped.closer = true;
    })();

    const sums = new Map<string, number>();
    for await (const { path, sum } of results) {
      assert.isFalse(sums.has(path), `${path} came twice`);
      sums.set(path, sum);
    }
    const error: unknown = await g.wait().catch((reason: unknown) => reason);
    await closer;
    return { error, sums, digested, stopped, g };
  }
  const everything = { walker: true, digesters: 20, closer: true };

  it("P-137 digests every path once, and the second wait resolves", async () => {
    const root = tracked();
    const { error, sums, digested, stopped, g } = await digestAll(withCancel(root.signal));
    expect(error).toBeUndefined();
    expect(sums).toEqual(new Map(paths.map((path) => [path, digest(path)])));
    expect(new Set(digested.values())).toEqual(new Set([1]));
    expect([stopped, g.active, g.errors]).toEqual([everything, 0, []]);
    await macro();
    expect(root.listeners()).toBe(0);
  });

  it.for(["walker", "digester"] as const)(
    "P-137 a failure of the %s at path 137 stops all tasks, closes the results, and is what the second wait gives",
    async (who) => {
      const injected = new Error("injected");
      const fail = (path: string) => {
        if (path === paths[137]) throw injected;
      };
      const root = tracked();
      const { error, sums, digested, stopped, g } = await digestAll(withCancel(root.signal), { [who]: fail });
      expect(error).toBe(injected);
      expect([stopped, g.active, g.errors]).toEqual([everything, 0, [injected]]);
      expect(sums.has(paths[137] ?? "")).toBe(false);
      expect(sums.size).toBeGreaterThan(80);
      expect(sums.size).toBeLessThan(200);
      for (const [path, sum] of sums) assert.equal(sum, digest(path));
      expect(new Set(digested.values())).toEqual(new Set([1]));
      expect(await g.wait().catch((reason: unknown) => reason)).toBe(injected);
      await macro();
      expect(root.listeners()).toBe(0);
    },
  );

  it("P-137 a cancellation from above stops all tasks as well, and is what wait gives", async () => {
    const root = tracked();
    const ctx = withCancel(root.signal);
    let seen = 0;
    const { error, sums, stopped, g } = await digestAll(ctx, {
      digester: () => void (++seen === 137 && ctx.cancel("why")),
    });
    expect(error).toBe("why");
    expect([stopped, g.active, g.errors]).toEqual([everything, 0, []]);
    expect(sums.size).toBeLessThan(200);
    await macro();
    expect(root.listeners()).toBe(0);
  });
});

describe("semaphore over a channel, with contexts", () => {
  const acquires: Record<string, (tokens: Channel<string>, ctx: Context) => Promise<void>> = {
    "the context as the option of send": (tokens, ctx) => tokens.send("token", ctx),
    "the context as the option of select": async (tokens, ctx) => {
      await select([sending(tokens, "token")], ctx);
    },
    "a copy of it": (tokens, ctx) => tokens.send("token", { ...ctx }),
    "its signal as a case": async (tokens, ctx) => {
      const picked = await select({ stop: ctx.signal, taken: sending(tokens, "token") }, { order: "listed" });
      if (picked.case === "stop") throw picked.value;
    },
  };

  class Semaphore {
    readonly tokens: Channel<string>;
    readonly #acquire: (tokens: Channel<string>, ctx: Context) => Promise<void>;

    constructor(size: number, acquire: (tokens: Channel<string>, ctx: Context) => Promise<void>) {
      this.tokens = channel(size);
      this.#acquire = acquire;
    }

    async acquire(n: number, ctx: Context = background): Promise<void> {
      for (let taken = 0; taken < n; taken++) {
        try {
          await this.#acquire(this.tokens, ctx);
        } catch (error) {
          this.release(taken);
          throw error;
        }
      }
    }

    release(n: number): void {
      for (let given = 0; given < n; given++) assert.isDefined(this.tokens.tryReceive(), "released what nobody holds");
    }
  }

  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  describe.each(Object.entries(acquires))("%s", (_, how) => {
    it("P-138 TestWeightedAcquire (context): a try that its timeout ends fails and leaves no token behind", async () => {
      const sem = new Semaphore(2, how);
      const attempt = async (): Promise<boolean> => {
        const ctx = withTimeout(background, 10);
        const failure = sem.acquire(1, ctx).then(
          () => undefined,
          (error: unknown) => ({ error }),
        );
        await vi.advanceTimersByTimeAsync(10);
        const failed = await failure;
        if (failed !== undefined) expect([failed.error, isDeadlineExceeded(failed.error)]).toEqual([ctx.error, true]);
        ctx.cancel();
        return failed === undefined;
      };
      await sem.acquire(1);
      const tries = [await attempt(), await attempt()];
      sem.release(2);
      assert.equal(sem.tokens.length, 0);
      tries.push(await attempt());
      await sem.acquire(1);
      tries.push(await attempt());
      expect(tries).toEqual([true, false, true, false]);
      sem.release(2);
      expect(sem.tokens.length).toBe(0);
      await vi.runAllTimersAsync();
      expect(vi.getTimerCount()).toBe(0);
    });

    it("P-139 TestWeightedAcquireCanceled (context): canceled first and released in the same turn, it fails and holds nothing", async () => {
      for (const cancel of ["itself", "its parent"]) {
        const sem = new Semaphore(2, how);
        await sem.acquire(1);
        const parent = withCancel(background);
        const ctx = withCancel(parent);
        const acquired = sem.acquire(2, ctx);
        expect(await pending(acquired)).toBe(true);
        expect(sem.tokens.length).toBe(2);
        (cancel === "itself" ? ctx : parent).cancel();
        sem.release(1);
        await expect(acquired).rejects.toBe(ctx.error);
        expect(isCanceled(ctx.error)).toBe(true);
        expect(sem.tokens.length).toBe(0);
        await sem.acquire(2);
        expect(sem.tokens.length).toBe(2);
      }
    });

    it("P-139 (context) released first and canceled in the same turn, it has acquired", async () => {
      const sem = new Semaphore(1, how);
      await sem.acquire(1);
      const ctx = withCancel(background);
      const acquired = sem.acquire(1, ctx);
      await settle();
      sem.release(1);
      ctx.cancel();
      await acquired;
      expect(sem.tokens.length).toBe(1);
      sem.release(1);
      expect(sem.tokens.tryReceive()).toBeUndefined();
    });

    it("P-139 (context) with one that is done already it fails though all tokens are free, also by a deadline that only the clock knows", async () => {
      const sem = new Semaphore(2, how);
      const canceled = withCancel(background);
      canceled.cancel("why");
      await expect(sem.acquire(1, canceled)).rejects.toBe("why");
      await expect(sem.acquire(1, withTimeout(background, 0))).rejects.toBeInstanceOf(DeadlineExceededError);
      const late = withTimeout(background, 5);
      vi.advanceTimersByTime(5); // nobody has watched it: there was no timer to fire
      await expect(sem.acquire(1, late)).rejects.toBe(late.error);
      expect(sem.tokens.length).toBe(0);
    });
  });
});
