import { expect, test } from "vitest";
import { createRedactor } from "./redact.ts";

test("every secret goes, the longer one first, and short ones stay", () => {
  const redact = createRedactor(["abc", "abcdef", "no", "", "abc", "$&"]);
  expect(redact("abcdef abc a no $&")).toBe("(hidden) (hidden) a no $&");
});
