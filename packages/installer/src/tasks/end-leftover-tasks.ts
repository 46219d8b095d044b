import { type DockerContext, killInContainer, listOneOffContainers, removeContainer } from "@drybag/docker";
import { appendToJournal, readJournal, unendedTasks } from "../site/journal.ts";
import { TASK_MARK } from "./run-task.ts";

const TIMEOUT_MS = 20_000;

/** Ends what tasks left running when the program that had started them was killed. Returns the names of those tasks. */
export async function endLeftoverTasks(
  docker: DockerContext,
  projectName: string,
  journal: string,
): Promise<string[]> {
  const unended = unendedTasks(await readJournal(journal));
  if (unended.length === 0) return [];
  const oneOffs = await listOneOffContainers(docker, projectName, { timeoutMs: TIMEOUT_MS });
  for (const { task, release, container, pid, id } of unended) {
    if (pid !== null)
      await killInContainer(
        docker,
        container,
        { pid, mark: `${TASK_MARK}=${id}` },
        { timeoutMs: TIMEOUT_MS },
      );
    else if (oneOffs.includes(container)) await removeContainer(docker, container, { timeoutMs: TIMEOUT_MS });
    await appendToJournal(journal, { step: "task-failed", task, release, message: "was cut off" });
  }
  return unended.map(({ task }) => task);
}
