import { createHash } from "node:crypto";
import { access, mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { readComposeVersion, readEngineFacts } from "@drybag/docker";
import { DrybagError, type Finding } from "@drybag/errors";
import {
  bundleStem,
  CHECKSUMS_FILE,
  type Manifest,
  openBundle,
  serializeManifest,
  verifyCarryFolder,
} from "@drybag/format";
import { formatBytes, type Progress } from "@drybag/terminal";
import { buildImages, builtServices } from "./images/build-images.ts";
import { collectImages } from "./images/collect-images.ts";
import { resolveImages } from "./images/resolve-images.ts";
import type { PackOptions } from "./options.ts";
import { collectFiles } from "./project/collect-files.ts";
import { loadProject } from "./project/load-project.ts";
import { gitVersion } from "./seal/bundle-version.ts";
import { planBundle } from "./seal/plan-bundle.ts";
import { openLayerCache } from "./stage/layer-cache.ts";
import { stageImages } from "./stage/stage-images.ts";
import { putInPlace, removeStaleFolders, writeCarryFolder } from "./write/write-carry-folder.ts";

/** What a pack made. */
export interface PackResult {
  /** The carry folder. */
  directory: string;
  /** The bundle's identity: sha256 of its manifest. */
  id: string;
  manifest: Manifest;
  parts: { name: string; sizeBytes: number; sha256: string }[];
  sizeBytes: number;
  cachedLayers: number;
  layers: number;
  /** The same bundle lay there already, whole. */
  wasThere: boolean;
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
      return { project: loaded, files: await collectFiles(loaded) };
    },
    (read) => `${count(read.project.model.services, "service")}, ${count(read.files.files, "file")}`,
  );
  for (const finding of files.findings) progress.emit({ type: "warning", ...finding });

  const needed = collectImages(project.model);
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
  const staged = await progress.stage(
    "stage",
    "Save and compress the layers",
    (report) => stageImages(docker, cache, images, report, signal),
    (done) => `${count(new Array(done.layers), "layer")}, ${done.cachedLayers} from the cache`,
  );

  const plan = await planBundle(
    {
      name: options.name ?? project.model.name,
      version: options.version ?? (await gitVersion(project.sources.projectDirectory, docker.env, signal)),
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

  const written = await writeVerified(options, plan, progress, signal);
  return {
    ...written,
    manifest: plan.manifest,
    cachedLayers: staged.cachedLayers,
    layers: staged.layers,
    findings: files.findings,
    durationMs: performance.now() - startedMs,
  };
}

type Written = Pick<PackResult, "directory" | "id" | "parts" | "sizeBytes" | "wasThere">;

/** Writes under a temporary name, reads everything back, and only then gives the folder its name. */
async function writeVerified(
  options: PackOptions,
  plan: Awaited<ReturnType<typeof planBundle>>,
  progress: Progress,
  signal: AbortSignal,
): Promise<Written> {
  const { outputDirectory } = options;
  const stem = bundleStem(plan.manifest.name, plan.manifest.version);
  const directory = path.join(outputDirectory, stem);
  await mkdir(outputDirectory, { recursive: true });
  const there = await whatIsThere(directory, plan.manifest, options.force, signal);
  if (there !== undefined) {
    await verify(directory, there.sizeBytes, progress, signal);
    return there;
  }
  const prefix = `.${stem}.partial-`;
  await removeStaleFolders(outputDirectory, prefix);
  const temporary = path.join(outputDirectory, `${prefix}${process.pid}`);
  try {
    const written = await progress.stage(
      "write",
      "Write the bundle",
      (report) => writeCarryFolder(plan, { ...options, directory: temporary, signal, onBytes: report.bytes }),
      (done) => `${formatBytes(done.tarSizeBytes)} in ${count(done.parts, "file")}`,
    );
    await verify(temporary, written.tarSizeBytes, progress, signal);
    await putInPlace(temporary, directory);
    return {
      directory,
      id: written.manifestSha256,
      parts: written.parts,
      sizeBytes: written.tarSizeBytes,
      wasThere: false,
    };
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** The same bundle from an earlier pack; undefined where the name is free or may be taken. Throws `output-exists`. */
async function whatIsThere(
  directory: string,
  manifest: Manifest,
  force: boolean,
  signal: AbortSignal,
): Promise<Written | undefined> {
  if (!(await exists(directory))) return undefined;
  const isCarryFolder = await exists(path.join(directory, CHECKSUMS_FILE));
  const bundle = isCarryFolder ? await openBundle(directory, { signal }).catch(() => undefined) : undefined;
  const id = createHash("sha256").update(serializeManifest(manifest)).digest("hex");
  if (bundle?.manifestSha256 === id && !force) {
    const { parts, checksums } = bundle.carryFolder;
    return {
      directory,
      id,
      wasThere: true,
      parts: parts.map(({ name, sizeBytes }) => ({ name, sizeBytes, sha256: checksums?.get(name) ?? "" })),
      sizeBytes: parts.reduce((sum, part) => sum + part.sizeBytes, 0),
    };
  }
  if (force && isCarryFolder) return undefined;
  throw new DrybagError("output-exists", `${directory} exists already and is something else.`, {
    hint: isCarryFolder
      ? "Pack with --force to replace it, with another --bundle-version, or elsewhere with -o."
      : "It is not a carry folder: move it away, or pack elsewhere with -o.",
  });
}

async function verify(
  directory: string,
  totalBytes: number,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { findings } = await progress.stage("verify", "Read it back and verify", (report) => {
    let doneBytes = 0;
    const onBytes = (bytes: number) => {
      doneBytes += bytes;
      report.bytes(doneBytes, totalBytes);
    };
    return verifyCarryFolder(directory, { signal, onBytes });
  });
  const first = findings.find((finding) => finding.severity === "error");
  if (first === undefined) return;
  throw new DrybagError("digest-mismatch", `What was written does not read back: ${first.message}`, {
    hint: "The disk or stick is failing: write to another one with -o. With --force a damaged folder is replaced.",
  });
}

function count(items: object | undefined, noun: string): string {
  const number = Array.isArray(items) ? items.length : Object.keys(items ?? {}).length;
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
