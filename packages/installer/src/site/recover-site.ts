import { type DockerContext, removeContainer } from "@drybag/docker";
import { removePartialBackups } from "../backup/make-backup.ts";
import { startStopped } from "../backup/stop-stack.ts";
import { helper } from "../backup/volume-helper.ts";
import { endLeftoverTasks } from "../tasks/end-leftover-tasks.ts";
import type { SitePaths } from "./site-paths.ts";

/**
 * Tidies up after a command that was killed: its task is ended, its half backup and its helper removed, and what it had stopped for the
 * time is started again. Only while the stack is locked.
 */
export async function recoverSite(
  docker: DockerContext,
  projectName: string,
  paths: SitePaths,
  signal: AbortSignal,
): Promise<void> {
  await endLeftoverTasks(docker, projectName, paths.journal);
  await removePartialBackups(paths.backups);
  await removeContainer(docker, helper(projectName).name, { signal });
  await startStopped(docker, { model: undefined, journal: paths.journal }, signal);
}
