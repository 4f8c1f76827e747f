// Contexts: making, asking, cancelling.
import { expectCount } from "../expect.mjs";

const context = () => import("@sluice/context");

/** The floor of a tree: an object with a mark, linked to its parent while it lives. */
class Bare {
  parent;
  previous;
  next;
  first;
  done = false;

  constructor(parent) {
    this.parent = parent;
    this.next = parent?.first;
    if (this.next) this.next.previous = this;
    if (parent) parent.first = this;
  }

  cancel() {
    this.done = true;
    if (this.previous) this.previous.next = this.next;
    else if (this.parent) this.parent.first = this.next;
    if (this.next) this.next.previous = this.previous;
  }
}

export const workloads = {
  "child context": {
    about: "a child of a cancelable context is made, canceled, and asked whether it is done",
    kind: "function",
    n: 1_000,
    go: true,
    engines: ["floor", "sluice", "AbortController + listener", "AbortSignal.any"],
    cases: {
      floor: async () => {
        const parent = new Bare();
        return (n) => {
          let count = 0;
          for (let i = 0; i < n; i++) {
            const child = new Bare(parent);
            child.cancel();
            if (child.done) count++;
          }
          expectCount(count, n);
        };
      },
      sluice: async () => {
        const { background, withCancel } = await context();
        const parent = withCancel(background);
        return (n) => {
          let count = 0;
          for (let i = 0; i < n; i++) {
            const child = withCancel(parent);
            child.cancel();
            if (child.remaining === 0) count++;
          }
          expectCount(count, n);
        };
      },
      "AbortController + listener": async () => {
        const parent = new AbortController().signal;
        return (n) => {
          let count = 0;
          for (let i = 0; i < n; i++) {
            const child = new AbortController();
            const listener = () => child.abort(parent.reason);
            parent.addEventListener("abort", listener, { once: true });
            child.abort();
            parent.removeEventListener("abort", listener);
            if (child.signal.aborted) count++;
          }
          expectCount(count, n);
        };
      },
      "AbortSignal.any": async () => {
        const parent = new AbortController().signal;
        return (n) => {
          let count = 0;
          for (let i = 0; i < n; i++) {
            const own = new AbortController();
            const child = AbortSignal.any([parent, own.signal]);
            own.abort();
            if (child.aborted) count++;
          }
          expectCount(count, n);
        };
      },
      effect: async () => (await import("../libraries/effect.mjs")).scopes()(),
      effection: async () => {
        const { createScope } = await import("effection");
        const [parent] = createScope();
        return async (n) => {
          for (let i = 0; i < n; i++) {
            const [, destroy] = createScope(parent);
            await destroy();
          }
        };
      },
    },
  },
  "child context with its error": {
    about: "the same, and somebody asks for the error, which has a stack trace",
    kind: "function",
    n: 1_000,
    cases: {
      floor: async () => (n) => {
        let count = 0;
        for (let i = 0; i < n; i++) if (new Error("canceled").message !== "") count++;
        expectCount(count, n);
      },
      sluice: async () => {
        const { background, withCancel } = await context();
        const parent = withCancel(background);
        return (n) => {
          let count = 0;
          for (let i = 0; i < n; i++) {
            const child = withCancel(parent);
            child.cancel();
            if (child.error !== undefined) count++;
          }
          expectCount(count, n);
        };
      },
      AbortController: async () => (n) => {
        let count = 0;
        for (let i = 0; i < n; i++) {
          const child = new AbortController();
          child.abort();
          if (child.signal.reason !== undefined) count++;
        }
        expectCount(count, n);
      },
    },
  },
  "child context with its signal": {
    about: "the same, and somebody asks for its AbortSignal",
    kind: "function",
    n: 1_000,
    cases: {
      floor: async () => (n) => {
        let count = 0;
        for (let i = 0; i < n; i++) {
          const child = new AbortController();
          const { signal } = child;
          child.abort();
          if (signal.aborted) count++;
        }
        expectCount(count, n);
      },
      sluice: async () => {
        const { background, withCancel } = await context();
        const parent = withCancel(background);
        return (n) => {
          let count = 0;
          for (let i = 0; i < n; i++) {
            const child = withCancel(parent);
            const { signal } = child;
            child.cancel();
            if (signal.aborted) count++;
          }
          expectCount(count, n);
        };
      },
    },
  },
  "context with a time limit": {
    about: "a child with a timeout is made and canceled; beside it AbortSignal.timeout, which cannot be canceled",
    kind: "function",
    n: 1_000,
    cases: {
      floor: async () => (n) => {
        let count = 0;
        for (let i = 0; i < n; i++) {
          const timer = setTimeout(() => {}, 60_000);
          clearTimeout(timer);
          count++;
        }
        expectCount(count, n);
      },
      sluice: async () => {
        const { background, withCancel, withTimeout } = await context();
        const parent = withCancel(background);
        return (n) => {
          let count = 0;
          for (let i = 0; i < n; i++) {
            const child = withTimeout(parent, 60_000);
            child.cancel();
            if (child.error !== undefined) count++;
          }
          expectCount(count, n);
        };
      },
      "AbortSignal.timeout": async () => (n) => {
        let count = 0;
        for (let i = 0; i < n; i++) if (!AbortSignal.timeout(60_000).aborted) count++;
        expectCount(count, n);
      },
    },
  },
  "context check": {
    about: "`throwIfDone()` ten levels deep",
    kind: "function",
    n: 1_000,
    cases: {
      floor: async () => {
        const { signal } = new AbortController();
        return (n) => {
          for (let i = 0; i < n; i++) signal.throwIfAborted();
        };
      },
      sluice: async () => {
        const { background, withCancel } = await context();
        let ctx = background;
        for (let depth = 0; depth < 10; depth++) ctx = withCancel(ctx);
        return (n) => {
          for (let i = 0; i < n; i++) ctx.throwIfDone();
        };
      },
    },
  },
  "context value": {
    about: "a value that was put ten levels above; the floor: as many prototypes",
    kind: "function",
    n: 1_000,
    cases: {
      floor: async () => {
        let object = { key: 1 };
        for (let depth = 0; depth < 10; depth++) object = Object.create(object);
        return (n) => {
          let sum = 0;
          for (let i = 0; i < n; i++) sum += object.key;
          expectCount(sum, n);
        };
      },
      sluice: async () => {
        const { background, contextKey, withValue } = await context();
        const key = contextKey("key", 0);
        let ctx = withValue(background, key, 1);
        for (let depth = 0; depth < 10; depth++) ctx = withValue(ctx, contextKey("other"), depth);
        return (n) => {
          let sum = 0;
          for (let i = 0; i < n; i++) sum += ctx.value(key);
          expectCount(sum, n);
        };
      },
    },
  },
};
