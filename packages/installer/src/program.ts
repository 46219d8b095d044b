import { run } from "@drybag/terminal";
import { Command } from "commander";
import { type InstallFlags, installCommand } from "./commands/install-command.ts";
import { DEFAULT_DIR, parseFingerprint, parseSeconds, type SiteFlags } from "./commands/site-flags.ts";
import { statusCommand } from "./commands/status-command.ts";
import { verifyCommand } from "./commands/verify-command.ts";

/** The command line of drybag-site. */
export function createProgram(): Command {
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
    .option("--dry-run", "check everything, show the plan, and stop before the first change")
    .option(
      "--trust-new-key <fingerprint>",
      "the key that may sign this stack's bundles from now on",
      parseFingerprint,
    )
    .option("-y, --yes", "install without asking")
    .option("--timeout <seconds>", "how long the stack may take to become healthy", parseSeconds, 600)
    .action(run<InstallFlags, [string?]>(installCommand));

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
    .action(run<SiteFlags, [string?]>(statusCommand));

  return program;
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}
