/** Every name of the format in one place. */

export const FORMAT_VERSION = 1;

/** Entries of the tar. */
export const MANIFEST_ENTRY = "drybag.json";
export const SIGNATURE_ENTRY = "drybag.json.sig";
export const PROJECT_PREFIX = "project/";
export const OFFLINE_COMPOSE_ENTRY = "compose.offline.yaml";
/** Values of variables that packing took from its own environment; the last of the env files. Absent where there are none. */
export const OFFLINE_ENV_ENTRY = "compose.offline.env";
/** Entries for readers newer than this one, which verifies and ignores them. */
export const EXTRA_PREFIX = "extra/";
/** The Compose plugin, for servers that lack it. */
export function composeEntry(os: string, architecture: string): string {
  return `${EXTRA_PREFIX}docker-compose-${os}-${architecture}`;
}
export const OCI_LAYOUT_ENTRY = "oci-layout";
export const OCI_INDEX_ENTRY = "index.json";
export const DOCKER_ARCHIVE_MANIFEST_ENTRY = "manifest.json";
export const BLOB_PREFIX = "blobs/sha256/";

/** Files of the carry folder. */
export const CHECKSUMS_FILE = "SHA256SUMS";
export const CHECKSUMS_SIGNATURE_FILE = "SHA256SUMS.sig";
export const README_FILE = "README.txt";
export const INSTALL_SCRIPT_FILE = "install.sh";

/** Name of every installer in a carry folder begins with this. */
export const INSTALLER_PREFIX = "drybag-site-";

export const LAYER_MEDIA_TYPES = {
  zstd: "application/vnd.oci.image.layer.v1.tar+zstd",
  gzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  none: "application/vnd.oci.image.layer.v1.tar",
} as const;

/** FAT32 holds files below 4 GiB; 3.9 GiB, in whole MiB, leaves room for tools that count wrong. */
export const DEFAULT_PART_SIZE_BYTES = Math.floor(3.9 * 1024) * 1024 ** 2;
export const MAX_PARTS = 999;

/** A larger manifest is refused before it is read. */
export const MAX_MANIFEST_BYTES = 64 * 1024 ** 2;
export const MAX_SIGNATURE_BYTES = 64 * 1024;

/** Part names: `x.tar` alone, or `x.tar.001`, `x.tar.002`, … up to MAX_PARTS. */
export function partNames(tarName: string, count: number): string[] {
  if (count === 1) return [tarName];
  return Array.from({ length: count }, (_, index) => `${tarName}.${String(index + 1).padStart(3, "0")}`);
}

export function blobEntry(digest: string): string {
  return BLOB_PREFIX + digest.replace(/^sha256:/, "");
}

/** `drybag-site-linux-amd64.gz`, the installer as it lies in the carry folder. */
export function installerFile(os: string, architecture: string): string {
  return `${INSTALLER_PREFIX}${os}-${architecture}.gz`;
}

/** `<name>-<version>`: the carry folder, and the stem of the tar in it. */
export function bundleStem(name: string, version: string): string {
  return `${name}-${version}`;
}
