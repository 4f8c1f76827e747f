// Go's test/chan/sieve1 and sieve2: primes by chains of tasks.
import { describe, expect, it } from "vitest";
import type { Receiver, Sender } from "../../src/index.ts";
import { channel, select, sending } from "../../src/index.ts";
import { rest } from "../support.ts";
import { parked } from "./turns.ts";

const primesTo97 = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97];

async function take(count: number, primes: Receiver<number>): Promise<number[]> {
  const taken: number[] = [];
  while (taken.length < count) {
    const { done, value } = await primes.receive();
    if (done) break;
    taken.push(value);
  }
  return taken;
}

describe("P-042 sieve1", () => {
  /** Primes by one filter per prime; each number passes through all filters before it. */
  function sieve(): { primes: Receiver<number>; sends: () => number } {
    const primes = channel<number>();
    let sends = 0;
    const generate = async (to: Sender<number>) => {
      for (let n = 2; ; n++) {
        await to.send(n);
        sends++;
      }
    };
    const filter = async (from: Receiver<number>, to: Sender<number>, prime: number) => {
      for await (const n of from) {
        if (n % prime === 0) continue;
        await to.send(n);
        sends++;
      }
    };
    void (async () => {
      let current = channel<number>();
      void generate(current);
      for (;;) {
        const prime = (await current.receive()).value as number;
        await primes.send(prime);
        sends++;
        const next = channel<number>();
        void filter(current, next, prime);
        current = next;
      }
    })();
    return { primes, sends: () => sends };
  }

  it("gives the first 25 primes, and then stands still", async () => {
    const { primes, sends } = sieve();
    expect(await take(25, primes)).toEqual(primesTo97);
    // Some 450 sends lead to the 25th prime. Then the tasks run on until each holds a value that nobody takes.
    expect(sends()).toBeGreaterThan(400);
    for (let turn = 0; turn < 3; turn++) await rest();
    const sent = sends();
    expect(sent).toBeLessThan(2_000);
    await rest();
    expect(sends(), "it went on though nobody received").toBe(sent);
  });

  it("gives the 100th prime", async () => {
    const { primes } = sieve();
    const taken = await take(100, primes);
    expect(taken.at(-1)).toBe(541);
    expect(taken).toHaveLength(100);
    for (const [i, prime] of taken.entries()) {
      expect(prime > (taken[i - 1] ?? 1) && !taken.slice(0, i).some((divisor) => prime % divisor === 0)).toBe(true);
    }
  });
});

describe("P-043 sieve2", () => {
  /** A channel whose next value has been looked at. */
  interface Peeked {
    head: number;
    readonly rest: Receiver<number>;
  }

  /** A binary heap, the least head first. */
  class Heap {
    readonly #items: Peeked[] = [];

    get least(): Peeked | undefined {
      return this.#items[0];
    }

    push(item: Peeked): void {
      let at = this.#items.push(item) - 1;
      for (let up = (at - 1) >> 1; at > 0 && this.#head(at) < this.#head(up); at = up, up = (at - 1) >> 1)
        this.#swap(at, up);
    }

    /** Puts the least item in its place again after its head has grown. */
    sift(): void {
      for (let at = 0; ;) {
        const [left, right] = [2 * at + 1, 2 * at + 2];
        const child = this.#head(right) < this.#head(left) ? right : left;
        if (this.#head(child) >= this.#head(at)) return;
        this.#swap(at, child);
        at = child;
      }
    }

    #head(at: number): number {
      return this.#items[at]?.head ?? Infinity;
    }

    #swap(a: number, b: number): void {
      [this.#items[a], this.#items[b]] = [this.#items[b] as Peeked, this.#items[a] as Peeked];
    }
  }

  function odds(): Receiver<number> {
    const out = channel<number>(50);
    void (async () => {
      for (let n = 5; ; n += 2) await out.send(n);
    })();
    return out;
  }

  function multiples(prime: number): Receiver<number> {
    const out = channel<number>(10);
    void (async () => {
      for (let n = prime * prime; ; n += 2 * prime) await out.send(n);
    })();
    return out;
  }

  /** A sender that always takes a value at once, and hands it on when `out` has room. */
  function proxy(out: Sender<number>): Sender<number> {
    const input = channel<number>();
    void (async () => {
      const queue: number[] = [];
      for (;;) {
        const [head] = queue;
        const picked = await select({ value: input, sent: head !== undefined && sending(out, head) });
        if (picked.case === "sent") queue.shift();
        else if (picked.done) return;
        else queue.push(picked.value);
      }
    })();
    return input;
  }

  /** The odd composites in increasing order, each once, from the primes in increasing order. */
  async function merge(primes: Receiver<number>, out: Sender<number>): Promise<void> {
    const heap = new Heap();
    const advance = async (item: Peeked) => {
      item.head = (await item.rest.receive()).value as number;
      heap.sift();
    };
    for (;;) {
      const rest = multiples((await primes.receive()).value as number);
      const square = (await rest.receive()).value as number;
      for (let item = heap.least; item !== undefined && item.head < square; item = heap.least) {
        const { head } = item;
        await out.send(head);
        while (heap.least?.head === head) await advance(heap.least);
      }
      while (heap.least?.head === square) await advance(heap.least);
      await out.send(square);
      heap.push({ head: (await rest.receive()).value as number, rest });
    }
  }

  function sieve(feedback: (out: Sender<number>) => Sender<number>): Receiver<number> {
    const out = channel<number>(10);
    const composites = channel<number>(50);
    const primes = channel<number>(10);
    const back = feedback(primes);
    void merge(primes, composites);
    void (async () => {
      await out.send(2);
      await out.send(3);
      await back.send(3);
      const candidates = odds();
      const candidate = async () => (await candidates.receive()).value as number;
      let next = await candidate();
      for await (const composite of composites) {
        for (; next < composite; next = await candidate()) {
          await back.send(next);
          await out.send(next);
        }
        if (next === composite) next = await candidate();
      }
    })();
    return out;
  }

  it("gives the first 25 primes", async () => {
    expect(await take(25, sieve(proxy))).toEqual(primesTo97);
  });

  it("gives the 500th prime, with more and more primes on their way back", async () => {
    const taken = await take(500, sieve(proxy));
    expect(taken.slice(0, 25)).toEqual(primesTo97);
    expect(taken.at(-1)).toBe(3571);
  });

  it("stands still without the proxy between the sieve and the merger: bounded channels hold up who sends", async () => {
    const primes = sieve((out) => out);
    const taken: number[] = [];
    const reader = (async () => {
      for await (const prime of primes) taken.push(prime);
    })();
    for (let turn = 0; turn < 5; turn++) await rest();
    const before = taken.length;
    expect(await parked(reader)).toBe(true);
    expect(taken.length).toBe(before);
    expect(before).toBeGreaterThan(10);
    expect(before).toBeLessThan(500);
    expect(taken.slice(0, 25)).toEqual(primesTo97.slice(0, before));
  });
});
