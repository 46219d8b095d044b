import { DrybagError } from "@drybag/errors";
import { copyAgainHint, type Damage, listParts } from "./damage.ts";
import { entryPathProblem } from "./entry-path.ts";
import { BLOCK_BYTES, checksum, type TarItem } from "./tar-header.ts";

/**
 * Says what is wrong with bytes that are not the header of the item that must stand there. Only for people: whatever it says,
 * the bytes are refused.
 */
export function explainHeader(
  found: Buffer,
  expected: TarItem,
  context: { parts: string[]; isEntry: (path: string) => boolean },
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
  return damage(
    new DrybagError("bundle-entry-refused", `${where} has ${foreign(block, expected, context.isEntry)}.`, {
      hint: "Drybag did not write this bundle as it is: do not use it.",
    }),
  );
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

function foreign(block: Buffer, expected: TarItem, isEntry: (path: string) => boolean): string {
  const path = [stringField(block, 345, 155), stringField(block, 0, 100)].filter(Boolean).join("/");
  const shown = JSON.stringify(path);
  const type = String.fromCharCode(block[156] ?? 0);
  const kind = KINDS[type] ?? `an entry of the unknown type ${JSON.stringify(type)}`;
  const instead = `where ${expected.path} must stand`;

  if (type !== "0" && type !== "5") return `${kind}, ${shown}, ${instead}`;
  const problem = entryPathProblem(path);
  if (problem !== undefined) return `${kind} whose path ${shown} ${problem}, ${instead}`;
  if (path !== expected.path) {
    return isEntry(path)
      ? `${shown} twice or out of order, ${instead}`
      : `${shown}, which the manifest does not list, ${instead}`;
  }
  return `${expected.path} with another size, mode, owner, time or spelling than the manifest implies`;
}

const KINDS: Record<string, string> = {
  "0": "a file",
  "\0": "an old-style entry",
  "1": "a hard link",
  "2": "a symbolic link",
  "3": "a character device",
  "4": "a block device",
  "5": "a folder",
  "6": "a FIFO",
  "7": "a contiguous file",
  S: "a sparse file",
  L: "a GNU long name",
  K: "a GNU long link",
  x: "a pax header",
  g: "a global pax header",
};

function stringField(block: Buffer, offset: number, sizeBytes: number): string {
  return block.toString("latin1", offset, offset + sizeBytes).replace(/\0.*$/s, "");
}
