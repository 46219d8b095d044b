import { expect, test } from "vitest";
import { type SettingForm, settingValueProblem } from "./setting-value.ts";

const ANY: SettingForm = {};
const CHOICE: SettingForm = { type: "choice", choices: ["on", "off"] };

test.each<[SettingForm, string[], string[]]>([
  [ANY, ["", "a b", "ü"], []],
  [{ type: "port" }, ["", "1", "80", "65535"], ["0", "65536", "80a", "-1", "8 0", "1e3"]],
  [
    { type: "hostname" },
    ["localhost", "erp.example.com", "10.0.0.1", "::1", "fe80::1", "my_host"],
    ["a b", "http://a", "a..b", "-a", "a:", "x".repeat(64), "::zz"],
  ],
  [{ type: "path" }, ["/", "/srv/data"], ["srv", "./a", "~"]],
  [{ type: "integer" }, ["0", "-5", "42"], ["1.5", "x", "1_000"]],
  [{ type: "integer", minimum: -1, maximum: 16 }, ["-1", "16"], ["-2", "17", "1.5"]],
  [{ type: "port", minimum: 1024 }, ["1024", "65535"], ["80", "65536"]],
  [{ type: "boolean" }, ["true", "false"], ["yes", "1", "True"]],
  [CHOICE, ["on", "off"], ["On", "o"]],
  [{ pattern: "[0-9]+m" }, ["50m"], ["x50m", "50mb"]],
  [{ pattern: "a|b" }, ["a", "b"], ["ab", "xb"]],
  // Whoever types something must not wait for ever, with a program that even Ctrl-C does not reach.
  [{ pattern: "(a+)+" }, ["aa"], [`${"a".repeat(50)}!`]],
])("%j takes %j and refuses %j", (form, good, bad) => {
  for (const value of good) expect(settingValueProblem(value, form), value).toBeUndefined();
  for (const value of bad) expect(settingValueProblem(value, form), value).toMatch(/^must /);
});
