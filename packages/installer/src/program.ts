import { run } from "@drybag/terminal";
import { Command } from "commander";
import { backupCommand, backupsCommand } from "./commands/backup-command.ts";
import { completionCommand } from "./commands/completion-command.ts";
import { doctorCommand } from "./commands/doctor-command.ts";
import {
  type InstallFlags,
  installCommand,
  type PreflightFlags,
  preflightCommand,
} from "./commands/install-command.ts";
import { type LogsFlags, logsCommand, parseTail } from "./commands/logs-command.ts";
import { type PruneFlags, parseKeep, pruneCommand } from "./commands/prune-command.ts";
import { releasesCommand } from "./commands/releases-command.ts";
import { type RestoreFlags, restoreCommand } from "./commands/restore-command.ts";
import { type RollbackFlags, rollbackCommand } from "./commands/rollback-command.ts";
import { type RunFlags, runCommand, tasksCommand } from "./commands/run-command.ts";
import { DEFAULT_DIR, parseFingerprint, parseSeconds, type SiteFlags } from "./commands/site-flags.ts";
import { type StatusFlags, statusCommand } from "./commands/status-command.ts";
import { type SupportFlags, supportCommand } from "./commands/support-command.ts";
import { type UninstallFlags, uninstallCommand } from "./commands/uninstall-command.ts";
import { verifyCommand } from "./commands/verify-command.ts";
import { commandTree } from "./completion/command-tree.ts";
import { keepSelf } from "./self/keep-self.ts";

/** The command line of drybag-site; `version` is its own. */
export function createProgram(version = "0.0.0-source"): Command {
  const program = new Command("drybag-site").description(
    "Installs a Drybag bundle on a server without a network, and says how it does.",
  );

  program
    .command("install")
    .description("verify the bundle, load its images, start the stack and wait until it is healthy")
    .argument("[carry-folder]", "folder with the bundle (default: this folder)")
    .option("--dir <folder>", "folder of all stacks", DEFAULT_DIR)
    .option("--name <name>", "name of the stack and its Compose project (default: the bundle's)")
    .option("--set <NAME=value>", "value of a setting (repeatable)", collect)
    .option("--values <file>", 'values of settings, a line NAME="value" each; --set wins')
    .option("--answers-out <file>", "write the answers there too, secrets included, for --values elsewhere")
    .option("--generate-secrets", "make up the secrets that have no value")
    .option("--dry-run", "check everything, show the plan, and stop before the first change")
    .option(
      "--trust-new-key <fingerprint>",
      "the key that may sign this stack's bundles from now on",
      parseFingerprint,
    )
    .option("--no-self-install", "do not install drybag-site itself on this server")
    .option("--install-compose", "where the bundle's Compose is used, install it for all of this server")
    .option("--no-backup", "upgrade without a backup of the data: a failed one then leaves it as it is")
    .option("--skip-task <name>", "upgrade without this task of the release that runs (repeatable)", collect)
    .option("-y, --yes", "install without asking")
    .option("--timeout <seconds>", "how long the stack may take to become healthy", parseSeconds, 600)
    .action(
      run<InstallFlags, [string?]>((context, flags, folder) =>
        installCommand(context, flags, folder, {
          version,
          keep: (stack, { dir }, progress) =>
            keepSelf({ version, tree: commandTree(program) }, stack, dir, progress),
        }),
      ),
    );

  program
    .command("preflight")
    .description("check this server and the settings, and show what install would do; changes nothing")
    .argument("[carry-folder]", "folder with the bundle (default: this folder)")
    .option("--dir <folder>", "folder of all stacks", DEFAULT_DIR)
    .option("--name <name>", "name of the stack and its Compose project (default: the bundle's)")
    .option("--set <NAME=value>", "value of a setting (repeatable)", collect)
    .option("--values <file>", 'values of settings, a line NAME="value" each; --set wins')
    .option("--generate-secrets", "take it that secrets without a value will be made up")
    .action(run<PreflightFlags, [string?]>(preflightCommand));

  program
    .command("verify")
    .description("read everything in the carry folder and list all that is wrong")
    .argument("[carry-folder]", "folder with the bundle (default: this folder)")
    .action(run<object, [string?]>(verifyCommand));

  program
    .command("status")
    .description("show what runs, and whether it is what was installed")
    .argument("[name]", "name of the stack (default: all)")
    .option("--dir <folder>", "folder of all stacks", DEFAULT_DIR)
    .option(
      "-w, --watch",
      "look again every 2 s until Ctrl-C; with --json one line for each look that differs",
    )
    .action(run<StatusFlags, [string?]>(statusCommand));

  program
    .command("doctor")
    .description("compare images, containers, files, settings and records with what was installed")
    .argument("[name]", "name of the stack (default: all)")
    .option("--dir <folder>", "folder of all stacks", DEFAULT_DIR)
    .action(run<SiteFlags, [string?]>(doctorCommand));

  program
    .command("support")
    .description("write one archive with facts, states, logs and configuration, secrets taken out")
    .argument("[name]", "name of the stack (default: all)")
    .option("--dir <folder>", "folder of all stacks", DEFAULT_DIR)
    .option("-o, --output <file>", "file to write, or the folder it goes to (default: this folder)")
    .action(
      run<SupportFlags, [string?]>((context, flags, name) => supportCommand(context, flags, name, version)),
    );

  program
    .command("logs")
    .description("show what the services write")
    .argument("[name]", "name of the stack, where there are several")
    .option("--dir <folder>", "folder of all stacks", DEFAULT_DIR)
    .option("-s, --service <name>", "only this service (repeatable)", collect)
    .option("-n, --tail <lines>", "last lines of each container, or 'all'", parseTail, 100)
    .option("-f, --follow", "go on as they write more")
    .action(run<LogsFlags, [string?]>(logsCommand));

  program
    .command("run")
    .description("run a task of the release that runs, and show what it writes")
    .argument("<task>", "name of the task; 'tasks' lists them")
    .argument("[NAME=value...]", "values of its arguments")
    .option("--name <name>", "name of the stack, where there are several")
    .option("--dir <folder>", "folder of all stacks", DEFAULT_DIR)
    .option("--values <file>", 'values of its arguments, a line NAME="value" each; NAME=value wins')
    .option("--again", "also where it has run already and is to run once")
    .action(run<RunFlags, [string, string[]?]>(runCommand));

  program
    .command("tasks")
    .description("list the tasks that can be run, and when they run by themselves")
    .argument("[name]", "name of the stack (default: all)")
    .option("--dir <folder>", "folder of all stacks", DEFAULT_DIR)
    .action(run<SiteFlags, [string?]>(tasksCommand));

  program
    .command("backup")
    .description(
      "back up the data of a stack; it is stopped for the time, unless its bundle has a task that dumps it",
    )
    .argument("[name]", "name of the stack, where there are several")
    .option("--dir <folder>", "folder of all stacks", DEFAULT_DIR)
    .action(run<SiteFlags, [string?]>(backupCommand));

  program
    .command("backups")
    .description("list the backups that are here")
    .argument("[name]", "name of the stack (default: all)")
    .option("--dir <folder>", "folder of all stacks", DEFAULT_DIR)
    .action(run<SiteFlags, [string?]>(backupsCommand));

  program
    .command("restore")
    .description("put the data of a backup back; what is there is backed up first")
    .argument("[backup]", "name of the backup (default: the last one)")
    .option("--from <folder>", "a backup that lies elsewhere, e.g. one of another server")
    .option("--name <name>", "name of the stack, where there are several")
    .option("--dir <folder>", "folder of all stacks", DEFAULT_DIR)
    .option("--other-release", "also where the backup is of another release than the one that runs")
    .option("-y, --yes", "restore without asking")
    .option("--timeout <seconds>", "how long the stack may take to become healthy", parseSeconds, 600)
    .action(run<RestoreFlags, [string?]>(restoreCommand));

  program
    .command("releases")
    .description("list the releases that are here")
    .argument("[name]", "name of the stack (default: all)")
    .option("--dir <folder>", "folder of all stacks", DEFAULT_DIR)
    .action(run<SiteFlags, [string?]>(releasesCommand));

  program
    .command("rollback")
    .description("run the release before again, with its images, files and settings; data stays as it is")
    .argument("[name]", "name of the stack, where there are several")
    .option("--dir <folder>", "folder of all stacks", DEFAULT_DIR)
    .option("--to <release>", "go to this release (default: the one that ran before)")
    .option("--restore-data", "give it the data back that it had, from the backup before the upgrade")
    .option("-y, --yes", "go back without asking")
    .option("--timeout <seconds>", "how long the stack may take to become healthy", parseSeconds, 600)
    .action(run<RollbackFlags, [string?]>(rollbackCommand));

  program
    .command("prune")
    .description("remove old releases, and the images that only they need")
    .argument("[name]", "name of the stack, where there are several")
    .option("--dir <folder>", "folder of all stacks", DEFAULT_DIR)
    .option("--keep <n>", "how many to keep beside the one that runs", parseKeep, 1)
    .action(run<PruneFlags, [string?]>(pruneCommand));

  program
    .command("uninstall")
    .description("remove a stack's containers and releases; its data stays")
    .argument("<name>", "name of the stack")
    .option("--dir <folder>", "folder of all stacks", DEFAULT_DIR)
    .option("--volumes", "delete its data too; its name must be typed")
    .option("--backups", "with --volumes: delete its backups too")
    .option("--confirm <name>", "the name, where nobody is there to type it")
    .option("-y, --yes", "remove it without asking")
    .action(run<UninstallFlags, [string]>(uninstallCommand));

  program
    .command("completion")
    .description("print the completion for a shell: bash, zsh or fish")
    .argument("<shell>", "the shell")
    .action(run<object, [string]>((context, _flags, shell) => completionCommand(context, program, shell)));

  return program;
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}
