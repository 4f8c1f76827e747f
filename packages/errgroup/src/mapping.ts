/**
 * The iterator that map gives: a pump behind, results in line, and calls of next() in line.
 *
 * The pump begins with the first next(), in a promise reaction registered by the constructor. So all calls of `fn` run in
 * the async context of the call of map, whoever asks for the results.
 *
 * Invariants, true whenever no method runs:
 * M1  While somebody waits in `#requests`, there is no result that could be handed over.
 * M2  Results are handed over from the head. Ordered, they stand in line from the pull on and are ready later; unordered,
 *     they join the line when they are ready.
 * M3  Once `#left` or `#ended`, nobody waits.
 * M4  `#failure` is the failure that nobody was told yet.
 */

import type { CancelableContext, Context } from "@sluice/context";
import type { Feed } from "./feed.ts";
import { Group } from "./group.ts";
import type { Failure } from "./outcome.ts";
import { pump } from "./pump.ts";
import { Member, Queue } from "./queue.ts";

/** The result of one value, in line to be handed over. */
class Slot<R> extends Member<Slot<R>> {
  ready = false;
  value: R | undefined;
}

/** A call of next() in line. */
class Request<R> extends Member<Request<R>> {
  resolve!: (result: IteratorResult<R, undefined>) => void;
  reject!: (error: unknown) => void;
}

export class Mapping<T, R> implements AsyncIterableIterator<R, undefined> {
  /** Done when the parent is or the reader has left, but not by a failure: what came before that is still wanted. */
  readonly #context: CancelableContext;
  readonly #group: Group;
  readonly #feed: Feed<T>;
  readonly #results = new Queue<Slot<R>>();
  readonly #requests = new Queue<Request<R>>();
  readonly #run: Promise<void>;
  #begin!: () => void;
  #begun = false;
  #left = false;
  #ended = false;
  #failure: Failure | undefined;

  constructor(
    context: CancelableContext,
    feed: Feed<T>,
    fn: (value: T, ctx: Context) => R | PromiseLike<R>,
    ordered: boolean,
  ) {
    this.#context = context;
    this.#group = new Group(context);
    this.#feed = feed;
    const apply = async (value: T, ctx: Context): Promise<void> => {
      const slot = new Slot<R>();
      if (ordered) this.#results.push(slot);
      slot.value = await fn(value, ctx);
      slot.ready = true;
      // Unordered, what is finished after a failure does not come before it.
      if (!ordered && this.#group.errors.length === 0) this.#results.push(slot);
      this.#deliver();
    };
    this.#run = new Promise<void>((resolve) => (this.#begin = resolve)).then(async () => {
      this.#failure = await pump(this.#group, feed, apply);
      this.#ended = true;
      this.#deliver();
    });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<R, undefined>> {
    this.#begun = true;
    this.#begin();
    return new Promise((resolve, reject) => {
      const request = new Request<R>();
      request.resolve = resolve;
      request.reject = reject;
      this.#requests.push(request);
      this.#deliver();
    });
  }

  async return(): Promise<IteratorResult<R, undefined>> {
    await this.#leave();
    const failure = this.#failure;
    this.#failure = undefined;
    // The cancellation that leaving has caused, or that made the reader leave, is no failure.
    if (failure !== undefined && failure.error !== this.#context.cause) throw failure.error;
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<R, undefined>> {
    await this.#leave();
    throw error;
  }

  async #leave(): Promise<void> {
    this.#left = true;
    this.#context.cancel();
    this.#deliver();
    if (this.#begun) await this.#run;
  }

  /** Answers the calls of next() that can be answered; keeps M1 and M3. */
  #deliver(): void {
    for (let request = this.#requests.head; request !== undefined; request = this.#requests.head) {
      const slot = this.#results.head;
      if (this.#left) {
        request.resolve({ done: true, value: undefined });
      } else if (slot?.ready === true && this.#context.error === undefined) {
        this.#results.shift();
        this.#feed.release();
        request.resolve({ done: false, value: slot.value as R });
      } else if (this.#ended) {
        // Results that are left although nothing failed were cut off by the parent.
        const failure = this.#failure ?? (slot === undefined ? undefined : { error: this.#context.cause });
        this.#failure = undefined;
        while (this.#results.shift() !== undefined);
        if (failure === undefined) request.resolve({ done: true, value: undefined });
        else request.reject(failure.error);
      } else {
        return;
      }
      this.#requests.shift();
    }
  }
}
