import path from "node:path";
import { type DockerContext, inspectImage, readEngineFacts } from "@drybag/docker";
import { DrybagError, EXIT, type ExitCode } from "@drybag/errors";
import { writeFileAtomically } from "@drybag/format";
import type { RunContext } from "@drybag/terminal";
import { withBuildVariables } from "../build/build-variables.ts";
import { openCarryFolder } from "../bundle/open-carry-folder.ts";
import { findConfig } from "../config/find-config.ts";
import { collectImages } from "../images/collect-images.ts";
import { loadProject } from "../project/load-project.ts";
import { type ProjectCommandFlags, projectFlags } from "../project-options.ts";
import { bundledImages, engineImages } from "./image-sources.ts";
import { findScanner, type ScannerName } from "./run-scanner.ts";
import { type ImageToScan, scanImages } from "./scan-images.ts";
import { countedIn, keptReport, scanFound, scanJson, scanReport } from "./scan-report.ts";
import type { Severity } from "./vulnerability.ts";

export interface ScanFlags extends ProjectCommandFlags {
  severity: Severity;
  scanner?: ScannerName;
  output?: string;
}

/**
 * `drybag scan [FOLDER]`: what a scanner finds in the images of a bundle, or of the project. Throws `scan-found` when there is something
 * of that severity (with --json only the exit code tells), `scanner-missing`, `scanner-failed`.
 */
export async function scanCommand(context: RunContext, flags: ScanFlags, folder?: string): Promise<ExitCode> {
  const { cwd, env, signal } = context;
  const scanner = await findScanner(flags.scanner, { env, signal });
  const images =
    folder === undefined
      ? await projectImages({ env }, flags, cwd, signal)
      : bundledImages(await openCarryFolder(context, folder));
  const progress = context.progress(["scan"]);
  const scanned = await progress.stage("scan", `Scan the images with ${scanner.name}`, (report) =>
    scanImages(scanner, images, { env, signal }, report),
  );
  await progress.close();
  const result = { scanner, severity: flags.severity, images: scanned };
  if (flags.output !== undefined)
    await writeFileAtomically(path.resolve(cwd, flags.output), keptReport(result));
  const found = countedIn(result).length;
  const width = context.stdout.isTTY ? context.stdout.columns : undefined;
  context.stdout.write(context.json ? scanJson(result) : scanReport(result, width));
  if (found === 0) return EXIT.ok;
  // With --json stdout is one value, and that is the result.
  if (context.json) return EXIT.found;
  throw scanFound(found, flags.severity);
}

/** The engine must have them: what is not here was not built or pulled yet, and would be scanned by nobody. */
async function projectImages(
  docker: DockerContext,
  flags: ProjectCommandFlags,
  cwd: string,
  signal: AbortSignal,
): Promise<ImageToScan[]> {
  await readEngineFacts(docker, { signal });
  const config = await findConfig(flags, cwd);
  const told = await withBuildVariables(docker, config, signal);
  const project = await loadProject(told, projectFlags(flags, cwd, config), signal);
  const extra = project.config?.extraImages.map(({ text }) => text);
  const references = collectImages(project.model, extra).map(({ reference }) => reference);
  const there = await Promise.all(references.map((each) => inspectImage(docker, each, { signal })));
  const missing = references.filter((_, index) => there[index] === undefined);
  if (missing.length > 0) {
    throw new DrybagError("image-not-found", `Not on this engine: ${missing.join(", ")}.`, {
      hint: "Pull or build them first, or pack and scan the bundle.",
    });
  }
  return engineImages(docker, references);
}
