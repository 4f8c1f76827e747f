/**
 * Contexts as one would explain them: a plain tree in which everything is told to everybody at once. The real ones, which
 * tell only those who are watched and let the others look for themselves, must look the same.
 *
 * There is one place where they may differ. Of a context that nobody watched, and that a signal ended as well as something
 * else, nobody knows which came first. So a scope keeps all its possible endings until it is told or asked.
 */

export interface Ending {
  readonly kind: "canceled" | "deadline exceeded";
  /** Undefined: none was given, so it is the error itself. */
  readonly cause: unknown;
  /** Whether it came from a signal that was not made by a context. */
  readonly foreign: boolean;
}

export interface Deadline {
  /** On the monotonic clock. */
  readonly due: number;
  /** Since the epoch. */
  readonly at: number;
  readonly cause: unknown;
}

/** Somebody who wants to hear of the end: the listener of a signal (place 0), or a callback. */
export interface Watcher {
  readonly name: string;
  readonly scope: ModelScope;
  readonly place: number;
  /** What it does when it is told. */
  readonly reaction: (() => void) | undefined;
}

/** What a watcher was told, or should have been. */
export interface Telling {
  readonly watcher: Watcher;
  /** The cancellation, or other ending, that it was part of. */
  readonly event: number;
  readonly time: number;
}

export class ModelScope {
  /** The context it was derived from first, then those whose signals it follows. */
  readonly parents: readonly ModelScope[];
  readonly children: ModelScope[] = [];
  /** Its own, if no parent has an earlier one. */
  readonly own: Deadline | undefined;
  readonly deadline: Deadline | undefined;
  readonly watchers: Watcher[] = [];
  /** What has ended it, the first first. */
  endings: Ending[] = [];
  /** Whether it has been told or asked: then `endings` has one element, for good. */
  decided = false;
  expired = false;

  constructor(parents: readonly ModelScope[], own: Deadline | undefined) {
    this.parents = parents;
    for (const { children } of parents) children.push(this);
    const inherited = parents.flatMap((parent) => parent.deadline ?? []).toSorted((a, b) => a.due - b.due)[0];
    this.own = own !== undefined && own.due < (inherited?.due ?? Infinity) ? own : undefined;
    this.deadline = this.own ?? inherited;
    this.endings = parents.find((parent) => parent.done)?.endings ?? [];
  }

  get done(): boolean {
    return this.endings.length > 0;
  }

  get watched(): boolean {
    return !this.done && (this.watchers.length > 0 || this.children.some((child) => child.watched));
  }

  /** Whether it, or a context above it, follows other signals besides its parent. */
  get follows(): boolean {
    return this.parents.length > 1 || this.parents.some((parent) => parent.follows);
  }

  /** Itself and all below, parents before children, siblings in the order made. */
  get subtree(): ModelScope[] {
    return [...new Set([this, ...this.children.flatMap((child) => child.subtree)])];
  }
}

export class Model {
  readonly scopes: ModelScope[] = [];
  readonly tellings: Telling[] = [];
  now: number;
  #events = 0;

  constructor(now: number) {
    this.now = now;
  }

  derive(parents: readonly ModelScope[], own?: Deadline): ModelScope {
    const scope = new ModelScope(parents, own);
    this.scopes.push(scope);
    this.advance(0);
    return scope;
  }

  /** Of a context that is done already, it is told a little later. */
  watch(watcher: Watcher): void {
    if (watcher.scope.done) this.#tell([watcher]);
    else watcher.scope.watchers.push(watcher);
  }

  cancel(scope: ModelScope, cause: unknown): void {
    if (!scope.done) this.end(scope, { kind: "canceled", cause, foreign: false });
  }

  /** Time passes: one deadline after the other. */
  advance(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const due = this.scopes.filter((it) => it.own !== undefined && it.own.due <= end && !it.expired);
      const [next] = due.toSorted((a, b) => (a.own?.due ?? 0) - (b.own?.due ?? 0));
      if (next?.own === undefined) break;
      this.now = Math.max(this.now, next.own.due);
      next.expired = true;
      this.end(next, { kind: "deadline exceeded", cause: next.own.cause, foreign: false });
    }
    this.now = end;
  }

  /** First all are done, then those who watch are told. */
  end(top: ModelScope, ending: Ending): void {
    const reached = top.subtree.filter((scope) => !scope.decided);
    const told = reached.filter((scope) => scope.watched);
    for (const scope of reached) if (!scope.endings.includes(ending)) scope.endings = [...scope.endings, ending];
    for (const scope of told) scope.decided = true;
    this.#tell(told.flatMap((scope) => scope.watchers.splice(0)));
  }

  /** How a context ended. Where that is open, `is` says which of the possible endings it was. */
  ask(scope: ModelScope, is: (ending: Ending) => boolean): Ending | undefined {
    const [first] = scope.endings;
    if (first === undefined || scope.decided) return first;
    const ending =
      (scope.endings.some((it) => it.foreign) || scope.follows ? scope.endings.find(is) : undefined) ?? first;
    scope.endings = [ending];
    scope.decided = true;
    return ending;
  }

  #tell(watchers: readonly Watcher[]): void {
    const event = this.#events++;
    for (const watcher of watchers) {
      this.tellings.push({ watcher, event, time: this.now });
      watcher.reaction?.();
    }
  }
}
