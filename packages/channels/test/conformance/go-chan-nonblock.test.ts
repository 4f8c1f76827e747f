// Go's test/chan/nonblock: operations that never wait, against partners that do.
import { describe, expect, it } from "vitest";
import { settle } from "../../../../test/support.ts";
import { channel, select, sending, trySelect } from "../../src/index.ts";
import { rest } from "../support.ts";

interface Kind {
  kind: string;
  first: unknown;
  second: unknown;
}

const kinds: Kind[] = [
  { kind: "number", first: 123, second: 234 },
  { kind: "bigint", first: 123_456n, second: 234_567n },
  { kind: "boolean", first: true, second: true },
  { kind: "string", first: "hello", second: "hello again" },
  { kind: "falsy", first: 0, second: "" },
  { kind: "empty", first: undefined, second: null },
];
const everyKind = [0, 1].flatMap((capacity) => kinds.map((kind) => ({ ...kind, capacity })));

/** Microtasks between a partner's start and the first try: none, since an operation takes its place before it returns. */
const yields = [0, 1, 2, 3, 4, 5, 20];

describe("P-005 nonblock: empty", () => {
  it.for(everyKind)("finds nothing in an empty channel: $kind, capacity $capacity", async ({ capacity, first }) => {
    const ch = channel<unknown>(capacity);
    expect(trySelect({ value: ch })).toBeUndefined();
    expect(trySelect([ch])).toBeUndefined();
    expect(ch.tryReceive()).toBeUndefined();
    expect(ch.length).toBe(0);
    // Nothing stays parked: a try that left a waiter behind would make this one succeed on an unbuffered channel.
    expect(ch.trySend(first)).toBe(capacity > 0);
    expect(ch.length).toBe(capacity);
    expect(ch.tryReceive()).toEqual(capacity > 0 ? { done: false, value: first } : undefined);
  });

  it.for([0, 1])("tells nothing, a received undefined and closed apart, capacity %i", async (capacity) => {
    const ch = channel<undefined>(capacity);
    const nothing = [ch.tryReceive(), trySelect({ ch })];
    void ch.send(undefined);
    const received = ch.tryReceive();
    void ch.send(undefined);
    const selected = trySelect({ ch });
    ch.close();
    expect(nothing).toEqual([undefined, undefined]);
    expect(received).toEqual({ done: false, value: undefined });
    expect(selected).toEqual({ case: "ch", done: false, value: undefined });
    expect(ch.tryReceive()).toEqual({ done: true, value: undefined });
    expect(trySelect({ ch })).toEqual({ case: "ch", done: true, value: undefined });
  });
});

describe("P-006 nonblock: meet", () => {
  it.for(everyKind)(
    "a first try meets a parked receiver: $kind, capacity $capacity",
    async ({ capacity, ...values }) => {
      for (const count of yields) {
        for (const how of ["trySend", "trySelect"] as const) {
          const ch = channel<unknown>(capacity);
          const tryToSend = (value: unknown) =>
            how === "trySend" ? ch.trySend(value) : trySelect({ sent: sending(ch, value) })?.case === "sent";
          const sync = channel<void>();
          const got: unknown[] = [];
          const early = capacity === 0 && tryToSend(values.first);
          const task = (async () => {
            for (let i = 0; i < 2; i++) {
              got.push(await ch.receive());
              await sync.send();
            }
          })();
          for (const value of [values.first, values.second]) {
            await settle(count);
            expect(tryToSend(value), `after ${count} microtasks`).toBe(true);
            expect(ch.length, "handed over, not buffered").toBe(0);
            await sync.receive();
            await rest();
          }
          await task;
          expect(got).toEqual([
            { done: false, value: values.first },
            { done: false, value: values.second },
          ]);
          const late = capacity === 0 && tryToSend(values.first);
          expect([early, late], "sent to nobody").toEqual([false, false]);
        }
      }
    },
  );

  it.for(everyKind)(
    "a first try meets a parked sender: $kind, capacity $capacity",
    async ({ capacity, first, second }) => {
      for (const count of yields) {
        for (const how of ["tryReceive", "trySelect"] as const) {
          const ch = channel<unknown>(capacity);
          const sync = channel<void>(1);
          const tryToReceive = () => (how === "tryReceive" ? ch.tryReceive() : trySelect({ value: ch }));
          expect(tryToReceive()).toBeUndefined();
          const task = (async () => {
            for (const value of [first, second]) {
              await (count % 2 === 0 ? ch.send(value) : select([sending(ch, value)]));
              await sync.send();
            }
          })();
          for (const value of [first, second]) {
            if (capacity > 0) await sync.receive();
            else await settle(count);
            expect(tryToReceive(), `after ${count} microtasks`).toMatchObject({ done: false, value });
            if (capacity === 0) await sync.receive();
            await rest();
          }
          await task;
          expect(tryToReceive()).toBeUndefined();
        }
      }
    },
  );
});
