import {
  canEmptyVolumes,
  createVolume,
  type DockerContext,
  emptyVolume,
  inspectImage,
  inspectVolume,
  listVolumeUsers,
  removeVolume,
  type VolumeFacts,
} from "@drybag/docker";
import { DrybagError } from "@drybag/errors";
import type { Manifest } from "@drybag/format";
import { helper } from "./volume-helper.ts";

/** How what is in volumes can be made to go. */
export interface ClearPlan {
  /** Names of those whose content stays when they are removed: they are emptied by a program. */
  toEmpty: Set<string>;
  /** Image that has such a program; undefined where none is needed. */
  image: string | undefined;
}

interface Around {
  docker: DockerContext;
  projectName: string;
  manifest: Manifest;
  signal: AbortSignal;
}

/** Such a volume is in memory, and holds nothing once no container runs with it. */
export function isInMemory({ driver, options }: Pick<VolumeFacts, "driver" | "options">): boolean {
  return driver === "local" && options.type === "tmpfs";
}

/**
 * Says how volumes will be cleared, before anything is touched. Throws `restore-refused` where one cannot be: a container of somebody else
 * runs with it, or it lies on a device or folder of its own and no image has a shell.
 */
export async function planClearing(volumes: readonly VolumeFacts[], around: Around): Promise<ClearPlan> {
  const { docker, projectName, signal } = around;
  const toEmpty = new Set<string>();
  for (const volume of volumes) {
    const users = await listVolumeUsers(docker, volume.name, { signal });
    const strangers = users.filter(
      ({ project, name }) => project !== projectName && name !== helper(projectName).name,
    );
    const running = strangers.find(({ state }) => state === "running" || state === "restarting");
    if (running !== undefined) throw inUse(volume.name, running.name);
    if (strangers.length > 0 || liesElsewhere(volume)) toEmpty.add(volume.name);
  }
  return { toEmpty, image: toEmpty.size === 0 ? undefined : await imageThatEmpties([...toEmpty], around) };
}

/** Makes a volume empty, or makes it where there is none. Nothing runs with it. */
export async function clearVolume(
  facts: VolumeFacts,
  { toEmpty, image }: ClearPlan,
  { docker, projectName, signal }: Omit<Around, "manifest">,
): Promise<void> {
  const isPresent = (await inspectVolume(docker, facts.name, { signal })) !== undefined;
  if (toEmpty.has(facts.name) && image !== undefined) {
    if (!isPresent) await createVolume(docker, facts, { signal });
    await emptyVolume(docker, { source: facts.name, image, ...helper(projectName) }, { signal });
    return;
  }
  // The engine cannot empty a volume; it can take it away and make one that is the same.
  if (isPresent) await removeVolume(docker, facts.name, { signal });
  await createVolume(docker, facts, { signal });
}

/** Of the local driver's options, only a device is a place; of a plugin's, nobody knows. */
function liesElsewhere({ driver, options }: VolumeFacts): boolean {
  return driver === "local" ? options.device !== undefined : Object.keys(options).length > 0;
}

async function imageThatEmpties(
  volumes: readonly string[],
  { docker, projectName, manifest, signal }: Around,
): Promise<string> {
  for (const { tag: image } of [...manifest.images].sort((a, b) => a.sizeBytes - b.sizeBytes)) {
    if (!(await inspectImage(docker, image, { signal }))) continue;
    if (await canEmptyVolumes(docker, { image, ...helper(projectName) }, { signal })) return image;
  }
  throw new DrybagError(
    "restore-refused",
    `What is in ${volumes.join(", ")} stays when the volume goes, and no image of this release has a shell to remove it with.`,
    {
      hint: "Nothing was changed. Leave it out of backups ('backup.exclude'; --no-backup for one upgrade), or carry an image with a shell (images.extra).",
    },
  );
}

function inUse(volume: string, container: string): DrybagError {
  return new DrybagError(
    "restore-refused",
    `The volume ${volume} is used by ${container}, a container that does not belong to this stack and runs.`,
    { hint: `Nothing was changed. 'docker stop ${container}' first, then run the same command again.` },
  );
}
