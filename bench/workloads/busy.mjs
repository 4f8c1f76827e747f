// Timers while tasks are busy.
import { expectSum } from "../expect.mjs";
import { channelPeers, each } from "../libraries/channels.mjs";
import { parkAndWake } from "../libraries/floor.mjs";

const exchange =
  ({ make, send, receive, read }) =>
  async (n) => {
    const ch = make(0);
    const producer = (async () => {
      for (let i = 0; i < n; i++) await send(ch, i);
    })();
    let sum = 0;
    for (let i = 0; i < n; i++) sum += read(await receive(ch));
    await producer;
    expectSum(sum, n);
  };

const exchangeByTries =
  ({ make, send, receive, read, trySend, tryReceive }) =>
  async (n) => {
    const ch = make(16);
    const producer = (async () => {
      for (let i = 0; i < n; i++) trySend(ch, i) || (await send(ch, i));
    })();
    let sum = 0;
    for (let i = 0; i < n; i++) sum += read(tryReceive(ch) ?? (await receive(ch)));
    await producer;
    expectSum(sum, n);
  };

export const workloads = {
  "lateness of a timer": {
    about: "how late a timer of 1 ms comes while two tasks exchange 1,000,000 values, at most",
    kind: "lateness ms",
    n: 1_000_000,
    rounds: 3,
    engines: ["floor", "sluice", "sluice, try or await"],
    cases: {
      floor: async () => parkAndWake,
      ...each(["sluice"], exchange),
      "sluice, try or await": each(["sluice"], exchangeByTries).sluice,
      ...each(
        channelPeers.filter((name) => name !== "@lesomnus/channel"),
        exchange,
      ),
      effect: async () => (await import("../libraries/effect.mjs")).exchange(0),
    },
  },
};
