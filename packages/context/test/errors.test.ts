import { describe, expect, it } from "vitest";
import {
  background,
  CanceledError,
  DeadlineExceededError,
  isCanceled,
  isDeadlineExceeded,
  withCancel,
  withTimeout,
} from "../src/index.ts";

describe("CanceledError", () => {
  it("has the platform's name, a code and Go's phrase", () => {
    const error = new CanceledError();
    expect(error).toBeInstanceOf(Error);
    expect([error.name, error.code, error.message]).toEqual([
      "AbortError",
      "ERR_CANCELED",
      "Cannot continue: context canceled",
    ]);
  });

  it("takes a message and a cause of one's own", () => {
    const cause = new Error("why");
    const error = new CanceledError("stopped by the operator", { cause });
    expect([error.message, error.cause]).toEqual(["stopped by the operator", cause]);
  });
});

describe("DeadlineExceededError", () => {
  it("has the platform's name, a code and Go's phrase", () => {
    const error = new DeadlineExceededError();
    expect(error).toBeInstanceOf(Error);
    expect([error.name, error.code, error.message]).toEqual([
      "TimeoutError",
      "ERR_DEADLINE_EXCEEDED",
      "Cannot continue: context deadline exceeded",
    ]);
  });

  it("takes a message and a cause of one's own", () => {
    const cause = new Error("why");
    const error = new DeadlineExceededError("too slow", { cause });
    expect([error.message, error.cause]).toEqual(["too slow", cause]);
  });
});

describe("isCanceled() and isDeadlineExceeded()", () => {
  const both = (error: unknown) => [isCanceled(error), isDeadlineExceeded(error)];

  it("tell the two endings of a context apart", () => {
    const canceled = withCancel(background);
    canceled.cancel();
    expect(both(canceled.error)).toEqual([true, false]);
    expect(both(withTimeout(background, 0).error)).toEqual([false, true]);
  });

  it("go by the code first, as an error of another copy has it", () => {
    expect(both(Object.assign(new Error("?"), { code: "ERR_CANCELED", name: "TimeoutError" }))).toEqual([true, false]);
    expect(both(Object.assign(new Error("?"), { code: "ERR_DEADLINE_EXCEEDED", name: "AbortError" }))).toEqual([
      false,
      true,
    ]);
  });

  it("go by the name for errors of the platform", () => {
    expect(both(new DOMException("", "AbortError"))).toEqual([true, false]);
    expect(both(new DOMException("", "TimeoutError"))).toEqual([false, true]);
    expect(both(Object.assign(new Error("?"), { code: "ABORT_ERR", name: "AbortError" }))).toEqual([true, false]);
  });

  it.for([undefined, null, "AbortError", 0, {}, () => {}, new Error("AbortError")])("are false for %s", (other) => {
    expect(both(other)).toEqual([false, false]);
  });
});
