import { describe, expectTypeOf, it } from "vitest";
import type { CanceledError, DeadlineExceededError } from "../src/index.ts";

describe("the errors", () => {
  it("have literal names and codes", () => {
    expectTypeOf<CanceledError["name"]>().toEqualTypeOf<"AbortError">();
    expectTypeOf<CanceledError["code"]>().toEqualTypeOf<"ERR_CANCELED">();
    expectTypeOf<DeadlineExceededError["name"]>().toEqualTypeOf<"TimeoutError">();
    expectTypeOf<DeadlineExceededError["code"]>().toEqualTypeOf<"ERR_DEADLINE_EXCEEDED">();
  });
});
