import { DrybagError, isDrybagError } from "@drybag/errors";
import { archiveSizeBytes, entryItem, selfDescribedItem } from "./archive-items.ts";
import { copyAgainHint, type Damage, listParts, refuseDamage } from "./damage.ts";
import { explainHeader, hasOwnChecksum, octalField } from "./explain-header.ts";
import { type CarryFolder, type CarryPart, findBundle, partsMissing } from "./find-bundle.ts";
import { findDeparture } from "./find-departure.ts";
import type { Manifest } from "./manifest.ts";
import {
  DEFAULT_PART_SIZE_BYTES,
  MANIFEST_ENTRY,
  MAX_MANIFEST_BYTES,
  MAX_SIGNATURE_BYTES,
  partNames,
  SIGNATURE_ENTRY,
} from "./names.ts";
import { parseManifest } from "./parse-manifest.ts";
import { PartReader } from "./part-reader.ts";
import { sha256Hex } from "./sha256.ts";
import { verifyBundleSigner } from "./signature/bundle-signer.ts";
import type { SshPublicKey } from "./signature/ssh-public-key.ts";
import { BLOCK_BYTES, encodeHeader, paddingBytes, type TarItem } from "./tar-header.ts";

export interface OpenedBundle {
  carryFolder: CarryFolder;
  manifest: Manifest;
  /** As they stand in the bundle: what a signature is over. */
  manifestBytes: Buffer;
  /** Hex; the bundle's identity. */
  manifestSha256: string;
  /** Signature over manifestBytes. */
  signature?: Buffer;
  /** The key that signed the bundle, if one did: its signatures are right, but whether to trust that key is another question. */
  signer?: SshPublicKey;
  /** mtime of every entry. */
  mtimeSeconds: number;
}

/**
 * Opens a bundle: finds its parts, reads the manifest and nothing else, and checks that the parts together have the size that
 * the manifest implies, and its signatures. Throws what findBundle, parseManifest and verifyBundleSigner throw, digest-mismatch if the
 * manifest is damaged, bundle-foreign if the file is no bundle, bundle-truncated or bundle-part-missing if bytes are missing,
 * bundle-trailing if there are too many, an entry-… code where it is an entry that is missing or too many, or the signal's reason.
 */
export async function openBundle(
  path: string,
  options: { signal?: AbortSignal } = {},
): Promise<OpenedBundle> {
  const bundle = await readOpening(await findBundle(path), options.signal);
  const damage = await sizeDamage(bundle, options.signal);
  if (damage) throw damage.error;
  const signer = verifyBundleSigner(bundle);
  return { ...bundle, ...(signer && { signer }) };
}

/** Reads the manifest, and its signature if there is one. */
export async function readOpening(carryFolder: CarryFolder, signal?: AbortSignal): Promise<OpenedBundle> {
  const source = new PartReader(carryFolder, { signal, report: refuseDamage });
  try {
    const { content: manifestBytes, mtimeSeconds } = await readSelfDescribed(
      source,
      MANIFEST_ENTRY,
      MAX_MANIFEST_BYTES,
    );
    const manifest = parseManifest(manifestBytes);
    const bundle = {
      carryFolder,
      manifest,
      manifestBytes,
      manifestSha256: sha256Hex(manifestBytes),
      mtimeSeconds,
    };
    if (!(await signatureFollows(source, bundle))) return bundle;
    const { content: signature } = await readSelfDescribed(
      source,
      SIGNATURE_ENTRY,
      MAX_SIGNATURE_BYTES,
      mtimeSeconds,
    );
    return { ...bundle, signature };
  } finally {
    await source.close();
  }
}

/** What is wrong with the total size of the parts, if anything is. */
export async function sizeDamage(bundle: OpenedBundle, signal?: AbortSignal): Promise<Damage | undefined> {
  const { carryFolder, manifest, manifestBytes, signature } = bundle;
  const expected = archiveSizeBytes(manifestBytes, signature, manifest.entries);
  const missing = expected - totalBytes(carryFolder.parts);
  if (missing === 0) return undefined;
  const departure = await findDeparture(bundle, signal);
  if (departure === undefined) return missingBytes(carryFolder, missing);
  // With bytes missing, what comes too early is the first that did not follow its neighbour out.
  const isMissing = missing > 0 && isDrybagError(departure.error, "entry-order");
  return isMissing ? { ...departure, error: entryMissing(departure) } : departure;
}

function entryMissing({ entry, error }: Damage): DrybagError {
  const { hint } = error;
  return new DrybagError(
    "entry-missing",
    `${entry} is not there; the entries behind it are.`,
    hint === undefined ? {} : { hint },
  );
}

/** So many bytes are missing, or too many if negative. */
function missingBytes(carryFolder: CarryFolder, missing: number): Damage {
  const { parts } = carryFolder;
  if (missing < 0) {
    const names = parts.slice(-1).map((part) => part.name);
    const message = `The bundle goes on after its end: ${listParts(names)} has ${-missing} bytes too many.`;
    return {
      parts: names,
      error: new DrybagError("bundle-trailing", message, { hint: copyAgainHint(names) }),
    };
  }
  const next = nextPart(carryFolder);
  if (next !== undefined) return { parts: [next], error: partsMissing([next], carryFolder.directory) };
  const names = shortParts(parts);
  const message = `${listParts(names)} is cut short: ${missing} bytes are missing.`;
  return {
    parts: names,
    error: new DrybagError("bundle-truncated", message, { hint: copyAgainHint(names) }),
  };
}

/** All parts but the last have the same size, so the one that is cut short shows, unless it could be the first or the last. */
function shortParts(parts: CarryPart[]): string[] {
  const full = parts.slice(0, -1);
  const partSizeBytes = Math.max(0, ...full.map((part) => part.sizeBytes));
  const short = full.filter((part) => part.sizeBytes < partSizeBytes);
  const sure = full.length !== 1 || partSizeBytes === DEFAULT_PART_SIZE_BYTES;
  const suspects = short.length > 0 ? short : sure ? parts.slice(-1) : parts;
  return suspects.map((part) => part.name);
}

/** Where bytes are missing behind parts that are all of the same size, at least one more part belongs there. */
function nextPart({ stem, parts }: CarryFolder): string | undefined {
  if (parts.length === 1 || new Set(parts.map((part) => part.sizeBytes)).size > 1) return undefined;
  return partNames(`${stem}.tar`, parts.length + 1).at(-1);
}

function totalBytes(parts: CarryPart[]): number {
  return parts.reduce((sum, part) => sum + part.sizeBytes, 0);
}

/**
 * The signature is the only entry that may be there or not. It is not there if the parts have the size for that, or if the
 * first entry follows at once. What follows instead is it, if it looks like it or if there are bytes left for it.
 */
async function signatureFollows(source: PartReader, bundle: OpenedBundle): Promise<boolean> {
  const { carryFolder, manifest, manifestBytes, mtimeSeconds } = bundle;
  const spareBytes =
    totalBytes(carryFolder.parts) - archiveSizeBytes(manifestBytes, undefined, manifest.entries);
  const [first] = manifest.entries;
  if (spareBytes === 0 || first === undefined) return false;
  const header = encodeHeader(entryItem(first), mtimeSeconds);
  const found = await source.peek(Math.max(header.length, 2 * BLOCK_BYTES));
  if (found.subarray(0, header.length).equals(header)) return false;
  return spareBytes > 0 || ownDigest(found) !== undefined;
}

/** The sha256 that an entry carries in its own header. */
function ownDigest(header: Buffer): string | undefined {
  return /^[0-9]+ comment=(sha256:[0-9a-f]{64})\n/.exec(
    header.toString("latin1", BLOCK_BYTES, 2 * BLOCK_BYTES),
  )?.[1];
}

/** Reads an entry whose size and sha256 are known from its header only. */
async function readSelfDescribed(
  source: PartReader,
  path: typeof MANIFEST_ENTRY | typeof SIGNATURE_ENTRY,
  maxBytes: number,
  mtime?: number,
): Promise<{ content: Buffer; mtimeSeconds: number }> {
  const start = source.position;
  const header = await source.exactly(3 * BLOCK_BYTES);
  const mtimeSeconds = mtime ?? octalField(header, 136, 11) ?? 0;
  const sizeBytes = octalField(header, 2 * BLOCK_BYTES + 124, 11) ?? 0;
  const comment =
    /^[0-9]+ comment=(sha256:[0-9a-f]{64})\n/.exec(header.toString("latin1", BLOCK_BYTES))?.[1] ?? "";
  const item: TarItem = { path, type: "file", sizeBytes, mode: 0o644, comment };
  if (!header.equals(encodeHeader(item, mtimeSeconds))) {
    throw foreignStart(header, item, source.suspects(start, source.position));
  }
  if (sizeBytes > maxBytes) {
    throw new DrybagError(
      path === MANIFEST_ENTRY ? "manifest-too-large" : "signature-invalid",
      `${path} has ${sizeBytes} bytes; at most ${maxBytes} are read.`,
    );
  }

  const content = await source.exactly(sizeBytes);
  const padding = await source.exactly(paddingBytes(sizeBytes));
  if (selfDescribedItem(path, content).comment !== comment || padding.some((byte) => byte !== 0)) {
    const parts = source.suspects(start, source.position);
    throw new DrybagError("digest-mismatch", `${path} in ${listParts(parts)} is damaged.`, {
      hint: copyAgainHint(parts),
    });
  }
  return { content, mtimeSeconds };
}

/** What stands where the manifest or its signature must: another kind of file, an entry, or one of ours that is damaged. */
function foreignStart(header: Buffer, item: TarItem, parts: string[]): DrybagError {
  const isForeign = hasOwnChecksum(header) && header.toString("latin1", 0, 9) !== "PaxHeader";
  if (isForeign && item.path === MANIFEST_ENTRY) {
    return new DrybagError("bundle-foreign", `${listParts(parts)} is a tar, but not a Drybag bundle.`, {
      hint: "Give the folder that drybag pack wrote.",
    });
  }
  if (isForeign) return explainHeader(header, item, { parts, placeOf: () => undefined }).error;
  return new DrybagError("digest-mismatch", `The header of ${item.path} in ${listParts(parts)} is damaged.`, {
    hint: copyAgainHint(parts),
  });
}
