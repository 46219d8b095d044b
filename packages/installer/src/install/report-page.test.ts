import type { Manifest } from "@drybag/format";
import { expect, test } from "vitest";
import { changesSince } from "./changes-since.ts";
import type { InstallReport } from "./install-report.ts";
import { reportPage } from "./report-page.ts";

const manifest = (version: string, tags: string[], files: Record<string, string>) =>
  ({
    version,
    images: tags.map((tag) => ({ tag, configDigest: `sha256:${version}` })),
    services: [{ name: "app", image: tags[0], profiles: [] }],
    settings: [],
    entries: [
      ...Object.entries(files).map(([path, sha256]) => ({ type: "file", path, sha256 })),
      { type: "file", path: `blobs/sha256/${version}`, sha256: version },
    ],
  }) as unknown as Manifest;

const REPORT: InstallReport = {
  reportVersion: 1,
  name: "erp",
  version: "2",
  release: "2-0123abcd",
  folder: "/opt/drybag/erp/releases/2-0123abcd",
  previousRelease: "1-4567abcd",
  manifestSha256: "0".repeat(64),
  signer: "SHA256:abc",
  trust: "same",
  startedAt: "2026-01-01T00:00:00.000Z",
  endedAt: "2026-01-01T00:01:05.000Z",
  outcome: { state: "healthy" },
  operator: {
    user: "root",
    uid: 0,
    sudoUser: "jane",
    host: "erp-1",
    terminal: "/dev/pts/0",
    from: "10.0.0.5",
    program: "0.1.0",
  },
  changes: changesSince(
    manifest("1", ["erp:1", "cache:1"], { "project/compose.yaml": "a", "project/old": "b" }),
    manifest("2", ["erp:1", "proxy:1"], { "project/compose.yaml": "c" }),
  ),
  durationsMs: { load: 60_000, health: 5000 },
  host: { name: "erp-1", engine: "28.5.2", compose: "2.40.3", imageStore: "classic" },
  verified: { entries: 9, images: 2 },
  images: [{ tag: "erp:1", id: "sha256:1", loaded: true }],
  started: true,
  services: [
    { name: "app", state: "healthy", expected: "healthy", containers: ["erp-app-1"], ports: ["80->80/tcp"] },
  ],
  backup: null,
  tasks: [{ name: "migrate", outcome: "done", durationMs: 2500, log: null }],
  checks: [{ name: "web", state: "200" }],
  findings: [{ code: "clock-wrong", severity: "warning", message: "The clock is slow." }],
};

test("the page tells what was installed by whom, what was verified and what changed", () => {
  expect(reportPage(REPORT)).toMatchInlineSnapshot(`
    "Drybag install report: erp 2
    ============================

    Install
    -------
    stack    erp
    release  2-0123abcd
    before   1-4567abcd
    folder   /opt/drybag/erp/releases/2-0123abcd
    outcome  installed and healthy
    began    2026-01-01T00:00:00.000Z
    ended    2026-01-01T00:01:05.000Z (1 min 05 s)

    By
    --
    user       root (uid 0)
    sudo from  jane
    host       erp-1
    terminal   /dev/pts/0
    from       10.0.0.5
    program    drybag-site 0.1.0
    engine     Docker 28.5.2, image store classic
    compose    2.40.3

    Verified
    --------
    manifest   sha256:0000000000000000000000000000000000000000000000000000000000000000
    entries    9, every byte of each compared with its sha256 in the manifest
    images     2, each inspected in the engine by its ID
    signed by  SHA256:abc (the key of this stack's bundles so far)

    Changed
    -------
    images  added    proxy:1
    images  removed  cache:1
    images  changed  erp:1
    files   removed  project/old
    files   changed  project/compose.yaml

    Images
    ------
    IMAGE  LOADED  ID
    erp:1  now     sha256:1

    Health
    ------
    SERVICE  STATE    EXPECTED  PORTS
    app      healthy  healthy   80->80/tcp

    Checks
    ------
    web  200

    Tasks
    -----
    migrate  done  2.5 s

    Durations
    ---------
    load    1 min 00 s
    health  5.0 s

    Findings
    --------
    warning: The clock is slow. [clock-wrong]
    "
  `);
});

test("a failed install says so", () => {
  const outcome = { state: "failed" as const, code: "unhealthy", message: "Not healthy: app." };
  const page = reportPage({ ...REPORT, outcome, services: [], changes: null, previousRelease: null });
  expect(page).toContain("outcome  failed: Not healthy: app. [unhealthy]");
  expect(page).toContain("First install.");
});
