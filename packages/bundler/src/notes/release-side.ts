import type { BundleEntry, Manifest, Setting } from "@drybag/format";

/** One of the two sides of release notes: a bundle, or a project that is not packed yet. */
export interface ReleaseSide {
  kind: "bundle" | "project";
  name: string;
  version?: string;
  /** sha256 of the manifest; only bundles have one. */
  id?: string;
  images: ReleaseImage[];
  apps: ReleaseApp[];
  settings: Setting[];
  services: Manifest["services"];
  entries: BundleEntry[];
  /** Empty for a project. */
  layers: Manifest["layers"];
  /** Bytes of the tar; only bundles have it. */
  sizeBytes?: number;
}

/** As far as it is known: a project's image may not be on the engine yet. */
export interface ReleaseImage {
  tag: string;
  configDigest?: string;
  /** `name@sha256:…` of registries. */
  repoDigests: string[];
  diffIds?: string[];
}

/** An application inside an image, and what was chosen of it. */
export interface ReleaseApp {
  name: string;
  /** Tag, branch or commit that was asked for. */
  ref: string;
  commit?: string;
  /** The application's own. */
  version?: string;
}
