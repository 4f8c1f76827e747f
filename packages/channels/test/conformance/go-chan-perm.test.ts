// Go's test/chan/perm at run time; go-chan-perm.test-d.ts holds the compiler to the rest.
import { describe, expect, it } from "vitest";
import type { Receiver, Sender } from "../../src/index.ts";
import { after, at, broadcast, channel, from, merge, never, sending, tick } from "../../src/index.ts";

describe("P-007 perm", () => {
  it("makes directions types, not wrappers: the same object with fewer methods", async () => {
    const ch = channel<number>(1);
    const sender: Sender<number> = ch;
    const receiver: Receiver<number> = ch;
    expect(sender).toBe(receiver);
    await sender.send(1);
    expect(await receiver.receive()).toEqual({ done: false, value: 1 });
  });

  it("gives no way to send to, or close, what only receives", async () => {
    await using pulled = from([1]);
    await using merged = merge([1], [2]);
    const source = channel<number>();
    using ticker = tick(1_000);
    using subscription = broadcast(source).subscribe();
    const receivers: Record<string, Receiver<unknown>> = {
      after: after(1_000),
      at: at(Date.now() + 1_000),
      never,
      tick: ticker,
      from: pulled,
      merge: merged,
      subscribe: subscription,
    };
    for (const [name, receiver] of Object.entries(receivers)) {
      for (const method of ["send", "trySend", "close"]) expect(method in receiver, `${name}.${method}`).toBe(false);
      expect(() => sending(receiver as unknown as Sender<number>, 1), `sending to ${name}`).toThrow(TypeError);
    }
    expect(Object.keys(receivers)).toHaveLength(7);
    source.close();
  });
});
