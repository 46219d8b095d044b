import { createHash } from "node:crypto";
import { access, mkdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { readComposeVersion, readEngineFacts } from "@drybag/docker";
import { DrybagError, type Finding, isDrybagError } from "@drybag/errors";
import {
  bundleSizeBytes,
  bundleStem,
  CHECKSUMS_FILE,
  MANIFEST_ENTRY,
  type Manifest,
  openBundle,
  type SshPublicKey,
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
import { requireEntryNames } from "./seal/require-entry-names.ts";
import { signChecksums } from "./seal/sign-checksums.ts";
import { openSshSigner, type SshSigner } from "./seal/ssh-signer.ts";
import { dropRottenLayers, type LayerCache, openLayerCache } from "./stage/layer-cache.ts";
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
  /** The key that signed the bundle. */
  signer?: SshPublicKey;
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

type Written = Pick<PackResult, "directory" | "id" | "parts" | "sizeBytes" | "wasThere" | "signer">;

/** Writes under a temporary name, reads everything back, and only then gives the folder its name. */
async function writeVerified(
  options: PackOptions,
  plan: Awaited<ReturnType<typeof planBundle>>,
  signer: SshSigner | undefined,
  progress: Progress,
  signal: AbortSignal,
): Promise<Written> {
  const { outputDirectory } = options;
  const stem = bundleStem(plan.manifest.name, plan.manifest.version);
  const directory = path.join(outputDirectory, stem);
  await mkdir(outputDirectory, { recursive: true });
  const there = await whatIsThere(directory, plan.manifest, options, signal);
  if (there !== undefined) {
    await verify(directory, there.sizeBytes, options, progress, signal);
    return there;
  }
  // Between two stages, when the terminal is free for a question.
  const signature = await signer?.sign(serializeManifest(plan.manifest), MANIFEST_ENTRY);
  const prefix = `.${stem}.partial-`;
  await removeStaleFolders(outputDirectory, prefix);
  const temporary = path.join(outputDirectory, `${prefix}${process.pid}`);
  try {
    const totalBytes = bundleSizeBytes(plan.manifest, signature);
    const written = await progress.stage(
      "write",
      "Write the bundle",
      (report) =>
        writeCarryFolder(plan, {
          ...options,
          directory: temporary,
          ...(signature && { signature }),
          signal,
          onBytes: (doneBytes) => report.bytes(doneBytes, totalBytes),
        }),
      (done) => `${formatBytes(done.tarSizeBytes)} in ${count(done.parts, "file")}`,
    );
    if (signer) await signChecksums(temporary, signer);
    const verified = await verify(temporary, written.tarSizeBytes, options, progress, signal);
    await putInPlace(temporary, directory);
    return {
      directory,
      id: written.manifestSha256,
      parts: written.parts,
      sizeBytes: written.tarSizeBytes,
      wasThere: false,
      ...(verified && { signer: verified }),
    };
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** The same bundle from an earlier pack; undefined where the name is free or may be taken. Throws `output-exists`. */
async function whatIsThere(
  directory: string,
  manifest: Manifest,
  { force, signKey }: PackOptions,
  signal: AbortSignal,
): Promise<Written | undefined> {
  if (!(await exists(directory))) return undefined;
  const isCarryFolder = await exists(path.join(directory, CHECKSUMS_FILE));
  const bundle = isCarryFolder ? await openBundle(directory, { signal }).catch(() => undefined) : undefined;
  const id = createHash("sha256").update(serializeManifest(manifest)).digest("hex");
  if (bundle?.manifestSha256 === id && !force && (await isSignedBy(bundle.signer, signKey))) {
    const { parts, checksums } = bundle.carryFolder;
    return {
      directory,
      id,
      wasThere: true,
      ...(bundle.signer && { signer: bundle.signer }),
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

/** Whether a bundle that is there already is signed as it would be now. The public key lies beside the private one. */
async function isSignedBy(signer: SshPublicKey | undefined, signKey: string | undefined): Promise<boolean> {
  if (signKey === undefined || signer === undefined) return signer === undefined;
  const publicFile = signKey.endsWith(".pub") ? signKey : `${signKey}.pub`;
  const text = await readFile(publicFile, "utf8").catch(() => "");
  return text.split(/\s/)[1] === signer.base64;
}

/** Reads everything back. Gives the key that signed it, if one did. */
async function verify(
  directory: string,
  totalBytes: number,
  { verifyMedia }: PackOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<SshPublicKey | undefined> {
  const title = verifyMedia ? "Read it back from the medium and verify" : "Read it back and verify";
  const { bundle, findings } = await progress.stage("verify", title, (report) => {
    let doneBytes = 0;
    const onBytes = (bytes: number) => {
      doneBytes += bytes;
      report.bytes(doneBytes, Math.max(totalBytes, doneBytes));
    };
    return verifyCarryFolder(directory, { signal, onBytes, bypassCache: verifyMedia });
  });
  for (const finding of findings) {
    if (finding.severity !== "error") progress.emit({ type: "warning", ...finding });
  }
  const first = findings.find((finding) => finding.severity === "error");
  if (first === undefined) return bundle?.signer;
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
