import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Finding } from "@drybag/errors";
import { type BundleFileEntry, fsyncDirectory, type Manifest } from "@drybag/format";

/**
 * Gives a staged release its final name. A release that is there already keeps its folder, because containers may have parts of it
 * mounted: files that are gone are put back, files that somebody changed are left so and named.
 */
export async function placeRelease(input: {
  staged: string;
  final: string;
  manifest: Manifest;
}): Promise<Finding[]> {
  const { staged, final, manifest } = input;
  if (await exists(final)) {
    const findings = await mendRelease(staged, final, manifest);
    await rm(staged, { recursive: true, force: true });
    return findings;
  }
  await fsyncDirectory(staged);
  await rename(staged, final);
  await fsyncDirectory(dirname(final));
  return [];
}

async function mendRelease(staged: string, final: string, manifest: Manifest): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const entry of manifest.entries) {
    if (entry.type !== "file" || !(await exists(join(staged, entry.path)))) continue;
    const path = join(final, entry.path);
    if (!(await exists(path))) {
      await mkdir(dirname(path), { recursive: true });
      await rename(join(staged, entry.path), path);
      await fsyncDirectory(dirname(path));
    } else if (!(await isAsPacked(path, entry))) {
      findings.push(changedFile(path, final));
    }
  }
  return findings;
}

/** Whether a file still has the bytes that were packed. */
export async function isAsPacked(path: string, entry: BundleFileEntry): Promise<boolean> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex") === entry.sha256;
}

function changedFile(path: string, final: string): Finding {
  return {
    code: "release-file-changed",
    severity: "warning",
    message: `${path} is no longer as it was packed. It was left so.`,
    remedy: `To have the packed one back, remove it and run the same command again, or compare it with the one in the bundle. The release is in ${final}.`,
  };
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
