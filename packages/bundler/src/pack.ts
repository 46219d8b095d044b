import { readComposeVersion, readEngineFacts } from "@drybag/docker";
import { DrybagError, type Finding, isDrybagError } from "@drybag/errors";
import type { BuildProvenance, Manifest } from "@drybag/format";
import type { Progress } from "@drybag/terminal";
import { buildProject, planProjectBuilds, usedBuilds } from "./build/build-project.ts";
import { readRecord } from "./build/build-records.ts";
import { builtServices } from "./build/compose-builds.ts";
import { chooseCompose } from "./carry-compose/choose-compose.ts";
import { count } from "./count.ts";
import { collectImages } from "./images/collect-images.ts";
import { platformText, type ResolvedImage, resolveImages } from "./images/resolve-images.ts";
import type { PackOptions } from "./options.ts";
import { collectFiles } from "./project/collect-files.ts";
import { loadProject } from "./project/load-project.ts";
import { findScanner } from "./scan/run-scanner.ts";
import { scanForPack } from "./scan/scan-for-pack.ts";
import { DEFAULT_SEVERITY } from "./scan/vulnerability.ts";
import { gitVersion } from "./seal/bundle-version.ts";
import { planBundle, REQUIRES } from "./seal/plan-bundle.ts";
import { requireEntryNames } from "./seal/require-entry-names.ts";
import { openSshSigner } from "./seal/ssh-signer.ts";
import { dropRottenLayers, type LayerCache, openLayerCache } from "./stage/layer-cache.ts";
import { stageImages } from "./stage/stage-images.ts";
import { openUpdates } from "./update/update-files.ts";
import { type WrittenBundle, writeVerified } from "./write/write-verified.ts";

/** What a pack made. */
export interface PackResult extends WrittenBundle {
  manifest: Manifest;
  cachedLayers: number;
  layers: number;
  findings: Finding[];
  /** Files that name what was built, and are others now. */
  updatedFiles: string[];
  durationMs: number;
}

/** Packs a Compose project into a carry folder: the whole line of the connected side. */
export async function pack(
  options: PackOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<PackResult> {
  const startedMs = performance.now();
  const builds = await planProjectBuilds(
    options.docker,
    options.project.config,
    { ...options.builds, version: options.version },
    signal,
  );
  const updates = options.updateFiles
    ? await openUpdates(options.project.config, builds.planned, options.project.cwd)
    : undefined;
  const scanner =
    options.scan === undefined
      ? undefined
      : await findScanner(undefined, { env: options.docker.env, signal });
  // What the builds set is what Compose reads, and what the site gets.
  const docker = { ...options.docker, env: { ...options.docker.env, ...builds.variables } };
  await using signer =
    options.signKey === undefined
      ? undefined
      : await openSshSigner(options.signKey, { env: docker.env, canAsk: options.canAsk, signal });

  const engine = await progress.stage(
    "engine",
    "Look at Docker",
    async () => {
      const [facts, compose] = await Promise.all([
        readEngineFacts(docker, { signal }),
        readComposeVersion(docker, { signal }),
      ]);
      return { ...facts, compose };
    },
    (facts) => `Engine ${facts.version}, Compose ${facts.compose}`,
  );
  const platform = options.platform ?? { os: engine.os, architecture: engine.architecture };

  const { project, files } = await progress.stage(
    "project",
    "Read the project",
    async () => {
      const loaded = await loadProject(docker, options.project, signal);
      const files = await collectFiles(loaded);
      requireEntryNames(files.files);
      return { project: loaded, files };
    },
    (read) => `${count(read.project.model.services, "service")}, ${count(read.files.files, "file")}`,
  );
  const findings = [...project.findings, ...files.findings];
  for (const finding of findings) progress.emit({ type: "warning", ...finding });

  const extra = project.config?.extraImages.map(({ text }) => text);
  const collected = collectImages(project.model, extra);
  const used = usedBuilds(
    builds,
    collected.map(({ reference }) => reference),
  );
  for (const finding of used.findings) progress.emit({ type: "warning", ...finding });
  findings.push(...used.findings);
  if (options.build) {
    const targets = { builds: used.names, services: builtServices(project) };
    const { findings: found } = await buildProject(
      {
        ...{ docker, builds, targets, project },
        config: options.project.config,
        flags: options.project,
        platform: options.platform && platformText(options.platform),
      },
      options.builds,
      progress,
      signal,
    );
    findings.push(...found);
  }
  const ours = new Set(builds.planned.flatMap(({ references }) => references));
  const needed = collected.map((image) => ({
    ...image,
    isBuilt: image.isBuilt || ours.has(image.reference),
  }));
  const [images, carried] = await Promise.all([
    progress.stage(
      "images",
      "Find the images",
      (report) => resolveImages(docker, needed, platform, report, signal),
      (found) => `${count(found, "image")}, ${found.filter((image) => image.wasPulled).length} pulled`,
    ),
    chooseCompose(docker, project.config?.compose, platform, REQUIRES.compose, signal),
  ]);

  const scanned =
    scanner === undefined || options.scan === undefined
      ? []
      : [
          await progress.stage("scan", `Scan the images with ${scanner.name}`, (report) =>
            scanForPack(
              scanner,
              options.scan ?? DEFAULT_SEVERITY,
              images.map(({ tag }) => tag),
              docker,
              report,
              signal,
            ),
          ),
        ];

  for (const finding of carried.findings) progress.emit({ type: "warning", ...finding });
  findings.push(...carried.findings);

  const cache = await openLayerCache(options.cacheDirectory);
  const version = options.version ?? (await gitVersion(project.sources.projectDirectory, docker.env, signal));
  const stageAndWrite = async () => {
    await using staged = await progress.stage(
      "stage",
      "Save and compress the layers",
      (report) => stageImages(docker, cache, images, { ...options, signal }, report),
      (done) => `${count(new Array(done.layers), "layer")}, ${done.cachedLayers} from the cache`,
    );
    const plan = await planBundle(
      {
        name: options.name ?? project.model.name,
        version,
        platform,
        generatorVersion: options.generatorVersion,
        project,
        files,
        images,
        provenance: await readProvenance(images, options.builds.stateDirectory),
        staged: staged.images,
        extra: scanned,
        compose: carried.compose,
        cache,
      },
      signal,
    );
    try {
      return { staged, plan, written: await writeVerified(options, plan, signer, progress, signal) };
    } catch (error) {
      const rotten = await rottenLayers(error, cache, plan.manifest.layers, progress, signal);
      if (rotten > 0) return undefined;
      throw error;
    }
  };
  // Layers that rotted in the cache are found when they are written: dropped by now, and made again.
  const packed = (await stageAndWrite()) ?? (await stageAndWrite());
  if (packed === undefined)
    throw new DrybagError("digest-mismatch", "The cache rots while it is used.", {
      hint: `The disk of ${options.cacheDirectory} is failing: set XDG_CACHE_HOME to a folder on another one.`,
    });
  const { staged, plan, written } = packed;
  const updatedFiles = (await updates?.write(used.names)) ?? [];
  return {
    ...written,
    updatedFiles,
    manifest: plan.manifest,
    cachedLayers: staged.cachedLayers,
    layers: staged.layers,
    findings,
    durationMs: performance.now() - startedMs,
  };
}

/** What the images were built from, by their IDs: also those that an earlier `drybag build` made. */
async function readProvenance(
  images: readonly ResolvedImage[],
  stateDirectory: string,
): Promise<Map<string, BuildProvenance>> {
  const records = await Promise.all(
    images.map(async ({ tag, facts }) => [tag, await readRecord(stateDirectory, facts.id)] as const),
  );
  return new Map(records.flatMap(([tag, record]) => (record === undefined ? [] : [[tag, record]])));
}

/** How many layers of the cache had to be dropped, if that is why writing failed. */
async function rottenLayers(
  error: unknown,
  cache: LayerCache,
  layers: Manifest["layers"],
  progress: Progress,
  signal: AbortSignal,
): Promise<number> {
  const isGone = error instanceof Error && "code" in error && error.code === "ENOENT";
  if (!isGone && !isDrybagError(error, "digest-mismatch")) return 0;
  const dropped = await dropRottenLayers(cache, layers, signal);
  if (dropped > 0) {
    const finding: Finding = {
      code: "cache-rotten",
      severity: "warning",
      message: `${dropped} of ${count(layers, "layer")} in the cache ${dropped === 1 ? "was" : "were"} damaged, and dropped.`,
      remedy: `The layers are made again. If this happens often, the disk of ${cache.directory} is failing.`,
    };
    progress.emit({ type: "warning", ...finding });
  }
  return dropped;
}
