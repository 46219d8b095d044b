import type { Setting } from "@drybag/format";
import { expect, test } from "vitest";
import { settingProblem } from "./setting-problem.ts";

const SETTING: Setting = { name: "X", required: false, secret: false };

test.each<[Partial<Setting>, string[], string[]]>([
  [{}, ["anything", ""], ["two\nlines"]],
  [{ type: "port" }, ["1", "8080", "65535"], ["0", "65536", "http", "80 "]],
  [{ type: "integer" }, ["0", "-5"], ["1.5", "x"]],
  [{ type: "boolean" }, ["true", "false"], ["yes", "1"]],
  [{ type: "hostname" }, ["erp", "erp.example.org"], ["-erp", "a..b", "http://erp", "a_b"]],
  [{ type: "choice", choices: ["small", "large"] }, ["small"], ["medium"]],
  [{ pattern: "[a-z]+" }, ["abc"], ["abc1", "1abc"]],
])("%j", (kind, good, bad) => {
  const setting = { ...SETTING, ...kind };
  expect(good.filter((value) => settingProblem(setting, value))).toEqual([]);
  expect(bad.filter((value) => !settingProblem(setting, value))).toEqual([]);
});
