// Go's test/chan/perm: what the compiler must refuse about the directions of a channel, and what it must allow.
// Never run; a line that compiles below `@ts-expect-error` is itself an error.
import { describe, expectTypeOf, it } from "vitest";
import type { Channel, Receiver, Sender } from "../../src/index.ts";
import { select, sending, trySelect } from "../../src/index.ts";

declare let both: Channel<number>;
declare let sendOnly: Sender<number>;
declare let receiveOnly: Receiver<number>;

describe("P-007 perm: types", () => {
  it("P-007 gives a channel away in either direction", () => {
    sendOnly = both;
    receiveOnly = both;
    expectTypeOf<Channel<number>>().toExtend<Sender<number>>();
    expectTypeOf<Channel<number>>().toExtend<Receiver<number>>();
  });

  it("P-007 refuses the four assignments back and across", () => {
    // @ts-expect-error a receiver does not send
    both = receiveOnly;
    // @ts-expect-error a sender does not receive
    both = sendOnly;
    // @ts-expect-error across
    receiveOnly = sendOnly;
    // @ts-expect-error across
    sendOnly = receiveOnly;
    expectTypeOf<Sender<number>>().not.toExtend<Receiver<unknown>>();
    expectTypeOf<Receiver<number>>().not.toExtend<Sender<never>>();
  });

  it("P-007 refuses what a receive-only channel cannot do", async () => {
    // @ts-expect-error send
    await receiveOnly.send(1);
    // @ts-expect-error send without waiting
    receiveOnly.trySend(1);
    // @ts-expect-error send in a select
    await select([sending(receiveOnly, 1)]);
    // @ts-expect-error send in a select without waiting
    trySelect([sending(receiveOnly, 1)]);
    // @ts-expect-error close
    receiveOnly.close();
    expectTypeOf(receiveOnly).not.toHaveProperty("send");
    expectTypeOf(receiveOnly).not.toHaveProperty("close");
  });

  it("P-007 refuses what a send-only channel cannot do", async () => {
    // @ts-expect-error receive
    await sendOnly.receive();
    // @ts-expect-error receive without waiting
    sendOnly.tryReceive();
    // @ts-expect-error receive in a select
    await select([sendOnly]);
    // @ts-expect-error receive in a select, named
    trySelect({ sendOnly });
    // @ts-expect-error range, with the value
    for await (const value of sendOnly) void value; // oxlint-disable-line typescript/await-thenable -- what it must refuse
    let value: number | undefined;
    // @ts-expect-error range, with a variable there is
    for await (value of sendOnly) void value; // oxlint-disable-line typescript/await-thenable -- what it must refuse
    // @ts-expect-error iterate by hand
    sendOnly[Symbol.asyncIterator]();
    expectTypeOf(sendOnly).not.toHaveProperty("receive");
    expectTypeOf(sendOnly).not.toHaveProperty("next");
  });

  it("P-007 allows each operation where the direction has it", async () => {
    expectTypeOf(both.receive()).toEqualTypeOf<Promise<IteratorResult<number, undefined>>>();
    expectTypeOf(receiveOnly.receive()).toEqualTypeOf<Promise<IteratorResult<number, undefined>>>();
    expectTypeOf(both.tryReceive()).toEqualTypeOf<IteratorResult<number, undefined> | undefined>();
    expectTypeOf(receiveOnly.tryReceive()).toEqualTypeOf<IteratorResult<number, undefined> | undefined>();
    expectTypeOf(both.send(1)).toEqualTypeOf<Promise<void>>();
    expectTypeOf(sendOnly.send(1)).toEqualTypeOf<Promise<void>>();
    expectTypeOf(both.close()).toEqualTypeOf<boolean>();
    expectTypeOf(sendOnly.close()).toEqualTypeOf<boolean>();

    const picked = await select({ both, receiveOnly, one: sending(both, 1), two: sending(sendOnly, 2) });
    expectTypeOf(picked.case).toEqualTypeOf<"both" | "receiveOnly" | "one" | "two">();
    if (picked.case === "receiveOnly" && !picked.done) expectTypeOf(picked.value).toEqualTypeOf<number>();
    if (picked.case === "two") expectTypeOf(picked.value).toEqualTypeOf<undefined>();

    for await (const value of both) expectTypeOf(value).toEqualTypeOf<number>();
    for await (const value of receiveOnly) expectTypeOf(value).toEqualTypeOf<number>();
  });

  it("P-007 holds to the type of the values as well", async () => {
    // @ts-expect-error not a number
    await both.send("1");
    // @ts-expect-error not a number
    sending(sendOnly, "1");
    // @ts-expect-error would let strings into a channel of numbers
    const wider: Sender<number | string> = both;
    void wider;
    const out: Receiver<number | string> = both;
    const narrower: Sender<1 | 2> = both;
    expectTypeOf(out.receive()).toEqualTypeOf<Promise<IteratorResult<number | string, undefined>>>();
    expectTypeOf<Parameters<typeof narrower.trySend>>().toEqualTypeOf<[value: 1 | 2]>();
  });
});
