import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { EngineFacts } from "@drybag/docker";
import type { Finding } from "@drybag/errors";
import type { Manifest } from "@drybag/format";
import { formatBytes } from "@drybag/terminal";
import type { LoadPlan } from "../images/plan-load.ts";

/** Beyond what is computed: file system overhead, containers' own layers, logs. */
const MARGIN_BYTES = 64 * 1024 ** 2;
/** What releases, journal and report need beside the project's files. */
const RELEASE_MARGIN_BYTES = 4 * 1024 ** 2;

/**
 * Bytes that the engine needs free to take what is missing. Both stores hold the archive as they got it and the unpacked layers at the
 * same time: a classic one keeps the archive in its spool until all is unpacked, a containerd one keeps it for good. Unpacked
 * files take whole blocks, a few per cent more than the archive counts.
 */
export function engineBytesNeeded(plan: LoadPlan): number {
  if (plan.images.length === 0) return 0;
  return Math.ceil(plan.archiveBytes + plan.unpackedBytes * 1.1) + MARGIN_BYTES;
}

export async function checkDisk(input: {
  engine: EngineFacts;
  plan: LoadPlan;
  manifest: Manifest;
  dir: string;
  engineIsLocal: boolean;
}): Promise<Finding[]> {
  const { engine, plan, manifest, dir, engineIsLocal } = input;
  const findings: Finding[] = [];
  const needed = engineBytesNeeded(plan);
  const free = engineIsLocal ? await freeBytes(engine.dataRoot) : undefined;
  if (needed > 0 && free === undefined) {
    findings.push({
      code: "disk-unknown",
      severity: "info",
      message: `The engine's folder ${engine.dataRoot} cannot be seen from here; it needs ${formatBytes(needed)} free.`,
    });
  } else if (free !== undefined && free < needed) {
    findings.push(diskFull(engine.dataRoot, needed, free, "the images"));
  }

  const releaseBytes = projectBytes(manifest) + RELEASE_MARGIN_BYTES;
  const freeHere = await freeBytes(await existingParent(dir));
  if (freeHere !== undefined && freeHere < releaseBytes) {
    findings.push(diskFull(dir, releaseBytes, freeHere, "the project's files"));
  }
  return findings;
}

function diskFull(folder: string, needed: number, free: number, what: string): Finding {
  return {
    code: "disk-full",
    severity: "error",
    message: `${what[0]?.toUpperCase()}${what.slice(1)} need ${formatBytes(needed)} free in ${folder}; there are ${formatBytes(free)}.`,
    remedy: `Make ${formatBytes(needed - free)} more room there ('docker system df' shows what Docker holds), then run the same command again.`,
  };
}

function projectBytes(manifest: Manifest): number {
  return manifest.entries
    .filter(({ path }) => path.startsWith("project/"))
    .reduce((total, entry) => total + (entry.type === "file" ? entry.sizeBytes : 0), 0);
}

/** What a user who is not root could still write; undefined where the folder cannot be seen. */
export async function freeBytes(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

/** The nearest folder above that is there. */
export async function existingParent(folder: string): Promise<string> {
  const isThere = await statfs(folder).then(
    () => true,
    () => false,
  );
  return isThere || folder === dirname(folder) ? folder : existingParent(dirname(folder));
}
