import { existsSync } from "node:fs";
import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "../run-command.ts";
import type { SuiteSource } from "./find-mirror.ts";

/** apt with sources and lists of its own: the machine's apt neither notices nor is needed up to date. */
export interface AptView {
  /** Options of every apt command that looks through this view. */
  options: string[];
}

/** For any apt command of ours: it writes into no folder of the machine's and waits for none of its locks. */
export const quietOptions: readonly string[] = [
  "-oDir::Cache::pkgcache=",
  "-oDir::Cache::srcpkgcache=",
  "-oDebug::NoLocking=1",
  "-oAPT::Sandbox::User=root",
];

// Testing moves every few hours and drops old files: lists must be fresh when something is downloaded.
const freshForMs = 60 * 60 * 1000;
const keyrings = ["debian-archive-keyring.pgp", "debian-archive-keyring.gpg"];

/** Must be called by one process at a time for a folder: apt's own locks are switched off, they are the system's. */
export async function openAptView(
  folder: string,
  sources: readonly SuiteSource[],
  signal?: AbortSignal,
): Promise<AptView> {
  const lists = join(folder, "lists");
  const sourceList = join(folder, "sources.list");
  const stamp = join(folder, "updated");
  await mkdir(join(lists, "partial"), { recursive: true });
  await mkdir(join(folder, "archives", "partial"), { recursive: true });
  await writeFile(sourceList, sources.map(sourceLine).join(""));
  const options = [
    `-oDir::Etc::sourcelist=${sourceList}`,
    "-oDir::Etc::sourceparts=-",
    `-oDir::State::Lists=${lists}`,
    ...quietOptions,
  ];
  if (!(await isFresh(stamp))) {
    await runCommand("apt-get", ["-q", ...options, "--error-on=any", "update"], {
      doing: `read the package lists of ${sources.map(({ suite }) => suite).join(", ")}`,
      code: "lab-packages",
      hint: "check the mirror with: apt-get update",
      signal,
    });
    await writeFile(stamp, "");
  }
  return { options };
}

function sourceLine({ uri, suite }: SuiteSource): string {
  const keyring = keyrings.map((name) => `/usr/share/keyrings/${name}`).find((path) => existsSync(path));
  return `deb ${keyring === undefined ? "" : `[signed-by=${keyring}] `}${uri} ${suite} main\n`;
}

async function isFresh(stamp: string): Promise<boolean> {
  const found = await stat(stamp).catch(() => undefined);
  return found !== undefined && Math.abs(Date.now() - found.mtimeMs) < freshForMs;
}
