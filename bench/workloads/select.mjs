// The first of several.
import { expectCount } from "../expect.mjs";
import { channelPeers, each } from "../libraries/channels.mjs";
import { parkAndWake } from "../libraries/floor.mjs";

const peers = channelPeers;

/** A producer waits at each of the channels. The values of the one at `index` are index, index + width, and so on. */
const producing = (lib, width) => {
  const state = { stop: false };
  const channels = Array.from({ length: width }, () => lib.make(0));
  for (const [index, ch] of channels.entries()) {
    void (async () => {
      for (let i = index; !state.stop; i += width) await lib.send(ch, i);
    })();
  }
  return { channels, state };
};

/** What comes from each producer must be without gaps: nothing lost, nothing twice. */
const checked = (width) => {
  const next = Array.from({ length: width }, (_, index) => index);
  return (value) => {
    const index = value % width;
    if (next[index] !== value) throw new Error(`Wrong result: ${value}, not ${next[index]}`);
    next[index] += width;
  };
};

const ready = (width) => (lib) => async (n) => {
  const { channels, state } = producing(lib, width);
  const check = checked(width);
  const pick = lib.selecting(channels);
  for (let i = 0; i < n; i++) check(lib.valueOf(await pick()));
  state.stop = true;
};

const readyByTries = (width) => (lib) => async (n) => {
  const { channels, state } = producing(lib, width);
  const check = checked(width);
  const pick = lib.selecting(channels);
  const tryPick = lib.trySelecting(channels);
  for (let i = 0; i < n; i++) check(lib.valueOf(tryPick() ?? (await pick())));
  state.stop = true;
};

/** The floor: looks for a producer that waits, from a random place on, wakes it, and awaits its value. */
const readyFloor = (width) => async () => async (n) => {
  const values = new Array(width).fill(0);
  const wakes = new Array(width).fill(undefined);
  const check = checked(width);
  let stop = false;
  for (let index = 0; index < width; index++) {
    const park = (resolve) => (wakes[index] = resolve);
    void (async () => {
      for (let i = index; !stop; i += width) {
        values[index] = i;
        await new Promise(park);
      }
    })();
  }
  for (let i = 0; i < n; i++) {
    let index = Math.floor(Math.random() * width);
    while (wakes[index] === undefined) index = (index + 1) % width;
    const result = { case: index, done: false, value: values[index] };
    wakes[index]();
    wakes[index] = undefined;
    check((await Promise.resolve(result)).value);
  }
  stop = true;
};

/** Nothing is there when the select comes; the value comes after it. */
const parks = (width) => (lib) => async (n) => {
  const channels = Array.from({ length: width }, () => lib.make(0));
  const pick = lib.selecting(channels);
  for (let i = 0; i < n; i++) {
    const picking = pick();
    const sent = lib.send(channels[i % width], i);
    expectCount(lib.valueOf(await picking), i);
    await sent;
  }
};

const sluiceTries = (width) => ({ "sluice, try or await": each(["sluice"], readyByTries(width)).sluice });

/** Receives or sends, whatever comes first, against a partner that does the other. */
const both = async () => {
  const { channel, select, sending } = await import("@sluice/channels");
  return async (n) => {
    const a = channel();
    const b = channel();
    const partner = async () => {
      for (let i = 0; i < n; i += 2) {
        await a.send(i);
        await b.receive();
      }
    };
    let sent = 0;
    let received = 0;
    void partner();
    for (let i = 0; i < n; i++) {
      const picked = await select({ in: a, out: sending(b, i) });
      if (picked.case === "in") received++;
      else sent++;
    }
    expectCount(sent + received, n);
  };
};

/** A receive with a time limit that is not reached. */
const withTimeout = async () => {
  const { after, channel, select } = await import("@sluice/channels");
  return async (n) => {
    const ch = channel();
    for (let i = 0; i < n; i++) {
      const picking = select({ value: ch, late: after(60_000) });
      void ch.send(i);
      const picked = await picking;
      expectCount(picked.case === "value" ? picked.value : -1, i);
    }
  };
};

const withTimeoutByHand = async () => async (n) => {
  for (let i = 0; i < n; i++) {
    let wake;
    const picking = new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("late")), 60_000);
      wake = (value) => {
        clearTimeout(timer);
        resolve(value);
      };
    });
    wake(i);
    expectCount(await picking, i);
  }
};

const widths = [2, 8, 64];

export const workloads = {
  ...Object.fromEntries(
    widths.map((width) => [
      `select ${width}, ready`,
      {
        about: `a producer waits at each of ${width} channels`,
        n: width === 64 ? 20_000 : 50_000,
        go: true,
        engines: width === 8 ? ["floor", "sluice", "sluice, try or await"] : undefined,
        cases: {
          floor: readyFloor(width),
          ...each(["sluice"], ready(width)),
          ...sluiceTries(width),
          ...each(peers, ready(width)),
          effect: async () => (await import("../libraries/effect.mjs")).selectReady(width),
        },
      },
    ]),
  ),
  ...Object.fromEntries(
    widths.map((width) => [
      `select ${width}, parks`,
      {
        about: `a value comes to one of ${width} channels after the select has begun to wait`,
        n: width === 64 ? 20_000 : 50_000,
        go: true,
        engines: width === 8 ? ["floor", "sluice"] : undefined,
        cases: { floor: async () => parkAndWake, ...each(["sluice", ...peers], parks(width)) },
      },
    ]),
  ),
  "select both": {
    about: "a select that receives from one channel or sends to another",
    n: 50_000,
    cases: { floor: async () => parkAndWake, sluice: both },
  },
  "select with a time limit": {
    about: "a select of a channel and `after(60_000)`, where the value comes; the floor: setTimeout and clearTimeout",
    n: 50_000,
    cases: { floor: withTimeoutByHand, sluice: withTimeout },
  },
};
