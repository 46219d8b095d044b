import { createHash } from "node:crypto";
import { pipeline } from "node:stream/promises";
import { type DockerContext, openImageFiles } from "@drybag/docker";
import { DrybagError, type Finding } from "@drybag/errors";
import { extract } from "tar-stream";
import type { ResolvedApp } from "./resolve-app.ts";

const APPS_FOLDER = "/home/frappe/frappe-bench/apps";
/** Files that installing an app's dependencies may write anew. */
const REWRITTEN = /(?:^|\/)(?:yarn\.lock|package-lock\.json|pnpm-lock\.yaml)$/;

/** How an app in an image compares with its commit. */
export interface AppComparison {
  /** Files of the commit that the image has with other content. */
  changed: string[];
  /** Files of the commit that the image has just so. */
  equal: number;
}

/**
 * Compares the files of each app in an image with those of its commit: the image is what counts, whatever checked it out. Files that
 * the image adds (what was built) or leaves out (documentation, tests) are no matter. Throws `commit-mismatch` where a commit is
 * written down and is not what the image holds; a finding says it of the others.
 */
export async function verifyApps(
  docker: DockerContext,
  reference: string,
  apps: readonly ResolvedApp[],
  signal: AbortSignal,
): Promise<Finding[]> {
  await using image = await openImageFiles(docker, reference, { signal });
  const problems: string[] = [];
  const findings: Finding[] = [];
  for (const app of apps) {
    const { name, commit, ref } = app.provenance;
    const pinned = `${name} ${ref} (${commit.slice(0, 12)})`;
    const comparison = await firstThatIsThere(app.folderNames, async (folder) => {
      const { archive, found } = image.copy(`${APPS_FOLDER}/${folder}`);
      const compared = await compareFiles(archive, app.files, signal);
      return (await found) ? compared : undefined;
    });
    const problem =
      comparison === undefined ? "is not in the image" : differenceOf(comparison, app.files.size);
    if (problem === undefined) continue;
    // Containerfiles may patch an app; one whose commit is written down must be just that.
    if (app.pin.commit === undefined) findings.push(differs(app, `${pinned} ${problem}`));
    else problems.push(`${pinned} ${problem}`);
  }
  if (problems.length === 0) return findings;
  throw new DrybagError(
    "commit-mismatch",
    `The image does not hold the apps that are pinned: it was removed.`,
    {
      detail: problems.join("\n"),
      hint: "Pin tags, or let the Containerfile check out the 'commit' of each app (docs/recipe-frappe.md); --no-cache builds all of it anew.",
    },
  );
}

function differs({ pin }: ResolvedApp, message: string): Finding {
  return {
    code: "app-differs",
    severity: "warning",
    message: `In the image, ${message}.`,
    remedy: "If the Containerfile does not patch it, build again with --no-cache.",
    position: (pin.ref ?? pin.url).position,
  };
}

function differenceOf({ changed, equal }: AppComparison, files: number): string | undefined {
  const [first] = changed;
  if (first !== undefined) {
    return `is of another commit: ${first}${changed.length > 1 ? ` and ${changed.length - 1} more files differ` : " differs"}`;
  }
  return equal * 2 < files ? "cannot be recognised: the image lacks most of its files" : undefined;
}

async function firstThatIsThere<T, R>(
  candidates: readonly T[],
  look: (candidate: T) => Promise<R | undefined>,
): Promise<R | undefined> {
  for (const candidate of candidates) {
    const found = await look(candidate);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Compares a tar of an app's folder with the files of a commit; names in the tar begin with the folder's own. */
export async function compareFiles(
  archive: NodeJS.ReadableStream,
  files: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<AppComparison> {
  const tar = extract();
  const copied = pipeline(archive, tar, { signal }).catch(() => signal.throwIfAborted());
  const changed: string[] = [];
  let equal = 0;
  try {
    for await (const entry of tar) {
      const file = entry.header.name.replace(/^[^/]*\//, "");
      const wanted = files.get(file);
      const isLink = entry.header.type === "symlink";
      if (wanted === undefined || (entry.header.type !== "file" && !isLink)) {
        entry.resume();
        continue;
      }
      const content = isLink ? [Buffer.from(entry.header.linkname ?? "")] : (entry as AsyncIterable<Buffer>);
      const size = isLink ? Buffer.byteLength(entry.header.linkname ?? "") : (entry.header.size ?? 0);
      const found = await gitObjectName(content, size, wanted.length === 64 ? "sha256" : "sha1");
      if (isLink) entry.resume();
      if (found === wanted) equal += 1;
      else if (!REWRITTEN.test(file)) changed.push(file);
    }
  } catch (error) {
    signal.throwIfAborted();
    // A client that fails says nothing on its output; what it says is in its exit code.
    if (changed.length > 0 || equal > 0) throw error;
  }
  await copied;
  return { changed, equal };
}

/** gitformat: the hash of `blob <size>`, NUL, and the content. */
async function gitObjectName(
  content: Iterable<Buffer> | AsyncIterable<Buffer>,
  size: number,
  algorithm: "sha1" | "sha256",
): Promise<string> {
  const hash = createHash(algorithm).update(`blob ${size}\0`);
  for await (const chunk of content) hash.update(chunk);
  return hash.digest("hex");
}
