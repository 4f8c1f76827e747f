import { describe, expectTypeOf, it } from "vitest";
import {
  afterDone,
  background,
  contextKey,
  sleep,
  withCancel,
  withDeadline,
  withoutCancel,
  withSignal,
  withTimeout,
  withValue,
} from "../src/index.ts";
import type {
  CancelableContext,
  CanceledError,
  Context,
  ContextKey,
  DeadlineExceededError,
  Parent,
  WaitOptions,
} from "../src/index.ts";

describe("Context", () => {
  it("is the options of whatever takes { signal }", () => {
    expectTypeOf<Context>().toExtend<WaitOptions>();
    expectTypeOf<Context>().toExtend<{ signal?: AbortSignal }>();
    expectTypeOf<Context>().toExtend<RequestInit>();
  });

  it("can be canceled only by who derived it", () => {
    // @ts-expect-error: a value is no licence to cancel
    void withValue(background, contextKey("k"), 1).cancel;
    // @ts-expect-error
    void withoutCancel(background).cancel;
    // @ts-expect-error
    void background.cancel;
    expectTypeOf(withCancel(background)).toEqualTypeOf<CancelableContext>();
    expectTypeOf(withTimeout(background, 1)).toEqualTypeOf<CancelableContext>();
    expectTypeOf(withDeadline(background, new Date())).toEqualTypeOf<CancelableContext>();
    expectTypeOf(withSignal(background)).toEqualTypeOf<CancelableContext>();
    expectTypeOf<CancelableContext>().toExtend<Disposable>();
  });

  it("has an error whose code narrows it", () => {
    const { error } = background;
    if (error?.code === "ERR_CANCELED") expectTypeOf(error).toEqualTypeOf<CanceledError>();
    if (error?.name === "TimeoutError") expectTypeOf(error).toEqualTypeOf<DeadlineExceededError>();
    expectTypeOf(background.cause).toBeUnknown();
  });

  it("cannot be written to", () => {
    // @ts-expect-error
    background.deadline = 5;
  });
});

describe("Parent", () => {
  it("is a context or a bare signal, and nothing else", () => {
    expectTypeOf<Context>().toExtend<Parent>();
    expectTypeOf<AbortSignal>().toExtend<Parent>();
    expectTypeOf<AbortController>().not.toExtend<Parent>();
  });
});

describe("ContextKey", () => {
  it("types the value, with undefined only where there is no default", () => {
    expectTypeOf(background.value(contextKey<string>("k"))).toEqualTypeOf<string | undefined>();
    expectTypeOf(background.value(contextKey("k", 5))).toEqualTypeOf<number>();
  });

  it("refuses a value of another type", () => {
    const key = contextKey("k", 5);
    // @ts-expect-error
    withValue(background, key, "five");
    withValue(background, key, 5);
  });

  it("of a narrower type is not one of a wider type, nor the reverse", () => {
    expectTypeOf<ContextKey<number>>().not.toExtend<ContextKey<number | string>>();
    expectTypeOf<ContextKey<number | string>>().not.toExtend<ContextKey<number>>();
  });
});

describe("afterDone() and sleep()", () => {
  it("take a context; sleep takes any { signal }", () => {
    expectTypeOf(afterDone(background, () => {})).toEqualTypeOf<() => boolean>();
    expectTypeOf(sleep(1, background)).toEqualTypeOf<Promise<void>>();
    expectTypeOf(sleep(1, { signal: undefined })).toEqualTypeOf<Promise<void>>();
    // @ts-expect-error: a bare signal is no options
    void sleep(1, new AbortController().signal);
  });
});
