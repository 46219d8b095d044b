import { readFile } from "node:fs/promises";
import { LabError } from "../lab-error.ts";
import { runCommand } from "../run-command.ts";

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
 * @throws LabError `lab-requirement` where apt knows no Debian mirror.
 */
export async function findMirror(signal?: AbortSignal): Promise<Mirror> {
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  const codename = /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(release)?.[1];
  if (!/^ID="?debian"?$/m.test(release) || codename === undefined) {
    throw new LabError("lab-requirement", "needs Debian 12 or later for the packages of its engines", {
      hint: "use a Debian machine, container or virtual machine",
    });
  }
  const targets = await runCommand(
    "apt-get",
    ["indextargets", "--format", "$(CREATED_BY) $(REPO_URI) $(RELEASE) $(COMPONENT)"],
    { doing: "ask apt for its package mirror", code: "lab-requirement", signal },
  );
  const mirror = parseIndexTargets(targets, codename);
  if (mirror !== undefined) return mirror;
  throw new LabError(
    "lab-requirement",
    `needs a package mirror, and apt knows none for Debian ${codename} main`,
    {
      hint: "add one to /etc/apt/sources.list.d, then check it with: apt-get indextargets",
    },
  );
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
