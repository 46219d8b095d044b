import { access, constants, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { ComposeModel, ContainerFacts } from "@drybag/docker";
import type { Finding } from "@drybag/errors";

/** Whether a stack of the same Compose project runs here that Drybag did not install: `up` would take its containers over. */
export function checkForeignStack(
  containers: readonly ContainerFacts[],
  projectName: string,
  isKnown: boolean,
): Finding[] {
  if (isKnown || containers.length === 0) return [];
  const names = containers.map(({ name }) => name);
  const shown = names.slice(0, 5).join(", ") + (names.length > 5 ? `, and ${names.length - 5} more` : "");
  return [
    {
      code: "foreign-stack",
      severity: "error",
      message: `A Compose project named ${projectName} is here already that Drybag did not install: ${shown}.`,
      remedy: `Install under another name (--name), or take that one down first ('docker compose -p ${projectName} down'; its volumes stay).`,
    },
  ];
}

/** Names that the project gives to its containers and that others have already. */
export function checkContainerNames(
  model: ComposeModel,
  containers: readonly ContainerFacts[],
  projectName: string,
): Finding[] {
  return Object.entries(model.services ?? {}).flatMap(([service, { container_name: wanted }]) => {
    const holder = containers.find(({ name, project }) => name === wanted && project !== projectName);
    if (!holder) return [];
    return [
      {
        code: "container-name-taken",
        severity: "error" as const,
        message: `The container of ${service} is to be named ${wanted}, and another container has that name.`,
        remedy: `Remove or rename it ('docker ps -a' shows it).`,
      },
    ];
  });
}

/** What the whole stack reserves against what the engine's machine has. */
export function checkMemory(reservedBytes: number, memoryBytes: number): Finding[] {
  if (reservedBytes <= memoryBytes) return [];
  return [
    {
      code: "memory-low",
      severity: "warning",
      message: `The stack reserves ${mebibytes(reservedBytes)} of memory; this server has ${mebibytes(memoryBytes)}.`,
      remedy: "Give the server more memory, or lower the reservations in the Compose file.",
    },
  ];
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1024 ** 2)} MiB`;
}

/** Whether releases can be written; the nearest folder that is there decides. */
export async function checkWritable(dir: string): Promise<Finding[]> {
  try {
    await access(dir, constants.W_OK | constants.X_OK);
    if (!KERNEL_FILE_SYSTEMS.has((await statfs(dir)).type)) return [];
    return [unwritable(`${dir} shows the kernel, and holds no files.`, "Choose another folder with --dir.")];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" && dir !== dirname(dir)) return checkWritable(dirname(dir));
    return [
      unwritable(
        `Nothing can be written to ${dir} (${code}).`,
        "Run the same command as root (sudo), or choose another folder with --dir.",
      ),
    ];
  }
}

/** proc and sysfs, as statfs(2) calls them: making a folder there fails in a way that Node tries for ever to mend. */
const KERNEL_FILE_SYSTEMS = new Set([0x9fa0, 0x62656572]);

function unwritable(message: string, remedy: string): Finding {
  return { code: "not-writable", severity: "error", message, remedy };
}
