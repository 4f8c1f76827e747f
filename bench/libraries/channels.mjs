// Libraries of channels in one shape, so that a workload is written once. Each is loaded only in the process that
// measures it. In that process every call below has one target, which the compiler inlines.
//
// make(capacity), send(ch, value), receive(ch), read(received) -> value, close(ch), iterate(ch) -> async iterable,
// selecting(channels) -> () => promise of the picked, valueOf(picked)
import { bare } from "./floor.mjs";

function sluice({ channel, select, trySelect }) {
  return {
    make: (capacity) => channel(capacity),
    send: (ch, value) => ch.send(value),
    receive: (ch) => ch.receive(),
    read: (received) => received.value,
    trySend: (ch, value) => ch.trySend(value),
    tryReceive: (ch) => ch.tryReceive(),
    close: (ch) => ch.close(),
    iterate: (ch) => ch,
    selecting: (channels) => () => select(channels),
    trySelecting: (channels) => () => trySelect(channels),
    valueOf: (picked) => picked.value,
  };
}

async function tsChan(unsafe) {
  const { Chan, Select, recv } = await import("ts-chan");
  return {
    make: (capacity) => new Chan(capacity).setUnsafe(unsafe),
    send: (ch, value) => ch.send(value),
    receive: (ch) => ch.recv(),
    read: (received) => received.value,
    close: (ch) => ch.close(),
    iterate: (ch) => ch,
    selecting(channels) {
      const select = new Select(channels.map((ch) => recv(ch))).setUnsafe(unsafe); // kept, as its README shows
      return async () => {
        const index = await select.wait();
        return select.recv(select.cases[index]);
      };
    },
    valueOf: (picked) => picked.value,
  };
}

const libraries = {
  floor: async () => bare,
  sluice: async () => sluice(await import("@sluice/channels")),
  // The built package with its turn module replaced, in a temporary folder that the driver makes.
  "sluice, no turns": async () => sluice(await import(process.env["BENCH_NO_TURNS"])),

  async medium() {
    const { chan, put, take, any, close } = await import("medium");
    return {
      make: (capacity) => (capacity === 0 ? chan() : chan(capacity)),
      send: (ch, value) => put(ch, value),
      receive: (ch) => take(ch),
      read: (received) => received,
      close: (ch) => close(ch),
      selecting: (channels) => () => any(...channels),
      valueOf: (picked) => picked[0],
    };
  },

  // Its smallest capacity is 1; a write waits for its read at every capacity.
  async "@thi.ng/csp"() {
    const { channel, select } = await import("@thi.ng/csp");
    return {
      make: (capacity) => channel(Math.max(1, capacity)),
      send: (ch, value) => ch.write(value),
      receive: (ch) => ch.read(),
      read: (received) => received,
      close: (ch) => ch.close(),
      iterate: (ch) => ch,
      selecting: (channels) => () => select(...channels),
      valueOf: (picked) => picked[0],
    };
  },

  "ts-chan": () => tsChan(false),
  "ts-chan, unsafe": () => tsChan(true),

  async "@lesomnus/channel"() {
    const { Chan, recv, select } = await import("@lesomnus/channel");
    return {
      make: (capacity) => new Chan(capacity),
      send: (ch, value) => ch.send(value),
      receive: (ch) => ch.recv(),
      read: (received) => received,
      close: () => {}, // its close drops what is buffered
      iterate: (ch) => ch,
      selecting(channels) {
        let picked;
        const cases = channels.map((ch) => recv(ch, (_, value) => (picked = { value })));
        return async () => {
          await select(cases);
          return picked;
        };
      },
      valueOf: (picked) => picked.value,
    };
  },
};

export const channelPeers = ["medium", "@thi.ng/csp", "ts-chan", "ts-chan, unsafe", "@lesomnus/channel"];

/** One workload for several libraries: name -> a function that loads the library and gives the measured one. */
export function each(names, workload) {
  return Object.fromEntries(names.map((name) => [name, async () => workload(await libraries[name]())]));
}
