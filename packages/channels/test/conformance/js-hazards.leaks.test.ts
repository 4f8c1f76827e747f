// Hazards of JavaScript: what is held by a wait that everybody has forgotten.
import { assert, describe, expect, it } from "vitest";
import { macro } from "../../../../test/support.ts";
import { after, type Channel, channel, never, select, sending } from "../../src/index.ts";
import { rest } from "../support.ts";

const collect = async (): Promise<void> => {
  for (let turn = 0; turn < 2; turn++) {
    await macro(); // a WeakRef holds its target until the end of the turn in which it was made or read
    globalThis.gc?.();
  }
  await macro();
};

const alive = (refs: readonly WeakRef<object>[]): number => refs.filter((ref) => ref.deref() !== undefined).length;

const big = (): object => new Array<number>(1_000).fill(0);

describe("P-183 waits that everybody has forgotten", () => {
  it("P-183 a channel with a thousand parked receivers and senders, their closures and values, is collected", async () => {
    assert.isFunction(globalThis.gc);
    const refs: WeakRef<object>[] = [];
    (() => {
      const [empty, full] = [channel<object>(), channel<object>(1)];
      full.trySend(big());
      refs.push(new WeakRef(empty), new WeakRef(full));
      for (let n = 0; n < 1_000; n++) {
        const closure = big();
        const value = big();
        refs.push(new WeakRef(closure), new WeakRef(value));
        void empty.receive().then(() => closure);
        void full.send(value).then(() => closure);
        void select({ empty, sent: sending(full, value) }).then(() => closure);
        void never.receive().then(() => closure);
      }
    })();
    expect(alive(refs)).toBe(2_002);
    await rest();
    await collect();
    expect(alive(refs)).toBe(0);
  });

  it("P-183 a select on a private and a long-lived channel waits on at the latter, and holds nothing of the former", async () => {
    const long = channel<string>();
    const refs: WeakRef<object>[] = [];
    let woken = 0;
    (() => {
      const buffered = big();
      const full = channel<unknown>(1);
      full.trySend(buffered);
      const empty = channel<object>({ capacity: 5, name: "private" });
      refs.push(new WeakRef(buffered), new WeakRef(full), new WeakRef(empty));
      void select({ empty, long, sent: sending(full, "small"), none: never }).then(() => woken++);
    })();
    await rest();
    await collect();
    expect(alive(refs)).toBe(0);
    // As in Go, the wait is still there, and takes a value.
    expect(long.trySend("taken")).toBe(true);
    expect(long.trySend("not taken")).toBe(false);
    await rest();
    expect(woken).toBe(1);
  });

  it("P-183 a wait that was served or cancelled holds nothing: neither at the other channels nor at the signal", async () => {
    const stop = new AbortController();
    const long = channel<object>();
    const refs: WeakRef<object>[] = [];
    for (let round = 0; round < 100; round++) {
      await (async () => {
        const [value, closure, own, gate] = [big(), big(), channel<object>(), channel<object>()];
        const cancel = new AbortController();
        refs.push(new WeakRef(value), new WeakRef(closure), new WeakRef(own));
        refs.push(new WeakRef(gate), new WeakRef(cancel));
        const picked = select({ own, long, stop: stop.signal, late: after(1e9) }, { signal: cancel.signal }).then(
          () => closure,
          () => closure,
        );
        const received = long.receive({ signal: cancel.signal }).catch(() => closure);
        const sent = gate.send(value, stop);
        cancel.abort();
        await Promise.all([picked, received, gate.receive(), sent]);
      })();
    }
    await collect();
    expect(alive(refs)).toBe(0);
    expect(long.trySend({})).toBe(false);
  });

  it("P-183 values that were received are not held by the buffer that they passed through", async () => {
    const ch: Channel<object> = channel<object>(Infinity);
    const refs: WeakRef<object>[] = [];
    for (let n = 0; n < 3_000; n++) {
      const value = {};
      refs.push(new WeakRef(value));
      ch.trySend(value);
    }
    for (let n = 0; n < 2_990; n++) ch.tryReceive();
    await collect();
    expect(alive(refs)).toBe(10);
    expect(ch.length).toBe(10);
  });
});
