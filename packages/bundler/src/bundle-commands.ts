import { run } from "@drybag/terminal";
import type { Command } from "commander";
import { diffCommand } from "./bundle/diff-command.ts";
import { type ExportFlags, exportCommand } from "./bundle/export-command.ts";
import { type InspectFlags, inspectCommand } from "./bundle/inspect-command.ts";
import { type ReshapeFlags, reshapeCommand } from "./bundle/reshape-command.ts";
import { type CachePruneFlags, cacheInfoCommand, cachePruneCommand } from "./cache/cache-command.ts";
import { type VerifyFlags, verifyCommand } from "./verify-command.ts";

/** The commands that look at carry folders and at the cache: they need no project and no engine. */
export function addBundleCommands(program: Command): void {
  program
    .command("verify")
    .description("read a carry folder and check every byte of it, and its signatures")
    .argument("[folder]", "the carry folder (default: this folder)")
    .option("--key <file>", "one of these public keys must have signed it (or --allowed-signers)")
    .option("--allowed-signers <file>", "as ssh-keygen(1) describes them")
    .option("--layers", "unpack every layer too, and compare it with the digest in its image")
    .option("--media", "read the medium itself, past the computer's memory")
    .option("--json", "result as JSON on stdout, progress as NDJSON on stderr")
    .action(run<VerifyFlags, [string?]>(verifyCommand));

  program
    .command("inspect")
    .description("show what is inside a bundle: images, layers, sizes, files")
    .argument("[folder]", "the carry folder (default: this folder)")
    .option("--files", "list the files too")
    .option("--json", "the manifest and what is known of the bundle, as JSON")
    .action(run<InspectFlags, [string?]>(inspectCommand));

  program
    .command("diff")
    .description("show what changes from one bundle to another: images, apps, settings, files, bytes")
    .argument("<before>", "a carry folder")
    .argument("<after>", "another one")
    .option("--json", "result as JSON on stdout")
    .action(run<object, [string, string]>(diffCommand));

  program
    .command("export")
    .description("give the images of a bundle to programs that cannot read it as it is")
    .argument("[folder]", "the carry folder (default: this folder)")
    .option("--docker-archive <file>", "as 'docker save' writes it, with plain layers; '-' for stdout")
    .option("--oci <folder>", "as an OCI image layout")
    .action(run<ExportFlags, [string?]>(exportCommand));

  reshape(program, "split", "copy a bundle into files of another size").requiredOption(
    "--part-size <size>",
    "largest file, e.g. 2G",
  );
  reshape(program, "join", "copy a bundle into one file");

  const cache = program.command("cache").description("what is kept between packs: compressed layers");
  cache
    .command("info")
    .description("show where the cache is and what it holds")
    .option("--json", "result as JSON on stdout")
    .action(run<object, []>(cacheInfoCommand));
  cache
    .command("prune")
    .description("remove what was not used for long, or the oldest until the rest is small enough")
    .option("--older-than <age>", "not used since then: 30d, 12h, 2w")
    .option("--max-size <size>", "leave at most this, e.g. 20G")
    .option("--json", "result as JSON on stdout")
    .action(run<CachePruneFlags, []>(cachePruneCommand));
}

function reshape(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .argument("<folder>", "the carry folder")
    .requiredOption("-o, --output <folder>", "where the copy is made")
    .option("--sign <key>", "the key that signed the bundle, if it is signed")
    .option("--json", "result as JSON on stdout, progress as NDJSON on stderr")
    .action(run<ReshapeFlags, [string]>(reshapeCommand));
}
