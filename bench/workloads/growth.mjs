// What one operation costs while 100 to 1,000,000 of something are there: it must not depend on their number.
import { getEventListeners } from "node:events";
import { expectCount, expectSum } from "../expect.mjs";
import { bare } from "../libraries/floor.mjs";
import { channelPeers, each } from "../libraries/channels.mjs";

export const sizes = [100, 1_000, 10_000, 100_000, 1_000_000];

const buffered =
  ({ make, send, receive, read }) =>
  async (n) => {
    const ch = make(n);
    for (let i = 0; i < n; i++) await send(ch, i);
    let sum = 0;
    for (let i = 0; i < n; i++) sum += read(await receive(ch));
    expectSum(sum, n);
  };

const parked =
  ({ make, send, receive, read }) =>
  async (n) => {
    const ch = make(0);
    let sum = 0;
    const waiting = [];
    const wait = async () => {
      const value = read(await receive(ch));
      sum += value;
    };
    for (let i = 0; i < n; i++) waiting.push(wait());
    for (let i = 0; i < n; i++) void send(ch, i);
    await Promise.all(waiting);
    expectSum(sum, n);
  };

const children = {
  floor: async () => (n) => {
    let count = 0;
    const parent = { done: false, children: [] };
    for (let i = 0; i < n; i++) parent.children.push({ parent, done: false, callback: () => count++ });
    for (const child of parent.children) child.done = true;
    for (const { callback } of parent.children) callback();
    expectCount(count, n);
  },
  sluice: async () => {
    const { afterDone, background, withCancel } = await import("@sluice/context");
    return (n) => {
      let count = 0;
      const parent = withCancel(background);
      for (let i = 0; i < n; i++) afterDone(withCancel(parent), () => void count++);
      parent.cancel();
      expectCount(count, n);
    };
  },
  "AbortController + listener": async () => (n) => {
    let count = 0;
    const parent = new AbortController();
    for (let i = 0; i < n; i++) {
      const child = new AbortController();
      child.signal.addEventListener("abort", () => void count++, { once: true });
      parent.signal.addEventListener("abort", () => child.abort(parent.signal.reason), { once: true });
    }
    parent.abort();
    expectCount(count, n);
  },
  "AbortSignal.any": async () => (n) => {
    let count = 0;
    const parent = new AbortController();
    for (let i = 0; i < n; i++) {
      AbortSignal.any([parent.signal]).addEventListener("abort", () => void count++, { once: true });
    }
    parent.abort();
    expectCount(count, n);
  },
};

const listeners = {
  floor: async () => async (n) => {
    const rejects = [];
    let count = 0;
    const waiting = [];
    const wait = async () => {
      try {
        await new Promise((_, reject) => rejects.push(reject));
      } catch {
        count++;
      }
    };
    for (let i = 0; i < n; i++) waiting.push(wait());
    const reason = new Error("aborted");
    for (const reject of rejects) reject(reason);
    await Promise.all(waiting);
    expectCount(count, n);
  },
  sluice: async () => {
    const { channel } = await import("@sluice/channels");
    return async (n) => {
      const controller = new AbortController();
      const { signal } = controller;
      const ch = channel();
      let count = 0;
      const wait = async () => {
        try {
          await ch.receive({ signal });
        } catch {
          count++;
        }
      };
      const waiting = [];
      for (let i = 0; i < n; i++) waiting.push(wait());
      expectCount(getEventListeners(signal, "abort").length, 1);
      controller.abort();
      await Promise.all(waiting);
      expectCount(count, n);
    };
  },
  "a listener each": async () => async (n) => {
    const controller = new AbortController();
    const { signal } = controller;
    let count = 0;
    const wait = async () => {
      try {
        await new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        });
      } catch {
        count++;
      }
    };
    const waiting = [];
    for (let i = 0; i < n; i++) waiting.push(wait());
    controller.abort();
    await Promise.all(waiting);
    expectCount(count, n);
  },
};

const effect = (name) => ({ effect: async () => (await import("../libraries/effect.mjs"))[name]() });

const series = {
  "buffered values": {
    about: "that many values are sent to a buffer, then received; per value",
    cases: {
      ...each(["floor", "sluice", "medium", "ts-chan, unsafe", "@lesomnus/channel"], buffered),
    },
  },
  "parked waiters": {
    about: "that many tasks wait at one channel, then each is served; per task",
    go: true,
    cases: {
      floor: async () => parked(bare),
      ...each(["sluice", ...channelPeers.filter((name) => name !== "ts-chan")], parked),
      ...effect("parked"),
    },
  },
  children: {
    about: "that many child contexts that somebody watches, canceled by their parent; per child",
    go: true,
    cases: children,
  },
  listeners: {
    about: "that many receives wait on one AbortSignal, which then aborts; per receive",
    cases: listeners,
  },
};

export const workloads = Object.fromEntries(
  Object.entries(series).flatMap(([name, { about, cases, go }]) =>
    sizes.map((size) => [
      `${size.toLocaleString("en")} ${name}`,
      { about, n: size, rounds: 3, go, series: name, size, cases },
    ]),
  ),
);
