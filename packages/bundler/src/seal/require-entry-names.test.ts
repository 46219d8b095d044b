import { expect, test } from "vitest";
import { requireEntryNames } from "./require-entry-names.ts";

test("names that can be carried pass", () => {
  requireEntryNames([{ entry: "project/a b/\u00e4.txt" }, { entry: "project/empty/" }]);
});

test("others are named, all at once", () => {
  const files = [{ entry: "project/a\\b" }, { entry: "project/fine" }, { entry: "project/x\u001b[2J" }];
  expect(() => requireEntryNames(files)).toThrow(
    expect.objectContaining({
      code: "file-name-invalid",
      detail: '"a\\\\b" has a backslash\n"x\\u001b[2J" has control characters',
    }),
  );
});
