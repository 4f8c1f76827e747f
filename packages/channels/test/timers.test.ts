import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Receiver } from "../src/index.ts";
import { after, at, channel, never, select, tick, trySelect } from "../src/index.ts";
import { done, fulfilled, outcome, outcomes, pending, reasonOf, rest, watchedSignal } from "./support.ts";

const start = Date.UTC(2001, 0, 1);
const longest = 2 ** 31 - 1;

beforeEach(() => void vi.useFakeTimers({ now: start }));
afterEach(() => {
  vi.restoreAllMocks(); // first: a spy on a fake would put the fake back
  vi.useRealTimers();
});

/** What a timer gives at `ms` after the start. */
const date = (ms: number) => ({ done: false, value: new Date(start + ms) });
const gave = (ms: number) => fulfilled(date(ms));

describe("after()", () => {
  it("gives the date once the time is up, counted from the call", async () => {
    const timer = after(100);
    vi.advanceTimersByTime(60);
    const received = timer.receive();
    vi.advanceTimersByTime(39);
    expect(await outcome(received)).toEqual(pending);
    vi.advanceTimersByTime(1);
    expect(await outcome(received)).toEqual(gave(100));
  });

  it("comes due with nobody waiting, and gives the instant at which it was due", async () => {
    const timer = after(100);
    expect(timer.tryReceive()).toBeUndefined();
    vi.advanceTimersByTime(99);
    expect(timer.tryReceive()).toBeUndefined();
    vi.advanceTimersByTime(501);
    expect(timer.tryReceive()).toEqual(date(100));
  });

  it("is ready once, then never again, and does not close", async () => {
    const timer = after(100);
    vi.advanceTimersByTime(100);
    expect(await outcome(timer.receive())).toEqual(gave(100));
    const again = [timer.receive(), timer.next(), select({ timer })];
    vi.advanceTimersByTime(1e9);
    expect(await outcomes<unknown>(again)).toEqual([pending, pending, pending]);
    expect(timer.tryReceive()).toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("goes to the first in line of several who wait; the others wait on", async () => {
    const timer = after(100);
    const all = [timer.receive(), select({ timer }), timer.receive()];
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(100);
    expect(await outcomes<unknown>(all)).toEqual([gave(100), pending, pending]);
  });

  it("takes 0, a negative time and -Infinity for now", async () => {
    for (const ms of [0, -0, -1, -1e20, -Infinity]) {
      expect(after(ms).tryReceive(), String(ms)).toEqual(date(0));
      expect(await after(ms).receive()).toEqual(date(0));
      expect(trySelect([after(ms)])?.case).toBe(0);
    }
    expect(vi.getTimerCount()).toBe(0);
  });

  it("takes Infinity for never, and arms no timer then", async () => {
    const received = after(Infinity).receive();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(1e12);
    expect(await outcome(received)).toEqual(pending);
  });

  it("takes a fraction of a millisecond, and is never early", async () => {
    const received = after(10.25).receive();
    vi.advanceTimersByTime(10);
    expect(await outcome(received)).toEqual(pending);
    vi.advanceTimersByTime(1);
    expect((await outcome(received)).status).toBe("fulfilled");
  });

  it.for([longest, longest + 1, longest + 2, 2 ** 31 + 5, 2 ** 32, 3 * longest + 7])(
    "is exact at %d ms, and asks the host for no timer beyond 2^31-1",
    async (ms) => {
      const asked = vi.spyOn(globalThis, "setTimeout");
      const received = after(ms).receive();
      vi.advanceTimersByTime(ms - 1);
      expect(await outcome(received)).toEqual(pending);
      vi.advanceTimersByTime(1);
      expect(await outcome(received)).toEqual(gave(ms));
      for (const [, delay] of asked.mock.calls) expect(delay).toBeLessThanOrEqual(longest);
      expect(asked.mock.calls.length).toBe(Math.ceil(ms / longest));
    },
  );

  it("arms a timer only while somebody waits", async () => {
    const timer = after(1_000);
    expect(vi.getTimerCount()).toBe(0);
    const { controller, signal } = watchedSignal();
    const waiting = [timer.receive({ signal }), select({ timer }, { signal })];
    expect(vi.getTimerCount()).toBe(1);
    controller.abort("enough");
    expect(vi.getTimerCount()).toBe(0);
    expect((await outcomes<unknown>(waiting)).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    const again = timer.receive();
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1_000);
    expect(await outcome(again)).toEqual(gave(1_000));
    expect(vi.getTimerCount()).toBe(0);
  });

  it("asks the host for no negative delay when it comes due between the look at the clock and the wait", async () => {
    let clock = 0;
    vi.spyOn(performance, "now").mockImplementation(() => (clock += 60));
    const asked = vi.spyOn(globalThis, "setTimeout");
    const timer = after(100);
    const received = timer.receive();
    expect(asked.mock.calls.map(([, delay]) => delay)).toEqual([0]);
    vi.advanceTimersByTime(0);
    expect((await outcome(received)).status).toBe("fulfilled");
  });

  it("that loses a select is still to be had, and holds no timer", async () => {
    const timer = after(1_000);
    const ch = channel<number>();
    for (let i = 0; i < 3; i++) {
      const picked = select({ ch, timer });
      ch.trySend(i);
      expect((await picked).case).toBe("ch");
      expect(vi.getTimerCount()).toBe(0);
    }
    vi.advanceTimersByTime(1_000);
    expect(await select({ ch, timer })).toEqual({ case: "timer", ...date(1_000) });
  });

  it("may stand in several cases of a select", async () => {
    const timer = after(10);
    const picked = select([timer, timer]);
    vi.advanceTimersByTime(10);
    expect((await outcome(picked)).status).toBe("fulfilled");
    expect([timer.tryReceive(), vi.getTimerCount()]).toEqual([undefined, 0]);
  });

  it("follows the monotonic clock: setting the wall clock changes nothing", async () => {
    for (const shift of [86_400_000, -86_400_000]) {
      const timer = after(1_000);
      const received = timer.receive();
      vi.setSystemTime(Date.now() + shift);
      expect(timer.tryReceive()).toBeUndefined();
      vi.advanceTimersByTime(999);
      expect(await outcome(received)).toEqual(pending);
      vi.advanceTimersByTime(1);
      expect((await outcome(received)).status).toBe("fulfilled");
    }
  });

  it("goes to who waits, not to who comes, also when the host's timer is late", async () => {
    const timer = after(100);
    const waiting = [timer.receive(), select({ timer })];
    vi.spyOn(performance, "now").mockReturnValue(500);
    expect(timer.tryReceive(), "it is time, but somebody waits").toBeUndefined();
    expect(trySelect({ timer })).toBeUndefined();
    const last = timer.receive();
    vi.advanceTimersByTime(100);
    expect(await outcomes<unknown>([...waiting, last])).toMatchObject([{ status: "fulfilled" }, pending, pending]);
  });

  it("is not ready for a select while somebody waits for it: another ready case is taken", async () => {
    const timer = after(100);
    const waiting = timer.receive();
    vi.spyOn(performance, "now").mockReturnValue(500); // the host's timer is late
    const ch = channel<number>(2);
    for (const n of [1, 2]) ch.trySend(n);
    expect(trySelect({ timer, ch }, { order: "listed" })).toEqual({ case: "ch", done: false, value: 1 });
    expect(await outcome(select([timer, ch], { order: "listed" }))).toMatchObject({ value: { case: 1, value: 2 } });
    vi.advanceTimersByTime(100);
    expect((await outcome(waiting)).status).toBe("fulfilled");
  });
});

describe("at()", () => {
  it("gives the date at an instant of the wall clock: a Date, or milliseconds since the epoch", async () => {
    for (const time of [start + 100, new Date(start + 100)]) {
      vi.setSystemTime(start);
      const received = at(time).receive();
      vi.advanceTimersByTime(99);
      expect(await outcome(received)).toEqual(pending);
      vi.advanceTimersByTime(1);
      expect(await outcome(received)).toEqual(gave(100));
    }
  });

  it("is ready once, then never again, and does not close", async () => {
    const timer = at(start + 100);
    vi.advanceTimersByTime(100);
    expect(await outcome(timer.receive())).toEqual(gave(100));
    const again = timer.receive();
    vi.advanceTimersByTime(1e6);
    expect(await outcome(again)).toEqual(pending);
    expect([timer.tryReceive(), vi.getTimerCount()]).toEqual([undefined, 0]);
  });

  it("reads its Date once: changing it later has no effect", () => {
    const time = new Date(start + 100);
    const timer = at(time);
    time.setTime(0);
    expect(timer.tryReceive()).toBeUndefined();
  });

  it("takes what has passed for now, and gives the instant asked for", async () => {
    expect(at(start - 5_000).tryReceive()).toEqual(date(-5_000));
    expect(await at(new Date(start)).receive()).toEqual(date(0));
    expect(await at(0).receive()).toEqual({ done: false, value: new Date(0) });
  });

  it.for([-1e20, -Infinity])("gives a valid date also for what no Date can hold: %d", (time) => {
    const result = at(time).tryReceive();
    expect(result?.value?.getTime()).not.toBeNaN();
  });

  it("takes Infinity for never, and arms no timer then", async () => {
    const received = at(Infinity).receive();
    expect(vi.getTimerCount()).toBe(0);
    expect(await outcome(received)).toEqual(pending);
  });

  it("is exact at any distance, and asks the host for no timer beyond 2^31-1", async () => {
    const asked = vi.spyOn(globalThis, "setTimeout");
    const received = at(start + longest + 5).receive();
    vi.setSystemTime(start + longest - 61_000); // the machine slept for 24 days
    vi.advanceTimersByTime(61_004);
    expect(await outcome(received)).toEqual(pending);
    vi.advanceTimersByTime(1);
    expect(await outcome(received)).toEqual(gave(longest + 5));
    for (const [, delay] of asked.mock.calls) expect(delay).toBeLessThanOrEqual(longest);
  });

  it("follows the wall clock within a minute when that is set forward", async () => {
    const timer = at(start + 3_600_000);
    const received = timer.receive();
    vi.advanceTimersByTime(1_000);
    vi.setSystemTime(start + 3_600_000);
    expect(timer.tryReceive(), "who comes now finds that somebody waits").toBeUndefined();
    vi.advanceTimersByTime(60_000);
    expect(await outcome(received)).toEqual(gave(3_600_000));

    const other = at(start + 7_200_000).receive();
    vi.setSystemTime(start + 7_300_000);
    vi.advanceTimersByTime(60_010);
    expect(await outcome(other)).toEqual(gave(7_200_000));
  });

  it("follows the wall clock when that is set back", async () => {
    const timer = at(start + 600_000);
    const received = timer.receive();
    vi.advanceTimersByTime(300_000);
    vi.setSystemTime(start);
    vi.advanceTimersByTime(300_000);
    expect(await outcome(received)).toEqual(pending);
    expect(timer.tryReceive()).toBeUndefined();
    vi.advanceTimersByTime(299_999);
    expect(await outcome(received)).toEqual(pending);
    vi.advanceTimersByTime(1);
    expect(await outcome(received)).toEqual(gave(600_000));
  });

  it.for([1_000, 10_000, 20_000, 29_000, 30_000, 3_600_000])(
    "follows the wall clock when that is set back by %d ms in the last half minute",
    async (back) => {
      const received = at(start + 30_000).receive();
      vi.advanceTimersByTime(20_000);
      vi.setSystemTime(Date.now() - back);
      vi.advanceTimersByTime(10_000);
      expect(await outcome(received), "by the wall clock it is not yet time").toEqual(pending);
      vi.advanceTimersByTime(back - 1);
      expect(await outcome(received)).toEqual(pending);
      vi.advanceTimersByTime(1);
      expect(await outcome(received)).toEqual(gave(30_000));
    },
  );

  it("follows the wall clock when that is set back by a minute, the time between two looks at it", async () => {
    const received = at(start + 600_000).receive();
    vi.advanceTimersByTime(30_000);
    vi.setSystemTime(Date.now() - 60_000);
    vi.advanceTimersByTime(629_999);
    expect(await outcome(received), "by the wall clock it is not yet time").toEqual(pending);
    vi.advanceTimersByTime(1);
    expect(await outcome(received)).toEqual(gave(600_000));
  });

  it("arms a timer only while somebody waits", async () => {
    const timer = at(start + 1e6);
    expect(vi.getTimerCount()).toBe(0);
    const { controller, signal } = watchedSignal();
    const received = timer.receive({ signal });
    expect(vi.getTimerCount()).toBe(1);
    controller.abort("enough");
    expect(vi.getTimerCount()).toBe(0);
    expect(await reasonOf(received)).toBe("enough");
  });
});

describe("tick()", () => {
  it("gives the date on every multiple of the period, counted from the call", async () => {
    const beat = tick(100);
    vi.advanceTimersByTime(30);
    for (let n = 1; n <= 5; n++) {
      const received = beat.receive();
      vi.advanceTimersByTime(n === 1 ? 69 : 99);
      expect(await outcome(received)).toEqual(pending);
      vi.advanceTimersByTime(1);
      expect(await outcome(received)).toEqual(gave(n * 100));
    }
  });

  it("drops ticks for a slow reader, who finds at most one, and stays on the multiples", async () => {
    const beat = tick(100);
    vi.advanceTimersByTime(550);
    expect(beat.tryReceive(), "the first that nobody took").toEqual(date(100));
    expect(beat.tryReceive()).toBeUndefined();
    const next = beat.receive();
    vi.advanceTimersByTime(49);
    expect(await outcome(next)).toEqual(pending);
    vi.advanceTimersByTime(1);
    expect(await outcome(next)).toEqual(gave(600));
  });

  it("a reader that is slow each time stays on the multiples", async () => {
    const beat = tick(100);
    const dates: unknown[] = [];
    for (let i = 0; i < 4; i++) {
      const received = beat.receive();
      vi.advanceTimersByTime(130);
      dates.push(await received);
    }
    expect(dates).toEqual([100, 200, 300, 400].map(date));
  });

  it("gives each tick to one of those who wait, first come, first served", async () => {
    const beat = tick(100);
    const all = [beat.receive(), select({ beat }), beat.next()];
    vi.advanceTimersByTime(100);
    expect(await outcomes<unknown>(all)).toEqual([gave(100), pending, pending]);
    vi.advanceTimersByTime(100);
    expect(await outcomes<unknown>(all)).toEqual([gave(100), fulfilled({ case: "beat", ...date(200) }), pending]);
    vi.advanceTimersByTime(100);
    expect(await outcome(all[2] as Promise<unknown>)).toEqual(gave(300));
    expect(vi.getTimerCount()).toBe(0);
  });

  it("gives one tick, when the host is late by some periods, to one of those who wait", async () => {
    const beat = tick(100);
    const all = [beat.receive(), beat.receive()];
    vi.spyOn(performance, "now").mockReturnValue(performance.now() + 350);
    expect(beat.tryReceive()).toBeUndefined();
    vi.advanceTimersByTime(100);
    expect((await outcomes(all)).map(({ status }) => status)).toEqual(["fulfilled", "pending"]);
  });

  it.for([0.3, 1.1, 7 / 3, 100 / 7, 1_000 / 60, 44.1])(
    "gives one tick per period also when that is %d ms",
    async (ms) => {
      const beat = tick(ms);
      const doubled: number[] = [];
      let ticks = 0;
      for (let now = 1; now <= 400; now++) {
        vi.advanceTimersByTime(1);
        let taken = 0;
        while (taken < 3 && beat.tryReceive() !== undefined) taken++;
        if (taken > 0) ticks++;
        if (taken > 1) doubled.push(now);
      }
      expect(doubled, "more than one tick at one instant").toEqual([]);
      expect(Math.abs(ticks - Math.min(400, Math.floor(400 / ms)))).toBeLessThanOrEqual(1);
    },
  );

  it("gives one tick per period also when clock and period are fractions", () => {
    const now = vi.spyOn(performance, "now");
    const wrong: number[] = [];
    for (let i = 0; i < 200; i++) {
      const begun = 1_000 + i * 0.73;
      now.mockReturnValue(begun);
      const beat = tick(1_000 / 60);
      now.mockReturnValue(begun + 1_000 / 60);
      if (beat.tryReceive() === undefined || beat.tryReceive() !== undefined) wrong.push(begun);
    }
    expect(wrong.slice(0, 3)).toEqual([]);
  });

  it("is exact with a period beyond 2^31-1", async () => {
    const period = longest + 5;
    const beat = tick(period);
    for (let n = 1; n <= 2; n++) {
      const received = beat.receive();
      vi.advanceTimersByTime(period - 1);
      expect(await outcome(received)).toEqual(pending);
      vi.advanceTimersByTime(1);
      expect(await outcome(received)).toEqual(gave(n * period));
    }
  });

  it("with Infinity never ticks", async () => {
    const received = tick(Infinity).receive();
    expect(await outcome(received)).toEqual(pending);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("arms a timer only while somebody waits: nothing to stop", async () => {
    const beat = tick(100);
    expect(vi.getTimerCount()).toBe(0);
    const received = beat.receive();
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(100);
    await received;
    expect(vi.getTimerCount()).toBe(0);
    const loop = (async () => {
      for await (const _ of beat) break;
    })();
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(100);
    await loop;
    expect(vi.getTimerCount()).toBe(0);
  });

  it("disposed, gives done to who waits on it and to who comes", async () => {
    const beat = tick(100);
    const all = [beat.receive(), select({ beat }), beat.next()];
    beat[Symbol.dispose]();
    expect(vi.getTimerCount()).toBe(0);
    expect(trySelect([beat]), "before a tick was due").toEqual({ case: 0, done: true, value: undefined });
    expect(await outcome(select({ beat }))).toEqual(fulfilled({ case: "beat", done: true, value: undefined }));
    const [first, picked, last] = await outcomes<unknown>(all);
    expect([first, picked, last]).toEqual([done, fulfilled({ case: "beat", done: true, value: undefined }), done]);
    vi.advanceTimersByTime(1_000);
    expect(beat.tryReceive()).toEqual({ done: true, value: undefined });
    expect(await outcome(beat.receive())).toEqual(done);
    expect(trySelect([beat])).toEqual({ case: 0, done: true, value: undefined });
    beat[Symbol.dispose]();
    expect(await outcome(beat.receive())).toEqual(done);
  });

  it("ends a loop over it when it is disposed", async () => {
    let ticks = 0;
    let loop: Promise<void>;
    {
      using beat = tick(100);
      loop = (async () => {
        for await (const _ of beat) ticks++;
      })();
      for (let n = 0; n < 3; n++) {
        vi.advanceTimersByTime(100);
        await rest();
      }
    }
    await loop;
    expect(ticks).toBe(3);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("follows the monotonic clock: setting the wall clock changes nothing", async () => {
    const beat = tick(100);
    const received = beat.receive();
    vi.setSystemTime(start + 1e9);
    vi.advanceTimersByTime(99);
    expect(await outcome(received)).toEqual(pending);
    vi.advanceTimersByTime(1);
    expect((await outcome(received)).status).toBe("fulfilled");
  });
});

describe("never", () => {
  it("is never ready", async () => {
    expect(never.tryReceive()).toBeUndefined();
    expect(trySelect({ never })).toBeUndefined();
    expect(await outcomes<unknown>([never.receive(), never.next(), select({ never })])).toEqual([
      pending,
      pending,
      pending,
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("fake clocks", () => {
  it("that are put in place after the package was loaded work, and real ones again after them", async () => {
    const faked = after(60_000).receive();
    vi.advanceTimersByTime(60_000);
    expect((await outcome(faked)).status).toBe("fulfilled");
    vi.useRealTimers();
    const began = performance.now();
    await after(2).receive();
    await tick(2).receive();
    await at(Date.now() + 2).receive();
    expect(performance.now() - began).toBeGreaterThan(4);
    expect(Math.abs((await after(1).receive()).value!.getTime() - Date.now())).toBeLessThan(1_000);
  });

  // Jest's legacy timers, and Vitest with `toFake`, leave some of the clocks alone.
  const kinds: readonly [name: string, make: () => Receiver<Date>][] = [
    ["after", () => after(1_000)],
    ["at", () => at(Date.now() + 1_000)],
    ["tick", () => tick(1_000)],
  ];

  it.for(kinds)("that fake setTimeout and Date, but not performance, drive %s", async ([, make]) => {
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: start });
    vi.spyOn(performance, "now").mockReturnValue(12_345.678);
    const received = make().receive();
    vi.advanceTimersByTime(999);
    expect(await outcome(received)).toEqual(pending);
    vi.advanceTimersByTime(1);
    expect((await outcome(received)).status).toBe("fulfilled");
    expect(vi.getTimerCount()).toBe(0);
  });

  it.for(kinds)("that fake setTimeout alone drive %s: a timer that has fired is believed", async ([, make]) => {
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    vi.spyOn(performance, "now").mockReturnValue(12_345.678);
    vi.spyOn(Date, "now").mockReturnValue(start);
    const received = make().receive();
    vi.advanceTimersByTime(999);
    expect(await outcome(received)).toEqual(pending);
    vi.advanceTimersByTime(1);
    expect((await outcome(received)).status).toBe("fulfilled");
  });

  it.for([0.4, 5, 300, 990])("that do not fake performance drive after, though %d ms go by in reality", async (ms) => {
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: start });
    const now = vi.spyOn(performance, "now").mockReturnValue(12_345.678);
    const received = after(1_000).receive();
    now.mockReturnValue(12_345.678 + ms);
    vi.advanceTimersByTime(999);
    expect(await outcome(received)).toEqual(pending);
    vi.advanceTimersByTime(1);
    expect((await outcome(received)).status).toBe("fulfilled");
  });

  it("that do not fake performance drive delays beyond 2^31-1 and every tick", async () => {
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: start });
    vi.spyOn(performance, "now").mockReturnValue(12_345.678);
    const long = after(longest + 500).receive();
    vi.advanceTimersByTime(longest + 499);
    expect(await outcome(long)).toEqual(pending);
    vi.advanceTimersByTime(1);
    expect((await outcome(long)).status).toBe("fulfilled");

    const beat = tick(100);
    for (let n = 0; n < 4; n++) {
      const received = beat.receive();
      vi.advanceTimersByTime(99);
      expect(await outcome(received)).toEqual(pending);
      vi.advanceTimersByTime(1);
      expect((await outcome(received)).status).toBe("fulfilled");
    }
  });

  it("are not seen where a host counts whole milliseconds and is early by up to one: ticks do not run fast", async () => {
    let clock = 1_000.95;
    let timer: { due: number; callback: () => void } | undefined;
    vi.spyOn(performance, "now").mockImplementation(() => clock);
    vi.spyOn(globalThis, "setTimeout").mockImplementation(((callback: () => void, delay: number) => {
      timer = { due: Math.floor(clock) + Math.max(1, delay), callback };
    }) as never);
    const beat = tick(10);
    const began = clock;
    for (let ticks = 1; ticks <= 50; ticks++) {
      const received = beat.receive();
      while (timer !== undefined) {
        const { due, callback } = timer;
        timer = undefined;
        clock = Math.max(clock, due + 0.01);
        callback();
      }
      expect((await outcome(received)).status).toBe("fulfilled");
      expect(clock - began, `tick ${ticks}`).toBeGreaterThan(ticks * 10 - 1);
      clock = Math.floor(clock) + 9.95; // a reader that is busy nearly until the next tick
    }
    expect(clock - began).toBeLessThan(520);
  });

  it("and hosts may be early by less than a millisecond: it counts, and ticks stay on the multiples", async () => {
    const now = vi.spyOn(performance, "now").mockReturnValue(1_000);
    const asked = vi.spyOn(globalThis, "setTimeout");
    const beat = tick(10);
    const first = beat.receive();
    now.mockReturnValue(1_009.6);
    vi.advanceTimersByTime(10);
    expect((await outcome(first)).status).toBe("fulfilled");
    expect(beat.tryReceive()).toBeUndefined();
    const second = beat.receive();
    expect(asked.mock.calls.map(([, delay]) => delay)).toEqual([10, 11]);
    now.mockReturnValue(1_020.5);
    vi.advanceTimersByTime(11);
    expect((await outcome(second)).status).toBe("fulfilled");
    void beat.receive();
    expect(asked.mock.lastCall?.[1]).toBe(10);
  });
});
