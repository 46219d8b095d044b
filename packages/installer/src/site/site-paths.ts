import { join } from "node:path";

/** Every name under the folder of one stack, `<dir>/<name>`. */
export interface SitePaths {
  root: string;
  /** One folder for each release, `<version>-<id8>`. */
  releases: string;
  /** Symbolic link to the release that runs. */
  current: string;
  /** What services wrote into folders of the project that are empty in the bundle; all releases share it. */
  data: string;
  /** The site's answers. */
  answers: string;
  /** The key that all bundles of this stack are signed by. */
  signer: string;
  /** What tasks have done to the data. */
  marks: string;
  /** One folder for each backup. */
  backups: string;
  /** An upgrade that has begun and is neither committed nor undone. */
  upgrade: string;
  journal: string;
  lock: string;
}

export function sitePaths(dir: string, name: string): SitePaths {
  const root = join(dir, name);
  return {
    root,
    releases: join(root, "releases"),
    current: join(root, "current"),
    data: join(root, "data"),
    answers: join(root, "site.env"),
    signer: join(root, "signer.pub"),
    marks: join(root, "tasks.json"),
    backups: join(root, "backups"),
    upgrade: join(root, "upgrade.json"),
    journal: join(root, "journal.ndjson"),
    lock: join(root, ".lock"),
  };
}

/** Files that the installer puts beside the project's own in a release folder. */
export const RELEASE_ENV_FILE = ".env";
export const REPORT_FILE = "report.json";
export const REPORT_PAGE_FILE = "report.txt";
/** First of the Compose files where the project directory is not the folder of the first one. */
export const DIRECTORY_MARKER_FILE = ".drybag-directory.yaml";

/** Name of a release's folder: its version for people, the start of its identity to tell two with one version apart. */
export function releaseName(version: string, manifestSha256: string): string {
  return `${version}-${manifestSha256.slice(0, 8)}`;
}

const PARTIAL_NAME = /^\..+\.partial$/;

/** The release while it is being written. Never a name that a release can have. */
export function partialName(release: string): string {
  return `.${release}.partial`;
}

export function isPartialName(name: string): boolean {
  return PARTIAL_NAME.test(name);
}
