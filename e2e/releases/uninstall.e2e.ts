import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { containersOf } from "../support/installer.ts";
import { Releases } from "./releases.ts";

const EXECUTABLE = path.resolve(import.meta.dirname, "../../packages/installer/dist/drybag-site-linux-amd64");

let releases: Releases;

beforeAll(async () => {
  releases = await Releases.open("rel-uninstall", { site: { imageStore: "containerd" } });
  await releases.makeSigner("ours");
  await releases.packRelease("1", "ours");
  await releases.installFirst("1");
  await releases.inApp("echo precious >/kept/data; echo precious >/things/data");
});

afterAll(() => releases?.[Symbol.asyncDispose]());

test("the executable keeps itself there as drybag-site, unless told not to", async () => {
  const install = ["install", releases.folder("1"), "--yes", "--dir", releases.dir];
  await releases.site.exec([EXECUTABLE, ...install, "--no-self-install"]);
  expect(await readdir(releases.dir)).toEqual(["stack"]);
  const { stdout } = await releases.site.exec([EXECUTABLE, ...install]);
  const program = path.join(releases.dir, "bin", "drybag-site");
  expect(stdout).toContain(`Look again:  ${program} status stack --dir ${releases.dir}`);
  await releases.site.exec([program, "status", "stack", "--dir", releases.dir]);
  await rm(path.join(releases.dir, "bin"), { recursive: true });
});

test("uninstall keeps the data, and installing again finds it", async () => {
  const gone = await releases.run("uninstall", "stack", "--yes");
  expect(gone).toMatchObject({ exitCode: 0, volumes: ["stack_things"], volumesRemoved: false });
  expect(await containersOf(releases.site, "stack")).toEqual([]);
  expect((await readdir(path.join(releases.dir, "stack"))).sort()).toEqual([
    "data",
    "journal.ndjson",
    "signer.pub",
    "site.env",
    "tasks.json",
  ]);
  expect((await releases.run("status")).error?.code).toBe("release-not-found");
  expect((await releases.install("1")).trust).toBe("same");
  expect(await releases.inApp("cat /kept/data /things/data")).toBe("precious\nprecious");
});

test("uninstall takes the data only when the name was typed", async () => {
  const refused = await releases.run("uninstall", "stack", "--yes", "--volumes");
  expect(refused).toMatchObject({ exitCode: 2, error: { code: "usage", hint: "add --confirm stack" } });
  const wrong = await releases.run("uninstall", "stack", "--yes", "--volumes", "--confirm", "stakc");
  expect(wrong).toMatchObject({
    exitCode: 2,
    error: { message: expect.stringContaining("is not the name") },
  });
  expect(await releases.inApp("cat /things/data")).toBe("precious");
  const volumesOfApp = '{{range .Mounts}}{{if eq .Type "volume"}}{{.Name}} {{end}}{{end}}';
  const { stdout } = await releases.site.docker(["inspect", "--format", volumesOfApp, "stack-app-1"]);
  const mounted = String(stdout).trim().split(" ");
  expect(mounted).toHaveLength(2);
  const gone = await releases.run("uninstall", "stack", "--yes", "--volumes", "--confirm", "stack");
  expect(gone).toMatchObject({ exitCode: 0, volumesRemoved: true, folder: null });
  const left = String((await releases.site.docker(["volume", "ls", "--quiet"])).stdout).split("\n");
  expect(left.filter((volume) => mounted.includes(volume) || volume.startsWith("stack_"))).toEqual([]);
  expect(await readdir(releases.dir)).toEqual([]);
});
