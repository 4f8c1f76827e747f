import { describe, expect, it } from "vitest";
import { macro } from "../../../test/support.ts";
import {
  afterDone,
  background,
  contextKey,
  sleep,
  withCancel,
  withoutCancel,
  withSignal,
  withTimeout,
  withValue,
} from "../src/index.ts";
import type { CancelableContext, Context, Parent } from "../src/index.ts";

const collect = (globalThis as { gc?: () => void }).gc as () => void;

async function heap(): Promise<number> {
  for (let turn = 0; turn < 3; turn++) {
    await macro();
    collect();
  }
  return process.memoryUsage().heapUsed;
}

/** Bytes that one `make()` leaves on the heap as long as its result is kept. */
async function bytes(make: () => unknown, count = 100_000): Promise<number> {
  const kept: unknown[] = Array.from({ length: count });
  for (let n = 0; n < 1_000; n++) make();
  const before = await heap();
  for (let n = 0; n < count; n++) kept[n] = make();
  const after = await heap();
  expect(kept.length).toBe(count);
  return (after - before) / count;
}

const root = withCancel(background);

describe("a context nobody watches", () => {
  it("takes at most 120 bytes", async () => {
    expect(await bytes(() => withCancel(root))).toBeLessThanOrEqual(120);
  });

  it("takes at most 120 bytes more with a deadline", async () => {
    expect(await bytes(() => withTimeout(root, 60_000_000))).toBeLessThanOrEqual(240);
  });

  it("can be collected, though its parent lives", async () => {
    const collected = new Set<string>();
    const registry = new FinalizationRegistry<string>((name) => collected.add(name));
    for (const [name, parent] of [
      ["root", root],
      ["signal", new AbortController().signal],
    ] as const) {
      registry.register(withCancel(parent), `${name}: withCancel`);
      registry.register(withTimeout(parent, 60_000_000), `${name}: withTimeout`);
      registry.register(withSignal(parent, root.signal), `${name}: withSignal`);
    }
    for (let turn = 0; turn < 20 && collected.size < 6; turn++) await heap();
    expect([...collected].toSorted()).toEqual([
      "root: withCancel",
      "root: withSignal",
      "root: withTimeout",
      "signal: withCancel",
      "signal: withSignal",
      "signal: withTimeout",
    ]);
  });
});

describe("100,000 children, one after the other", { timeout: 60_000 }, () => {
  const ends: [string, (parent: Parent) => void][] = [
    ["canceled", (parent) => withCancel(parent).cancel("done")],
    [
      "watched by a signal, canceled",
      (parent) => {
        const ctx = withTimeout(parent, 60_000);
        void ctx.signal;
        ctx.cancel("done");
      },
    ],
    ["watched by a callback, stopped", (parent) => afterDone(withCancel(withTimeout(parent, 60_000)), () => {})()],
    [
      "that follow a signal, canceled",
      (parent) => {
        const ctx = withSignal(background, parent instanceof AbortSignal ? parent : parent.signal);
        afterDone(ctx, () => {});
        ctx.cancel("done");
      },
    ],
    ["never watched, dropped", (parent) => void withTimeout(parent, 60_000).error],
    [
      "slept on",
      (parent) => {
        const ctx = withCancel(parent);
        sleep(60_000, ctx).catch(() => {});
        ctx.cancel("done");
      },
    ],
  ];
  const parents: [string, () => Parent][] = [
    ["a context", () => withCancel(background)],
    ["a foreign signal", () => new AbortController().signal],
  ];

  for (const [kind, parentOf] of parents) {
    it.for(ends)(`under ${kind}, %s, leave the heap flat`, async ([, live]) => {
      const parent = parentOf();
      const rounds = async (count: number): Promise<void> => {
        for (let n = 1; n <= count; n++) {
          live(parent);
          if (n % 2_000 === 0) await macro();
        }
      };
      await rounds(4_000);
      const before = await heap();
      await rounds(100_000);
      // A context that is kept takes 104 bytes, so all of them would be 10 MB.
      expect((await heap()) - before).toBeLessThan(2_000_000);
    });
  }
});

describe("a done context", () => {
  it("holds on neither to its parent nor to its children, callbacks and their neighbours", async () => {
    const make = (): { refs: Record<string, WeakRef<object>>; done: CancelableContext } => {
      const parent = withCancel(background);
      const done = withCancel(parent);
      const child = withCancel(done);
      const sibling = withCancel(parent);
      const callback = (): void => void [sibling, child];
      afterDone(child, callback);
      afterDone(sibling, () => {});
      void [done.signal, child.signal];
      done.cancel();
      const refs = { parent, child, sibling, callback, childSignal: child.signal };
      return {
        refs: Object.fromEntries(Object.entries(refs).map(([name, target]) => [name, new WeakRef(target)])),
        done,
      };
    };
    const { refs, done } = make();
    await heap();
    const left = Object.entries(refs).filter(([, ref]) => ref.deref() !== undefined);
    expect(left.map(([name]) => name)).toEqual([]);
    expect(done.error).toBeDefined();
  });
});

describe("contexts that never end", () => {
  it("keep neither children nor callbacks", async () => {
    const key = contextKey<object>("k");
    for (const ctx of [background, withoutCancel(root), withValue(background, key, {})]) {
      const make = (): WeakRef<object>[] => {
        const child: Context = withCancel(ctx);
        const callback = (): void => void child;
        afterDone(ctx, callback);
        afterDone(child, () => {});
        return [new WeakRef(child), new WeakRef(callback)];
      };
      const refs = make();
      await heap();
      expect(refs.map((ref) => ref.deref())).toEqual([undefined, undefined]);
    }
  });
});
