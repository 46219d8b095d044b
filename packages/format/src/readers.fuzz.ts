import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { selfDescribedItem } from "./archive-items.ts";
import { writeChecksums } from "./checksums.ts";
import { openBundle } from "./open-bundle.ts";
import { serializeManifest } from "./parse-manifest.ts";
import { sha256Hex } from "./sha256.ts";
import { checksum, encodeHeader, paddingBytes } from "./tar-header.ts";
import { expectRefusal, flipIn, fuzz, mutateJson, type Random } from "./testing/fuzz.ts";
import { testSigner } from "./testing/ssh-signer.ts";
import { temporaryFolder } from "./testing/temporary-folder.ts";
import { tinyBundle } from "./testing/tiny-bundle.ts";
import { archiveBytes, layoutOf, placeArchive, readAll, STEM } from "./testing/written-bundle.ts";

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
