/**
 * A line: first come, first served, and leaving from the middle in constant time.
 *
 *     head ──► member ◄──► member ◄──► member ◄── tail
 *
 * Invariants, true whenever no method runs:
 * Q1  `queued` tells whether a member stands in the line; it stands in one line at most.
 * Q2  Following `next` from the head meets each of the `length` members once, in the order they came.
 *
 * The links are on the members themselves: no node objects, and no array that is moved when its first element leaves.
 */

/** What stands in a {@link Queue}: `class Waiter extends Member<Waiter>`. */
export abstract class Member<Self> {
  queued = false;
  previous: Self | undefined = undefined;
  next: Self | undefined = undefined;
}

export class Queue<M extends Member<M>> {
  head: M | undefined = undefined;
  length = 0;
  #tail: M | undefined = undefined;

  push(member: M): void {
    const tail = this.#tail;
    member.queued = true;
    member.previous = tail;
    if (tail === undefined) this.head = member;
    else tail.next = member;
    this.#tail = member;
    this.length++;
  }

  /** Takes the first one out. */
  shift(): M | undefined {
    const head = this.head;
    if (head !== undefined) this.remove(head);
    return head;
  }

  /** `member` must stand in this line. */
  remove(member: M): void {
    const { previous, next } = member;
    if (previous === undefined) this.head = next;
    else previous.next = next;
    if (next === undefined) this.#tail = previous;
    else next.previous = previous;
    member.queued = false;
    member.previous = member.next = undefined; // who is gone holds on to nobody
    this.length--;
  }
}
