import { describe, expect, test } from "vitest";
import { parseConfigDocument } from "../../config/config-document.ts";
import { configOf } from "../../config/load-config.ts";
import { appName } from "./pinned-app.ts";
import { parseAppsFile, readPinnedApps } from "./read-apps.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";

test("apps.json as frappe_docker has it, every value with its place", () => {
  const { apps, findings } = parseAppsFile(
    "/p/apps.json",
    `[
  {"url": "https://github.com/frappe/erpnext", "branch": "v15.88.1"},
  {
    "url": "https://\${T}@git.example/x/india-compliance.git",
    "tag": "v15.20.0",
    "commit": "${COMMIT}"
  }
]`,
  );
  expect(findings).toEqual([]);
  expect(apps.map(appName)).toEqual(["erpnext", "india-compliance"]);
  expect(apps[0]).toMatchObject({
    refs: [{ key: "branch", text: "v15.88.1", position: { file: "/p/apps.json", line: 2, column: 58 } }],
    position: { line: 2, column: 3 },
  });
  expect(apps[1]).toMatchObject({
    url: { position: { line: 4, column: 12 } },
    refs: [{ key: "tag", text: "v15.20.0" }],
    commit: { text: COMMIT, position: { line: 6, column: 15 } },
  });
});

test("apps in drybag.yaml itself have the same form", async () => {
  const document = parseConfigDocument(
    "/p/drybag.yaml",
    `recipe: frappe
frappe:
  version: v15.88.1
  apps:
    - {url: https://github.com/frappe/erpnext, tag: v15.88.1}
`,
    "drybag.yaml",
  );
  const { frappe } = configOf(document).project;
  if (frappe === undefined) throw new Error("no recipe");
  const pinned = await readPinnedApps(frappe);
  expect(pinned).toMatchObject({
    file: "/p/drybag.yaml",
    findings: [],
    apps: [{ refs: [{ key: "tag", text: "v15.88.1", position: { line: 5, column: 53 } }] }],
  });
});

describe("what is wrong, with its place:", () => {
  test.each([
    ["", "apps-not-json", 1, 1],
    ['[\n  {"url": "u",}\n]', "apps-not-json", 2, 15],
    ['[{"url": "u"}', "apps-not-json", 1, 14],
    ['[{"url": }]', "apps-not-json", 1, 10],
    ['[{"url": tru}]', "apps-not-json", 1, 13],
    ['{"url": "u"}', "apps-not-json", 1, 1],
    ["[1]", "apps-entry", 1, 2],
    ['[{"branch": "v1"}]', "apps-entry", 1, 2],
    ['[{"url": 5}]', "apps-entry", 1, 10],
    ['[{"url": "u", "url": "v"}]', "apps-entry", 1, 15],
    ['[{"url": "u", "commit": "abc"}]', "apps-entry", 1, 25],
    ['[{"url": "u",\n "brunch": "v1"}]', "apps-unknown-key", 2, 2],
  ])("%j: %s at %d:%d", (text, code, line, column) => {
    const { findings } = parseAppsFile("apps.json", text);
    expect(findings).toEqual([
      expect.objectContaining({
        code,
        severity: "error",
        position: { file: "apps.json", line, column },
        remedy: expect.stringMatching(/\w/),
      }),
    ]);
  });

  test("all at once, and what is right beside it is read", () => {
    const { apps, findings } = parseAppsFile("apps.json", '[{"url": "a"}, 1, {"url": "b", "x": "y"}, {}]');
    expect(apps.map(appName)).toEqual(["a", "b"]);
    expect(findings.map(({ code }) => code)).toEqual(["apps-entry", "apps-unknown-key", "apps-entry"]);
  });

  test("a file that is broken beside a token does not show it", () => {
    const text = '[{"url": "https://x:hunter2@y/z" "branch": "v1"}]';
    expect(JSON.stringify(parseAppsFile("apps.json", text).findings)).not.toContain("hunter2");
  });
});
