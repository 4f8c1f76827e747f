// Follows ken/chan.go and ken/chan1.go of Go's test directory.
import { assert, describe, expect, it } from "vitest";
import { macro, type Random, seeded } from "../../../../test/support.ts";
import { type Channel, channel, select, sending } from "../../src/index.ts";
import { rest } from "../support.ts";
import { yields } from "./turns.ts";

const PER_CHANNEL = 76;

/** A channel with the number to send next and the number expected next; both end with the one that ends in 75. */
interface Lane {
  readonly channel: Channel<number>;
  toSend: number | undefined;
  expected: number | undefined;
}

/** What one program does, and how often it has sent and received. */
class Program {
  sends = 0;
  receives = 0;
  readonly #random: Random;
  readonly #capacity: number;
  #lanes = 0;

  constructor(random: Random, capacity: number) {
    this.#random = random;
    this.#capacity = capacity;
  }

  lanes(count: number): Lane[] {
    return Array.from({ length: count }, () => {
      const start = ++this.#lanes * 100;
      return { channel: channel<number>(this.#capacity), toSend: start, expected: start };
    });
  }

  async #yield(): Promise<void> {
    const turns = this.#random.int(11);
    // Mostly microtasks, sometimes the event loop.
    await yields(this.#random.int(40) === 0 ? -1 : turns);
  }

  #sent(lane: Lane): void {
    this.sends++;
    const sent = lane.toSend as number;
    lane.toSend = sent % 100 === PER_CHANNEL - 1 ? undefined : sent + 1;
  }

  #received(lane: Lane, value: unknown): void {
    this.receives++;
    assert.equal(value, lane.expected, "the next number of this channel");
    const received = lane.expected as number;
    lane.expected = received % 100 === PER_CHANNEL - 1 ? undefined : received + 1;
  }

  async send(lane: Lane): Promise<void> {
    while (lane.toSend !== undefined) {
      await this.#yield();
      await lane.channel.send(lane.toSend);
      this.#sent(lane);
    }
  }

  async receive(lane: Lane): Promise<void> {
    while (lane.expected !== undefined) {
      await this.#yield();
      this.#received(lane, (await lane.channel.receive()).value);
    }
  }

  /** One task for all: those that have finished are off. */
  async select(to: readonly Lane[], from: readonly Lane[]): Promise<void> {
    for (;;) {
      await this.#yield();
      const cases = [
        ...to.map((lane) => lane.toSend !== undefined && sending(lane.channel, lane.toSend)),
        ...from.map((lane) => lane.expected !== undefined && lane.channel),
      ];
      if (cases.every((it) => it === false)) return;
      const picked = await select(cases);
      const lane = [...to, ...from][picked.case] as Lane;
      if (picked.case < to.length) this.#sent(lane);
      else this.#received(lane, picked.value);
    }
  }
}

const programs: Record<string, (p: Program) => { lanes: number; tasks: Promise<void>[] }> = {
  "test1: a sender and a receiver for each of 4 channels": (p) => {
    const lanes = p.lanes(4);
    return { lanes: 4, tasks: lanes.flatMap((lane) => [p.send(lane), p.receive(lane)]) };
  },
  "test2: 4 senders, a select that receives": (p) => {
    const lanes = p.lanes(4);
    return { lanes: 4, tasks: [...lanes.map((lane) => p.send(lane)), p.select([], lanes)] };
  },
  "test3: a select that sends, 4 receivers": (p) => {
    const lanes = p.lanes(4);
    return { lanes: 4, tasks: [p.select(lanes, []), ...lanes.map((lane) => p.receive(lane))] };
  },
  "test4: a select that sends, a select that receives": (p) => {
    const lanes = p.lanes(4);
    return { lanes: 4, tasks: [p.select(lanes, []), p.select([], lanes)] };
  },
  "test5: two selects that send and receive crosswise": (p) => {
    const [there, back] = [p.lanes(4), p.lanes(4)];
    return { lanes: 8, tasks: [p.select(there, back), p.select(back, there)] };
  },
  "test6: senders, two selects in a row, receivers": (p) => {
    const [first, second, third] = [p.lanes(4), p.lanes(4), p.lanes(4)];
    return {
      lanes: 12,
      tasks: [
        ...first.map((lane) => p.send(lane)),
        p.select(second, first),
        p.select(third, second),
        ...third.map((lane) => p.receive(lane)),
      ],
    };
  },
};

describe("P-066 P-067 ken/chan", () => {
  let [sends, receives] = [0, 0];

  describe.each(Object.entries(programs))("%s", (name, start) => {
    const id = /test[123]/.test(name) ? "P-066" : "P-067";
    it.each([0, 1, 10, 100])(
      `${id} every number arrives once and in order, and all tasks end, with capacity %i`,
      { timeout: 10_000 },
      async (capacity) => {
        const p = new Program(seeded(capacity + name.length), capacity);
        const { lanes, tasks } = start(p);
        await Promise.all(tasks);
        expect([p.sends, p.receives]).toEqual([lanes * PER_CHANNEL, lanes * PER_CHANNEL]);
        sends += p.sends;
        receives += p.receives;
      },
    );
  });

  it("P-067 the whole program has sent and received 10,944 values", () => {
    expect([sends, receives]).toEqual([10_944, 10_944]);
  });
});

describe("P-068 ken/chan1", () => {
  it("P-068 each number is received once, and not before it was sent", async () => {
    const ch = channel<number>(2);
    const marks = new Array<number>(1_000).fill(0);
    let wrong = 0;
    for (let task = 0; task < 10; task++) {
      void (async () => {
        for (;;) {
          const { value } = await select({ ch });
          if (value === undefined || marks[value] !== 1) wrong++;
          else marks[value] = 2;
          await yields(task % 3);
        }
      })();
    }
    for (let n = 0; n < 1_000; n++) {
      if (marks[n] !== 0) wrong++;
      marks[n] = 1;
      await ch.send(n);
    }
    await rest();
    expect(wrong).toBe(0);
    expect(marks).toEqual(new Array<number>(1_000).fill(2));
    await macro(); // ten receivers stay parked; that they hold no process is shown where processes are spawned
    expect(ch.length).toBe(0);
  });
});
