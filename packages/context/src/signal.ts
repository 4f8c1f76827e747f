/**
 * Between scopes and the platform's signals: a scope has a signal, and a signal that came from elsewhere has a scope.
 *
 * Invariants, true whenever no function of this file runs:
 * S1  A signal leads to one scope, always the same.
 * S2  On a signal that was not made here there is one listener, exactly while its scope is watched.
 */

import { now } from "./clock.ts";
import { Deadline } from "./deadline.ts";
import { Ending } from "./ending.ts";
import { kindOf } from "./errors.ts";
import { Branch, check, link, release, Scope, Watch } from "./scope.ts";

/**
 * The mark under which a signal with a deadline says how to tell it that somebody waits on it (change 1) or no longer
 * does (change -1): a deadline keeps the process alive only while it is waited for.
 */
const WAITING: unique symbol = Symbol.for("@sluice/waiting") as never;

type Waitable = AbortSignal & { readonly [WAITING]?: (change: 1 | -1) => void };

const scopes = new WeakMap<AbortSignal, Scope>();

/** The signal of `scope`, made on first use; aborted if the scope is done. */
export function signalOf(scope: Scope): AbortSignal {
  if (scope instanceof Foreign) return scope.signal;
  const made = scope.watch?.controller;
  if (made !== undefined && scope.ending === undefined) return made.signal;

  const ending = check(scope);
  const watch = ending === undefined ? link(scope) : (scope.watch ??= new Watch(scope));
  const { signal } = (watch.controller ??= makeController(scope));
  if (ending !== undefined && !signal.aborted) watch.controller.abort(ending.cause);
  return signal;
}

function makeController(scope: Scope): AbortController {
  const controller = new AbortController();
  const { deadline } = scope;
  if (deadline !== undefined) {
    Object.defineProperty(controller.signal, WAITING, { value: (change: 1 | -1) => deadline.hold(change) });
  }
  scopes.set(controller.signal, scope); // keeps S1
  return controller;
}

/** The scope that `signal` stands for: of a signal made here its own, so that nothing is lost on the way through it. */
export function scopeOfSignal(signal: AbortSignal): Scope {
  let scope = scopes.get(signal);
  if (scope === undefined) scopes.set(signal, (scope = new Foreign(signal)));
  return scope;
}

/** Whether `it` is a signal: by its shape, since it may come from another realm or a polyfill. */
export function isSignal(it: unknown): it is AbortSignal {
  if (typeof it !== "object" || it === null) return false;
  const { aborted, addEventListener } = it as Partial<AbortSignal>;
  return typeof aborted === "boolean" && typeof addEventListener === "function";
}

/** The scope of a signal that was not made here. */
class Foreign extends Scope {
  readonly signal: AbortSignal;
  readonly #listener = (): void => void check(this);

  constructor(signal: AbortSignal) {
    super(undefined, (signal as Waitable)[WAITING] === undefined ? undefined : new Relay(signal));
    this.signal = signal;
  }

  override noticed(): Ending | undefined {
    if (!this.signal.aborted) return undefined;
    const reason: unknown = this.signal.reason;
    // When it aborted, nobody knows who was not watching: then it counts as earlier than any deadline.
    return new Ending(kindOf(reason) ?? "canceled", reason, this.watch === undefined ? -Infinity : now());
  }

  override started(): void {
    this.signal.addEventListener("abort", this.#listener);
  }

  override stopped(): void {
    this.signal.removeEventListener("abort", this.#listener);
  }
}

/** Stands for the deadline of another copy's context: when that is, is not known, but it wants to know who waits. */
class Relay extends Deadline {
  readonly #signal: Waitable;

  constructor(signal: AbortSignal) {
    super(Infinity, Infinity);
    this.#signal = signal;
  }

  override hold(change: 1 | -1): void {
    this.#signal[WAITING]?.(change);
  }
}

/** A scope that ends with its parent or with the first of some signals. */
export class Merged extends Scope {
  readonly #sources: readonly Scope[];
  #places: Branch[] = [];

  constructor(parent: Scope, signals: readonly AbortSignal[]) {
    const sources = signals.map(scopeOfSignal).filter((source) => source.stem() !== undefined);
    check(parent);
    super(parent, earliest(sources));
    this.#sources = sources;
    // What is done already counts in the order given, whatever the clock says.
    const ending = this.ending ?? this.noticed();
    if (ending !== undefined) this.expire(ending);
  }

  override noticed(): Ending | undefined {
    if (this.parent?.deadline?.passed()) return undefined; // the parent comes first by its deadline, too
    for (const source of this.#sources) {
      // One made here has been watched since its signal was made, so it has been told.
      const ending = source instanceof Foreign ? check(source) : source.ending;
      if (ending !== undefined) return ending;
    }
    return undefined;
  }

  override started(): void {
    super.started();
    this.#places = this.#sources.map((source) => {
      const place = new Branch(this);
      place.join(source, link(source));
      return place;
    });
  }

  override stopped(): void {
    super.stopped();
    const places = this.#places;
    this.#places = [];
    for (const place of places) release(place.leave());
  }
}

/** The earliest deadline of `sources`. */
function earliest(sources: readonly Scope[]): Deadline | undefined {
  let first: Deadline | undefined;
  for (const { deadline } of sources) {
    if (deadline !== undefined && (first === undefined || deadline.due < first.due)) first = deadline;
  }
  return first;
}
