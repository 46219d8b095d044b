import { expect, test } from "vitest";
import { settingProblem } from "./setting-problem.ts";

test("a value has to be of the setting's form, and one that can be kept", () => {
  const port = { name: "PORT", required: true, secret: false, type: "port" as const };
  expect(settingProblem(port, "8080")).toBeUndefined();
  expect(settingProblem(port, "http")).toContain("port");
  expect(settingProblem({ ...port, type: "string" }, "two\nlines")).toBe("has more than one line");
});
