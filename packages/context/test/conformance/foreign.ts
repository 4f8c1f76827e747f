// What comes to the package from outside: contexts of a user's own making, and a signal that tells who listens.
import type { Context, ContextKey } from "../../src/index.ts";

/** A context of a user's own making that hands everything on to another one. */
export class Wrapper implements Context {
  readonly #inner: Context;

  constructor(inner: Context) {
    this.#inner = inner;
  }

  get signal(): AbortSignal {
    return this.#inner.signal;
  }

  get deadline(): number | undefined {
    return this.#inner.deadline;
  }

  get remaining(): number {
    return this.#inner.remaining;
  }

  get error(): Context["error"] {
    return this.#inner.error;
  }

  get cause(): unknown {
    return this.#inner.cause;
  }

  value<T>(key: ContextKey<T>): T {
    return this.#inner.value(key);
  }

  throwIfDone(): void {
    this.#inner.throwIfDone();
  }
}

export interface Tracked {
  readonly controller: AbortController;
  readonly signal: AbortSignal;
  /** How many listeners stand on it now. */
  readonly listeners: () => number;
  /** How many were ever added. */
  readonly added: () => number;
}

/**
 * A foreign signal that tells who listens to it. It is also how one sees from outside whether a context has children:
 * a context below it stands on its list exactly while somebody watches the context or something below it.
 */
export function tracked(): Tracked {
  const controller = new AbortController();
  return { controller, ...listening(controller.signal) };
}

/** The same for any signal, from now on. */
export function listening(signal: AbortSignal): Omit<Tracked, "controller"> {
  const standing = new Set<unknown>();
  let added = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    added++;
    standing.add(args[1]);
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    standing.delete(args[1]);
    removeEventListener.apply(signal, args);
  };
  return { signal, listeners: () => standing.size, added: () => added };
}
