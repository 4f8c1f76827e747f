/**
 * Waiters in line: first come, first served, with leaving from the middle in constant time.
 *
 *     head ──► waiter ◄──► waiter ◄──► waiter ◄── tail
 *
 * Invariants, true whenever no method runs:
 * Q1  A waiter's `queue` is the queue it stands in; `undefined` for one that stands in none.
 * Q2  Following `next` from the head meets every waiter once, in the order they came; `previous` is the way back.
 *
 * The links are on the waiters themselves: no node objects, and a million waiters need no array that grows.
 */

/** A parked case of a call: what `call.ts` and `select.ts` make, and whoever becomes ready completes. */
export abstract class Waiter {
  queue: Queue | undefined = undefined;
  previous: Waiter | undefined = undefined;
  next: Waiter | undefined = undefined;
  /** What a sender offers; not used by others. */
  value: unknown = undefined;

  /** Settles the call by this case. */
  abstract complete(value: unknown, done: boolean): void;

  /** Rejects the call. */
  abstract fail(reason: unknown): void;
}

export class Queue {
  head: Waiter | undefined = undefined;
  #tail: Waiter | undefined = undefined;

  push(waiter: Waiter): void {
    const tail = this.#tail;
    waiter.queue = this;
    waiter.previous = tail;
    if (tail === undefined) this.head = waiter;
    else tail.next = waiter;
    this.#tail = waiter;
  }

  /** Takes the first one out; whoever does must complete it or fail it. */
  shift(): Waiter | undefined {
    const head = this.head;
    if (head !== undefined) this.remove(head);
    return head;
  }

  /** `waiter` must stand in this queue. */
  remove(waiter: Waiter): void {
    const { previous, next } = waiter;
    if (previous === undefined) this.head = next;
    else previous.next = next;
    if (next === undefined) this.#tail = previous;
    else next.previous = previous;
    waiter.queue = waiter.previous = waiter.next = undefined; // keeps Q1; and who is gone holds on to nobody
    if (this.head === undefined) this.emptied();
  }

  /** Called when the last waiter has left: the place to put out a timer or to take a listener away. */
  protected emptied(): void {}
}
