import type { Task, TaskTime } from "@drybag/format";

/** The tasks of a time in the order in which they run: each once, after those that it names in `before`. Pure. */
export function tasksAt(tasks: readonly Task[], time: TaskTime): Task[] {
  return inOrder(
    tasks,
    tasks.filter(({ when }) => when.includes(time)),
  );
}

/** One task with those that come before it; empty where there is none of that name. Pure. */
export function taskWithPrerequisites(tasks: readonly Task[], name: string): Task[] {
  return inOrder(
    tasks,
    tasks.filter((task) => task.name === name),
  );
}

function inOrder(all: readonly Task[], wanted: readonly Task[]): Task[] {
  const planned = new Set<Task>();
  const visit = (task: Task) => {
    for (const name of task.before ?? []) {
      const first = all.find((each) => each.name === name);
      // The manifest has no rings; a set says so all the same.
      if (first !== undefined && !planned.has(first)) visit(first);
    }
    planned.add(task);
  };
  for (const task of wanted) if (!planned.has(task)) visit(task);
  return [...planned];
}
