import type { Command } from "commander";
import type { ProjectFlags } from "./options.ts";

/** The flags of `docker compose` that choose a project, as commander gives them. */
export interface ProjectCommandFlags {
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
    .option("--project-directory <folder>", "project directory, as for docker compose");
}

export function projectFlags(flags: ProjectCommandFlags, cwd: string): ProjectFlags {
  return {
    cwd,
    files: flags.file ?? [],
    envFiles: flags.envFile ?? [],
    profiles: flags.profile ?? [],
    projectName: flags.projectName,
    projectDirectory: flags.projectDirectory,
  };
}

function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}
