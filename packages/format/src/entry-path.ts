const MAX_PATH_BYTES = 4096;
const MAX_SEGMENT_BYTES = 255;
const MAX_SEGMENTS = 128;

/**
 * Why a path must not be the name of an entry, in words that fit behind the path; undefined if it may.
 * One trailing slash is allowed: it marks a folder.
 */
export function entryPathProblem(path: string): string | undefined {
  if (path === "") return "is empty";
  if (!path.isWellFormed()) return "is not valid Unicode";
  if (CONTROL_CHARACTERS.test(path)) return "has control characters";
  if (path.includes("\\")) return "has a backslash";
  if (path.startsWith("/")) return "is absolute";
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return `is longer than ${MAX_PATH_BYTES} bytes`;
  // Not all of them: paths in a manifest that is not trusted may be nothing but slashes.
  const segments = path.replace(/\/$/, "").split("/", MAX_SEGMENTS + 1);
  if (segments.length > MAX_SEGMENTS) return `lies deeper than ${MAX_SEGMENTS - 1} folders`;
  for (const segment of segments) {
    if (segment === "") return "has an empty segment";
    if (segment === ".") return 'has a "." segment';
    if (segment === "..") return 'climbs with ".."';
    if (Buffer.byteLength(segment) > MAX_SEGMENT_BYTES) {
      return `has a segment longer than ${MAX_SEGMENT_BYTES} bytes`;
    }
  }
  return undefined;
}

/** The order of entries within `project/`: by the bytes of their UTF-8 names. */
export function compareEntryPaths(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

// C0, DEL and C1, and what reverses or hides text in a terminal.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;
