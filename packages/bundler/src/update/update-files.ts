import type { PlannedBuild } from "../build/plan-builds.ts";
import { writeFiles } from "../bump/edit-files.ts";
import type { ProjectConfig } from "../config/project-config.ts";
import { planUpdates } from "./plan-updates.ts";

/** `--update-files`, from its check before anything is built to the writing after it. */
export interface FileUpdates {
  /** Writes what these builds made; gives the files that are others now. Throws `not-writable`, `disk-full`. */
  write(built: readonly string[]): Promise<string[]>;
}

/** The files that `update` of drybag.yaml names. */
export function updatedFiles(config: ProjectConfig | undefined): string[] {
  return [...new Set((config?.updates ?? []).map(({ file }) => file))];
}

/**
 * Sees that everything can be written that is to be, so that no build is for nothing.
 * Throws `file-missing`, `file-unreadable`, `place-unknown`.
 */
export async function openUpdates(
  config: ProjectConfig | undefined,
  planned: readonly PlannedBuild[],
  cwd: string,
): Promise<FileUpdates> {
  const updates = config?.updates ?? [];
  const references = new Map(planned.map((build) => [build.name, build.references[0]]));
  await planUpdates(updates, references, cwd);
  return {
    async write(built) {
      const wanted = updates.filter(({ build }) => built.includes(build));
      const files = await planUpdates(wanted, references, cwd);
      await writeFiles(files);
      return files.map(({ file }) => file);
    },
  };
}
