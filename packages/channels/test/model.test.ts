// Random programs, run with the channels and then followed by the model; and random tasks, whose history must add up.
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { macro, seeded, settle } from "../../../test/support.ts";
import type { Channel } from "../src/index.ts";
import { channel, select, sending } from "../src/index.ts";
import type { Kind } from "./program.ts";
import { CHANNELS, channelIndex, kind, programs, Run, SpiedSignal } from "./program.ts";

/** MODEL_RUNS=50 runs fifty times as many programs. */
const { process: host } = globalThis as { process?: { env?: Record<string, string | undefined> } };
const factor = Number(host?.env?.["MODEL_RUNS"] ?? 1);
const timeout = 60_000 * factor;

/** How a task hands on one value. */
interface Handing {
  readonly how: "send" | "trySend" | "impatient" | "select" | "exchange";
  readonly channel: number;
  readonly other: number;
}

/** How a task gets values from a channel until that is closed and drained. */
interface Getting {
  readonly how: "for await" | "tryReceive" | "impatient" | "select";
  readonly channel: number;
}

class Crowd {
  readonly kinds: readonly Kind[];
  readonly senders: readonly (readonly Handing[])[];
  readonly receivers: readonly Getting[];
  readonly seed: number;

  constructor(it: Pick<Crowd, "kinds" | "senders" | "receivers" | "seed">) {
    this.kinds = it.kinds;
    this.senders = it.senders;
    this.receivers = it.receivers;
    this.seed = it.seed;
  }

  /** fast-check prints a crowd that failed by this. */
  toString(): string {
    const kinds = this.kinds.map(({ capacity, overflow }, i) => `ch${i} = channel(${capacity}, "${overflow}")`);
    const senders = this.senders.map((parcels, i) => {
      const steps = parcels.map(({ how, channel: to, other }) => `${how} to ch${to} (ch${other})`);
      return `sender ${i}: ${steps.join(", ")}`;
    });
    const receivers = this.receivers.map(({ how, channel: from }, i) => `receiver ${i}: ${how} from ch${from}`);
    return `\n  ${[`seeded(${this.seed})`, ...kinds, ...senders, ...receivers].join("\n  ")}\n`;
  }
}

/** The `index`-th value of a sender, on its way through a channel. */
interface Parcel {
  readonly sender: number;
  readonly index: number;
}

const crowds = fc
  .record({
    kinds: fc.array(kind, { minLength: CHANNELS, maxLength: CHANNELS }),
    senders: fc.array(
      fc.array(
        fc.record({
          how: fc.constantFrom("send", "trySend", "impatient", "select", "exchange"),
          channel: channelIndex,
          other: channelIndex,
        }),
        { maxLength: 8, size: "max" },
      ),
      { minLength: 1, maxLength: 4, size: "max" },
    ),
    receivers: fc.array(
      fc.record({ how: fc.constantFrom("for await", "tryReceive", "impatient", "select"), channel: channelIndex }),
      { maxLength: 4, size: "max" },
    ),
    seed: fc.nat(),
  })
  .map((it) => new Crowd(it));

/** How a crowd fared. */
interface Meeting {
  readonly ended: boolean;
  /** The values, in words. */
  readonly sent: readonly string[];
  readonly received: readonly string[];
  readonly dropped: number;
  /** Who got values of one sender through one channel in another order than they were sent. */
  readonly disordered: readonly string[];
  readonly listeners: number;
}

/** Lets all tasks of a crowd run to their end. */
async function meet({ kinds, senders, receivers, seed }: Crowd): Promise<Meeting> {
  const random = seeded(seed);
  const jitter = () => settle(random.int(4));
  const channels = kinds.map((options) => channel<Parcel>(options));
  const at = (index: number) => channels[index] as Channel<Parcel>;
  const lasting = new SpiedSignal(0);
  /** By task and channel: in the order in which the task got them. */
  const got = new Map<string, Parcel[]>();
  const note = (task: string, from: number, parcel: Parcel) => {
    const key = `${task} at channel ${from}`;
    got.set(key, [...(got.get(key) ?? []), parcel]);
  };

  /** A wait that is given up after a while; then it is done over again without such haste. */
  const impatiently = async <R>(wait: (signal: AbortSignal) => Promise<R>): Promise<R> => {
    const { controller, signal } = new SpiedSignal(1);
    const reason = new Error("too slow");
    const first = wait(signal).catch((error: unknown) => {
      if (error !== reason) throw error;
      return undefined;
    });
    await jitter();
    controller.abort(reason);
    return (await first) ?? wait(lasting.signal);
  };

  const handOn = async (task: string, { how, channel: to, other }: Handing, parcel: Parcel): Promise<void> => {
    switch (how) {
      case "send":
        return at(to).send(parcel, lasting);
      case "trySend":
        // Where false means that it was dropped, sending it once more would count it twice.
        if (at(to).trySend(parcel) || kinds[to]?.overflow === "drop-newest") return;
        return at(to).send(parcel);
      case "impatient":
        await impatiently((signal) =>
          at(to)
            .send(parcel, { signal })
            .then(() => true),
        );
        return;
      case "select":
        await select([sending(at(to), parcel), sending(at(other), parcel), sending(at(to), parcel)], lasting);
        return;
      case "exchange":
        // Takes what it meets until its own parcel has gone. It never meets itself: that would count as received.
        for (;;) {
          const picked = await select({ out: sending(at(to), parcel), back: at(other), stop: lasting.signal });
          if (picked.case === "out") return;
          if (picked.case === "stop" || picked.done) throw new Error("The channels have closed too early");
          if (picked.value === parcel) throw new Error("A select met itself");
          note(task, other, picked.value);
        }
    }
  };

  const get = async (task: string, { how, channel: from }: Getting): Promise<void> => {
    switch (how) {
      case "for await":
        for await (const parcel of at(from)) {
          note(task, from, parcel);
          await jitter();
        }
        return;
      case "tryReceive":
      case "impatient":
        for (;;) {
          await jitter();
          const result =
            how === "impatient"
              ? await impatiently((signal) => at(from).receive({ signal }))
              : (at(from).tryReceive() ?? (await at(from).receive(lasting)));
          if (result.done) return;
          note(task, from, result.value);
        }
      case "select": {
        const open: (Channel<Parcel> | undefined)[] = [...channels];
        while (open.some(Boolean)) {
          await jitter();
          const picked = await select(open, lasting);
          if (picked.done) open[picked.case] = undefined;
          else note(task, picked.case, picked.value);
        }
      }
    }
  };

  const sendAll = async (parcels: readonly Handing[], sender: number): Promise<void> => {
    for (const [index, handing] of parcels.entries()) {
      await jitter();
      await handOn(`sender ${sender}`, handing, { sender, index });
    }
  };
  const handedOn = Promise.all(senders.map(sendAll)).then(() => channels.forEach((it) => it.close()));
  // Each channel has a reader, so everybody comes to an end.
  const readers = [...receivers, ...channels.map((_, index) => ({ how: "for await", channel: index }) as const)];
  const tasks = Promise.all([handedOn, ...readers.map((getting, index) => get(`receiver ${index}`, getting))]);
  let ended = false;
  void tasks.catch(() => {}).then(() => (ended = true));
  for (let turn = 0; turn < 100 && !ended; turn++) await macro();
  if (ended) await tasks;
  await macro();
  await macro();

  const disordered = [...got].filter(([, parcels]) =>
    parcels.some(({ sender, index }, place) =>
      parcels.slice(place).some((later) => later.sender === sender && later.index < index),
    ),
  );
  return {
    ended,
    sent: senders.flatMap((parcels, sender) => parcels.map((_, index) => `${sender}/${index}`)),
    received: [...got.values()].flat().map(({ sender, index }) => `${sender}/${index}`),
    dropped: channels.reduce((sum, it) => sum + it.dropped, 0),
    disordered: disordered.map(([task]) => task),
    listeners: lasting.listeners + lasting.waiting,
  };
}

/** Runs `body` with a `Math.random` that gives the same numbers for the same seed. */
async function withRandom<R>(seed: number, body: () => Promise<R>): Promise<R> {
  const random = vi.spyOn(Math, "random").mockImplementation(seeded(seed));
  try {
    return await body();
  } finally {
    random.mockRestore();
  }
}

describe("channels", () => {
  it("do what the model does, in random programs", { timeout }, async () => {
    await fc.assert(
      fc.asyncProperty(programs, async (program) => {
        const run = new Run(program);
        await withRandom(program.seed, () => run.run());
        expect(run.disagreement()).toBe("");
      }),
      { numRuns: 1_000 * factor },
    );
  });

  it("give each value once and in order, between tasks that run at the same time", { timeout }, async () => {
    await fc.assert(
      fc.asyncProperty(crowds, async (crowd) => {
        const { ended, sent, received, dropped, disordered, listeners } = await withRandom(crowd.seed, () =>
          meet(crowd),
        );
        expect(ended, "all tasks end").toBe(true);
        expect(sent).toEqual(expect.arrayContaining([...received]));
        expect(new Set(received).size, "none arrives twice").toBe(received.length);
        expect(received.length + dropped, "none is lost").toBe(sent.length);
        expect(disordered, "in the order sent").toEqual([]);
        expect(listeners, "nobody listens any more").toBe(0);
      }),
      { numRuns: 500 * factor },
    );
  });
});
