import path from "node:path";
import type { DockerContext } from "@drybag/docker";
import { DrybagError } from "@drybag/errors";
import { DEFAULT_PART_SIZE_BYTES, type Platform } from "@drybag/format";
import type { BuildOptions } from "./build/build-project.ts";
import type { Config } from "./config/load-config.ts";
import type { ProjectConfig } from "./config/project-config.ts";
import { parsePartSize } from "./part-size.ts";
import { type ProjectCommandFlags, projectFlags } from "./project-options.ts";
import { DEFAULT_SEVERITY, SEVERITIES, type Severity } from "./scan/vulnerability.ts";
import type { CompressionLevel } from "./stage/compression.ts";
import { updatedFiles } from "./update/update-files.ts";

/** What the command line of `drybag pack` said, as commander gives it. */
export interface PackFlags extends ProjectCommandFlags {
  output?: string;
  name?: string;
  bundleVersion?: string;
  platform?: string;
  partSize?: string;
  build: boolean;
  environment?: string;
  allowDirty?: boolean;
  updateFiles?: boolean;
  /** Least severity that counts, or true for the usual one. */
  scan?: string | true;
  force?: boolean;
  sign?: string;
  verifyMedia?: boolean;
  compression?: CompressionLevel;
  recompress?: boolean;
}

/** What packing needs, with every default applied and every path absolute. */
export interface PackOptions {
  docker: DockerContext;
  project: ProjectFlags;
  /** Folder in which the carry folder is made. */
  outputDirectory: string;
  /** Name of the stack; the Compose project's when undefined. */
  name: string | undefined;
  version: string | undefined;
  /** The engine's own platform when undefined. */
  platform: Platform | undefined;
  partSizeBytes: number;
  build: boolean;
  builds: BuildOptions;
  /** Write what was built into the files that `update` of drybag.yaml names. */
  updateFiles: boolean;
  /** Scan the images; the least severity that counts. */
  scan: Severity | undefined;
  force: boolean;
  /** SSH key to sign with, if the bundle is to be signed. */
  signKey: string | undefined;
  /** Whether there is somebody at a terminal. */
  canAsk: boolean;
  /** Read back past the page cache what was written. */
  verifyMedia: boolean;
  compression: CompressionLevel;
  /** Compress anew what the engine gives compressed. */
  recompress: boolean;
  cacheDirectory: string;
  /** Folders with the built installers and with install.sh. */
  assets: BundlerAssets;
  /** Timestamp of every entry, in seconds since 1970. */
  mtimeSeconds: number;
  generatorVersion: string;
}

/** Which Compose project, as the user's flags and drybag.yaml say. */
export interface ProjectFlags {
  cwd: string;
  files: string[];
  envFiles: string[];
  profiles: string[];
  projectName: string | undefined;
  projectDirectory: string | undefined;
  /** What drybag.yaml says beside that; undefined without one. */
  config: ProjectConfig | undefined;
}

export interface BundlerAssets {
  installScript: string;
  installerDirectory: string;
}

export interface Surroundings {
  cwd: string;
  env: Record<string, string | undefined>;
  home: string;
  canAsk: boolean;
  assets: BundlerAssets;
  generatorVersion: string;
}

/** Where layers are kept between packs. */
export function cacheDirectory({ env, home }: Pick<Surroundings, "env" | "home">): string {
  return path.join(env.XDG_CACHE_HOME || path.join(home, ".cache"), "drybag", "store");
}

/** Where logs of builds and what is known of them are kept. */
export function stateDirectory({ env, home }: Pick<Surroundings, "env" | "home">): string {
  return path.join(env.XDG_STATE_HOME || path.join(home, ".local/state"), "drybag");
}

/** Flags win over drybag.yaml, which wins over defaults. */
export function packOptions(flags: PackFlags, around: Surroundings, config?: Config): PackOptions {
  const { cwd, env } = around;
  const name = flags.name ?? config?.name;
  const version = flags.bundleVersion ?? config?.version;
  const platform = flags.platform ?? config?.platform;
  const partSize = flags.partSize ?? config?.partSize;
  return {
    docker: { env },
    project: projectFlags(flags, cwd, config),
    outputDirectory: path.resolve(cwd, flags.output ?? "."),
    name: name === undefined ? undefined : checkName(name),
    version: version === undefined ? undefined : checkVersion(version),
    platform: platform === undefined ? undefined : parsePlatform(platform),
    partSizeBytes: partSize === undefined ? DEFAULT_PART_SIZE_BYTES : checkPartSize(partSize),
    build: flags.build,
    builds: {
      environment: flags.environment,
      allowDirty: flags.allowDirty ?? false,
      noCache: false,
      push: false,
      stateDirectory: stateDirectory(around),
      ownFiles: flags.updateFiles ? updatedFiles(config?.project) : [],
    },
    updateFiles: flags.updateFiles ?? false,
    scan: flags.scan === undefined ? undefined : checkSeverity(flags.scan),
    force: flags.force ?? false,
    signKey: flags.sign === undefined ? undefined : path.resolve(cwd, flags.sign),
    canAsk: around.canAsk,
    verifyMedia: flags.verifyMedia ?? false,
    compression: flags.compression ?? "default",
    recompress: flags.recompress ?? false,
    cacheDirectory: cacheDirectory(around),
    assets: around.assets,
    mtimeSeconds: parseEpoch(env.SOURCE_DATE_EPOCH),
    generatorVersion: around.generatorVersion,
  };
}

function checkSeverity(given: string | true): Severity {
  if (given === true) return DEFAULT_SEVERITY;
  const severity = SEVERITIES.find((each) => each === given);
  if (severity !== undefined) return severity;
  throw new DrybagError("usage", `'${given}' is no severity.`, {
    hint: `There are ${SEVERITIES.join(", ")}.`,
  });
}

function checkName(name: string): string {
  if (/^[a-z0-9][a-z0-9_-]{0,62}$/.test(name)) return name;
  throw new DrybagError("usage", `'${name}' cannot be the name of a stack.`, {
    hint: "Use lower-case letters, digits, '-' and '_', beginning with a letter or digit.",
  });
}

function checkVersion(version: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(version)) return version;
  throw new DrybagError("usage", `'${version}' cannot be a version.`, {
    hint: "Use letters, digits, '.', '-' and '_', at most 63, beginning with a letter or digit.",
  });
}

export function parsePlatform(text: string): Platform {
  const [os, architecture, variant, ...rest] = text.split("/");
  if (os !== "linux" || !architecture || rest.length > 0) {
    throw new DrybagError("usage", `'${text}' is not a platform that Drybag packs for.`, {
      hint: "Write it as linux/amd64 or linux/arm64.",
    });
  }
  return { os, architecture, ...(variant ? { variant } : {}) };
}

export function checkPartSize(text: string): number {
  const sizeBytes = parsePartSize(text);
  if (sizeBytes !== undefined) return sizeBytes;
  throw new DrybagError("usage", `'${text}' is not a part size.`, {
    hint: "Write it as 3900M or 3.9G (at least 1M), or 'none' for one file.",
  });
}

function parseEpoch(text: string | undefined): number {
  if (text === undefined || text === "") return 0;
  const seconds = Number(text);
  if (Number.isSafeInteger(seconds) && seconds >= 0) return seconds;
  throw new DrybagError("usage", `SOURCE_DATE_EPOCH is '${text}', which is not a number of seconds.`);
}
