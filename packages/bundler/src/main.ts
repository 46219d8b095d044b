import { homedir } from "node:os";
import { fileURLToPath } from "node:url";
import { run, runMain } from "@drybag/terminal";
import { Command, Option } from "commander";
import { type BuildFlags, buildCommand } from "./build/build-command.ts";
import { type BumpFlags, bumpCommand } from "./bump/bump-command.ts";
import { addBundleCommands } from "./bundle-commands.ts";
import { jsonSchema } from "./config/config-schema.ts";
import { findConfig } from "./config/find-config.ts";
import { imagesCommand } from "./images-command.ts";
import { type InitFlags, initCommand } from "./init-command.ts";
import { type LintFlags, lintCommand } from "./lint-command.ts";
import { notesCommand } from "./notes/notes-command.ts";
import { type PackFlags, packOptions } from "./options.ts";
import { type OutdatedFlags, outdatedCommand } from "./outdated/outdated-command.ts";
import { pack } from "./pack.ts";
import { packReport, packReportJson } from "./pack-report.ts";
import { collect, type ProjectCommandFlags, withProjectOptions } from "./project-options.ts";
import { SCANNERS } from "./scan/run-scanner.ts";
import { type ScanFlags, scanCommand } from "./scan/scan-command.ts";
import { DEFAULT_SEVERITY, SEVERITIES } from "./scan/vulnerability.ts";
import { COMPRESSION_LEVELS } from "./stage/compression.ts";

declare const DRYBAG_VERSION: string | undefined;
const version = typeof DRYBAG_VERSION === "undefined" ? "0.0.0-source" : DRYBAG_VERSION;

const program = new Command("drybag").description(
  "Packs a Docker Compose stack into a folder that installs it on a server without a network.",
);

program
  .command("init")
  .description("look at the project and write its drybag.yaml, asking in a terminal")
  .option("-f, --file <file>", "Compose file (repeatable)", collect)
  .option("--env-file <file>", "env file (repeatable)", collect)
  .option("--profile <name>", "profile to pack (repeatable; default: all)", collect)
  .option("--name <name>", "name of the stack (default: as Compose names the project)")
  .option("-y, --yes", "ask nothing: take what is likely")
  .option("--force", "replace a drybag.yaml that is there")
  .option("--json", "result as JSON on stdout")
  .action(run<InitFlags, []>(initCommand));

withProjectOptions(program.command("pack"))
  .description("build, pull, save, compress and check everything the project needs, into a carry folder")
  .option("-o, --output <folder>", "where the carry folder is made (default: this folder)")
  .option("--name <name>", "name of the stack (default: the project's name)")
  .option(
    "--bundle-version <version>",
    "version of the bundle (default: date and commit of the git work tree, or made from the content)",
  )
  .option("--platform <os/arch>", "platform of the server, e.g. linux/arm64 (default: this engine's)")
  .option(
    "--part-size <size>",
    "largest file, e.g. 3900M; 'none' for one file (default: 3.9G, which FAT32 takes)",
  )
  .option("--no-build", "take images that drybag.yaml or Compose builds as they are")
  .option("--environment <name>", "environment whose build arguments and tags are taken")
  .option("--allow-dirty", "build with changes that are not committed, and say '-dirty' in the tag")
  .option("--update-files", "write what was built into the files that 'update' of drybag.yaml names")
  .option(
    "--scan [severity]",
    "scan the images with Trivy or Grype, fail at this severity (default: high), carry the report",
  )
  .option("--force", "replace a carry folder of the same name")
  .option("--sign <key>", "sign with this SSH key, e.g. ~/.ssh/id_ed25519, or the .pub of one in an agent")
  .addOption(
    new Option("--compression <level>", "how hard to try; max is slow")
      .choices(COMPRESSION_LEVELS)
      .default("default"),
  )
  .option("--recompress", "compress anew what the engine gives compressed: smaller, but with other digests")
  .option("--verify-media", "read back from the medium itself, past the computer's memory")
  .option("--json", "result as JSON on stdout, progress as NDJSON on stderr")
  .action(
    run<PackFlags, []>(async (context, flags) => {
      const around = {
        cwd: context.cwd,
        env: context.env,
        home: homedir(),
        canAsk: context.canAsk,
        assets: {
          installScript: fileURLToPath(new URL("../assets/install.sh", import.meta.url)),
          installerDirectory: fileURLToPath(new URL("../../installer/dist/", import.meta.url)),
        },
        generatorVersion: version,
      };
      const options = packOptions(flags, around, await findConfig(flags, context.cwd));
      const progress = context.progress(["engine", "project", "images", "stage", "write", "verify"]);
      const result = await pack(options, progress, context.signal);
      await progress.close();
      context.stdout.write(context.json ? packReportJson(result) : packReport(result, context.cwd));
    }),
  );

withProjectOptions(program.command("build"))
  .description("build the images of drybag.yaml and of services with 'build:'")
  .argument("[target...]", "names of builds and services (default: all)")
  .option("--push", "send all tags to the registry")
  .option("--no-cache", "build every step anew")
  .option("--environment <name>", "environment whose build arguments and tags are taken")
  .option("--allow-dirty", "build with changes that are not committed, and say '-dirty' in the tag")
  .option("--platform <os/arch>", "platform to build for (default: the build's own, or this engine's)")
  .option("--write-env [file]", "write name and tag into this env file (default: the project's own)")
  .option("--update-files", "write what was built into the files that 'update' of drybag.yaml names")
  .option("--json", "result as JSON on stdout, progress as NDJSON on stderr")
  .action(
    run<BuildFlags, [string[]]>((context, flags, targets) =>
      buildCommand(context, flags, targets, homedir()),
    ),
  );

withProjectOptions(program.command("images"))
  .description("list every image that the project needs, and where it is written")
  .option("--json", "result as JSON on stdout")
  .action(run<ProjectCommandFlags, []>(imagesCommand));

withProjectOptions(program.command("lint"))
  .description("find what would fail on site, what should not travel, and what would reach for the network")
  .option("--platform <os/arch>", "platform of the server, e.g. linux/arm64")
  .option("--strict", "fail on warnings too")
  .option("--json", "result as JSON on stdout")
  .action(run<LintFlags, []>(lintCommand));

withProjectOptions(program.command("outdated"))
  .description("show newer tags of the images, and of frappe and its apps")
  .option("--exit-code", "end with 9 when something is newer")
  .option("--json", "result as JSON on stdout")
  .action(run<OutdatedFlags, []>(outdatedCommand));

withProjectOptions(program.command("bump"))
  .description("write newer tags into the files in which the present ones stand")
  .argument("[names...]", "images, services, apps, or frappe (default: whatever has a newer tag)")
  .option("--patch", "the newest patch release at most")
  .option("--minor", "the newest minor release at most (the default)")
  .option("--major", "the newest release")
  .option("--to <tag>", "exactly this tag, of the one name")
  .option("--dry-run", "show what would change and write nothing")
  .option("--json", "result as JSON on stdout")
  .action(run<BumpFlags, [string[]]>(bumpCommand));

withProjectOptions(program.command("scan"))
  .description(
    "look for known vulnerabilities in the images of a bundle or of the project, with Trivy or Grype",
  )
  .argument("[folder]", "a carry folder (default: the images of the project in this folder)")
  .addOption(
    new Option("--severity <level>", "end with 9 when something is as bad as that, or worse")
      .choices(SEVERITIES)
      .default(DEFAULT_SEVERITY),
  )
  .addOption(new Option("--scanner <name>", "which one (default: the one that is there)").choices(SCANNERS))
  .option("--output <file>", "keep what was found, the scanner's own reports too, as JSON")
  .option("--json", "result as JSON on stdout, progress as NDJSON on stderr")
  .action(run<ScanFlags, [string?]>(scanCommand));

withProjectOptions(program.command("notes"))
  .description("release notes: what changes from a bundle to another one, or to the project")
  .argument("<before>", "a carry folder")
  .argument("[after]", "another one (default: the project in this folder, as it is now)")
  .option("--json", "result as JSON on stdout (default: Markdown)")
  .action(run<ProjectCommandFlags, [string, string?]>(notesCommand));

program
  .command("schema")
  .description("print the JSON Schema of drybag.yaml, for editors")
  .action(
    run(async ({ stdout }) => {
      stdout.write(`${JSON.stringify(jsonSchema(), undefined, 2)}\n`);
    }),
  );

addBundleCommands(program);

void runMain(program, { argv: process.argv, name: "drybag", version });
