import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { gzipSync } from "node:zlib";
import { ERROR_EXIT_CODES, EXIT, isDrybagError } from "@drybag/errors";
import { expect, test } from "vitest";
import { selfDescribedItem } from "./archive-items.ts";
import { parseChecksums, writeChecksums } from "./checksums.ts";
import { LayerWatch } from "./layer-watch.ts";
import type { BundledLayer } from "./manifest.ts";
import { LAYER_MEDIA_TYPES } from "./names.ts";
import { openBundle } from "./open-bundle.ts";
import { parseManifest, serializeManifest } from "./parse-manifest.ts";
import { seeThroughLayer } from "./see-through-layer.ts";
import { sha256Hex } from "./sha256.ts";
import { verifySshSignature } from "./signature/ssh-signature.ts";
import { parseTrustedSigners } from "./signature/trusted-signers.ts";
import { checksum, encodeHeader, paddingBytes } from "./tar-header.ts";
import { randomNumbers } from "./testing/random-numbers.ts";
import { armored, testSigner } from "./testing/ssh-signer.ts";
import { temporaryFolder } from "./testing/temporary-folder.ts";
import { noise, tinyBundle } from "./testing/tiny-bundle.ts";
import { archiveBytes, layoutOf, placeArchive, readAll, STEM } from "./testing/written-bundle.ts";
import { skippableFrame, toldFrame, untoldFrame } from "./testing/zstd-streams.ts";
import { unpackLayer } from "./unpack-layer.ts";

/** How long each of the five runs, and where it starts; a failure names its seed. */
const SECONDS = Number(process.env.DRYBAG_FUZZ_SECONDS ?? 60) / 5;
const SEED = Number(process.env.DRYBAG_FUZZ_SEED ?? Date.now() % 2 ** 31);
/** No input that small may take longer. */
const SLOWEST_MS = 2000;

type Random = (below: number) => number;

/** Runs as long as it may; what fails says with which seed to see it again. */
async function fuzz(name: string, round: (random: Random) => Promise<void> | void): Promise<void> {
  const endMs = performance.now() + SECONDS * 1000;
  let rounds = 0;
  for (let seed = SEED; performance.now() < endMs; seed++) {
    const startedMs = performance.now();
    try {
      await round(randomNumbers(Math.imul(seed, 2654435761)));
    } catch (cause) {
      throw new Error(`${name} with DRYBAG_FUZZ_SEED=${seed}`, { cause });
    }
    rounds++;
    // A machine that is busy is no defect: only what always takes long counts.
    const tookMs = performance.now() - startedMs;
    if (tookMs > SLOWEST_MS)
      expect(tookMs, `${name} with DRYBAG_FUZZ_SEED=${seed}`).toBeLessThan(10 * SLOWEST_MS);
  }
  console.log(`${name}: ${rounds} rounds from seed ${SEED}`);
}

/** Refused as a damaged bundle, with a code of our own: anything else is a defect. */
function expectRefusal(error: unknown): void {
  if (!isDrybagError(error)) throw error;
  expect([EXIT.damaged, EXIT.project]).toContain(ERROR_EXIT_CODES[error.code]);
}

test("the reader refuses whatever is not the bundle, byte for byte", async () => {
  await using folder = await temporaryFolder();
  const bundle = tinyBundle({ layerSizes: [5000, 700, 1] });
  const original = await archiveBytes(folder.path, bundle);
  const [name = ""] = await placeArchive(folder.path, original);
  await fuzz("the reader", async (random) => {
    const bytes = mutateArchive(original, random);
    await writeFile(join(folder.path, name), bytes);
    // Half of the time SHA256SUMS fits, as an attacker would see to: then only the reader's own rules are left.
    const sha256 = sha256Hex(random(2) === 0 ? original : bytes);
    await writeChecksums(folder.path, [{ name: `${STEM}.tar`, sha256 }]);
    const { released, error } = await openBundle(folder.path).then(readAll, (error) => ({
      released: [],
      error,
    }));
    if (bytes.equals(original) && sha256 === sha256Hex(original)) return expect(error).toBeUndefined();
    expectRefusal(error);
    for (const { entry, bytes } of released) {
      const good = bundle.contents.get(entry.path) ?? Buffer.alloc(0);
      expect(bytes.equals(good) || bytes.length < good.length, entry.path).toBe(true);
    }
  });
});

const BLOCK = 512;

function mutateArchive(original: Buffer, random: Random): Buffer {
  let bytes: Buffer = Buffer.from(original);
  for (let times = 1 + random(3); times > 0; times--) {
    const blocks = Math.floor(bytes.length / BLOCK);
    const at = random(Math.max(blocks, 1)) * BLOCK;
    switch (random(9)) {
      case 0:
        flipIn(bytes, random);
        break;
      case 1:
        bytes = bytes.subarray(0, random(bytes.length + 1));
        break;
      case 2:
        bytes = Buffer.concat([bytes, original.subarray(0, random(4) * BLOCK + random(3))]);
        break;
      case 3: // a block twice
        bytes = Buffer.concat([bytes.subarray(0, at + BLOCK), bytes.subarray(at)]);
        break;
      case 4: // a block less
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + BLOCK)]);
        break;
      case 5: {
        // Two blocks in each other's place.
        const other = random(Math.max(blocks, 1)) * BLOCK;
        const copy = Buffer.from(bytes.subarray(at, at + BLOCK));
        bytes.copy(bytes, at, other, other + BLOCK);
        copy.copy(bytes, other);
        break;
      }
      case 6:
        mutateHeader(bytes.subarray(at, at + BLOCK), random);
        break;
      case 7:
        // An earlier mutation may have cut the block short; fill() refuses an end beyond it.
        bytes.fill(random(256), at, Math.min(bytes.length, at + 1 + random(BLOCK)));
        break;
      default:
        mutateOpening(bytes, random);
    }
    if (bytes.length === 0) bytes = Buffer.from([0]);
  }
  return bytes;
}

function flipIn(bytes: Buffer, random: Random): void {
  const at = random(Math.max(bytes.length, 1));
  if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
}

const FIELDS = [
  [
    0,
    100,
    ["../../etc/passwd", "/etc/passwd", "drybag.json", "project/", "manifest.json", "a\0b", "\u001b[2J"],
  ],
  [100, 8, ["0004755\0", "9999999\0", "-000644\0"]],
  [124, 12, ["77777777777\0", "\u0080\0\0\0\0\0\0\0\0\0\0\u0001", "-0000000001\0", "           \0"]],
  [136, 12, ["77777777777\0", "00000000001\0"]],
  [156, 1, ["1", "2", "3", "4", "5", "6", "7", "x", "g", "L", "K", "S", "\0", "Z"]],
  [157, 100, ["/etc/shadow", "../x"]],
  [345, 155, ["..", "/", "project"]],
] as const;

/** Another value in a field, and the checksum made right. */
function mutateHeader(block: Buffer, random: Random): void {
  if (block.length < BLOCK) return;
  const [offset, size, values] = FIELDS[random(FIELDS.length)] ?? FIELDS[0];
  block.fill(0, offset, offset + size);
  block.write(values[random(values.length)] ?? "", offset, size, "latin1");
  block.write(`${checksum(block).toString(8).padStart(6, "0")}\0 `, 148, "latin1");
}

/** Another size or comment of the manifest, with right checksums: what the reader must take from the bytes themselves. */
function mutateOpening(bytes: Buffer, random: Random): void {
  if (bytes.length < 4 * BLOCK) return;
  const header = bytes.subarray(2 * BLOCK, 3 * BLOCK);
  header.write(
    random(8 ** 11)
      .toString(8)
      .padStart(11, "0"),
    124,
    "latin1",
  );
  header.write(`${checksum(header).toString(8).padStart(6, "0")}\0 `, 148, "latin1");
}

/** What somebody can write who has a key of his own and all the time there is: only what the bytes say together is left to be checked. */
test("the reader refuses a signed bundle in parts whose manifest and bodies do not agree, or gives out what it says", async () => {
  await using folder = await temporaryFolder();
  const signer = testSigner();
  const bundle = tinyBundle({ layerSizes: [5000, 700, 1], project: { [`${"deep/".repeat(40)}ä`]: "x" } });
  const original = await archiveBytes(folder.path, bundle);
  const bodies = original.subarray(layoutOf(bundle)[0]?.end);
  let understood = 0;
  await fuzz("signed bundles", async (random) => {
    const value = JSON.parse(serializeManifest(bundle.manifest).toString()) as { entries: object[] };
    for (let times = random(3); times > 0; times--)
      mutateJson(random(2) === 0 ? value : value.entries, random);
    const json = Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
    const signature = signer.sign(json);
    const opening = [selfDescribed("drybag.json", json), selfDescribed("drybag.json.sig", signature)];
    const mutated = random(3) === 0 ? mutateArchive(bodies, random) : bodies;
    const bytes = Buffer.concat([...opening, mutated]);
    await placeArchive(folder.path, bytes, { partSizeBytes: 1 + random(bytes.length) + 20_000, signer });
    const opened = await openBundle(folder.path).catch((error) => ({ error }));
    const { released, error } = "error" in opened ? { released: [], ...opened } : await readAll(opened);
    if (error !== undefined) expectRefusal(error);
    else understood++;
    const last = released.at(-1);
    for (const { entry, bytes } of released) {
      const isWhole = entry.type === "directory" || sha256Hex(bytes) === entry.sha256;
      expect(isWhole || (error !== undefined && entry === last?.entry), entry.path).toBe(true);
    }
  });
  // Some mutations are none: it did get as far as that.
  expect(understood).toBeGreaterThan(0);
});

function selfDescribed(path: "drybag.json" | "drybag.json.sig", content: Buffer): Buffer {
  const header = encodeHeader(selfDescribedItem(path, content), 0);
  return Buffer.concat([header, content, Buffer.alloc(paddingBytes(content.length))]);
}

test("layers never become more than they say, however they are packed", async () => {
  const content = Buffer.concat([noise(3000, 1), Buffer.alloc(300_000), noise(2000, 2)]);
  const pieces = [content.subarray(0, 1000), content.subarray(1000, 4000), content.subarray(4000)];
  const packed: [string, Buffer][] = [
    [LAYER_MEDIA_TYPES.gzip, Buffer.concat(pieces.map((piece) => gzipSync(piece)))],
    [LAYER_MEDIA_TYPES.zstd, Buffer.concat(pieces.map(toldFrame))],
    [LAYER_MEDIA_TYPES.zstd, toldFrame(content)],
    [LAYER_MEDIA_TYPES.zstd, Buffer.concat([skippableFrame(20), await untoldFrame(content)])],
    [LAYER_MEDIA_TYPES.none, content],
  ];
  await fuzz("layers", async (random) => {
    const [mediaType, original] = packed[random(packed.length)] ?? ["", Buffer.alloc(0)];
    let blob: Buffer = Buffer.from(original);
    for (let times = random(4); times > 0; times--) blob = mutateBlob(blob, random);
    const layer: BundledLayer = {
      diffId: `sha256:${sha256Hex(content)}`,
      digest: `sha256:${sha256Hex(blob)}`,
      mediaType,
      sizeBytes: blob.length,
      uncompressedSizeBytes: random(4) === 0 ? random(2 * content.length) : content.length,
    };
    const at = random(blob.length + 1);
    const chunks = () => Readable.from([blob.subarray(0, at), blob.subarray(at)].filter(isNotEmpty));
    let unpackedBytes = 0;
    const count = new Writable({
      write(chunk: Buffer, _encoding, done) {
        unpackedBytes += chunk.length;
        done();
      },
    });
    const unpacking = await unpackLayer(layer, chunks(), count).catch((error) => error);
    if (unpacking !== undefined) expectRefusal(unpacking);
    expect(unpackedBytes).toBeLessThanOrEqual(layer.uncompressedSizeBytes);

    const watch = new LayerWatch(layer);
    const problem = watch.take(blob) ?? watch.end();
    // Whoever can unpack it has nothing to complain of.
    if (unpacking === undefined) expect(problem).toBeUndefined();
    let passedBytes = 0;
    const seen = await (async () => {
      for await (const chunk of seeThroughLayer(layer, chunks())) passedBytes += chunk.length;
    })().catch((error) => error);
    if (seen !== undefined) {
      expectRefusal(seen);
      expect(passedBytes).toBeLessThan(Math.max(blob.length, 1));
    }
    if (unpacking === undefined) expect(seen).toBeUndefined();
  });
});

function isNotEmpty(bytes: Buffer): boolean {
  return bytes.length > 0;
}

/** A bit, a cut, a piece twice or a piece of something else. */
function mutateBlob(blob: Buffer, random: Random): Buffer {
  const at = random(blob.length + 1);
  const end = Math.min(blob.length, at + random(300));
  switch (random(5)) {
    case 0:
      return blob.subarray(0, at);
    case 1:
      return Buffer.concat([blob.subarray(0, end), blob.subarray(at)]);
    case 2:
      return Buffer.concat([blob, toldFrame(Buffer.alloc(random(1_000_000)))]);
    case 3:
      return Buffer.concat([
        blob.subarray(0, at),
        Buffer.from(noise(random(20), random(99))),
        blob.subarray(at),
      ]);
    default: {
      const flipped = Buffer.from(blob);
      // Headers are where it counts.
      flipIn(random(2) === 0 ? flipped : flipped.subarray(0, 40), random);
      return flipped;
    }
  }
}

test("the manifest's parser refuses or understands, and never anything between", async () => {
  const original = JSON.parse(serializeManifest(tinyBundle().manifest).toString()) as unknown;
  await fuzz("the manifest's parser", (random) => {
    const value = structuredClone(original);
    for (let times = 1 + random(3); times > 0; times--) mutateJson(value, random);
    let bytes = Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
    if (random(4) === 0) for (let times = 1 + random(3); times > 0; times--) flipIn(bytes, random);
    if (random(20) === 0) bytes = bytes.subarray(0, random(bytes.length));
    try {
      const manifest = parseManifest(bytes);
      const again = serializeManifest(manifest);
      // Fields that this version does not know are left out; then it says the same.
      expect(parseManifest(again)).toEqual(manifest);
      expect(serializeManifest(parseManifest(again)).equals(again)).toBe(true);
    } catch (error) {
      expectRefusal(error);
    }
  });
});

const VALUES: unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  2 ** 53,
  1e300,
  "",
  "..",
  "/",
  "project/../x",
  "project/compose.yaml",
  "a\u0000b",
  "\ud800",
  "\u202etxt",
  "sha256:",
  `sha256:${"0".repeat(64)}`,
  "x".repeat(70_000),
  "(a+)+$",
  [],
  {},
  [[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]],
  { __proto__: null, constructor: 1 },
];

/** Somewhere, something else; or a thing twice, or gone, or a neighbour's. */
function mutateJson(root: unknown, random: Random): void {
  const places: [Record<string, unknown>, string][] = [];
  const collect = (value: unknown) => {
    if (typeof value !== "object" || value === null) return;
    for (const key of Object.keys(value)) {
      places.push([value as Record<string, unknown>, key]);
      collect((value as Record<string, unknown>)[key]);
    }
  };
  collect(root);
  const [owner, key] = places[random(places.length)] ?? [];
  const [otherOwner, otherKey] = places[random(places.length)] ?? [];
  if (owner === undefined || key === undefined || otherOwner === undefined || otherKey === undefined) return;
  switch (random(5)) {
    case 0:
      owner[key] = structuredClone(VALUES[random(VALUES.length)]);
      break;
    case 1:
      if (Array.isArray(owner)) owner.splice(Number(key), 1);
      else delete owner[key];
      break;
    case 2:
      if (Array.isArray(owner)) owner.push(structuredClone(owner[Number(key)]));
      else owner[`${key}_`] = structuredClone(owner[key]);
      break;
    case 3:
      owner[key] = structuredClone(otherOwner[otherKey]);
      break;
    default:
      if (Array.isArray(owner)) owner.reverse();
      else owner[["__proto__", "constructor", "toString", "0"][random(4)] ?? "x"] = 1;
  }
}

test("signatures, trusted keys and SHA256SUMS are refused or understood", async () => {
  const message = Buffer.from("message");
  const signers = [
    testSigner(),
    testSigner("sk-ssh-ed25519@openssh.com"),
    testSigner("sk-ecdsa-sha2-nistp256@openssh.com"),
  ];
  const signatures = signers.map((signer) => signer.sign(message));
  const sums = `${"0".repeat(64)}  a.tar\n${"1".repeat(64)} *b c\n`;
  await fuzz("signatures and lists", (random) => {
    const which = random(signatures.length);
    const text = signatures[which]?.toString() ?? "";
    const blob = Buffer.from(text.replace(/-----[A-Z ]+-----/g, ""), "base64");
    const original = Buffer.from(blob);
    for (let times = 1 + random(4); times > 0; times--) flipIn(blob, random);
    if (random(3) === 0) blob.writeUInt32BE(random(2 ** 32), random(blob.length - 4));
    const cut = random(5) === 0 ? blob.subarray(0, random(blob.length)) : blob;
    const attempts = [
      () => {
        verifySshSignature(message, armored(cut), "x.sig");
        // Flags and counter of a token are signed; nothing may differ.
        expect(cut.equals(original)).toBe(true);
      },
      () => parseTrustedSigners(mutateText(signers[which]?.publicKey ?? "", random), "keys", new Date(0)),
      () => parseChecksums(mutateText(sums, random)),
    ];
    for (const attempt of attempts) {
      try {
        attempt();
      } catch (error) {
        expectRefusal(error);
      }
    }
  });
});

function mutateText(text: string, random: Random): string {
  const bytes = Buffer.from(text);
  for (let times = 1 + random(4); times > 0; times--) flipIn(bytes, random);
  return bytes.toString(random(2) === 0 ? "utf8" : "latin1");
}
