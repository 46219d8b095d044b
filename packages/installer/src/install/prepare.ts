import { type ComposeModel, type DockerContext, type EngineFacts, readComposeModel } from "@drybag/docker";
import { DrybagError, type Finding, isDrybagError } from "@drybag/errors";
import type { Manifest } from "@drybag/format";
import type { BundlePass } from "../bundle-pass.ts";
import { needsCarriedCompose, withStagedCompose } from "../compose/carried-compose.ts";
import type { ImageState } from "../images/image-state.ts";
import type { LoadPlan } from "../images/plan-load.ts";
import { checkHost, checkProject } from "../preflight/preflight.ts";
import { checkClock } from "../preflight/preflight-clock.ts";
import { checkImageSettings } from "../preflight/preflight-image-settings.ts";
import { checkWritable } from "../preflight/preflight-site.ts";
import { refuseErrors } from "../preflight/report-findings.ts";
import { writeReleaseEnv } from "../release/release-env.ts";
import { releaseFlags } from "../release/release-flags.ts";
import { stageRelease } from "../release/stage-release.ts";
import { readAnswers } from "../settings/answers-file.ts";
import { askSettings } from "../settings/ask-settings.ts";
import { withGeneratedSecrets } from "../settings/generate-secret.ts";
import { missingSettingFindings, resolveSettings } from "../settings/resolve-settings.ts";
import type { EnteredSite } from "../site/enter-site.ts";
import { readJournal, wasStarted } from "../site/journal.ts";
import type { InstallOptions, InstallSurroundings } from "./install-options.ts";
import type { Stopwatch } from "./stopwatch.ts";

export interface Prepared {
  /** With the Compose to be used. */
  docker: DockerContext;
  /** The bundle's Compose is used; it lies in the staged release. */
  usesCarriedCompose: boolean;
  engine: EngineFacts;
  composeVersion: string | undefined;
  /** The bundle's images, as the engine has them. */
  images: ImageState[];
  load: LoadPlan;
  /** Nothing among them stands in the way. */
  findings: Finding[];
  answers: Map<string, string>;
  /** The project with the site's settings. */
  model: ComposeModel;
  /** Looks again with other answers. Throws what is in the way. */
  reconsider(answers: Map<string, string>): Promise<Pick<Prepared, "answers" | "model" | "findings">>;
}

/**
 * Everything that is decided before anything is changed: the project is read from the stick into a folder of its own, this server
 * is looked at, and the settings are known. Throws what is in the way, all of it at once.
 */
export async function prepare(
  pass: BundlePass,
  site: EnteredSite,
  projectName: string,
  options: InstallOptions,
  surroundings: InstallSurroundings & { stopwatch: Stopwatch },
): Promise<Prepared> {
  const { engineIsLocal, signal, questions, stopwatch } = surroundings;
  const { manifest } = pass.bundle;
  const usesCarriedCompose = await needsCarriedCompose(surroundings.docker, manifest, signal);
  const wanted = usesCarriedCompose && manifest.compose ? [manifest.compose.entry] : [];
  const remembered = await readAnswers(site.paths.answers);
  const known = resolveSettings({ settings: manifest.settings, remembered, given: options.given });
  const resolved = options.generateSecrets ? withGeneratedSecrets(known) : known;
  const aboutProject = { manifest, releaseFolder: site.stagedFolder, projectName, engineIsLocal };

  const checked = await stopwatch.stage("preflight", "Check this server", async () => {
    await stageRelease(pass, { folder: site.stagedFolder, data: site.paths.data, wanted }, signal);
    const docker = usesCarriedCompose
      ? await withStagedCompose(surroundings.docker, manifest, site.stagedFolder)
      : surroundings.docker;
    const project = { docker, manifest, site, projectName, signal };
    const journal = await readJournal(site.paths.journal);
    const check = await checkHost({
      docker,
      manifest,
      projectName,
      dir: options.dir,
      engineIsLocal,
      isKnown: wasStarted(journal),
      signal,
    });
    const journalMs = Date.parse(journal.at(-1)?.time ?? "") || 0;
    const clock = checkClock(Date.now(), { bundleMs: pass.bundle.mtimeSeconds * 1000, journalMs });
    const findings = [...check.findings, ...clock];
    let model: ComposeModel | undefined;
    // Without an engine nobody could say whose the ports are that are taken; and what an old Compose makes of the project is not what counts.
    const isTooOld = check.findings.some(({ code }) => code === "compose-too-old");
    const canAsk = check.host.engine !== undefined && check.host.composeVersion !== undefined && !isTooOld;
    if (resolved.missing.length === 0 && canAsk) {
      const { answers } = resolved;
      model = await readProject({ ...project, answers });
      findings.push(
        ...(await checkImageSettings({ ...project, folder: site.stagedFolder, answers })),
        ...(await checkProject({ ...aboutProject, model, host: check.host })),
      );
    }
    if (!questions) findings.push(...missingSettingFindings(resolved.missing));
    refuseErrors(findings);
    return { check, clock, findings, model, project };
  });
  const { check, findings, model, project } = checked;
  const { images, load, host } = check;
  const { engine, composeVersion } = host;
  if (!engine) throw new Error("the engine did not answer, and no finding says so");
  const reconsider = async (answers: Map<string, string>) => {
    const asked = await readProject({ ...project, answers });
    const more = [
      ...(await checkImageSettings({ ...project, folder: site.stagedFolder, answers })),
      ...(await checkProject({ ...aboutProject, model: asked, host })),
    ];
    refuseErrors(more);
    return { answers, model: asked, findings: [...check.findings, ...checked.clock, ...more] };
  };
  const { docker } = project;
  const facts = { docker, usesCarriedCompose, engine, composeVersion, images, load, reconsider };
  if (model) return { ...facts, findings, answers: resolved.answers, model };

  const answers = new Map(resolved.answers);
  if (questions) {
    questions.stderr.write("\nThis stack needs to know a few things.\n");
    for (const [name, value] of await askSettings(resolved.missing, questions)) answers.set(name, value);
  }
  return stopwatch.stage("settings", "Check the settings", async () => ({
    ...facts,
    ...(await reconsider(answers)),
  }));
}

async function readProject(input: {
  docker: DockerContext;
  manifest: Manifest;
  site: EnteredSite;
  projectName: string;
  answers: ReadonlyMap<string, string>;
  signal: AbortSignal;
}): Promise<ComposeModel> {
  const { docker, manifest, site, projectName, answers, signal } = input;
  const { stagedFolder: folder, finalFolder } = site;
  await writeReleaseEnv({ manifest, folder, finalFolder, projectName, answers });
  try {
    return await readComposeModel(docker, releaseFlags(manifest, folder, projectName), { signal });
  } catch (error) {
    throw withSettings(error, answers);
  }
}

/** The bundle's own files were read when it was packed: what is new here is the site's settings. */
function withSettings(error: unknown, answers: ReadonlyMap<string, string>): unknown {
  if (!isDrybagError(error, "project-invalid") || answers.size === 0) return error;
  const { message, detail, cause } = error;
  return new DrybagError("project-invalid", message, {
    hint: `One of this site's settings does not fit: ${[...answers.keys()].join(", ")}. Give it another value with --set.`,
    ...(detail === undefined ? {} : { detail }),
    cause,
  });
}

/** Where not even the lock can be written: says so together with all else that can be told without writing. */
export async function refuseUnwritable(
  manifest: Manifest,
  projectName: string,
  { dir }: InstallOptions,
  { docker, engineIsLocal, signal }: InstallSurroundings,
): Promise<void> {
  const unwritable = await checkWritable(dir);
  if (unwritable.length === 0) return;
  const check = await checkHost({
    docker,
    manifest,
    projectName,
    dir,
    engineIsLocal,
    isKnown: true,
    signal,
  });
  refuseErrors([...unwritable, ...check.findings]);
}
