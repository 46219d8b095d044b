import { readFile } from "node:fs/promises";

export interface DynamicNeeds {
  /** Shared libraries, by their names. */
  libraries: string[];
  /** Newest version of symbols, by set: `GLIBC`, `GLIBCXX`, `CXXABI`. */
  versions: Record<string, string>;
}

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const DT_NEEDED = 1n;
const DT_STRTAB = 5n;
const DT_STRSZ = 10n;

/** What a program asks the dynamic loader for. Little-endian ELF of 64 bits: elf(5). */
export async function readDynamicNeeds(path: string): Promise<DynamicNeeds> {
  const bytes = await readFile(path);
  const number = (at: number) => Number(bytes.readBigUInt64LE(at));
  const start = number(32);
  const [size, count] = [bytes.readUInt16LE(54), bytes.readUInt16LE(56)];
  const segments = Array.from({ length: count }, (_, index) => {
    const at = start + index * size;
    return {
      type: bytes.readUInt32LE(at),
      offset: number(at + 8),
      address: number(at + 16),
      size: number(at + 32),
    };
  });
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC);
  if (!dynamic) return { libraries: [], versions: {} };
  const tags: [tag: bigint, value: number][] = [];
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.size; at += 16) {
    tags.push([bytes.readBigUInt64LE(at), number(at + 8)]);
  }
  const tagValue = (wanted: bigint) => tags.find(([tag]) => tag === wanted)?.[1] ?? 0;
  const address = tagValue(DT_STRTAB);
  const home = segments.find(
    (each) => each.type === PT_LOAD && address >= each.address && address < each.address + each.size,
  );
  if (!home) throw new Error(`${path} has its strings nowhere`);
  const offset = address - home.address + home.offset;
  const strings = bytes.toString("latin1", offset, offset + tagValue(DT_STRSZ));
  const libraries = tags
    .filter(([tag]) => tag === DT_NEEDED)
    .map(([, at]) => strings.slice(at, strings.indexOf("\0", at)));
  return { libraries: libraries.sort(), versions: newestVersions(strings) };
}

function newestVersions(strings: string): Record<string, string> {
  const newest: Record<string, string> = {};
  for (const [, set = "", version = ""] of strings.matchAll(
    /(?<=\0)(GLIBC|GLIBCXX|CXXABI)_([0-9.]+)(?=\0)/g,
  )) {
    if (isNewer(version, newest[set])) newest[set] = version;
  }
  return newest;
}

export function isNewer(version: string, than: string | undefined): boolean {
  return than === undefined || version.localeCompare(than, "en", { numeric: true }) > 0;
}
