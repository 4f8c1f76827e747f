import { describe, expect, it } from "vitest";
import { seeded } from "../../../test/support.ts";
import { Queue, Waiter } from "../src/queue.ts";

class Named extends Waiter {
  readonly id: number;

  constructor(id: number) {
    super();
    this.id = id;
  }

  complete(): void {}
  fail(): void {}
}

class Watched extends Queue {
  emptiedTimes = 0;

  protected override emptied(): void {
    this.emptiedTimes++;
  }
}

/** The ids in `queue`, found by walking forwards; checks the links on the way (Q1, Q2). */
function ids(queue: Queue): number[] {
  const found: number[] = [];
  let previous: Waiter | undefined;
  for (let waiter = queue.head; waiter !== undefined; waiter = waiter.next) {
    expect(waiter.queue).toBe(queue);
    expect(waiter.previous).toBe(previous);
    found.push((waiter as Named).id);
    previous = waiter;
  }
  return found;
}

function filled(count: number): { queue: Watched; waiters: Named[] } {
  const queue = new Watched();
  const waiters = Array.from({ length: count }, (_, id) => new Named(id));
  for (const waiter of waiters) queue.push(waiter);
  return { queue, waiters };
}

describe("Queue", () => {
  it("gives its waiters in the order they came", () => {
    const { queue, waiters } = filled(4);
    expect(ids(queue)).toEqual([0, 1, 2, 3]);
    for (const waiter of waiters) expect(queue.shift()).toBe(waiter);
    expect([queue.shift(), queue.head]).toEqual([undefined, undefined]);
  });

  it.for([0, 1, 2, 3])("lets number %i of four leave, and keeps the order of the others", (leaving) => {
    const { queue, waiters } = filled(4);
    queue.remove(waiters[leaving] as Named);
    expect(ids(queue)).toEqual([0, 1, 2, 3].filter((id) => id !== leaving));
    const last = new Named(4);
    queue.push(last);
    expect(ids(queue)).toEqual([0, 1, 2, 3, 4].filter((id) => id !== leaving));
  });

  it("holds on to nobody who has left, and who has left holds on to nobody", () => {
    const { queue, waiters } = filled(3);
    queue.shift();
    queue.remove(waiters[2] as Named);
    queue.remove(waiters[1] as Named);
    for (const waiter of waiters) {
      expect([waiter.queue, waiter.previous, waiter.next]).toEqual([undefined, undefined, undefined]);
    }
    expect(queue.head).toBeUndefined();
  });

  it("takes a waiter that has left once more, here or in another queue", () => {
    const { queue, waiters } = filled(2);
    const first = queue.shift() as Named;
    queue.push(first);
    expect(ids(queue)).toEqual([1, 0]);
    const other = new Queue();
    queue.remove(first);
    other.push(first);
    expect([ids(queue), ids(other)]).toEqual([[1], [0]]);
    expect(first.queue).toBe(other);
    expect(waiters).toHaveLength(2);
  });

  it("tells when the last one has left, each time, by whatever way", () => {
    const { queue, waiters } = filled(2);
    queue.shift();
    expect(queue.emptiedTimes).toBe(0);
    queue.shift();
    expect(queue.emptiedTimes).toBe(1);
    queue.push(waiters[0] as Named);
    queue.remove(waiters[0] as Named);
    expect(queue.emptiedTimes).toBe(2);
    queue.shift();
    expect(queue.emptiedTimes, "an empty one is not emptied").toBe(2);
  });

  it("agrees with an array over 2,000 random steps", () => {
    const random = seeded(7);
    const queue = new Queue();
    const model: Named[] = [];
    for (let id = 0; id < 2_000; id++) {
      const step = random.int(5);
      if (step < 2) {
        const waiter = new Named(id);
        queue.push(waiter);
        model.push(waiter);
      } else if (step === 2) {
        if (queue.shift() !== model.shift()) expect.unreachable("shift");
      } else if (model.length > 0) {
        const [waiter] = model.splice(random.int(model.length), 1);
        queue.remove(waiter as Named);
      }
      if (id % 100 === 0) expect(ids(queue)).toEqual(model.map((waiter) => waiter.id));
    }
    expect(ids(queue)).toEqual(model.map((waiter) => waiter.id));
  });
});
