import { afterEach, describe, expect, it, vi } from "vitest";
import type { Channel, WaitOptions } from "../src/index.ts";
import { after, at, channel, from, merge, never, pipe, select, sending, tick } from "../src/index.ts";
import {
  drain,
  fulfilled,
  got,
  outcome,
  outcomes,
  pending,
  quiet,
  reasonOf,
  rejected,
  rest,
  watchedSignal,
} from "./support.ts";

afterEach(() => void vi.useRealTimers());

/** What may wait, on a channel with no room and nothing in it. */
const waits: readonly [name: string, wait: (ch: Channel<number>, options: WaitOptions) => Promise<unknown>][] = [
  ["send()", (ch, options) => ch.send(1, options)],
  ["receive()", (ch, options) => ch.receive(options)],
  ["select() that receives", (ch, options) => select({ ch, never }, options)],
  ["select() that sends", (ch, options) => select([never, sending(ch, 1)], options)],
  ["select() that sends and receives", (ch, options) => select({ ch, sent: sending(ch, 1) }, options)],
  ["select() without a case", (_, options) => select({}, options)],
  ["never.receive()", (_, options) => never.receive(options)],
  ["after().receive()", (_, options) => after(60_000).receive(options)],
  ["at().receive()", (_, options) => at(Date.now() + 60_000).receive(options)],
  ["tick().receive()", (_, options) => tick(60_000).receive(options)],
  ["select() with a timer", (ch, options) => select({ ch, late: after(60_000) }, options)],
  ["receive() from from()", (ch, options) => from(ch).receive(options)],
  ["receive() from merge()", (ch, options) => merge(ch).receive(options)],
  ["pipe() that receives", (ch, options) => pipe(ch, channel<number>(), options)],
  ["pipe() that sends", (ch, options) => pipe([1], ch, { ...options, close: false })],
];

describe.for(waits)("%s", ([, wait]) => {
  it.for<[string, unknown]>([
    ["an error", new Error("enough")],
    ["a string", "enough"],
    ["null", null],
    ["0", 0],
    ["a thenable", { then: () => expect.unreachable("the reason was unwrapped") }],
  ])("rejects with the signal's reason itself: %s", async ([, reason]) => {
    vi.useFakeTimers();
    const controller = new AbortController();
    const waiting = wait(channel<number>(), { signal: controller.signal });
    expect(await outcome(waiting)).toEqual(pending);
    controller.abort(reason);
    const is = await outcome(waiting);
    expect(is.status === "rejected" && is.reason === reason).toBe(true);
  });

  it("rejects at once under a signal that has aborted before", async () => {
    vi.useFakeTimers();
    const signal = AbortSignal.abort("enough");
    expect(await reasonOf(wait(channel<number>(), { signal }))).toBe("enough");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("rejects with the platform's AbortError when no reason was given", async () => {
    vi.useFakeTimers();
    const controller = new AbortController();
    const waiting = wait(channel<number>(), { signal: controller.signal });
    controller.abort();
    const reason = await reasonOf(waiting);
    expect(reason).toBe(controller.signal.reason);
    expect(reason).toMatchObject({ name: "AbortError" });
  });

  it("once cancelled leaves nothing behind: no waiter, no timer, no listener", async () => {
    vi.useFakeTimers();
    const { controller, signal, listeners } = watchedSignal();
    const ch = channel<number>();
    const waiting = wait(ch, { signal });
    expect(await outcome(waiting)).toEqual(pending);
    controller.abort("enough");
    expect((await outcome(waiting)).status).toBe("rejected");
    expect([vi.getTimerCount(), listeners()]).toEqual([0, 0]);
  });

  it("takes any object with a signal for its options, and none for no signal", async () => {
    vi.useFakeTimers();
    const controller = new AbortController();
    const context = {
      get signal() {
        return controller.signal;
      },
      deadline: 1,
    };
    const waiting = [
      wait(channel<number>(), context),
      wait(channel<number>(), { signal: undefined }),
      wait(channel<number>(), {}),
    ];
    controller.abort("enough");
    expect((await outcomes(waiting)).map((it) => it.status)).toEqual(["rejected", "pending", "pending"]);
  });
});

describe("a cancelled wait", () => {
  it("of a send was not delivered", async () => {
    for (const capacity of [0, 1, 3]) {
      const ch = channel<number>(capacity);
      for (let i = 0; i < capacity; i++) ch.trySend(i);
      const controller = new AbortController();
      const sent = ch.send(99, { signal: controller.signal });
      const picked = select([sending(ch, 98)], { signal: controller.signal });
      controller.abort("enough");
      expect(await outcomes<unknown>([sent, picked])).toEqual([rejected("enough"), rejected("enough")]);
      expect(drain(ch)).toEqual(Array.from({ length: capacity }, (_, i) => i));
      expect(quiet(ch)).toBe(true);
    }
  });

  it("of a receive took nothing", async () => {
    for (const capacity of [0, 1, 3]) {
      const ch = channel<number>(capacity);
      const controller = new AbortController();
      const waiting = [ch.receive({ signal: controller.signal }), select({ ch }, { signal: controller.signal })];
      controller.abort("enough");
      const sent = ch.send(1);
      expect(await outcomes<unknown>(waiting)).toEqual([rejected("enough"), rejected("enough")]);
      expect(await outcome(ch.receive())).toEqual(got(1));
      await sent;
    }
  });

  it("leaves the line from any place, and the others keep their order", async () => {
    for (const leaving of [[0], [1], [4], [0, 4], [1, 2, 3], [0, 1, 2], [4, 3, 2, 0]]) {
      const staying = [0, 1, 2, 3, 4].filter((i) => !leaving.includes(i));
      const [toSend, toReceive] = [channel<number>(), channel<number>()];
      const controllers = [0, 1, 2, 3, 4].map(() => new AbortController());
      const sends = controllers.map(({ signal }, i) => toSend.send(i, { signal }));
      const received: number[] = [];
      const receives = controllers.map(({ signal }, i) => toReceive.receive({ signal }).then(() => received.push(i)));
      const all = outcomes<unknown>([...sends, ...receives]);
      for (const i of leaving) controllers[i]?.abort();
      expect(drain(toSend)).toEqual(staying);
      for (const i of staying) expect(toReceive.trySend(i)).toBe(true);
      expect([quiet(toSend), quiet(toReceive)]).toEqual([true, true]);
      const statuses = controllers.map((_, i) => (leaving.includes(i) ? "rejected" : "fulfilled"));
      expect((await all).map(({ status }) => status)).toEqual([...statuses, ...statuses]);
      expect(received).toEqual(staying);
    }
  });

  it("of every waiter of one signal is over in one step, in the order they came", async () => {
    const { controller, signal, listeners, added } = watchedSignal();
    const ch = channel<number>();
    const order: number[] = [];
    for (let i = 0; i < 50; i++) ch.receive({ signal }).catch(() => order.push(i));
    expect([listeners(), added()]).toEqual([1, 1]);
    controller.abort();
    expect(quiet(ch)).toBe(true);
    await rest();
    expect(order).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(listeners()).toBe(0);
  });

  it("makes room for the next in line", async () => {
    const ch = channel<number>();
    const controller = new AbortController();
    const first = ch.receive({ signal: controller.signal });
    const second = ch.receive();
    controller.abort("enough");
    expect(ch.trySend(1)).toBe(true);
    expect(await outcomes([first, second])).toEqual([rejected("enough"), got(1)]);
  });
});

describe("a signal that has already aborted", () => {
  const signal = AbortSignal.abort("enough");

  it("wins over room in the buffer and over a receiver that waits", async () => {
    const [room, met] = [channel<number>(1), channel<number>()];
    const received = met.receive();
    expect(await reasonOf(room.send(1, { signal }))).toBe("enough");
    expect(await reasonOf(met.send(1, { signal }))).toBe("enough");
    expect(room.length).toBe(0);
    expect(await outcome(received)).toEqual(pending);
  });

  it("wins over a value that is there and over a sender that waits", async () => {
    const [full, met] = [channel<number>(1), channel<number>()];
    full.trySend(1);
    const sent = met.send(1);
    expect(await reasonOf(full.receive({ signal }))).toBe("enough");
    expect(await reasonOf(met.receive({ signal }))).toBe("enough");
    expect(full.length).toBe(1);
    expect(await outcome(sent)).toEqual(pending);
  });

  it("wins over a closed channel, with or without a cause", async () => {
    for (const cause of [undefined, new Error("cause")]) {
      const ch = channel<number>();
      ch.close(cause);
      expect(await reasonOf(ch.send(1, { signal }))).toBe("enough");
      expect(await reasonOf(ch.receive({ signal }))).toBe("enough");
      expect(await reasonOf(select([ch], { signal }))).toBe("enough");
      expect(await reasonOf(select([sending(ch, 1)], { signal }))).toBe("enough");
    }
  });

  it("wins over a drop policy, which drops nothing then", async () => {
    for (const overflow of ["drop-oldest", "drop-newest"] as const) {
      const ch = channel<number>({ capacity: 1, overflow });
      ch.trySend(1);
      expect(await reasonOf(ch.send(2, { signal }))).toBe("enough");
      expect(ch.dropped).toBe(0);
      expect(drain(ch)).toEqual([1]);
    }
  });

  it("wins over a timer that is due", async () => {
    const due = after(-1);
    expect(await reasonOf(due.receive({ signal }))).toBe("enough");
    expect(due.tryReceive()).toBeDefined();
  });

  it("is not listened to", async () => {
    const watched = watchedSignal();
    watched.controller.abort("enough");
    await outcomes<unknown>(waits.map(([, wait]) => wait(channel<number>(), { signal: watched.signal })));
    expect(watched.added()).toBe(0);
  });
});

describe("a wait that was served", () => {
  it("stays served when its signal aborts in the same turn: nothing is lost", async () => {
    for (const afterMicrotasks of [0, 1, 2, 3]) {
      const controller = new AbortController();
      const { signal } = controller;
      const [toReceive, toSelect, toSend] = [channel<number>(), channel<number>(), channel<number>()];
      const all = outcomes<unknown>([
        toReceive.receive({ signal }),
        select({ toSelect }, { signal }),
        toSend.send(3, { signal }),
        select({ sent: sending(toSend, 4) }, { signal }),
      ]);
      expect([toReceive.trySend(1), toSelect.trySend(2)]).toEqual([true, true]);
      expect([toSend.tryReceive()?.value, toSend.tryReceive()?.value]).toEqual([3, 4]);
      for (let i = 0; i < afterMicrotasks; i++) await Promise.resolve();
      controller.abort("too late");
      expect(await all).toEqual([
        got(1),
        fulfilled({ case: "toSelect", done: false, value: 2 }),
        fulfilled(undefined),
        fulfilled({ case: "sent", done: false, value: undefined }),
      ]);
    }
  });

  it("stays served when the channel was closed and then the signal aborts, and the other way round", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const ch = channel<number>();
    const closedFirst = ch.receive({ signal });
    ch.close();
    controller.abort("too late");
    expect(await outcome(closedFirst)).toEqual(fulfilled({ done: true, value: undefined }));

    const other = new AbortController();
    const late = channel<number>();
    const abortedFirst = late.receive({ signal: other.signal });
    other.abort("first");
    late.close();
    expect(await reasonOf(abortedFirst)).toBe("first");
  });

  it("either completes or rejects, never both, when an abort listener works on the same channel", async () => {
    for (const listensFirst of [true, false]) {
      const controller = new AbortController();
      const { signal } = controller;
      const ch = channel<number>();
      let sent: boolean | undefined;
      const listener = () => (sent = ch.trySend(1));
      if (listensFirst) signal.addEventListener("abort", listener);
      const received = outcome(ch.receive({ signal }));
      if (!listensFirst) signal.addEventListener("abort", listener);
      controller.abort("enough");
      expect(await received, `sent: ${sent}`).toEqual(sent ? got(1) : rejected("enough"));
      expect(quiet(ch)).toBe(true);
    }
  });

  it("forgets its signal", async () => {
    const { signal, listeners } = watchedSignal();
    const ch = channel<number>();
    const all = [ch.receive({ signal }), select({ ch }, { signal })];
    expect(listeners()).toBe(1);
    expect([ch.trySend(1), ch.trySend(2)]).toEqual([true, true]);
    await Promise.all<unknown>(all);
    await rest();
    expect(listeners()).toBe(0);
  });
});

describe("stress", () => {
  it("100,000 waiters leave one line in any order, each in constant time", async () => {
    const count = 99_000;
    const [toReceive, toSend] = [channel<number>(), channel<number>()];
    const { signal, added, listeners } = watchedSignal();
    // Each select waits in three lines, of the two channels and of the signal, and leaves them by its own way out.
    const ways = Array.from({ length: count }, () => channel<true>());
    const picked = ways.map((out) => select({ toReceive, sent: sending(toSend, 1), signal, out }));
    const started = performance.now();
    let left = 0;
    const leave = (i: number) => (left += ways[i]?.trySend(true) ? 1 : 0);
    for (let i = count - 1; i >= 66_000; i--) leave(i);
    for (let i = 0; i < 33_000; i++) leave(i);
    for (let i = 0; i < 33_000; i++) leave(33_000 + ((i * 7_919) % 33_000));
    // Searching through a list would take minutes.
    expect(performance.now() - started).toBeLessThan(2_000);
    expect([left, added()]).toEqual([count, 1]);
    for (const { case: key } of await Promise.all(picked)) if (key !== "out") expect.unreachable();
    await rest();
    expect([quiet(toReceive), quiet(toSend), listeners()]).toEqual([true, true, 0]);
  }, 20_000);
});
