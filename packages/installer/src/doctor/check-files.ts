import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Finding } from "@drybag/errors";
import { MANIFEST_ENTRY, OFFLINE_COMPOSE_ENTRY, OFFLINE_ENV_ENTRY, PROJECT_PREFIX } from "@drybag/format";
import { exists, isAsPacked } from "../release/place-release.ts";
import type { InstalledRelease } from "../site/current-release.ts";
import type { SitePaths } from "../site/site-paths.ts";

const INSTALL_AGAIN = "Install the bundle again: it puts back what is gone.";

/** The files of a release against the manifest, byte by byte, and the manifest against the release's name. */
export async function checkFiles({ name, folder, manifest }: InstalledRelease): Promise<Finding[]> {
  const findings: Finding[] = [];
  const digest = createHash("sha256")
    .update(await readFile(join(folder, MANIFEST_ENTRY)))
    .digest("hex");
  if (!name.endsWith(`-${digest.slice(0, 8)}`)) {
    findings.push({
      code: "release-manifest-changed",
      severity: "error",
      message: `${join(folder, MANIFEST_ENTRY)} is not the manifest of release ${name}.`,
      remedy: "What it says cannot be relied on. Remove that folder and install the bundle again.",
    });
  }
  for (const entry of manifest.entries) {
    if (entry.type !== "file" || !isOfRelease(entry.path)) continue;
    const path = join(folder, entry.path);
    if (!(await exists(path))) {
      findings.push({
        code: "release-file-missing",
        severity: "error",
        message: `${path} is not there any more.`,
        remedy: INSTALL_AGAIN,
      });
    } else if (!(await isAsPacked(path, entry))) {
      findings.push({
        code: "release-file-changed",
        severity: "warning",
        message: `${path} is no longer as it was packed.`,
        remedy: "To have the packed one back, remove it and install the bundle again.",
      });
    }
  }
  return findings;
}

function isOfRelease(path: string): boolean {
  return path.startsWith(PROJECT_PREFIX) || path === OFFLINE_COMPOSE_ENTRY || path === OFFLINE_ENV_ENTRY;
}

/** Files with secrets in them that others than their owner may read. */
export async function checkSecretFiles(paths: SitePaths, files: readonly string[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const path of [paths.answers, ...files]) {
    const found = await stat(path).catch(() => undefined);
    if (found === undefined || (found.mode & 0o077) === 0) continue;
    findings.push({
      code: "secrets-readable",
      severity: "warning",
      message: `${path} holds secrets, and others than its owner may read it.`,
      remedy: `chmod 600 ${path}`,
    });
  }
  return findings;
}
