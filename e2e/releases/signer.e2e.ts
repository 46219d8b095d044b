import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { containersOf, imagesOf } from "../support/installer.ts";
import { Releases, SECRET } from "./releases.ts";

let releases: Releases;
let ours: string;
let theirs: string;

beforeAll(async () => {
  releases = await Releases.open("rel-signer", { site: { imageStore: "containerd" } });
  ours = await releases.makeSigner("ours");
  theirs = await releases.makeSigner("theirs");
  await releases.packRelease("1", "ours");
  await releases.packRelease("2", "ours");
  await releases.packRelease("3", "theirs");
  await releases.packRelease("4");
});

afterAll(() => releases?.[Symbol.asyncDispose]());

test("the first signed bundle brings the key, and the report says who signed", async () => {
  expect((await releases.installFirst("1")).trust).toBe("first");
  expect((await stat(path.join(releases.dir, "stack", "signer.pub"))).mode & 0o777).toBe(0o600);
  expect((await releases.install("2")).trust).toBe("same");
  const page = await readFile(path.join(releases.dir, "stack", "current", "report.txt"), "utf8");
  expect(page).toMatch(/^outcome +installed and healthy$/m);
  expect(page).toMatch(/^images +changed +rel\/app:1$/m);
  expect(page).toContain(`signed by  ${ours} (the key of this stack's bundles so far)`);
  expect(page).toMatch(/^user +root \(uid 0\)$/m);
  expect(page).toMatch(/^app +healthy +healthy/m);
  expect(page).not.toContain(SECRET);
});

test("a bundle by another key, or by none, is refused before anything is changed", async () => {
  const before = [await imagesOf(releases.site), await containersOf(releases.site, "stack")];
  expect(await releases.install("4")).toMatchObject({ exitCode: 5, error: { code: "signature-missing" } });
  expect(await releases.install("3")).toMatchObject({
    exitCode: 5,
    error: {
      code: "signer-unknown",
      hint: expect.stringContaining(`--trust-new-key ${theirs}`),
    },
  });
  const wrong = await releases.install("3", "--trust-new-key", ours);
  expect(wrong).toMatchObject({ exitCode: 5, error: { code: "signer-unknown" } });
  expect([await imagesOf(releases.site), await containersOf(releases.site, "stack")]).toEqual(before);
});

test("a new key is trusted when its fingerprint is typed in", async () => {
  const told = await releases.install("3", "--trust-new-key", theirs);
  expect(told).toMatchObject({ exitCode: 0, trust: "new" });
  expect(await releases.install("1")).toMatchObject({ exitCode: 5, error: { code: "signer-unknown" } });
});
