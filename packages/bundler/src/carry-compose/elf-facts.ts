import { open } from "node:fs/promises";

export interface ElfFacts {
  /** In Go's words; undefined for another machine than these. */
  architecture: "amd64" | "arm64" | undefined;
  /** Needs no loader and no libraries: runs on every Linux of its architecture. */
  isStatic: boolean;
}

const MACHINES: Record<number, ElfFacts["architecture"]> = { 62: "amd64", 183: "arm64" };
const PT_INTERP = 3;
const HEAD_BYTES = 4096;

/** What the head of a program says; undefined where it is none for Linux of 64 bits. Format: elf(5). */
export async function readElfFacts(path: string): Promise<ElfFacts | undefined> {
  const head = Buffer.alloc(HEAD_BYTES);
  await using file = await open(path, "r");
  const { bytesRead } = await file.read(head, 0, HEAD_BYTES, 0);
  const isElf64 = bytesRead >= 64 && head.readUInt32BE(0) === 0x7f454c46 && head.readUInt16BE(4) === 0x0201;
  if (!isElf64) return undefined;
  const start = Number(head.readBigUInt64LE(32));
  const size = head.readUInt16LE(54);
  const count = head.readUInt16LE(56);
  if (start + size * count > bytesRead) return undefined;
  const types = Array.from({ length: count }, (_, index) => head.readUInt32LE(start + index * size));
  return { architecture: MACHINES[head.readUInt16LE(18)], isStatic: !types.includes(PT_INTERP) };
}
