import { readComposeVersion, readEngineFacts } from "@drybag/docker";
import { DrybagError, type Finding, isDrybagError } from "@drybag/errors";
import type { Manifest } from "@drybag/format";
import type { Progress } from "@drybag/terminal";
import { count } from "./count.ts";
import { buildImages, builtServices } from "./images/build-images.ts";
import { collectImages } from "./images/collect-images.ts";
import { resolveImages } from "./images/resolve-images.ts";
import type { PackOptions } from "./options.ts";
import { collectFiles } from "./project/collect-files.ts";
import { loadProject } from "./project/load-project.ts";
import { gitVersion } from "./seal/bundle-version.ts";
import { planBundle } from "./seal/plan-bundle.ts";
import { requireEntryNames } from "./seal/require-entry-names.ts";
import { openSshSigner } from "./seal/ssh-signer.ts";
import { dropRottenLayers, type LayerCache, openLayerCache } from "./stage/layer-cache.ts";
import { stageImages } from "./stage/stage-images.ts";
import { type WrittenBundle, writeVerified } from "./write/write-verified.ts";

/** What a pack made. */
export interface PackResult extends WrittenBundle {
  manifest: Manifest;
  cachedLayers: number;
  layers: number;
  findings: Finding[];
  durationMs: number;
}

/** Packs a Compose project into a carry folder: the whole line of the connected side. */
export async function pack(
  options: PackOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<PackResult> {
  const startedMs = performance.now();
  const { docker } = options;
  await using signer =
    options.signKey === undefined
      ? undefined
      : await openSshSigner(options.signKey, { env: docker.env, canAsk: options.canAsk, signal });

  const engine = await progress.stage(
    "engine",
    "Look at Docker",
    async () => {
      const compose = await readComposeVersion(docker, { signal });
      return { ...(await readEngineFacts(docker, { signal })), compose };
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
  const needed = collectImages(project.model, extra);
  const built = options.build ? builtServices(project) : [];
  if (built.length > 0) {
    await progress.stage("build", `Build ${built.join(", ")}`, () =>
      buildImages(docker, options.project, project, built, signal),
    );
  }
  const images = await progress.stage(
    "images",
    "Find the images",
    (report) => resolveImages(docker, needed, platform, report, signal),
    (found) => `${count(found, "image")}, ${found.filter((image) => image.wasPulled).length} pulled`,
  );

  const cache = await openLayerCache(options.cacheDirectory);
  const version = options.version ?? (await gitVersion(project.sources.projectDirectory, docker.env, signal));
  const stageAndWrite = async () => {
    const staged = await progress.stage(
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
        staged: staged.images,
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
  return {
    ...written,
    manifest: plan.manifest,
    cachedLayers: staged.cachedLayers,
    layers: staged.layers,
    findings,
    durationMs: performance.now() - startedMs,
  };
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
