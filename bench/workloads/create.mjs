// Making a channel or a timer that is not used.
import { expectCount } from "../expect.mjs";
import { channelPeers, each } from "../libraries/channels.mjs";

/** The last of what was made: the compiler leaves out what nobody keeps. */
const kept = new Array(64).fill(undefined);

const create =
  ({ make }) =>
  (n) => {
    let count = 0;
    for (let i = 0; i < n; i++) {
      kept[i % 64] = make(16);
      if (kept[i % 64] !== undefined) count++;
    }
    expectCount(count, n);
  };

export const workloads = {
  "create a channel": {
    about: "`channel(16)`",
    kind: "function",
    n: 1_000,
    cases: each(["floor", "sluice", ...channelPeers], create),
  },
  "create a timer": {
    about: "`after(60_000)` that nobody waits for; the floor: setTimeout and clearTimeout",
    kind: "function",
    n: 1_000,
    cases: {
      floor: async () => (n) => {
        for (let i = 0; i < n; i++) clearTimeout(setTimeout(() => {}, 60_000));
      },
      sluice: async () => {
        const { after } = await import("@sluice/channels");
        return (n) => {
          let count = 0;
          for (let i = 0; i < n; i++) {
            kept[i % 64] = after(60_000);
            if (kept[i % 64] !== undefined) count++;
          }
          expectCount(count, n);
        };
      },
    },
  },
};
