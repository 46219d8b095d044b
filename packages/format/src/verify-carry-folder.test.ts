import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { readFile, rename, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { writeChecksums } from "./checksums.ts";
import { carryFolderSizeBytes, findBundle } from "./find-bundle.ts";
import { sha256Hex } from "./sha256.ts";
import { temporaryFolder } from "./testing/temporary-folder.ts";
import { tinyBundle } from "./testing/tiny-bundle.ts";
import { archiveBytes, placeArchive } from "./testing/written-bundle.ts";
import { verifyCarryFolder } from "./verify-carry-folder.ts";
import { writeBundle } from "./write-bundle.ts";
import { writeFileAtomically } from "./write-file.ts";

/** A carry folder with a bundle in six parts and an installer. */
async function carryFolder() {
  const folder = await temporaryFolder();
  const directory = folder.path;
  const bundle = tinyBundle({ layerSizes: [60_000, 3000, 1000] });
  const { parts } = await writeBundle({ directory, stem: "tiny-1.0", ...bundle, partSizeBytes: 15_000 });
  await writeFileAtomically(join(directory, "install.sh"), "#!/bin/sh\n", { mode: 0o755 });
  await writeChecksums(directory, [
    ...parts,
    { name: "install.sh", sha256: sha256Hex(Buffer.from("#!/bin/sh\n")) },
  ]);
  const damage = async (name: string, at: number) => {
    const bytes = await readFile(join(directory, name));
    bytes[at] = (bytes[at] ?? 0) ^ 4;
    await writeFile(join(directory, name), bytes);
  };
  return { ...folder, directory, bundle, parts, damage };
}

const part = (number: number) => `tiny-1.0.tar.00${number}`;

test("a good folder has no findings, and each byte is read once", async () => {
  await using folder = await carryFolder();
  expect(folder.parts.length).toBeGreaterThan(5);
  let read = 0;
  const { bundle, findings } = await verifyCarryFolder(folder.directory, {
    onBytes: (more) => (read += more),
  });
  expect(findings).toEqual([]);
  expect(bundle?.manifest).toEqual(folder.bundle.manifest);
  expect(read).toBe(await carryFolderSizeBytes(await findBundle(folder.directory)));
  expect(read).toBe(folder.parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) + "#!/bin/sh\n".length);
});

test("whoever trusts the parts has each of them compared, and all that is not a body", async () => {
  await using folder = await carryFolder();
  const verify = () => verifyCarryFolder(folder.directory, { trustsParts: true });
  expect((await verify()).findings).toEqual([]);
  for (const { name, sizeBytes } of folder.parts) {
    await folder.damage(name, sizeBytes >> 1);
    const messages = (await verify()).findings.map(({ message }) => message).join("\n");
    expect(messages).toContain(`${name} is damaged: its sha256 is not the one in SHA256SUMS.`);
    await folder.damage(name, sizeBytes >> 1);
  }
  // Nobody says what the parts must be: bodies are judged by themselves.
  await rm(join(folder.directory, "SHA256SUMS"));
  await folder.damage(part(3), 1000);
  expect((await verify()).findings).toMatchObject([
    { code: "digest-mismatch", message: expect.stringContaining(part(3)) },
    { code: "checksums-missing" },
  ]);
});

test("names in another case than SHA256SUMS has are the same files", async () => {
  await using folder = await carryFolder();
  for (const name of [part(2), "install.sh"])
    await rename(join(folder.directory, name), join(folder.directory, name.toUpperCase()));
  expect((await verifyCarryFolder(join(folder.directory, part(1)))).findings).toEqual([]);
  await folder.damage("INSTALL.SH", 3);
  expect((await verifyCarryFolder(join(folder.directory, part(1)))).findings).toMatchObject([
    { code: "digest-mismatch", message: expect.stringMatching(/^install\.sh is damaged/) },
  ]);
});

describe("says all that is wrong:", () => {
  test("a pipe and a device in the place of files, without waiting for them", async () => {
    await using folder = await carryFolder();
    const sh = join(folder.directory, "install.sh");
    await rm(sh);
    execFileSync("mkfifo", [sh]);
    const notAFile = [{ code: "bundle-unreadable", message: `${sh} is not a file.` }];
    expect((await verifyCarryFolder(folder.directory)).findings).toMatchObject(notAFile);
    await rm(sh);
    await symlink("/dev/zero", sh);
    expect((await verifyCarryFolder(folder.directory)).findings).toMatchObject(notAFile);
  });

  test("each damaged part, with what it holds, and a damaged file", async () => {
    await using folder = await carryFolder();
    for (const number of [3, 5]) await folder.damage(part(number), 100);
    await folder.damage("install.sh", 3);
    const { bundle, findings } = await verifyCarryFolder(folder.directory);
    expect(bundle).toBeDefined();
    expect(
      findings.map(({ code, message }) => `${code}: ${message.replace(/sha256\/[0-9a-f]+/g, "sha256/…")}`),
    ).toEqual([
      `digest-mismatch: ${part(3)} is damaged: its sha256 is not the one in SHA256SUMS. It holds blobs/sha256/….`,
      `digest-mismatch: ${part(5)} is damaged: its sha256 is not the one in SHA256SUMS. It holds blobs/sha256/….`,
      "digest-mismatch: install.sh is damaged: its sha256 is not the one in SHA256SUMS.",
    ]);
    expect(findings[0]?.remedy).toBe(`Copy ${part(3)} again from where the bundle was made.`);
  });

  test("damaged parts also where the manifest is damaged", async () => {
    await using folder = await carryFolder();
    for (const number of [1, 3]) await folder.damage(part(number), 2000);
    const { bundle, findings } = await verifyCarryFolder(folder.directory);
    expect(bundle).toBeUndefined();
    const messages = findings.map(({ message }) => message);
    expect(messages).toContainEqual(`drybag.json in ${part(1)} is damaged.`);
    for (const number of [1, 3])
      expect(messages).toContainEqual(expect.stringContaining(`${part(number)} is damaged`));
    expect(messages.join()).not.toContain(part(2));
  });

  test("a part that is cut short, and another that is damaged", async () => {
    await using folder = await carryFolder();
    await truncate(join(folder.directory, part(3)), 14_000);
    await folder.damage(part(5), 100);
    const { findings } = await verifyCarryFolder(folder.directory);
    expect(findings.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      `bundle-truncated: ${part(3)} is cut short: 1000 bytes are missing.`,
      `digest-mismatch: ${part(5)} is damaged: its sha256 is not the one in SHA256SUMS.`,
    ]);
  });

  test("missing parts and files, and the damaged among the rest", async () => {
    await using folder = await carryFolder();
    await rm(join(folder.directory, part(3)));
    await rm(join(folder.directory, part(folder.parts.length)));
    await rm(join(folder.directory, "install.sh"));
    await folder.damage(part(4), 100);
    const { bundle, findings } = await verifyCarryFolder(folder.directory);
    expect(bundle?.manifest.name).toBe("tiny");
    expect(findings.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      `bundle-part-missing: ${part(3)}, ${part(folder.parts.length)} are missing in ${folder.directory}.`,
      `bundle-part-missing: install.sh is missing in ${folder.directory}.`,
      `digest-mismatch: ${part(4)} is damaged: its sha256 is not the one in SHA256SUMS.`,
    ]);
  });

  test("a first part that is missing", async () => {
    await using folder = await carryFolder();
    await rm(join(folder.directory, part(1)));
    const { bundle, findings } = await verifyCarryFolder(folder.directory);
    expect(bundle).toBeUndefined();
    expect(new Set(findings.map(({ code }) => code))).toEqual(new Set(["bundle-part-missing"]));
  });

  test("files that are not listed, but not what file managers leave", async () => {
    await using folder = await carryFolder();
    for (const name of ["holiday.jpg", "._install.sh", ".DS_Store"]) {
      await writeFile(join(folder.directory, name), "");
    }
    const { findings } = await verifyCarryFolder(folder.directory);
    expect(findings).toEqual([
      expect.objectContaining({
        code: "file-not-listed",
        severity: "warning",
        message: expect.stringContaining("holiday"),
      }),
    ]);
  });

  test("no SHA256SUMS, and a damaged entry all the same", async () => {
    await using folder = await carryFolder();
    await rm(join(folder.directory, "SHA256SUMS"));
    const whole = await verifyCarryFolder(folder.directory);
    expect(whole.findings.map(({ code, severity }) => `${severity} ${code}`)).toEqual([
      "warning checksums-missing",
    ]);
    await folder.damage(part(4), 100);
    const { findings } = await verifyCarryFolder(folder.directory);
    expect(findings.map(({ code }) => code)).toEqual(["digest-mismatch", "checksums-missing"]);
    expect(findings[0]?.message).toContain(part(4));
  });

  test("a SHA256SUMS that cannot be read, or does not list a part", async () => {
    await using folder = await carryFolder();
    const path = join(folder.directory, "SHA256SUMS");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace("a", "g"));
    expect((await verifyCarryFolder(folder.directory)).findings.map(({ code }) => code)).toEqual([
      "checksums-invalid",
    ]);
    await writeFile(path, text.replace(/.*tar\.002\n/, ""));
    const { findings } = await verifyCarryFolder(folder.directory);
    expect(findings.map(({ message }) => message)).toEqual([`SHA256SUMS does not list ${part(2)}.`]);
  });
});

test("stops when asked", async () => {
  await using folder = await carryFolder();
  const control = new AbortController();
  const verifying = verifyCarryFolder(folder.directory, {
    signal: control.signal,
    onBytes: () => control.abort(new Error("Ctrl-C")),
  });
  await expect(verifying).rejects.toThrow("Ctrl-C");
});

test("parts that were compared before a failure are not read once more", async () => {
  await using folder = await temporaryFolder();
  const bytes = await archiveBytes(folder.path, tinyBundle({ layerSizes: [900_000, 900_000] }));
  const partSizeBytes = 600_000;
  const names = await placeArchive(folder.path, bytes, { partSizeBytes });
  const [last = ""] = names.slice(-1);
  let read = 0;
  const { findings } = await verifyCarryFolder(folder.path, {
    onBytes: (more) => {
      // Pulled out while the first part is read.
      if (read === 0) rmSync(join(folder.path, last));
      read += more;
    },
  });
  expect(new Set(findings.map(({ code }) => code))).toEqual(new Set(["bundle-part-missing"]));
  expect(read).toBe((names.length - 1) * partSizeBytes);
});
