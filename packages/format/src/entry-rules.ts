import { compareEntryPaths } from "./entry-path.ts";
import type { BundleEntry } from "./manifest.ts";
import {
  BLOB_PREFIX,
  DOCKER_ARCHIVE_MANIFEST_ENTRY,
  EXTRA_PREFIX,
  OCI_INDEX_ENTRY,
  OCI_LAYOUT_ENTRY,
  OFFLINE_COMPOSE_ENTRY,
  OFFLINE_ENV_ENTRY,
  PROJECT_PREFIX,
} from "./names.ts";

/** What is wrong with the paths of entries, which are each well-formed and different: their order, and how they nest. */
export function entriesProblem(entries: BundleEntry[]): string | undefined {
  return orderProblem(entries) ?? nestingProblem(entries) ?? modeProblem(entries);
}

/** Each entry belongs to one group; groups follow each other, and names are sorted within a group. */
const GROUPS: ((path: string) => boolean)[] = [
  (path) => path.startsWith(PROJECT_PREFIX),
  (path) => path === OFFLINE_COMPOSE_ENTRY,
  (path) => path === OFFLINE_ENV_ENTRY,
  (path) => path.startsWith(EXTRA_PREFIX),
  (path) => path === OCI_LAYOUT_ENTRY,
  (path) => path === OCI_INDEX_ENTRY,
  (path) => path === DOCKER_ARCHIVE_MANIFEST_ENTRY,
  (path) => path.startsWith(BLOB_PREFIX),
];
const BLOB_GROUP = GROUPS.length - 1;

function orderProblem(entries: BundleEntry[]): string | undefined {
  let group = 0;
  let previous: string | undefined;
  for (const { path, type } of entries) {
    const next = GROUPS.findIndex((belongs) => belongs(path));
    if (next === -1) return `entries has "${path}", which has no place in a bundle`;
    if (type === "directory" && !path.startsWith(PROJECT_PREFIX)) return `entries has the folder "${path}"`;
    if (path === PROJECT_PREFIX) return `entries has the folder "${path}", which is never empty`;
    // Blobs have an order of their own: see blobProblem.
    const sorted = next > group || previous === undefined || next === BLOB_GROUP || inOrder(previous, path);
    if (next < group || !sorted) return `entries has "${path}" out of order`;
    group = next;
    previous = path;
  }
  if (!entries.some((entry) => entry.path === OFFLINE_COMPOSE_ENTRY)) {
    return `entries lacks ${OFFLINE_COMPOSE_ENTRY}`;
  }
  return undefined;
}

function inOrder(previous: string, path: string): boolean {
  return compareEntryPaths(previous, path) < 0;
}

/** A path cannot be a file and a folder at once, and a folder is listed only if it is empty. */
function nestingProblem(entries: BundleEntry[]): string | undefined {
  // Sorted with the slash before everything else, what lies below a path follows it at once: comparing neighbours is enough, and takes no
  // longer for paths of thousands of folders.
  const sorted = entries.map(({ path }) => path.replace(/\/$/, "").replaceAll("/", "\0")).sort();
  for (const [index, path] of sorted.entries()) {
    const next = sorted[index + 1];
    if (next === path) return "entries has a path that is a file and a folder at once";
    if (next?.startsWith(`${path}\0`)) {
      const [parent, child] = [path, next].map((each) => each.replaceAll("\0", "/"));
      return `entries has "${child}" below "${parent}", which is a file or an empty folder`;
    }
  }
  return undefined;
}

/** Only files of the project can be programs. */
function modeProblem(entries: BundleEntry[]): string | undefined {
  const executable = entries.find((entry) => !entry.path.startsWith(PROJECT_PREFIX) && entry.mode !== 0o644);
  return executable && `entries has ${executable.path} with the mode of a program`;
}
