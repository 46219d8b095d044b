import { type Finding, isDrybagError } from "@drybag/errors";
import { openBundle } from "@drybag/format";
import { BundlePass } from "../bundle-pass.ts";
import { placeCompose } from "../compose/carried-compose.ts";
import { endedUnexpectedly } from "../health/judge-services.ts";
import { loadBundle } from "../images/load-bundle.ts";
import { checkOlder, skippedTask } from "../preflight/preflight-release.ts";
import { showFindings } from "../preflight/report-findings.ts";
import { placeRelease } from "../release/place-release.ts";
import { writeReleaseEnv } from "../release/release-env.ts";
import { releaseFlags } from "../release/release-flags.ts";
import { makeDataFolders } from "../release/site-data.ts";
import { writeAnswers } from "../settings/answers-file.ts";
import { switchCurrent } from "../site/current-release.ts";
import { enterSite } from "../site/enter-site.ts";
import { appendToJournal } from "../site/journal.ts";
import { releaseName, sitePaths } from "../site/site-paths.ts";
import { sum } from "../sum.ts";
import { markFirstInstallDone } from "../tasks/task-marks.ts";
import { judgeSigner } from "../trust/judge-signer.ts";
import { pinSigner, readPinnedSigner } from "../trust/pinned-signer.ts";
import { beginUpgrade, planUpgrade, settleSite, type UpgradeChoices } from "../upgrade/begin-upgrade.ts";
import { forgetUpgrade } from "../upgrade/unfinished-upgrade.ts";
import { agree } from "./agree.ts";
import { bringUp } from "./bring-up.ts";
import { ByteMeter } from "./byte-meter.ts";
import type { InstallPlan } from "./describe-plan.ts";
import { firstTasks } from "./first-tasks.ts";
import type { InstallOptions, InstallSurroundings } from "./install-options.ts";
import { buildReport, type InstallReport, type ReportInput } from "./install-report.ts";
import { type InstallPhase, interruptedIn } from "./interrupted.ts";
import { prepare, refuseUnwritable } from "./prepare.ts";
import { recoverLoad } from "./recover-load.ts";
import { Stopwatch } from "./stopwatch.ts";
import { writeReport } from "./write-report.ts";

/** In order, for the numbers in front of their titles. */
export const INSTALL_STAGES = ["open", "preflight", "load", "place", "health"];

/** What was done, or with `--dry-run` what would be. */
export type InstallOutcome = { report: InstallReport } | { plan: InstallPlan };

/**
 * Installs a bundle: one line from the stick to a stack that is healthy. Nothing is changed before everything was checked; the same
 * command again finishes what was interrupted, and changes nothing where all is as it should be.
 */
export async function install(
  options: InstallOptions,
  surroundings: InstallSurroundings,
): Promise<InstallOutcome> {
  let phase: InstallPhase = "preparing";
  const enter = (next: InstallPhase) => {
    phase = next;
  };
  try {
    return await installBundle(options, { ...surroundings, enter });
  } catch (error) {
    throw surroundings.signal.aborted ? interruptedIn(phase, error) : error;
  }
}

async function installBundle(
  options: InstallOptions,
  surroundings: InstallSurroundings & { enter(phase: InstallPhase): void },
): Promise<InstallOutcome> {
  const { engineIsLocal, progress, signal, enter } = surroundings;
  const startedAt = new Date();
  const stopwatch = new Stopwatch(progress);

  const bundle = await stopwatch.stage(
    "open",
    "Open the bundle",
    () => openBundle(options.carryFolder, { signal }),
    ({ manifest, signer }) =>
      `${manifest.name} ${manifest.version}, ${signer ? `signed by ${signer.fingerprint}` : "not signed"}`,
  );
  const { manifest, manifestSha256 } = bundle;
  const projectName = options.name ?? manifest.name;
  const release = releaseName(manifest.version, manifestSha256);
  const paths = sitePaths(options.dir, projectName);
  const signer = judgeSigner(bundle.signer, await readPinnedSigner(paths.signer), options.trustNewKey);
  await refuseUnwritable(manifest, projectName, options, surroundings);

  await using site = await enterSite(paths, release);
  const { finalFolder, stagedFolder, previous } = site;
  const meter = new ByteMeter(sum(bundle.carryFolder.parts.map(({ sizeBytes }) => sizeBytes)));
  await using pass = new BundlePass(bundle, { signal, onBytes: (bytes) => meter.add(bytes) });

  const prepared = await prepare(pass, site, projectName, options, { ...surroundings, stopwatch });
  const { engine, composeVersion, images, load, usesCarriedCompose } = prepared;
  let { docker } = prepared;
  const store = engine.imageStore;
  const isUpgrade = previous !== undefined && previous.name !== release;
  const choices: UpgradeChoices = {
    rules: options.backup ? (manifest.backup ?? previous?.manifest.backup) : "none",
    skipTasks: options.skipTasks,
  };
  const upgrade = isUpgrade ? planUpgrade(manifest, previous.manifest, choices) : undefined;
  const notes = [
    ...checkOlder(manifest.version, previous?.manifest.version),
    ...(isUpgrade ? options.skipTasks.map(skippedTask) : []),
  ];
  showFindings([...notes, ...prepared.findings], progress);
  const first = await firstTasks(site, manifest);
  const planned: InstallPlan = {
    name: projectName,
    manifest,
    manifestSha256,
    signer,
    release,
    folder: finalFolder,
    previous: previous?.name,
    load,
    carriedCompose: usesCarriedCompose ? composeVersion : undefined,
    tasks: (upgrade ? [...upgrade.before, ...upgrade.after] : first.tasks).map((task) => task.name),
    backup: upgrade?.isBackedUp ?? false,
    answers: prepared.answers,
    findings: [...notes, ...prepared.findings],
  };
  const settled = options.dryRun ? prepared : await agree(planned, prepared, options, surroundings);
  const { answers, model } = settled;
  const before = [...notes, ...settled.findings];
  if (options.answersOut !== undefined) await writeAnswers(options.answersOut, answers);
  if (options.dryRun) return { plan: planned };

  enter("loading");
  const previousRelease = previous?.name ?? null;
  await appendToJournal(paths.journal, { step: "install-started", release, manifestSha256, previousRelease });
  const leftOver = await recoverLoad(docker, paths.journal, images, store);
  await stopwatch.stage(
    "load",
    load.images.length > 0 ? "Verify the bundle and load its images" : "Verify the bundle",
    (report) => {
      meter.showIn(report);
      const onSent = () => {
        enter("unpacking");
        report.message("verified; the engine is unpacking");
      };
      const onAgain = () => {
        meter.restart();
        report.message("the engine's copy was broken; loading once more");
      };
      const dataRoot = engineIsLocal ? engine.dataRoot : undefined;
      return loadBundle(pass, load, {
        docker,
        store,
        dataRoot,
        journal: paths.journal,
        leftOver,
        signal,
        onSent,
        onAgain,
      });
    },
    () => `${load.images.length} loaded, ${manifest.images.length - load.images.length} were here`,
  );

  enter("placing");
  const placeFindings = await stopwatch.stage("place", "Place the release", async () => {
    await writeAnswers(paths.answers, answers);
    await makeDataFolders(manifest, paths.data);
    const findings: Finding[] = [];
    if (usesCarriedCompose) {
      const where = { stagedFolder, dir: options.dir, everywhere: options.installCompose };
      const compose = await placeCompose(docker, manifest, where);
      docker = compose.docker;
      findings.push(...compose.findings);
    }
    findings.push(...(await placeRelease({ staged: stagedFolder, final: finalFolder, manifest })));
    await writeReleaseEnv({ manifest, folder: finalFolder, finalFolder, projectName, answers });
    await appendToJournal(paths.journal, { step: "release-placed", release });
    return findings;
  });
  showFindings(placeFindings, progress);

  const upgrading = { docker, engineIsLocal, projectName, paths, stopwatch, signal };
  enter("settling");
  await settleSite(release, previous, upgrading);
  enter("backup");
  const begun = isUpgrade
    ? await beginUpgrade({ manifest, release, ...choices }, previous, upgrading)
    : undefined;

  enter("starting");
  const flags = releaseFlags(manifest, finalFolder, projectName);
  const toStart = {
    docker,
    engineIsLocal,
    flags,
    projectName,
    manifest,
    store,
    name: release,
    folder: finalFolder,
    model,
  };
  const start = begun?.start ?? first;
  const about: ReportInput = {
    manifest,
    previous: previous?.manifest,
    operator: options.operator,
    manifestSha256,
    signer,
    projectName,
    release,
    folder: finalFolder,
    previousRelease,
    startedAt,
    durationsMs: stopwatch.durationsMs,
    engine,
    composeVersion,
    load,
  };
  const { services, started, tasks, checks } = await bringUp(
    site,
    toStart,
    { ...options, start },
    { ...surroundings, docker, stopwatch },
  ).catch(async (error: unknown) => {
    // What ran before keeps the report of how it was installed.
    if (isDrybagError(error) && previous?.name !== release) {
      const { code, message } = error;
      const outcome = { state: "failed" as const, code, message };
      const findings = [...before, ...placeFindings];
      const nothing = { services: [], backup: begun?.backup ?? null, tasks: [], checks: [] };
      await writeReport(finalFolder, buildReport(about, { outcome, ...nothing, findings }));
    }
    throw error;
  });
  const healthFindings = endedUnexpectedly(services);
  showFindings(healthFindings, progress);

  enter("healthy");
  const report = buildReport(about, {
    outcome: { state: started ? "healthy" : "unchanged" },
    services,
    backup: begun?.backup ?? null,
    tasks: [...(begun?.tasks ?? []), ...tasks],
    checks,
    findings: [...before, ...placeFindings, ...healthFindings],
  });
  await writeReport(finalFolder, report);
  if (signer.signer && signer.trust !== "same") await pinSigner(paths.signer, signer.signer);
  if (previous?.name !== release) await switchCurrent(paths, release);
  await appendToJournal(paths.journal, { step: "committed", release });
  await forgetUpgrade(paths);
  await markFirstInstallDone(paths.marks);
  return { report };
}
