import { execFile } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { bundleSizeBytes } from "./archive-items.ts";
import { writeChecksums } from "./checksums.ts";
import { serializeManifest } from "./parse-manifest.ts";
import { sha256Hex } from "./sha256.ts";
import { refusal } from "./testing/refusal.ts";
import { temporaryFolder } from "./testing/temporary-folder.ts";
import { noise, tinyBundle } from "./testing/tiny-bundle.ts";
import { type WriteBundleOptions, writeBundle } from "./write-bundle.ts";
import { writeError } from "./write-error.ts";

const run = promisify(execFile);

async function write(directory: string, options: Partial<WriteBundleOptions> = {}) {
  const bundle = tinyBundle();
  const written = await writeBundle({ directory, stem: "tiny-1.0", ...bundle, ...options });
  const files = await Promise.all(written.parts.map((part) => readFile(join(directory, part.name))));
  return { ...bundle, ...written, bytes: Buffer.concat(files), files };
}

test("golden: the bytes of a tiny bundle", async () => {
  await using folder = await temporaryFolder();
  const { bytes } = await write(folder.path);
  expect(sha256Hex(bytes)).toMatchInlineSnapshot(
    `"278a5c13528a102b64756e7f5e9f25ab98faf4902aeb4aaeb4a9bee91c3a1856"`,
  );
});

test("writes one file with the announced size and digests", async () => {
  await using folder = await temporaryFolder();
  const told: number[] = [];
  const written = await write(folder.path, { onBytes: (bytes) => told.push(bytes) });
  const { bytes, manifest } = written;

  expect(await readdir(folder.path)).toEqual(["tiny-1.0.tar"]);
  expect(written.parts).toEqual([
    { name: "tiny-1.0.tar", sizeBytes: bytes.length, sha256: sha256Hex(bytes) },
  ]);
  expect(written.sizeBytes).toBe(bytes.length);
  expect(bundleSizeBytes(manifest)).toBe(bytes.length);
  expect(written.manifestSha256).toBe(sha256Hex(serializeManifest(manifest)));
  expect(told.reduce((sum, more) => sum + more, 0)).toBe(bytes.length);
});

test.each([1000, 4096, 1])(
  "parts of %i KiB/1024 are the same bytes, cut",
  { timeout: 60_000 },
  async (partSizeBytes) => {
    await using folder = await temporaryFolder();
    await using other = await temporaryFolder();
    const whole = await write(other.path);
    const size = partSizeBytes === 1 ? Math.ceil(whole.bytes.length / 999) : partSizeBytes;
    const { bytes, parts, files } = await write(folder.path, { partSizeBytes: size });

    expect(bytes.equals(whole.bytes)).toBe(true);
    expect(parts).toEqual(
      files.map((file, index) => ({
        name: `tiny-1.0.tar.${String(index + 1).padStart(3, "0")}`,
        sizeBytes: file.length,
        sha256: sha256Hex(file),
      })),
    );
    for (const part of parts.slice(0, -1)) expect(part.sizeBytes).toBe(size);
  },
);

test("a bundle of exactly one part is one file, of one byte more is two", async () => {
  await using folder = await temporaryFolder();
  await using other = await temporaryFolder();
  const sizeBytes = bundleSizeBytes(tinyBundle().manifest);
  expect((await write(folder.path, { partSizeBytes: sizeBytes })).parts).toHaveLength(1);
  const { parts } = await write(other.path, { partSizeBytes: sizeBytes - 1 });
  expect(parts.map((part) => part.sizeBytes)).toEqual([sizeBytes - 1, 1]);
});

test("does not depend on how bodies come in pieces", async () => {
  await using folder = await temporaryFolder();
  await using other = await temporaryFolder();
  const big = tinyBundle({ layerSizes: [3_000_000, 1_500_001] });
  const steps = (step: number) => ({
    ...big,
    open: ({ path }: { path: string }) => {
      const content = big.contents.get(path) ?? Buffer.alloc(0);
      const pieces = Array.from({ length: Math.ceil(content.length / step) }, (_, at) =>
        content.subarray(at * step, (at + 1) * step),
      );
      return Promise.resolve(Readable.from(pieces));
    },
  });
  const one = await write(folder.path, { ...steps(777), partSizeBytes: 1_000_000 });
  const two = await write(other.path, { ...steps(5_000_000), partSizeBytes: 1_000_000 });
  expect(one.parts).toEqual(two.parts);
  expect(one.bytes.equals(two.bytes)).toBe(true);
});

test("tar lists and unpacks it, sha256sum checks it", async () => {
  await using folder = await temporaryFolder();
  await using site = await temporaryFolder();
  const project = { [`${"long/".repeat(60)}ä.txt`]: "far down" };
  const bundle = tinyBundle({ project });
  const { parts, bytes } = await write(folder.path, {
    ...bundle,
    partSizeBytes: 5000,
    signature: Buffer.from("signed"),
  });
  await writeChecksums(folder.path, parts);
  await run("sha256sum", ["-c", "--strict", "SHA256SUMS"], { cwd: folder.path });

  await writeFile(join(site.path, "whole.tar"), bytes);
  const { stdout } = await run("tar", ["--quoting-style=literal", "-tf", "whole.tar"], { cwd: site.path });
  expect(stdout.trim().split("\n")).toEqual([
    "drybag.json",
    "drybag.json.sig",
    ...bundle.manifest.entries.map((entry) => entry.path),
  ]);
  const { stderr } = await run("tar", ["-xf", "whole.tar"], { cwd: site.path });
  expect(stderr).toBe("");
  for (const [path, content] of bundle.contents) {
    expect((await readFile(join(site.path, path))).equals(content), path).toBe(true);
  }
  expect(await readdir(join(site.path, "project/data"))).toEqual([]);
});

describe("refuses", () => {
  test.each<[string, (path: string) => Readable, RegExp]>([
    [
      "a body that is longer",
      () => Readable.from([Buffer.alloc(2_000_000)]),
      /^digest-mismatch: project\/\.env is not/,
    ],
    [
      "a body that is shorter",
      () => Readable.from([Buffer.from("PORT")]),
      /^digest-mismatch: project\/\.env/,
    ],
    [
      "a body that is another",
      () => Readable.from([Buffer.from("PORT=8081\n")]),
      /^digest-mismatch: project\/\.env/,
    ],
    ["no body", () => Readable.from([]), /^digest-mismatch: project\/\.env/],
  ])("%s, and leaves nothing behind", async (_, body, message) => {
    await using folder = await temporaryFolder();
    const { open } = tinyBundle();
    const changed: WriteBundleOptions["open"] = (entry) =>
      entry.path === "project/.env" ? body(entry.path) : open(entry);
    expect(await refusal(() => write(folder.path, { open: changed, partSizeBytes: 100_000 }))).toMatch(
      message,
    );
    expect(await readdir(folder.path)).toEqual([]);
  });

  test("a body that fails, with its own error, and leaves nothing behind", async () => {
    await using folder = await temporaryFolder();
    const { open } = tinyBundle();
    const broken: WriteBundleOptions["open"] = (entry) =>
      entry.path.startsWith("blobs/")
        ? new Readable({
            read() {
              this.destroy(new Error("the drive fell off"));
            },
          })
        : open(entry);
    await expect(write(folder.path, { open: broken, partSizeBytes: 2000 })).rejects.toThrow(
      "the drive fell off",
    );
    expect(await readdir(folder.path)).toEqual([]);
  });

  test("a manifest that a reader would refuse", async () => {
    await using folder = await temporaryFolder();
    const { manifest } = tinyBundle();
    manifest.entries.reverse();
    expect(await refusal(() => write(folder.path, { manifest }))).toMatch(
      /^manifest-invalid: .*out of order/,
    );
    expect(await readdir(folder.path)).toEqual([]);
  });

  test.each(["tiny-1.0.tar", "tiny-1.0.tar.007"])("a folder with %s", async (name) => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, name), "another");
    expect(await refusal(() => write(folder.path))).toMatch(`output-exists: ${name} already exists`);
    expect(await readdir(folder.path)).toEqual([name]);
  });

  test("a disk that is too small, before writing", async () => {
    await using folder = await temporaryFolder();
    const { manifest } = tinyBundle();
    const [entry] = manifest.entries;
    if (entry?.type !== "file") throw new Error("no file");
    entry.sizeBytes = 2 ** 50;
    expect(await refusal(() => write(folder.path, { manifest, partSizeBytes: Infinity }))).toMatch(
      /^disk-full: /,
    );
  });

  test("parts and times that cannot be", async () => {
    await using folder = await temporaryFolder();
    for (const partSizeBytes of [0, -1, 0.5, Number.NaN, 10]) {
      expect(await refusal(() => write(folder.path, { partSizeBytes }))).toMatch(/^usage: /);
    }
    for (const mtimeSeconds of [-1, 0.5, Number.NaN, 8 ** 11]) {
      expect(await refusal(() => write(folder.path, { mtimeSeconds }))).toMatch(/^usage: /);
    }
    expect(await refusal(() => write(join(folder.path, "missing")))).toMatch(/^not-writable: /);
  });
});

describe("an abort", () => {
  test("while a body stalls ends at once and leaves nothing behind", async () => {
    await using folder = await temporaryFolder();
    const { open } = tinyBundle({ layerSizes: [3_000_000, 10] });
    const bundle = tinyBundle({ layerSizes: [3_000_000, 10] });
    const control = new AbortController();
    const stalled = new PassThrough();
    const stalling: WriteBundleOptions["open"] = (entry) => {
      if (entry.sizeBytes !== 3_000_000) return open(entry);
      stalled.write(noise(2_000_000, 1));
      setImmediate(() => control.abort(new Error("Ctrl-C")));
      return stalled;
    };
    const writing = write(folder.path, {
      ...bundle,
      open: stalling,
      signal: control.signal,
      partSizeBytes: 500_000,
    });
    await expect(writing).rejects.toThrow("Ctrl-C");
    expect(stalled.destroyed).toBe(true);
    expect(await readdir(folder.path)).toEqual([]);
  });

  test("at any moment leaves nothing behind", async () => {
    const total = bundleSizeBytes(tinyBundle().manifest);
    for (let at = 0; at < total; at += 1500) {
      await using folder = await temporaryFolder();
      const control = new AbortController();
      let written = 0;
      const onBytes = (bytes: number) => {
        written += bytes;
        if (written >= at) control.abort(new Error("Ctrl-C"));
      };
      const writing = write(folder.path, { signal: control.signal, onBytes, partSizeBytes: 3000 });
      await expect(writing).rejects.toThrow("Ctrl-C");
      expect(await readdir(folder.path)).toEqual([]);
    }
  });
});

test("errors of the file system say what to do", () => {
  const failure = (code: string) => writeError(Object.assign(new Error(code), { code }), "/media/usb/x.tar");
  expect(failure("ENOSPC")).toMatchObject({
    code: "disk-full",
    message: "No space left for /media/usb/x.tar.",
  });
  expect(failure("EFBIG")).toMatchObject({ code: "not-writable" });
  expect(failure("EROFS")).toMatchObject({ code: "not-writable" });
  expect(failure("EIO")).toMatchObject({
    code: "not-writable",
    hint: expect.stringContaining("another drive"),
  });
  expect(failure("EBADF")).not.toHaveProperty("hint");
});
