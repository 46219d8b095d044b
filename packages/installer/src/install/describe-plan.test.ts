import type { Manifest } from "@drybag/format";
import { expect, test } from "vitest";
import { describePlan, type InstallPlan, planAsJson } from "./describe-plan.ts";

const SECRET = "never-seen";
const manifest = {
  version: "2",
  images: [{ tag: "a:1" }, { tag: "b:1" }],
  services: [{ name: "web" }, { name: "db" }],
  settings: [
    { name: "HOST", required: true, secret: false },
    { name: "DB_PASSWORD", required: true, secret: true },
    { name: "PORT", required: false, secret: false, default: "8080" },
  ],
} as unknown as Manifest;

const plan: InstallPlan = {
  name: "erp",
  manifest,
  manifestSha256: "ab",
  signer: { signer: { keyType: "ssh-ed25519", fingerprint: "SHA256:x", base64: "eA==" }, trust: "same" },
  release: "2-ab",
  folder: "/opt/drybag/erp/releases/2-ab",
  previous: "1-cd",
  carriedCompose: undefined,
  load: { images: [{ tag: "b:1" }], entries: new Set(), storedBytes: 1024, unpackedBytes: 4096 } as never,
  tasks: ["drain", "migrate"],
  backup: true,
  answers: new Map([
    ["HOST", `a-name-that-is-long.${"x".repeat(80)}`],
    ["DB_PASSWORD", SECRET],
  ]),
  findings: [],
};

test("the plan says what changes, who signed it and every setting, but no secret", () => {
  const text = describePlan(plan);
  for (const line of [
    /^release +2-ab$/m,
    /^signed by +SHA256:x \(as before\)$/m,
    /^runs now +1-cd$/m,
    /^images +1 of 2 to load/m,
    /^tasks +drain, migrate$/m,
    /^data +backed up first/m,
    /^HOST +this site +a-name/m,
    /^DB_PASSWORD +this site +\(hidden\)$/m,
    /^PORT +default +8080$/m,
  ]) {
    expect(text).toMatch(line);
  }
  expect(text + JSON.stringify(planAsJson(plan))).not.toContain(SECRET);
});

test("a narrow terminal gets lines that fit, with names and origins whole", () => {
  const lines = describePlan(plan, 40).split("\n");
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(40);
  expect(lines).toContainEqual(expect.stringMatching(/^HOST +this site +a-name.*\.\.\.$/));
  expect(lines.join("\n")).toContain(
    "data       backed up first; the stack is\n           stopped for the time\n",
  );
});

test("for programs it is one object", () => {
  expect(planAsJson(plan)).toMatchObject({
    release: "2-ab",
    previousRelease: "1-cd",
    signer: "SHA256:x",
    images: [
      { tag: "a:1", load: false },
      { tag: "b:1", load: true },
    ],
    services: ["web", "db"],
    tasks: ["drain", "migrate"],
    backup: true,
  });
});
