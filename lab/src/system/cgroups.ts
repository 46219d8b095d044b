import { readdir, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { waitFor } from "../wait-for.ts";

const root = "/sys/fs/cgroup";
const timeoutMs = 5_000;

/** A paused container on cgroup v1 does not even die of SIGKILL before it is thawed. */
export async function thawCgroups(cgroup: string): Promise<void> {
  for (const folder of await listFolders(join(root, "freezer", cgroup))) {
    await writeFile(join(folder, "freezer.state"), "THAWED").catch(() => {});
  }
}

/** Removes the control groups that killed containers leave, in every hierarchy; their processes are dead. */
export async function removeCgroups(cgroup: string): Promise<void> {
  await waitFor(
    async () => {
      let left = 0;
      for (const folder of await findCgroups(cgroup)) {
        await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== "ENOENT") left += 1; // EBUSY: a killed process is not reaped yet
        });
      }
      return left === 0 ? true : undefined;
    },
    { timeoutMs },
  );
}

/** Innermost first, below cgroup v2's root and below every v1 controller. */
export async function findCgroups(cgroup: string): Promise<string[]> {
  const hierarchies = [root, ...(await readdir(root).catch(() => [])).map((name) => join(root, name))];
  const found: string[] = [];
  for (const hierarchy of hierarchies) found.push(...(await listFolders(join(hierarchy, cgroup))));
  return found;
}

async function listFolders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return [];
  const below = await Promise.all(
    entries.filter((entry) => entry.isDirectory()).map((entry) => listFolders(join(folder, entry.name))),
  );
  return [...below.flat(), folder];
}
