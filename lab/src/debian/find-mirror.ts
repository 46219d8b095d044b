import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { LabError } from "../lab-error.ts";
import { runCommand } from "../run-command.ts";
import { quietOptions } from "./apt-view.ts";

/** A suite of a Debian archive, as apt wants it: `trixie` at some mirror. */
export interface SuiteSource {
  uri: string;
  suite: string;
}

export interface Mirror {
  /** Address of the archive that has every release of Debian. */
  uri: string;
  /** What this machine itself installs from: release, updates, security. */
  host: SuiteSource[];
}

/**
 * Asks apt where this machine gets its packages; the address is nowhere in our files.
 * @param folder may be used for package lists of our own.
 * @throws LabError `lab-requirement` where apt knows no Debian mirror.
 */
export async function findMirror(folder: string, signal?: AbortSignal): Promise<Mirror> {
  const codename = await readCodename();
  const known = parseIndexTargets(await listIndexTargets([], signal), codename);
  if (known !== undefined) return known;
  // Before a machine's first `apt-get update`, apt names no target: it reads them from the lists it does not have yet.
  const ownLists = [`-oDir::State::Lists=${join(folder, "lists")}`, ...quietOptions];
  await mkdir(join(folder, "lists", "partial"), { recursive: true });
  await execa("apt-get", ["-q", ...ownLists, "update"], {
    reject: false, // a broken third-party source is not our business
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  signal?.throwIfAborted();
  const found = parseIndexTargets(await listIndexTargets(ownLists, signal), codename);
  if (found !== undefined) return found;
  throw new LabError(
    "lab-requirement",
    `needs a package mirror, and apt reaches none for Debian ${codename} main`,
    {
      hint: "add one to /etc/apt/sources.list.d, then check it with: apt-get update && apt-get indextargets",
    },
  );
}

async function readCodename(): Promise<string> {
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  const codename = /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(release)?.[1];
  if (/^ID="?debian"?$/m.test(release) && codename !== undefined) return codename;
  throw new LabError("lab-requirement", "needs Debian 12 or later for the packages of its engines", {
    hint: "use a Debian machine, container or virtual machine",
  });
}

function listIndexTargets(options: readonly string[], signal?: AbortSignal): Promise<string> {
  const format = "$(CREATED_BY) $(REPO_URI) $(RELEASE) $(COMPONENT)";
  return runCommand("apt-get", [...options, "indextargets", "--format", format], {
    doing: "ask apt for its package mirror",
    code: "lab-requirement",
    signal,
  });
}

/** Third-party repositories and other releases are left out: they must not take part in what the lab unpacks. */
export function parseIndexTargets(text: string, codename: string): Mirror | undefined {
  const host = new Map<string, SuiteSource>();
  for (const line of text.split("\n")) {
    const [kind, uri, suite, component] = line.trim().split(" ");
    if (kind !== "Packages" || component !== "main" || uri === undefined || suite === undefined) continue;
    if (uri.startsWith("cdrom:") || !isOfRelease(suite, codename)) continue;
    host.set(`${uri} ${suite}`, { uri, suite });
  }
  const sources = [...host.values()];
  const main = sources.find(({ suite }) => !suite.includes("-"));
  return main === undefined ? undefined : { uri: main.uri, host: sources };
}

function isOfRelease(suite: string, codename: string): boolean {
  const base = suite.replace(/-(?:updates|security)$/, "");
  return [codename, "oldstable", "stable", "testing"].includes(base);
}
