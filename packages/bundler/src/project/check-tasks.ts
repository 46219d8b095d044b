import path from "node:path";
import type { ComposeModel } from "@drybag/docker";
import { settingsOfCheck, taskCycle } from "@drybag/format";
import { nearestName } from "@drybag/terminal";
import { configInvalid, type Mistake } from "../config/config-document.ts";
import type { ProjectConfig } from "../config/project-config.ts";

/** Throws `config-invalid` for every service, volume and task that tasks, checks and backup name and that is not there. */
export function checkTasks(config: ProjectConfig, model: ComposeModel): void {
  const { tasks, checks, backup } = config;
  const services = Object.keys(model.services ?? {});
  const names = tasks.map(({ value }) => value.name);
  const mistakes: Mistake[] = [];
  const require = (
    name: string,
    known: readonly string[],
    what: string,
    place: Mistake["position"],
    label: string,
  ) => {
    if (known.includes(name)) return;
    const meant = nearestName(name, known);
    const help =
      meant !== undefined
        ? `did you mean '${meant}'?`
        : known.length > 0
          ? `there are ${known.join(", ")}`
          : "there is none at all";
    mistakes.push({ position: place, message: `${label}: the project has no ${what} '${name}'; ${help}` });
  };
  for (const { value, label, positionOf } of tasks) {
    require(value.service, services, "service", positionOf("service"), label);
    for (const [index, name] of (value.before ?? []).entries())
      require(name, names, "task", positionOf("before", index), label);
  }
  for (const { value, label, positionOf } of checks)
    require(value.service, services, "service", positionOf(value.kind, "service"), label);
  if (backup !== undefined) {
    const volumes = Object.keys(model.volumes ?? {});
    for (const key of ["volumes", "exclude"] as const) {
      // A volume without a name is named by where it is: SERVICE:/PATH.
      for (const [index, name] of (backup.value[key] ?? []).entries())
        if (name.includes(":/"))
          require(name.slice(0, name.indexOf(":/")), services, "service", backup.positionOf(
            key,
            index,
          ), backup.label);
        else require(name, volumes, "volume", backup.positionOf(key, index), backup.label);
    }
    const { dumpTask } = backup.value;
    if (dumpTask !== undefined) require(dumpTask, names, "task", backup.positionOf("dumpTask"), backup.label);
  }
  const cycle = taskCycle(tasks.map(({ value }) => value));
  const first = tasks.find(({ value }) => value.name === cycle?.[0]);
  if (cycle !== undefined && first !== undefined) {
    const message = `${first.label}: tasks wait for each other: ${cycle.join(" before ")}`;
    mistakes.push({ position: first.positionOf("before"), message });
  }
  const settings = new Set(settingsOfTasks(config));
  for (const { value, label, positionOf } of tasks) {
    for (const [index, name] of (value.arguments ?? []).entries()) {
      if (!settings.has(name) && !config.settings.some((setting) => setting.name === name)) continue;
      const message = `${label}: '${name}' is a setting of the site, and cannot be an argument too`;
      mistakes.push({ position: positionOf("arguments", index), message });
    }
  }
  if (mistakes.length > 0) throw configInvalid(path.basename(config.file), mistakes);
}

/** Names of the settings that tasks and checks need. */
export function settingsOfTasks({ tasks, checks }: ProjectConfig): string[] {
  return [
    ...tasks.flatMap(({ value }) => value.settings),
    ...checks.flatMap(({ value }) => settingsOfCheck(value)),
  ];
}
