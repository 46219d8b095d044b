import { run } from "@drybag/terminal";
import type { Command } from "commander";
import { type VerifyFlags, verifyCommand } from "./verify-command.ts";

/** The commands that look at carry folders and at the cache: they need no project and no engine. */
export function addBundleCommands(program: Command): void {
  program
    .command("verify")
    .description("read a carry folder and check every byte of it, and its signatures")
    .argument("[folder]", "the carry folder (default: this folder)")
    .option("--key <file>", "one of these public keys must have signed it (or --allowed-signers)")
    .option("--allowed-signers <file>", "as ssh-keygen(1) describes them")
    .option("--media", "read the medium itself, past the computer's memory")
    .option("--json", "result as JSON on stdout, progress as NDJSON on stderr")
    .action(run<VerifyFlags, [string?]>(verifyCommand));
}
