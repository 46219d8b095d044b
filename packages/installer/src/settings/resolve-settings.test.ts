import type { Setting } from "@drybag/format";
import { expect, test } from "vitest";
import { missingSettingFindings, parseAssignment, resolveSettings } from "./resolve-settings.ts";

const HOST: Setting = { name: "SITE_HOST", required: true, secret: false };
const PASSWORD: Setting = { name: "DB_PASSWORD", required: true, secret: true };
const PORT: Setting = { name: "HTTP_PORT", required: true, secret: false, default: "8080" };
const OPTIONAL: Setting = { name: "LANG", required: false, secret: false };
const settings = [HOST, PASSWORD, PORT, OPTIONAL];

function resolve(remembered: Record<string, string>, given: Record<string, string>) {
  return resolveSettings({
    settings,
    remembered: new Map(Object.entries(remembered)),
    given: new Map(Object.entries(given)),
  });
}

test("what is given now wins over what was remembered, and both over the default", () => {
  const { answers, missing } = resolve({ SITE_HOST: "old", DB_PASSWORD: "s" }, { SITE_HOST: "new" });
  expect(Object.fromEntries(answers)).toEqual({ SITE_HOST: "new", DB_PASSWORD: "s" });
  expect(missing).toEqual([]);
});

test("required ones without a value are all named at once, and an empty value is none", () => {
  const { missing } = resolve({ SITE_HOST: "" }, {});
  expect(missing).toEqual([HOST, PASSWORD]);
  expect(missingSettingFindings(missing).map(({ remedy }) => remedy)).toEqual([
    "Give it one: --set SITE_HOST=...",
    'Give it one in a file with a line DB_PASSWORD="...": --values FILE, or have one made up: --generate-secrets.',
  ]);
  const pin = { ...PASSWORD, pattern: "[0-9]{4}" };
  expect(missingSettingFindings([pin])[0]?.remedy).not.toContain("--generate-secrets");
});

test("an unknown one is refused with the name that was meant", () => {
  expect(() => resolve({}, { SITE_HSOT: "x" })).toThrow(
    expect.objectContaining({ code: "setting-invalid", hint: "Did you mean SITE_HOST?" }),
  );
  expect(() => resolve({}, { COLOUR: "x" })).toThrow(
    expect.objectContaining({ hint: expect.stringContaining("SITE_HOST, DB_PASSWORD") }),
  );
});

test("an answer that this bundle does not ask for stays remembered", () => {
  expect(resolve({ GONE: "1" }, {}).answers.get("GONE")).toBe("1");
});

test("a value with two lines is refused", () => {
  expect(() => resolve({}, { SITE_HOST: "a\nb" })).toThrow(/more than one line/);
});

test("--set splits at the first equals sign, and its error does not show the value", () => {
  expect(parseAssignment("A=b=c")).toEqual(["A", "b=c"]);
  expect(parseAssignment("A=")).toEqual(["A", ""]);
  expect(() => parseAssignment("1A=secret")).toThrow(/not '1A'$/);
  expect(() => parseAssignment("PORT")).toThrow(
    expect.objectContaining({ hint: expect.stringMatching(/^write --set PORT=/) }),
  );
});
