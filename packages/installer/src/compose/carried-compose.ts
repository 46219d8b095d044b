import { chmod, copyFile, mkdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { compareVersions, type DockerContext, readComposeVersion } from "@drybag/docker";
import { type Finding, isDrybagError } from "@drybag/errors";
import { fsyncDirectory, type Manifest, writeFileAtomically } from "@drybag/format";
import { carriedComposePath } from "../docker-environment.ts";
import { exists } from "../release/place-release.ts";

/** Where Docker's client looks for plugins of all users, whatever the distribution. */
const PLUGIN_FOLDER = "/usr/local/lib/docker/cli-plugins";

/** Whether the bundle brings a Compose and this server needs it: its own is missing, or older than the bundle wants. */
export async function needsCarriedCompose(
  docker: DockerContext,
  { compose, requires }: Manifest,
  signal: AbortSignal,
): Promise<boolean> {
  if (compose === undefined || compareVersions(compose.version, requires.compose) < 0) return false;
  try {
    return compareVersions(await readComposeVersion(docker, { signal }), requires.compose) < 0;
  } catch (error) {
    signal.throwIfAborted();
    if (isDrybagError(error, "compose-missing")) return true;
    // Without a client, Compose would not help either: preflight says so.
    if (isDrybagError(error)) return false;
    throw error;
  }
}

/** The same Docker with the Compose that was read from the stick into a release that is being staged. */
export async function withStagedCompose(
  docker: DockerContext,
  { compose }: Manifest,
  stagedFolder: string,
): Promise<DockerContext> {
  if (compose === undefined) return docker;
  const path = join(stagedFolder, compose.entry);
  await chmod(path, 0o755);
  return { ...docker, compose: path };
}

/**
 * Keeps the staged Compose in the folder of all stacks, where every command finds it. With `everywhere`, Docker's client gets it as its
 * plugin too; that this did not work is no reason to fail.
 */
export async function placeCompose(
  docker: DockerContext,
  { compose }: Manifest,
  { stagedFolder, dir, everywhere }: { stagedFolder: string; dir: string; everywhere: boolean },
): Promise<{ docker: DockerContext; findings: Finding[] }> {
  if (compose === undefined) return { docker, findings: [] };
  const staged = join(stagedFolder, compose.entry);
  const findings = everywhere ? await installPlugin(staged) : [];
  const path = carriedComposePath(dir);
  if (!(await isNewer(path, compose.version))) {
    await mkdir(dirname(path), { recursive: true });
    await rename(staged, path);
    await fsyncDirectory(dirname(path));
    await writeFileAtomically(versionFile(path), `${compose.version}\n`);
  }
  // Once is enough: the release need not keep another copy.
  await rm(dirname(staged), { recursive: true, force: true });
  return { docker: { ...docker, compose: path }, findings };
}

function versionFile(path: string): string {
  return `${path}.version`;
}

/** Whether the one that is there was brought by a newer bundle. */
async function isNewer(path: string, version: string): Promise<boolean> {
  if (!(await exists(path))) return false;
  const installed = (await readFile(versionFile(path), "utf8").catch(() => "")).trim();
  return installed !== "" && compareVersions(installed, version) > 0;
}

async function installPlugin(staged: string): Promise<Finding[]> {
  const path = join(PLUGIN_FOLDER, "docker-compose");
  const partial = `${path}.${process.pid}.partial`;
  try {
    await mkdir(PLUGIN_FOLDER, { recursive: true });
    await copyFile(staged, partial);
    await chmod(partial, 0o755);
    await rename(partial, path);
    return [];
  } catch (error) {
    return [
      {
        code: "compose-not-installed",
        severity: "warning",
        message: `Compose could not be installed as ${path} (${(error as NodeJS.ErrnoException).code}).`,
        remedy:
          "The stack is installed with its own copy all the same. Run the same command as root for the other.",
      },
    ];
  } finally {
    await rm(partial, { force: true });
  }
}
