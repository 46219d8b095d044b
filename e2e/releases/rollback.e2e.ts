import { readdir } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { imagesOf, interrupt, startInstaller, untilServices } from "../support/installer.ts";
import { Releases } from "./releases.ts";

let releases: Releases;

beforeAll(async () => {
  releases = await Releases.open("rel-rollback", { site: { imageStore: "containerd" } });
  await releases.packRelease("1");
  await releases.packRelease("2");
  await releases.installFirst("1");
  await releases.inApp("echo precious >/kept/data; echo precious >/things/data");
  expect((await releases.install("2")).exitCode).toBe(0);
});

afterAll(() => releases?.[Symbol.asyncDispose]());

test("rollback runs the release before, with its image, and leaves data alone", async () => {
  const { exitCode, error } = await releases.run("rollback", "--yes");
  expect(exitCode, JSON.stringify(error)).toBe(0);
  expect(await releases.current()).toMatch(/^1-/);
  expect(await releases.inApp("cat /version /kept/data /things/data")).toBe("1\nprecious\nprecious");
  expect((await releases.run("status")).exitCode).toBe(0);
  const { stacks } = await releases.run<{
    stacks: { releases: { version: string; state: string }[] }[];
  }>("releases");
  expect(stacks[0]?.releases.map(({ version, state }) => `${version} ${state}`)).toEqual([
    "1 current",
    "2 previous",
  ]);
});

test("Ctrl-C in a rollback says what runs, and the same command again finishes it", async () => {
  const run = startInstaller(releases.site, ["rollback", "--json", "--yes", "--dir", releases.dir]);
  await untilServices(run);
  expect(await interrupt(run)).toBeLessThan(20_000);
  expect(JSON.parse((await run).stdout)).toMatchObject({
    error: { code: "interrupted", detail: expect.stringContaining("some of its containers may run") },
  });
  expect(await releases.current()).toMatch(/^1-/);
  expect((await releases.run("rollback", "--yes")).exitCode).toBe(0);
  expect(await releases.current()).toMatch(/^2-/);
  expect(await releases.inApp("cat /version")).toBe("2");
});

test("preflight says aloud that a bundle is older", async () => {
  const { plan } = await releases.run<{ plan: { findings: object[] } }>("preflight", releases.folder("1"));
  expect(plan.findings).toMatchObject([
    { code: "release-older", severity: "warning" },
    { code: "volume-unnamed", message: "Volumes without a name: app:/unnamed. Backups hold them." },
  ]);
});

test("prune takes the old release and its image, and rollback says that it is gone", async () => {
  const release = (await readdir(path.join(releases.dir, "stack", "releases"))).find((name) =>
    name.startsWith("1-"),
  );
  const pruned = await releases.run("prune", "--keep", "0");
  expect(pruned).toMatchObject({ exitCode: 0, releases: [release], images: ["rel/app:1"], imagesInUse: [] });
  expect(await imagesOf(releases.site)).toHaveLength(1);
  expect(await releases.run("rollback", "--yes")).toMatchObject({
    exitCode: 6,
    error: { code: "release-not-found" },
  });
  expect((await releases.run("status")).exitCode).toBe(0);
});
