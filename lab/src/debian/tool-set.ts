import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { takeLock } from "../lab-lock.ts";
import { type AptView, openAptView } from "./apt-view.ts";
import { findMirror, type Mirror } from "./find-mirror.ts";
import { type PackageChoice, unpackPackages } from "./unpack-packages.ts";

export type Suite = "bookworm" | "trixie" | "forky";

/** Packages that are unpacked together into one private folder. */
export interface ToolSet {
  name: string;
  /** `host`: from the release that this machine runs, so that libraries fit. */
  from: readonly ({ suite: Suite | "host" } & PackageChoice)[];
  /** Makes `folder/bin`; paths written into files must start with `finalFolder`. */
  finish: (folder: string, finalFolder: string) => Promise<void>;
}

export interface ToolSetOptions {
  toolsFolder: string;
  signal?: AbortSignal | undefined;
  onProgress?: ((line: string) => void) | undefined;
}

// Part of every folder's name: raise it when what a folder holds is made in another way.
const layoutVersion = 3;

/**
 * The folder of an unpacked set, which is made when it is not there: in a temporary folder that is renamed when it is
 * whole, under a lock, so that a killed `up` leaves no half set and two at once download it once.
 */
export async function provideToolSet(set: ToolSet, options: ToolSetOptions): Promise<string> {
  const { toolsFolder, signal, onProgress } = options;
  const finalFolder = join(toolsFolder, `${set.name}-${describeSet(set)}`);
  if (existsSync(finalFolder)) return finalFolder;
  await using _lock = await takeLock(join(toolsFolder, "tools.lock"), signal);
  if (existsSync(finalFolder)) return finalFolder;
  await removeTemporaryFolders(toolsFolder);
  onProgress?.(`unpacking Debian packages: ${set.from.flatMap(({ packages }) => packages).join(" ")}`);
  const mirror = await findMirror(join(toolsFolder, "apt", "machine"), signal);
  const folder = await mkdtemp(join(toolsFolder, "new-"));
  const choices: (PackageChoice & { view: AptView })[] = [];
  for (const choice of set.from) choices.push({ ...choice, view: await openView(choice.suite) });
  await unpackPackages(folder, choices, signal);
  await set.finish(folder, finalFolder);
  await rm(join(folder, "archives"), { recursive: true });
  await rename(folder, finalFolder);
  return finalFolder;

  function openView(suite: Suite | "host"): Promise<AptView> {
    return openAptView(join(toolsFolder, "apt", suite), planSources(suite, mirror), signal);
  }
}

function planSources(suite: Suite | "host", mirror: Mirror): { uri: string; suite: string }[] {
  return suite === "host" ? mirror.host : [{ uri: mirror.uri, suite }];
}

function describeSet(set: ToolSet): string {
  const recipe = JSON.stringify([layoutVersion, set.from]);
  return createHash("sha256").update(recipe).digest("hex").slice(0, 8);
}

/** Of runs that were killed; we hold the lock, so nobody works in them. */
async function removeTemporaryFolders(toolsFolder: string): Promise<void> {
  await mkdir(toolsFolder, { recursive: true });
  for (const name of await readdir(toolsFolder)) {
    if (name.startsWith("new-")) await rm(join(toolsFolder, name), { recursive: true, force: true });
  }
}
