import { describe, expect, test } from "vitest";
import { parseConfigDocument } from "../../config/config-document.ts";
import type { DeclaredFrappe } from "../../config/declared-builds.ts";
import { configOf } from "../../config/load-config.ts";
import { gitAddress } from "../../git/git-address.ts";
import { checkApps } from "./check-apps.ts";
import { containerfileForm } from "./containerfile.ts";
import { isInRange, newestTag } from "./newest-tag.ts";
import { parseAppsFile } from "./read-apps.ts";
import { findCommit, type Pin } from "./resolve-app.ts";

const [A, B, C] = ["a", "b", "c"].map((digit) => digit.repeat(40)) as [string, string, string];

function frappe(version: string, commit = ""): DeclaredFrappe {
  const text = `recipe: frappe\nfrappe: {version: ${version}${commit && `, commit: ${commit}`}}`;
  return configOf(parseConfigDocument("/p/drybag.yaml", text, "drybag.yaml")).project
    .frappe as DeclaredFrappe;
}

function check(apps: object[], version = "v15.88.1", commit?: string) {
  const file = parseAppsFile("apps.json", JSON.stringify(apps));
  expect(file.findings).toEqual([]);
  return checkApps(frappe(version, commit), file.apps).map(({ code, severity }) => `${severity} ${code}`);
}

describe("pins, as they are written:", () => {
  const url = "https://github.com/frappe/erpnext";

  test.each(["main", "master", "develop", "version-15", "version-15-hotfix", "v15.x", "Main"])(
    "%s is refused, unless a commit stands beside it",
    (branch) => {
      expect(check([{ url, branch }])).toEqual(["error app-moving-ref"]);
      expect(check([{ url, branch, commit: A }])).toEqual([]);
      expect(check([{ url, tag: "v15.0.1" }], branch)).toEqual(["error app-moving-ref"]);
      expect(check([{ url, tag: "v15.0.1" }], branch, A)).toEqual([]);
    },
  );

  test.each<[string, object[], string[]]>([
    [
      "frappe itself",
      [{ url: "https://github.com/frappe/frappe.git", tag: "v15.1.0" }],
      ["error app-is-frappe"],
    ],
    ["no pin", [{ url }], ["error app-unpinned"]],
    ["tag and branch", [{ url, tag: "v15.1.0", branch: "v15.2.0" }], ["error app-two-refs"]],
    [
      "the same twice",
      [
        { url, tag: "v15.1.0" },
        { url: `${url}.git/`, tag: "v15.2.0" },
      ],
      ["error app-duplicate"],
    ],
    [
      "the same of two owners",
      [
        { url, tag: "v15.1.0" },
        { url: "git@x:me/erpnext", tag: "v15.1.0" },
      ],
      ["error app-duplicate"],
    ],
    ["a token", [{ url: "https://oauth2:hunter2hunter2@x/a/b", tag: "v1" }], ["error app-token-written"]],
    [
      "a token as user",
      [{ url: `https://ghp_${"a".repeat(36)}@x/a/b`, tag: "v1" }],
      ["error app-token-written"],
    ],
    ["another major version", [{ url, tag: "v14.70.0" }], ["warning app-major-mismatch"]],
    ["a variable for a token", [{ url: "https://oauth2:${T}@x/a/b", tag: "v1" }], []],
    ["a user without a token", [{ url: "https://git@x/a/b", tag: "v1" }], []],
    ["an app with versions of its own", [{ url: "https://x/builder", tag: "v1.2.0" }], []],
  ])("%s", (_, apps, findings) => expect(check(apps)).toEqual(findings));

  test("all at once", () => {
    expect(check([{ url, branch: "main" }, { url }, { url: "https://x/frappe", tag: "v1" }])).toEqual([
      "error app-moving-ref",
      "error app-unpinned",
      "error app-is-frappe",
      "error app-duplicate",
    ]);
  });
});

describe("what a pin means in its repository:", () => {
  const position = { file: "apps.json", line: 1, column: 1 };
  const refs = {
    tags: new Map([
      ["v1.0.0", A],
      ["v1.1.0", B],
      ["both", A],
    ]),
    branches: new Map([
      ["stable-line", B],
      ["both", B],
    ]),
  };
  const find = (ref: string | undefined, commit?: string) => {
    const pin: Pin = {
      name: "app",
      address: gitAddress("https://x/app", {}),
      hasToken: false,
      url: { text: "https://x/app", position },
      ref: ref === undefined ? undefined : { text: ref, position },
      commit: commit === undefined ? undefined : { text: commit, position },
    };
    const found = findCommit(pin, refs);
    return "findings" in found ? found.findings[0]?.code : found;
  };

  test.each([
    ["v1.0.0", undefined, { commit: A, cloneRef: "v1.0.0", ref: "v1.0.0" }],
    ["v1.0.0", A, { commit: A, cloneRef: "v1.0.0", ref: "v1.0.0" }],
    ["v1.0.0", B, "app-tag-moved"],
    ["v9", undefined, "app-ref-missing"],
    ["v9", A, "app-ref-missing"],
    // Any branch moves, whatever it is called; and git clones a branch rather than a tag of the same name.
    ["stable-line", undefined, "app-moving-ref"],
    ["both", undefined, "app-moving-ref"],
    ["stable-line", B, { commit: B, cloneRef: "stable-line", ref: "stable-line" }],
    // The branch has moved on, but a tag stands for the commit.
    ["stable-line", A, { commit: A, cloneRef: "v1.0.0", ref: "stable-line" }],
    ["stable-line", C, { commit: C, cloneRef: undefined, ref: "stable-line" }],
    [undefined, B, { commit: B, cloneRef: "v1.1.0", ref: "v1.1.0" }],
    [undefined, C, { commit: C, cloneRef: undefined, ref: C }],
  ])("%s with commit %s", (ref, commit, expected) => expect(find(ref, commit)).toEqual(expected));
});

describe("a Containerfile", () => {
  const layered = `ARG FRAPPE_BRANCH=version-15
FROM frappe/build:\${FRAPPE_BRANCH} AS builder
ARG FRAPPE_PATH
ARG APPS_JSON_BASE64
# RUN --mount=type=secret,id=gitconfig
RUN echo
FROM frappe/base:\${FRAPPE_BRANCH} AS backend
COPY --from=builder /a /b
`;

  test("with the argument in a stage that is only copied from", () => {
    expect(containerfileForm(layered, undefined)).toMatchObject({
      takesSecret: false,
      takesBase64: true,
      base64InHistory: false,
      takesGitConfig: false,
      args: new Set(["FRAPPE_BRANCH", "FRAPPE_PATH", "APPS_JSON_BASE64"]),
    });
    expect(containerfileForm(layered, "builder").base64InHistory).toBe(true);
  });

  test("with the argument in a stage that the image is built on", () => {
    const text = layered.replace("FROM frappe/base:${FRAPPE_BRANCH} AS backend", "FROM Builder");
    expect(containerfileForm(text, undefined).base64InHistory).toBe(true);
  });

  test("with the secret", () => {
    const text = `FROM a AS b
RUN --mount=type=secret,id=apps_json,target=/opt/frappe/apps.json,uid=1000 \\
  --mount=type=secret,id=gitconfig,target=/home/frappe/.gitconfig bench init
FROM c
`;
    expect(containerfileForm(text, undefined)).toMatchObject({
      takesSecret: true,
      takesBase64: false,
      takesGitConfig: true,
      secretStages: ["b"],
    });
  });
});

test("the newest tag that is released", () => {
  expect(newestTag(["v1.9.0", "v1.10.0", "v2.0.0-beta.1", "nightly"])).toBe("v1.10.0");
  expect(newestTag(["a", "b"])).toBeUndefined();
});

test.each([
  ["15.88.1", ">=15.0.0,<16.0.0", true],
  ["v16.0.0", ">=15.0.0,<16.0.0", false],
  ["15.0.0", ">=15", true],
  ["15.0.0", ">=15.0.0-dev,<17", true],
  ["14.9.9", ">=15.0.0-dev,<17", false],
  ["main", ">=15", undefined],
  ["15.1.0", "~=15.0", undefined],
])("%s in %s: %s", (version, range, expected) => expect(isInRange(version, range)).toBe(expected));
