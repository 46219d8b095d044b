import type { BuildProvenance } from "./manifest-build.ts";
import type { BackupRules, Check, Task } from "./manifest-tasks.ts";

/**
 * The manifest, `drybag.json`: the first entry of a bundle. Its sha256 is the bundle's identity.
 * Fields that this version does not know are ignored unless `critical` names them (docs/format.md).
 */
export interface Manifest {
  format: "drybag";
  formatVersion: 1;
  /** Names of top-level fields that a reader must understand, or else refuse the bundle. */
  critical: string[];
  /** Name of the stack: a Compose project name, `[a-z0-9][a-z0-9_-]{0,62}`. */
  name: string;
  /** Version of the stack, `[A-Za-z0-9][A-Za-z0-9._-]{0,62}`. */
  version: string;
  platform: Platform;
  generator: { name: string; version: string };
  /** Oldest versions that can take this bundle. */
  requires: { engine: string; compose: string };
  /** Compose itself, for servers that have none, or one that is too old. */
  compose?: CarriedCompose;
  project: BundledProject;
  services: BundledService[];
  images: BundledImage[];
  layers: BundledLayer[];
  settings: Setting[];
  /** None when absent; `critical` names them where there are any. */
  tasks?: Task[];
  /** None when absent. */
  checks?: Check[];
  backup?: BackupRules;
  /** Every entry after the manifest and its signature, in the order in which they stand in the tar. */
  entries: BundleEntry[];
}

export interface Platform {
  os: string;
  architecture: string;
  variant?: string;
}

/** The Compose plugin as a program of its own. */
export interface CarriedCompose {
  /** `extra/docker-compose-<os>-<architecture>`. */
  entry: string;
  /** As `docker compose version --short` gives it, without a `v`. */
  version: string;
}

/** How Compose is called for this project. All paths are names of entries; `compose.offline.yaml` is the last `-f`, unlisted. */
export interface BundledProject {
  /** The project directory, e.g. `project` or `project/deploy`. */
  directory: string;
  /** Compose files in the order of `-f`. */
  composeFiles: string[];
  /** Env files for interpolation in the order of `--env-file`; later ones win. `compose.offline.env`, if there, is the last. */
  envFiles: string[];
  profiles: string[];
}

export interface BundledService {
  name: string;
  /** The tag in this bundle that the service runs. */
  image: string;
  profiles: string[];
  /** It runs once and ends with exit code 0, although nothing in the Compose files says so. */
  oneShot?: true;
}

export interface BundledImage {
  /** The tag under which the engine knows the image after loading, e.g. `redis:8.6-alpine`. */
  tag: string;
  /** Digest of the image config: the image ID on a classic store. */
  configDigest: string;
  /** Digest of the OCI manifest in this bundle: the image ID on a containerd store. */
  manifestDigest: string;
  /** diffIDs (digests of the uncompressed layers), base first. */
  diffIds: string[];
  /** Sum of the sizes of the uncompressed layers, in bytes; a layer that stands there twice counts twice. */
  sizeBytes: number;
  /** Where it came from. */
  provenance: {
    /** Registry digests (`name@sha256:…`) that the packing engine knew. */
    repoDigests: string[];
    /** What it was built from, where Drybag built it. */
    build?: BuildProvenance;
  };
}

/** A layer, stored once however many images share it. */
export interface BundledLayer {
  diffId: string;
  /** Digest of the blob as stored, i.e. compressed. */
  digest: string;
  mediaType: string;
  sizeBytes: number;
  uncompressedSizeBytes: number;
}

/** A variable of the project that the site sets. */
export interface Setting {
  name: string;
  required: boolean;
  /** Do not show or log its value. */
  secret: boolean;
  default?: string;
  description?: string;
  /** What its value has to be; any text when absent. */
  type?: SettingType;
  /** The values to choose from; only of the type `choice`, which always has some. */
  choices?: string[];
  /** Regular expression (ECMAScript, flag `u`) that a value matches as a whole. */
  pattern?: string;
  /** Smallest and largest value; only of the types `integer` and `port`. */
  minimum?: number;
  maximum?: number;
}

export const SETTING_TYPES = ["string", "port", "hostname", "path", "integer", "boolean", "choice"] as const;
export type SettingType = (typeof SETTING_TYPES)[number];

export type BundleEntry = BundleFileEntry | BundleDirectoryEntry;

export interface BundleFileEntry {
  type: "file";
  path: string;
  sizeBytes: number;
  /** Hex sha256 of the content, without a prefix. */
  sha256: string;
  /** 0o644 or 0o755. */
  mode: number;
}

/** An empty folder that the project bind-mounts; folders with content are implied by their files. */
export interface BundleDirectoryEntry {
  type: "directory";
  /** Ends with `/`. */
  path: string;
  mode: number;
}
