/**
 * The tree of what is canceled together. A scope is what a context ends with; contexts that only add a value share one.
 *
 *     parent ──► watch ──► children:  watch ◄──► watch ◄──► watch        a watch belongs to one scope
 *        ▲                              │
 *        └── scope.parent ── scope ◄────┘                               scopes that nobody watches are not in there
 *
 * A scope is watched when it has a signal, a waiter or a watched child. Only then is it linked into its parent. One that
 * nobody watches is told nothing: it looks for itself, upward and at the clock, when it is asked (`check`).
 *
 * Invariants, true whenever no function of this file runs:
 * T1  A live scope is linked into its parent exactly while it is watched; hence so are all its ancestors.
 * T2  All watched descendants of a done scope are done, also between the marking of a subtree and its events.
 * T3  A scope ends once. Done, it has no parent, no children, no timer and no listener.
 * T4  Timers and listeners run exactly while their scope is watched and live.
 * T5  Code of users runs only in `fire`, when the tree is in order: whatever they call meets T1 to T4.
 */

import { now } from "./clock.ts";
import type { Deadline, Owner } from "./deadline.ts";
import { deadlinesSince } from "./deadline.ts";
import { attempt, fire } from "./events.ts";
import { Ending } from "./ending.ts";
import { Link, List } from "./list.ts";

let made = 0;

export class Scope implements Owner {
  /** Kept only while this scope can still learn something from it. */
  parent: Scope | undefined;
  /** What children are sorted by: they fire in the order made, though they are linked in the order watched. */
  readonly order: number = ++made;
  /** The earliest of its own and its ancestors'. */
  readonly deadline: Deadline | undefined;
  ending: Ending | undefined;
  watch: Watch | undefined = undefined;

  constructor(parent: Scope | undefined, deadline?: Deadline) {
    const inherited = parent?.deadline;
    const earlier = deadline !== undefined && (inherited === undefined || deadline.due < inherited.due);
    this.parent = parent?.ending === undefined ? parent?.stem() : undefined;
    this.ending = parent?.ending;
    this.deadline = earlier ? deadline : inherited;
    if (earlier) deadline.give(this);
  }

  /** Where children and waiters hang; undefined for a scope that never ends. */
  stem(): Scope | undefined {
    return this;
  }

  /** An ending that comes from outside the tree and that nobody has been told yet. */
  noticed(): Ending | undefined {
    return undefined;
  }

  /** It is watched from now on. */
  started(): void {
    if (this.deadline?.isOf(this)) this.deadline.start();
  }

  /** It is watched no longer, or done. */
  stopped(): void {
    if (this.deadline?.isOf(this)) this.deadline.stop();
  }

  expire(ending: Ending): void {
    if (this.ending === undefined) end(this, ending);
  }
}

/** A place among the children of a scope. */
export class Branch extends Link<Branch> {
  readonly scope: Scope;
  /** Among whose children. */
  from: Scope | undefined = undefined;

  constructor(scope: Scope) {
    super();
    this.scope = scope;
  }

  join(from: Scope, watch: Watch): void {
    this.from = from;
    const { last } = (watch.children ??= new List());
    if (last !== undefined && last.scope.order > this.scope.order) watch.sorted = false;
    watch.children.add(this);
  }

  /** Leaves its place. Returns the scope it was among, unless that is done: then the place went with it. */
  leave(): Scope | undefined {
    const { from } = this;
    this.from = undefined;
    if (from === undefined || from.ending !== undefined) return undefined;
    from.watch?.children?.remove(this);
    return from;
  }
}

/** What a scope needs only while it is watched; and its place among its parent's children. */
export class Watch extends Branch {
  controller: AbortController | undefined = undefined;
  waiters: List<Waiter> | undefined = undefined;
  children: List<Branch> | undefined = undefined;
  sorted = true;

  get cause(): unknown {
    return this.scope.ending?.cause;
  }

  get idle(): boolean {
    return this.controller === undefined && this.waiters?.first === undefined && this.children?.first === undefined;
  }
}

/** A callback that waits for the end of a scope. */
export class Waiter extends Link<Waiter> {
  readonly #scope: Scope;
  #callback: (() => void) | undefined;

  constructor(scope: Scope, callback: () => void) {
    super();
    this.#scope = scope;
    this.#callback = callback;
  }

  /** Starts to wait; the scope is live. On one that never ends it would only be kept for nothing. */
  join(): void {
    if (this.#scope.stem() !== undefined) (link(this.#scope).waiters ??= new List()).add(this);
  }

  /** True if this call kept the callback from running. */
  stop(): boolean {
    if (this.#callback === undefined) return false;
    this.#callback = undefined;
    const scope = this.#scope;
    if (scope.ending === undefined && scope.watch?.waiters !== undefined) {
      scope.watch.waiters.remove(this);
      release(scope);
    }
    return true;
  }

  run(): void {
    const callback = this.#callback;
    this.#callback = undefined;
    if (callback !== undefined) attempt(callback);
  }
}

/**
 * How a scope ended; undefined while it lives. Says the truth though nobody has told the scope, or a timer is late.
 *
 * Takes a step for each ancestor up to the first that is watched or done.
 */
export function check(scope: Scope): Ending | undefined {
  if (scope.ending !== undefined) return scope.ending;
  let ending: Ending | undefined;
  let ended: Scope | undefined;
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
    const found: Ending | undefined = at.ending ?? at.noticed();
    if (found !== undefined) {
      ending = found; // the highest counts: parents come before the signals of a `withSignal`
      ended = at;
    }
    if (at.ending !== undefined || at.watch !== undefined) break; // by T2 nothing is to be learnt above
  }
  // Tells all on the way, so that none of them needs to look again.
  for (let at: Scope | undefined = scope; at !== undefined && at.ending === undefined;) {
    const { deadline, parent }: Scope = at;
    if (deadline?.passed(ending)) {
      deadline.expire(); // the owner first: a parent's events come before its children's
      at.expire(deadline.ending);
    } else if (ending !== undefined) {
      at.expire(ending);
    } else {
      break;
    }
    at = at === ended ? undefined : parent;
  }
  return scope.ending;
}

/** Ends `scope` for the reason given, unless it is done. */
export function cancel(scope: Scope, cause: unknown): void {
  if (check(scope) !== undefined) return;
  // The time tells descendants whether a deadline of their own was earlier.
  const time = deadlinesSince(scope.order) ? now() : -Infinity;
  end(scope, new Ending("canceled", cause, time));
}

/** Ends a live scope and all its watched descendants: first marks them all, then fires their events. */
function end(scope: Scope, ending: Ending): void {
  const { watch } = scope;
  if (watch === undefined) {
    scope.ending = ending;
    scope.parent = undefined;
  } else {
    fire(mark(watch, ending));
  }
}

/** Phase 1: everything watched at and below `top` is done. Returns who has events to fire, parents before children. */
function mark(top: Watch, ending: Ending): Watch[] {
  const firing: Watch[] = [];
  const marked: Watch[] = [];
  const later: Branch[] = []; // where to go on after a subtree; a stack of our own, for trees of any depth
  let at: Branch | undefined = top;
  while (at !== undefined) {
    const next: Branch | undefined = at === top ? undefined : (at.next ?? later.pop());
    const { scope } = at;
    const { watch } = scope;
    let below: Branch | undefined;
    if (scope.ending === undefined && watch !== undefined) {
      const own: Deadline | undefined = scope === top.scope ? undefined : scope.deadline;
      scope.ending = own?.passed(ending) ? own.ending : ending;
      scope.parent = undefined;
      below = firstChild(watch);
      watch.children = undefined;
      if (watch.controller === undefined) scope.watch = undefined;
      if (watch.controller !== undefined || watch.waiters?.first !== undefined) firing.push(watch);
      marked.push(watch);
    }
    if (below === undefined) {
      at = next;
    } else {
      if (next !== undefined) later.push(next);
      at = below;
    }
  }
  // Not before all are marked: leaving would change the lists that are being walked.
  for (const watch of marked) {
    watch.scope.stopped();
    release(watch.leave());
  }
  return firing;
}

/** Makes a live scope watched, and its ancestors up to the first that is watched already. */
export function link(scope: Scope): Watch {
  if (scope.watch !== undefined) return scope.watch;
  const linked = new Watch(scope);
  let watch = linked;
  for (let at = scope; ;) {
    at.watch = watch;
    at.started();
    const { parent } = at;
    if (parent === undefined) return linked;
    const above = parent.watch ?? new Watch(parent);
    watch.join(parent, above);
    if (parent.watch !== undefined) return linked;
    watch = above;
    at = parent;
  }
}

/** Unlinks a live scope if nobody watches it any more, and its ancestors that were watched only on its behalf. */
export function release(scope: Scope | undefined): void {
  let at = scope;
  while (at?.watch !== undefined && at.watch.idle) {
    const { watch }: Scope = at;
    at.watch = undefined;
    at.stopped();
    at = watch?.leave();
  }
}

/** The first child in the order made. */
function firstChild(watch: Watch): Branch | undefined {
  const { children } = watch;
  if (children === undefined || watch.sorted) return children?.first;
  const sorted = new List<Branch>();
  for (const branch of [...children].sort((a, b) => a.scope.order - b.scope.order)) sorted.add(branch);
  return sorted.first;
}
