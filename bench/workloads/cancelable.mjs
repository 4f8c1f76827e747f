// A receive that can be canceled, and is not.
import { getEventListeners } from "node:events";
import { expectSum } from "../expect.mjs";

const receiving = (receive) => async (n) => {
  let sum = 0;
  const { run, channel } = receive;
  for (let i = 0; i < n; i++) {
    const received = run();
    void channel.send(i);
    sum += (await received).value;
  }
  expectSum(sum, n);
};

const setUp = async (make) => {
  const { channel } = await import("@sluice/channels");
  const ch = channel();
  return receiving({ channel: ch, run: await make(ch) });
};

export const workloads = {
  "listeners on one AbortSignal": {
    about: "how many listeners 100,000 receives that wait with one signal put on it",
    kind: "count",
    n: 100_000,
    rounds: 1,
    cases: {
      sluice: async () => {
        const { channel } = await import("@sluice/channels");
        return async (n) => {
          const { signal } = new AbortController();
          const ch = channel();
          for (let i = 0; i < n; i++) void ch.receive({ signal });
          return getEventListeners(signal, "abort").length;
        };
      },
    },
  },
  "cancelable receive": {
    about: "a receive parks with a signal and is served; the floor: without a signal",
    n: 100_000,
    cases: {
      floor: () => setUp(async (ch) => () => ch.receive()),
      "sluice, a signal": () =>
        setUp(async (ch) => {
          const options = { signal: new AbortController().signal };
          return () => ch.receive(options);
        }),
      sluice: () =>
        setUp(async (ch) => {
          const { background, withCancel } = await import("@sluice/context");
          const ctx = withCancel(background);
          return () => ch.receive(ctx);
        }),
      "a listener each": () =>
        setUp(async (ch) => {
          const { signal } = new AbortController();
          return () =>
            new Promise((resolve, reject) => {
              const listener = () => reject(signal.reason);
              signal.addEventListener("abort", listener, { once: true });
              void ch.receive().then((received) => {
                signal.removeEventListener("abort", listener);
                resolve(received);
              });
            });
        }),
      "Promise.race": () =>
        setUp(async (ch) => {
          const { signal } = new AbortController();
          const aborted = new Promise((_, reject) => {
            signal.addEventListener("abort", () => reject(signal.reason), { once: true });
          });
          return () => Promise.race([ch.receive(), aborted]);
        }),
    },
  },
};
