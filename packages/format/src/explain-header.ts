import { DrybagError, type ErrorCode } from "@drybag/errors";
import { copyAgainHint, type Damage, listParts } from "./damage.ts";
import { entryPathProblem } from "./entry-path.ts";
import type { BundleEntry } from "./manifest.ts";
import { MANIFEST_ENTRY, SIGNATURE_ENTRY } from "./names.ts";
import { BLOCK_BYTES, checksum, type TarItem } from "./tar-header.ts";

/** Where an entry of that path belongs, seen from here; undefined if nowhere. */
export type PlaceOf = (path: string) => "earlier" | "later" | undefined;

/**
 * Says what is wrong with bytes that are not the header of the item that must stand there. Only for people: whatever it says,
 * the bytes are refused.
 */
export function explainHeader(
  found: Buffer,
  expected: TarItem,
  context: { parts: string[]; placeOf: PlaceOf },
): Damage {
  const { parts } = context;
  const damage = (error: DrybagError): Damage => ({ error, parts, entry: expected.path });
  const block = found.subarray(0, BLOCK_BYTES);
  const where = parts.length === 0 ? "the bundle" : listParts(parts);

  if (block.every((byte) => byte === 0)) {
    return damage(
      new DrybagError("bundle-truncated", `${where} has the end of the archive before ${expected.path}.`, {
        hint: copyAgainHint(parts),
      }),
    );
  }
  if (!hasOwnChecksum(block)) {
    return damage(
      new DrybagError("digest-mismatch", `The header of ${expected.path} in ${where} is damaged.`, {
        hint: copyAgainHint(parts),
      }),
    );
  }
  const { code, what } = foreign(block, expected, context.placeOf);
  return damage(
    new DrybagError(code, `${where} has ${what}.`, {
      hint: "Drybag did not write this bundle as it is: do not use it.",
    }),
  );
}

/** Seen from the entry at this index. */
export function placeOf(entries: readonly BundleEntry[], index: number): PlaceOf {
  return (path) => {
    const found = path === MANIFEST_ENTRY || path === SIGNATURE_ENTRY ? -1 : indexOf(entries, path);
    if (found === undefined || found === index) return undefined;
    return found < index ? "earlier" : "later";
  };
}

function indexOf(entries: readonly BundleEntry[], path: string): number | undefined {
  const index = entries.findIndex((entry) => entry.path === path);
  return index === -1 ? undefined : index;
}

/** Reads a number field of a tar header; undefined if it is not written as Drybag writes it. */
export function octalField(block: Buffer, offset: number, digits: number): number | undefined {
  const text = block.toString("latin1", offset, offset + digits);
  return /^[0-7]+$/.test(text) && block[offset + digits] === 0 ? Number.parseInt(text, 8) : undefined;
}

/** Whether a block is the header of some tar, whoever wrote it: programs write the checksum in several ways. */
export function hasOwnChecksum(block: Buffer): boolean {
  return Number.parseInt(block.toString("latin1", 148, 156), 8) === checksum(block);
}

function foreign(block: Buffer, expected: TarItem, placeOf: PlaceOf): { code: ErrorCode; what: string } {
  const path = [stringField(block, 345, 155), stringField(block, 0, 100)].filter(Boolean).join("/");
  const shown = JSON.stringify(path);
  const type = String.fromCharCode(block[156] ?? 0);
  const [code, kind] = KINDS[type] ?? ["entry-type", `an entry of the unknown type ${JSON.stringify(type)}`];
  const instead = `where ${expected.path} must stand`;

  if (code !== undefined) return { code, what: `${kind}, ${shown}, ${instead}` };
  const problem = entryPathProblem(path);
  if (problem !== undefined)
    return { code: pathCode(problem), what: `${kind} whose path ${shown} ${problem}, ${instead}` };
  if (path !== expected.path) {
    switch (placeOf(path)) {
      case "earlier":
        return { code: "entry-duplicate", what: `${shown} twice, ${instead}` };
      case "later":
        return { code: "entry-order", what: `${shown} out of order, ${instead}` };
      default:
        return { code: "entry-extra", what: `${shown}, which the manifest does not list, ${instead}` };
    }
  }
  if ((type === "5") !== (expected.type === "directory"))
    return { code: "entry-type", what: `${kind} ${shown}, which the manifest has as something else` };
  if (octalField(block, 124, 11) !== expected.sizeBytes)
    return { code: "entry-size", what: `${path} with another size than the manifest gives` };
  return {
    code: "entry-header",
    what: `${path} with another mode, owner, time or spelling than the manifest implies`,
  };
}

function pathCode(problem: string): ErrorCode {
  if (problem === "is absolute") return "entry-absolute";
  return problem.startsWith("climbs") ? "entry-climbs" : "entry-name";
}

/** By the type flag; without a code where a bundle may have it. */
const KINDS: Record<string, [ErrorCode | undefined, string]> = {
  "0": [undefined, "a file"],
  "\0": ["entry-type", "an old-style entry"],
  "1": ["entry-link", "a hard link"],
  "2": ["entry-link", "a symbolic link"],
  "3": ["entry-device", "a character device"],
  "4": ["entry-device", "a block device"],
  "5": [undefined, "a folder"],
  "6": ["entry-device", "a FIFO"],
  "7": ["entry-type", "a contiguous file"],
  S: ["entry-sparse", "a sparse file"],
  L: ["entry-pax", "a GNU long name"],
  K: ["entry-pax", "a GNU long link"],
  x: ["entry-pax", "a pax header"],
  g: ["entry-pax", "a global pax header"],
};

function stringField(block: Buffer, offset: number, sizeBytes: number): string {
  return block.toString("latin1", offset, offset + sizeBytes).replace(/\0.*$/s, "");
}
