import path from "node:path";
import type { Command } from "commander";
import type { Config } from "./config/load-config.ts";
import type { ProjectFlags } from "./options.ts";

/** The flags of `docker compose` that choose a project, and drybag's own, as commander gives them. */
export interface ProjectCommandFlags {
  config?: string;
  file?: string[];
  envFile?: string[];
  profile?: string[];
  projectName?: string;
  projectDirectory?: string;
}

/** Adds these flags to a command. */
export function withProjectOptions(command: Command): Command {
  return command
    .option("-f, --file <file>", "Compose file, as for docker compose (repeatable)", collect)
    .option("--env-file <file>", "env file, as for docker compose (repeatable)", collect)
    .option("--profile <name>", "only this profile (repeatable; default: images of all profiles)", collect)
    .option("-p, --project-name <name>", "name of the Compose project")
    .option("--project-directory <folder>", "project directory, as for docker compose")
    .option("--config <file>", "drybag.yaml to use (default: the project's, if it has one)");
}

/** Flags win over drybag.yaml, each by itself. */
export function projectFlags(flags: ProjectCommandFlags, cwd: string, config?: Config): ProjectFlags {
  const resolve = (file: string) => path.resolve(cwd, file);
  const { files = [], envFiles = [], profiles = [], projectName, projectDirectory } = config?.compose ?? {};
  const filesOfConfig = flags.file === undefined && files.length > 0;
  return {
    // Files that drybag.yaml names mean the same wherever the command runs: `.env` is looked for beside it.
    cwd: config !== undefined && filesOfConfig ? config.project.folder : cwd,
    files: flags.file?.map(resolve) ?? files,
    envFiles: flags.envFile?.map(resolve) ?? envFiles,
    profiles: flags.profile ?? profiles,
    projectName: flags.projectName ?? projectName,
    projectDirectory:
      flags.projectDirectory === undefined ? projectDirectory : resolve(flags.projectDirectory),
    config: config?.project,
  };
}

/** For options that may be given several times. */
export function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}
