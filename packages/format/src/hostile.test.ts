import { performance } from "node:perf_hooks";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { type ErrorCode, isDrybagError } from "@drybag/errors";
import { pack } from "tar-stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Manifest } from "./manifest.ts";
import { blobEntry } from "./names.ts";
import { openBundle } from "./open-bundle.ts";
import { serializeManifest } from "./parse-manifest.ts";
import { readBundle } from "./read-bundle.ts";
import { sha256Hex } from "./sha256.ts";
import { requireTrustedSigner } from "./signature/bundle-signer.ts";
import { parseTrustedSigners } from "./signature/trusted-signers.ts";
import { checksum, encodeHeader, type TarItem } from "./tar-header.ts";
import { testSigner } from "./testing/ssh-signer.ts";
import { temporaryFolder } from "./testing/temporary-folder.ts";
import { type TinyBundle, tinyBundle } from "./testing/tiny-bundle.ts";
import { archiveBytes, layoutOf, type Place, placeArchive, STEM } from "./testing/written-bundle.ts";
import { forgedFrame, RLE_BLOCK, skippableFrame, toldFrame } from "./testing/zstd-streams.ts";
import { verifyCarryFolder } from "./verify-carry-folder.ts";

/**
 * What somebody who wants to do harm may hand over. Each is refused with its own code, in little time and memory, and before a byte of a
 * layer is given out, which is the first thing that an engine would get.
 */

const SLOWEST_MS = 30_000;
const MOST_MEMORY_BYTES = 150 * 1024 ** 2;

let memoryBefore: number;
beforeAll(() => {
  memoryBefore = process.resourceUsage().maxRSS * 1024;
});
afterAll(() => {
  expect(process.resourceUsage().maxRSS * 1024 - memoryBefore).toBeLessThan(MOST_MEMORY_BYTES);
});

/** A change of the archive that leaves everything else as it is, and SHA256SUMS fits it: only the reader's own rules can find it. */
type Forgery = (bytes: Buffer, places: Map<string, Place>) => Buffer | undefined;

interface Refused {
  code: ErrorCode;
  message: string;
  /** Bytes of layers that came out before. */
  layerBytes: number;
}

async function refused(path: string): Promise<Refused> {
  const startedMs = performance.now();
  let layerBytes = 0;
  try {
    const bundle = await openBundle(path);
    const layers = new Set(bundle.manifest.layers.map(({ digest }) => blobEntry(digest)));
    for await (const { entry, body } of readBundle(bundle)) {
      for await (const chunk of body) if (layers.has(entry.path)) layerBytes += (chunk as Buffer).length;
    }
  } catch (error) {
    if (!isDrybagError(error)) throw error;
    expect(performance.now() - startedMs).toBeLessThan(SLOWEST_MS);
    // Verifying says the same.
    const { findings } = await verifyCarryFolder(path);
    expect(findings.map(({ code }) => code)).toContain(error.code);
    return { code: error.code, message: error.message, layerBytes };
  }
  throw new Error("not refused");
}

async function refusedForgery(forge: Forgery, bundle: TinyBundle = tinyBundle()): Promise<Refused> {
  await using folder = await temporaryFolder();
  const bytes = await archiveBytes(folder.path, bundle);
  const places = new Map(layoutOf(bundle).map((place) => [place.path, place]));
  await placeArchive(folder.path, forge(bytes, places) ?? bytes);
  return await refused(folder.path);
}

/** Puts another header in the place of that of `path`. Fields may be anything; the checksum is right. */
function reheader(path: string, change: (header: Buffer) => void): Forgery {
  return (bytes, places) => {
    const start = places.get(path)?.headerStart ?? Number.NaN;
    const header = bytes.subarray(start, start + 512);
    change(header);
    header.write(`${checksum(header).toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    return undefined;
  };
}

function rename(path: string, name: string): Forgery {
  return reheader(path, (header) => header.fill(0, 0, 100).write(name));
}

function retype(path: string, type: string, linkName = ""): Forgery {
  return reheader(path, (header) => {
    header.write(type, 156, "latin1");
    header.write(linkName, 157, "latin1");
  });
}

const ENV = "project/.env";

describe("an entry is refused that", () => {
  test.each<[string, ErrorCode, Forgery, RegExp?]>([
    ["is absolute", "entry-absolute", rename(ENV, "/etc/passwd"), /"\/etc\/passwd"/],
    ["climbs", "entry-climbs", rename(ENV, "project/../../etc/passwd")],
    ["climbs by its prefix", "entry-climbs", reheader(ENV, (it) => it.write("..", 345))],
    ["has a control character", "entry-name", rename(ENV, "project/a\u001b[2J"), /control/],
    ["has a backslash", "entry-name", rename(ENV, "project\\.env")],
    ["is not listed", "entry-extra", rename(ENV, "project/.evil"), /"project\/\.evil", which the manifest/],
    ["is there twice", "entry-duplicate", rename("project/compose.yaml", ENV)],
    ["is a second manifest", "entry-duplicate", rename(ENV, "drybag.json")],
    ["comes too early", "entry-order", rename(ENV, "project/compose.yaml")],
    ["is a hard link", "entry-link", retype(ENV, "1", "/etc/shadow"), /hard link/],
    ["is a symbolic link", "entry-link", retype(ENV, "2", "/etc/shadow"), /symbolic link/],
    ["is a character device", "entry-device", retype(ENV, "3")],
    ["is a block device", "entry-device", retype(ENV, "4")],
    ["is a FIFO", "entry-device", retype(ENV, "6")],
    ["is sparse", "entry-sparse", retype(ENV, "S")],
    ["is a folder", "entry-type", retype(ENV, "5")],
    ["is contiguous", "entry-type", retype(ENV, "7")],
    ["is old", "entry-type", retype(ENV, "\0"), /old-style/],
    ["has an unknown type", "entry-type", retype(ENV, "Q"), /unknown type "Q"/],
    ["has a pax header", "entry-pax", retype(ENV, "x")],
    ["has a global pax header", "entry-pax", retype(ENV, "g"), /global/],
    ["has a GNU long name", "entry-pax", retype(ENV, "L")],
    ["has a GNU long link", "entry-pax", retype(ENV, "K")],
    ["is larger", "entry-size", reheader(ENV, (it) => it.write("00000000777", 124))],
    ["is smaller", "entry-size", reheader(ENV, (it) => it.write("00000000001", 124))],
    ["has a size in base 256", "entry-size", reheader(ENV, (it) => it.writeUInt8(0x80, 124))],
    ["is setuid", "entry-header", reheader(ENV, (it) => it.write("0004755", 100)), /mode/],
    ["has an owner", "entry-header", reheader(ENV, (it) => it.write("0001750", 108))],
    ["has a user name", "entry-header", reheader(ENV, (it) => it.write("root", 265))],
    ["has another time", "entry-header", reheader(ENV, (it) => it.write("00000000001", 136))],
    ["has something behind its fields", "entry-header", reheader(ENV, (it) => it.write("!", 511))],
    ["is of GNU's kind", "entry-header", reheader(ENV, (it) => it.write("ustar  \0", 257)), /spelling/],
    [
      "has a wrong checksum",
      "digest-mismatch",
      headerByte(ENV, 148),
      /header of project\/\.env in tiny-1\.0\.tar/,
    ],
    [
      "is only zeros",
      "bundle-truncated",
      (bytes, places) => zero(bytes, places, ENV),
      /end of the archive before/,
    ],
    [
      "has something in its padding",
      "digest-mismatch",
      padding(ENV),
      /more than zeros behind project\/\.env/,
    ],
    ["has another body", "digest-mismatch", body(ENV)],
  ])("%s: %s", async (_, code, forge, message = /./) => {
    expect(await refusedForgery(forge)).toMatchObject({
      code,
      message: expect.stringMatching(message),
      layerBytes: 0,
    });
  });

  test.each<[string, (at: TarItem) => TarItem]>([
    ["another path", (item) => ({ ...item, path: item.path.replace("deep/", "evil/") })],
    ["a climbing path", (item) => ({ ...item, path: item.path.replace("deep/", "../..") })],
    ["a comment instead of a path", (item) => ({ ...item, path: "a", comment: item.path.slice(0, -3) })],
  ])("says in pax %s: entry-pax", async (_, change) => {
    const path = `${"deep/".repeat(40)}ä`;
    const bundle = tinyBundle({ project: { [path]: "content" } });
    const forge: Forgery = (bytes, places) => {
      const place = places.get(`project/${path}`);
      if (place === undefined) throw new Error("no such entry");
      const item: TarItem = { path: `project/${path}`, type: "file", sizeBytes: 7, mode: 0o644 };
      const forged = encodeHeader(change(item), 0);
      expect(forged.length).toBe(place.bodyStart - place.headerStart);
      forged.copy(bytes, place.headerStart);
      return undefined;
    };
    expect(await refusedForgery(forge, bundle)).toMatchObject({ code: "entry-pax", layerBytes: 0 });
  });
});

function headerByte(path: string, offset: number): Forgery {
  return (bytes, places) => flip(bytes, (places.get(path)?.headerStart ?? Number.NaN) + offset, 1);
}

function body(path: string): Forgery {
  return (bytes, places) => flip(bytes, places.get(path)?.bodyStart ?? Number.NaN, 1);
}

function padding(path: string): Forgery {
  return (bytes, places) => flip(bytes, places.get(path)?.bodyEnd ?? Number.NaN, 1);
}

function flip(bytes: Buffer, at: number, mask: number): undefined {
  bytes[at] = (bytes[at] ?? 0) ^ mask;
}

function zero(bytes: Buffer, places: Map<string, Place>, path: string): undefined {
  const { headerStart = 0, end = 0 } = places.get(path) ?? {};
  bytes.fill(0, headerStart, end);
}

describe("an archive is refused that", () => {
  test.each<[string, ErrorCode, Forgery, RegExp?]>([
    [
      "has more behind its end",
      "bundle-trailing",
      (bytes) => Buffer.concat([bytes, Buffer.alloc(512)]),
      /512 bytes/,
    ],
    ["is followed by another", "bundle-trailing", (bytes) => Buffer.concat([bytes, bytes])],
    [
      "lacks an entry",
      "entry-missing",
      (bytes, places) => without(bytes, places, ENV),
      /project\/\.env is not there/,
    ],
    ["lacks its last layer", "bundle-truncated", (bytes) => bytes.subarray(0, -4096)],
    ["has an entry twice", "entry-duplicate", (bytes, places) => doubled(bytes, places, ENV)],
    ["has an entry more", "entry-extra", inserted("project/.evil")],
    ["has an absolute entry more", "entry-absolute", inserted("/etc/cron.d/evil")],
    ["has two entries swapped", "entry-order", swapped],
    [
      "has no end",
      "digest-mismatch",
      (bytes) => bytes.fill(1, bytes.length - 1024),
      /the end of the archive/,
    ],
    ["is empty", "bundle-truncated", () => Buffer.alloc(0)],
    ["is only zeros", "digest-mismatch", (bytes) => bytes.fill(0), /header of drybag/],
    ["is something else", "digest-mismatch", (bytes) => Buffer.from("hello\n".repeat(bytes.length / 6))],
    [
      "is compressed",
      "digest-mismatch",
      (bytes) => Buffer.concat([Buffer.from([0x1f, 0x8b]), bytes.subarray(2)]),
    ],
  ])("%s: %s", async (title, code, forge, message = /./) => {
    const { layerBytes, ...found } = await refusedForgery(forge);
    expect(found).toMatchObject({ code, message: expect.stringMatching(message) });
    // Only the end is not seen before the layers; then the last of them is held back.
    if (title !== "has no end") expect(layerBytes).toBe(0);
  });

  test("is another tar: bundle-foreign", async () => {
    const archive = pack();
    archive.entry({ name: "manifest.json" }, "[]".padEnd(3000));
    archive.finalize();
    const bytes = await buffer(archive);
    expect(await refusedForgery(() => bytes)).toMatchObject({
      code: "bundle-foreign",
      message: `${STEM}.tar is a tar, but not a Drybag bundle.`,
    });
  });

  test("has a manifest of 1 GB: manifest-too-large, without reading it", async () => {
    const forge: Forgery = (bytes) => {
      const comment = `sha256:${"0".repeat(64)}`;
      const item: TarItem = { path: "drybag.json", type: "file", sizeBytes: 1e9, mode: 0o644, comment };
      encodeHeader(item, 0).copy(bytes);
      return undefined;
    };
    expect(await refusedForgery(forge)).toMatchObject({
      code: "manifest-too-large",
      message: expect.stringMatching(/has 1000000000 bytes/),
    });
  });
});

describe("a manifest is refused that lies about", () => {
  /** The same tar under a manifest that says something else; everything that follows from it is made to fit. */
  async function refusedLie(lie: (manifest: Manifest) => Manifest): Promise<Refused> {
    await using folder = await temporaryFolder();
    const bundle = tinyBundle();
    const bytes = await archiveBytes(folder.path, bundle);
    const [first] = layoutOf(bundle);
    const json = Buffer.from(`${JSON.stringify(lie(structuredClone(bundle.manifest)), null, 2)}\n`);
    const comment = `sha256:${sha256Hex(json)}`;
    const header = encodeHeader(
      { path: "drybag.json", type: "file", sizeBytes: json.length, mode: 0o644, comment },
      0,
    );
    const forged = Buffer.concat([
      header,
      json,
      Buffer.alloc(-json.length & 511),
      bytes.subarray(first?.end),
    ]);
    await placeArchive(folder.path, forged);
    return await refused(folder.path);
  }

  const change = (path: string, fields: object) => (manifest: Manifest) => {
    const entry = manifest.entries.find((each) => each.path.startsWith(path));
    Object.assign(entry ?? {}, fields);
    return manifest;
  };

  test.each<[string, ErrorCode, (manifest: Manifest) => Manifest]>([
    ["the size of a file", "entry-size", change(ENV, { sizeBytes: 11 })],
    ["the digest of a file", "digest-mismatch", change(ENV, { sha256: "0".repeat(64) })],
    ["the mode of a file", "entry-header", change(ENV, { mode: 0o755 })],
    ["a file that is not there", "entry-missing", withEntry("project/a-ghost")],
    ["a file that is there", "entry-extra", withoutEntry(ENV)],
    [
      "the digest of a layer",
      "manifest-invalid",
      (it) => ({
        ...it,
        layers: it.layers.map((layer) => ({ ...layer, digest: `sha256:${"0".repeat(64)}` })),
      }),
    ],
    ["the number of layers", "manifest-invalid", (it) => ({ ...it, layers: it.layers.slice(1) })],
    ["the number of images", "manifest-invalid", (it) => ({ ...it, images: it.images.slice(1) })],
    [
      "the manifest of an image",
      "manifest-invalid",
      (it) => ({
        ...it,
        images: it.images.map((image) => ({ ...image, manifestDigest: it.images[0]?.manifestDigest ?? "" })),
      }),
    ],
    [
      "the sizes of images",
      "manifest-invalid",
      (it) => ({ ...it, images: it.images.map((image) => ({ ...image, sizeBytes: 1 })) }),
    ],
  ])("%s: %s", async (_, code, lie) => {
    expect(await refusedLie(lie)).toMatchObject({ code, layerBytes: 0 });
  });
});

describe("a layer is refused that", () => {
  /** 200 MB in a few kilobytes: one byte again and again. */
  const bomb = (toldBytes?: number) =>
    forgedFrame(
      toldBytes,
      Array.from({ length: 1526 }, () => [RLE_BLOCK, 131_072, Buffer.from("x")]),
    );

  test.each<[string, ErrorCode, Buffer]>([
    ["is a bomb", "layer-bomb", bomb(1526 * 131_072)],
    ["is a bomb that lies about its size", "layer-bomb", bomb(100)],
    ["is a bomb that does not tell its size", "layer-bomb", bomb()],
    ["is a bomb in a later frame", "layer-bomb", Buffer.concat([toldFrame(Buffer.from("x")), bomb()])],
    ["is a bomb behind a frame that nobody reads", "layer-bomb", Buffer.concat([skippableFrame(9), bomb()])],
    ["is packed with something else than the manifest says", "layer-refused", gzipSync("x".repeat(1000))],
    ["is less than the manifest says", "layer-refused", toldFrame(Buffer.from("x"))],
  ])("%s: %s", async (_, code, firstLayer) => {
    const found = await refusedForgery(() => undefined, tinyBundle({ firstLayer }));
    expect(found).toMatchObject({ code, layerBytes: 0 });
  });
});

describe("a signature is refused that is", () => {
  const jane = testSigner();
  const mallory = testSigner();
  const bundle = tinyBundle();
  const other = tinyBundle({ version: "0.9" });
  const signed = (by: typeof jane, what: TinyBundle) => by.sign(serializeManifest(what.manifest));

  test.each<[string, ErrorCode, Buffer | undefined, typeof jane | undefined]>([
    ["stripped from the manifest", "signature-missing", undefined, jane],
    ["stripped from SHA256SUMS", "signature-missing", signed(jane, bundle), undefined],
    ["from another bundle", "signature-foreign", signed(jane, other), jane],
    ["for another purpose", "signature-invalid", jane.sign(serializeManifest(bundle.manifest), "file"), jane],
    ["by another key than the other one", "signatures-differ", signed(mallory, bundle), jane],
    ["no signature", "signature-invalid", Buffer.from("trust me"), jane],
  ])("%s: %s", async (_, code, signature, signer) => {
    await using folder = await temporaryFolder();
    await placeArchive(folder.path, await archiveBytes(folder.path, bundle, signature), { signer });
    expect(await refused(folder.path)).toMatchObject({ code, layerBytes: 0 });
  });

  test("by a key that is not trusted: signer-unknown; or not there at all: signature-missing", async () => {
    await using folder = await temporaryFolder();
    const trusted = parseTrustedSigners(jane.publicKey, "key", new Date(0));
    const signers = [mallory, undefined] as const;
    for (const signer of signers) {
      const signature = signer && signed(signer, bundle);
      await placeArchive(folder.path, await archiveBytes(folder.path, bundle, signature), { signer });
      const opened = await openBundle(folder.path);
      const code = signer ? "signer-unknown" : "signature-missing";
      expect(() => requireTrustedSigner(opened.signer, trusted)).toThrow(expect.objectContaining({ code }));
    }
  });
});

function withEntry(path: string) {
  return (manifest: Manifest): Manifest => {
    const entry = { type: "file", path, sizeBytes: 0, sha256: EMPTY_SHA256, mode: 0o644 } as const;
    const at = manifest.entries.findIndex((each) => each.path > path);
    return { ...manifest, entries: manifest.entries.toSpliced(at, 0, entry) };
  };
}

const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

function withoutEntry(path: string) {
  return (manifest: Manifest): Manifest => ({
    ...manifest,
    project: { ...manifest.project, envFiles: [] },
    entries: manifest.entries.filter((entry) => entry.path !== path),
  });
}

/** An entry that the manifest does not list, in front of the second one. */
function inserted(path: string): Forgery {
  return (bytes, places) => {
    const at = places.get("project/compose.yaml")?.headerStart ?? Number.NaN;
    const header = encodeHeader({ path, type: "file", sizeBytes: 0, mode: 0o644 }, 0);
    return Buffer.concat([bytes.subarray(0, at), header, bytes.subarray(at)]);
  };
}

function without(bytes: Buffer, places: Map<string, Place>, path: string): Buffer {
  const { headerStart = 0, end = 0 } = places.get(path) ?? {};
  return Buffer.concat([bytes.subarray(0, headerStart), bytes.subarray(end)]);
}

function doubled(bytes: Buffer, places: Map<string, Place>, path: string): Buffer {
  const { headerStart = 0, end = 0 } = places.get(path) ?? {};
  return Buffer.concat([bytes.subarray(0, end), bytes.subarray(headerStart)]);
}

/** The first two files of the project change places. */
function swapped(bytes: Buffer, places: Map<string, Place>): Buffer {
  const [first, second] = [places.get(ENV), places.get("project/compose.yaml")];
  if (first === undefined || second === undefined || first.end !== second.headerStart)
    throw new Error("not neighbours");
  return Buffer.concat([
    bytes.subarray(0, first.headerStart),
    bytes.subarray(second.headerStart, second.end),
    bytes.subarray(first.headerStart, first.end),
    bytes.subarray(second.end),
  ]);
}
