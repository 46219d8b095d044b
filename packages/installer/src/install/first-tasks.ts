import type { Manifest } from "@drybag/format";
import type { EnteredSite } from "../site/enter-site.ts";
import { tasksAt } from "../tasks/plan-tasks.ts";
import { readMarks, writeMarks } from "../tasks/task-marks.ts";
import { NO_TASKS, type StartTasks } from "./settle-release.ts";

/** The tasks of a first install, until all of them have succeeded for the data that is here. */
export async function firstTasks(
  { paths, previous }: Pick<EnteredSite, "paths" | "previous">,
  manifest: Manifest,
): Promise<StartTasks> {
  const marks = await readMarks(paths.marks);
  if (previous !== undefined || marks.firstInstallDone) return NO_TASKS;
  const all = tasksAt(manifest.tasks ?? [], "first-install");
  const left = all.filter(({ name }) => !marks.firstInstall.includes(name));
  const last = left.at(-1);
  return {
    tasks: left,
    onStart: async () => undefined,
    async onDone(task) {
      const now = await readMarks(paths.marks);
      const firstInstall = [...now.firstInstall, task.name];
      await writeMarks(paths.marks, { ...now, firstInstall, firstInstallDone: task === last });
    },
  };
}
