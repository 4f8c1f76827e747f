/**
 * A list that anything in it can leave in constant time, whatever its place.
 *
 *     first ──► link ◄──► link ◄──► link ◄── last
 *
 * The links are on the things themselves, so a thing is in one list at most, and joining allocates nothing.
 */

export abstract class Link<T extends Link<T>> {
  previous: T | undefined = undefined;
  next: T | undefined = undefined;
}

export class List<T extends Link<T>> {
  first: T | undefined = undefined;
  last: T | undefined = undefined;

  add(link: T): void {
    const { last } = this;
    link.previous = last;
    link.next = undefined;
    if (last === undefined) this.first = link;
    else last.next = link;
    this.last = link;
  }

  /** Takes out `link`, which is in this list. */
  remove(link: T): void {
    const { previous, next } = link;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.last = previous;
    else next.previous = previous;
    link.previous = link.next = undefined;
  }

  *[Symbol.iterator](): Generator<T, void, undefined> {
    for (let link = this.first; link !== undefined; link = link.next) yield link;
  }
}
