/**
 * Exit codes of both programs. Stable: scripts rely on them. Documented in docs/errors.md.
 */
export const EXIT = {
  ok: 0,
  internal: 1,
  usage: 2,
  project: 3,
  engine: 4,
  damaged: 5,
  host: 6,
  unhealthy: 7,
  network: 8,
  found: 9,
  down: 10,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/**
 * Every error code with its exit code. A code names a cause, so that the remedy in docs/errors.md fits it; a test checks
 * that each one stands there.
 */
export const ERROR_EXIT_CODES = {
  internal: EXIT.internal,
  usage: EXIT.usage,
  interrupted: EXIT.interrupted,

  // What the user gave us: the Compose project, its files, its settings.
  "project-not-found": EXIT.project,
  "project-invalid": EXIT.project,
  "project-no-images": EXIT.project,
  "config-invalid": EXIT.project,
  "file-missing": EXIT.project,
  "file-unreadable": EXIT.project,
  "file-outside-project": EXIT.project,
  "file-name-invalid": EXIT.project,
  "setting-missing": EXIT.project,
  "setting-invalid": EXIT.project,
  "reference-invalid": EXIT.project,
  "signers-invalid": EXIT.project,
  "place-unknown": EXIT.project,
  "apps-invalid": EXIT.project,
  "build-dirty": EXIT.project,
  "build-failed": EXIT.project,
  "commit-mismatch": EXIT.project,
  "token-leaked": EXIT.project,
  "token-missing": EXIT.project,

  // Docker on this machine.
  "docker-missing": EXIT.engine,
  "buildx-missing": EXIT.engine,
  "compose-missing": EXIT.engine,
  "engine-unreachable": EXIT.engine,
  "engine-permission": EXIT.engine,
  "engine-too-old": EXIT.engine,
  "compose-too-old": EXIT.engine,
  "docker-failed": EXIT.engine,
  "load-failed": EXIT.engine,
  "up-failed": EXIT.engine,

  // What is on the stick.
  "bundle-not-found": EXIT.damaged,
  "bundle-part-missing": EXIT.damaged,
  "bundle-truncated": EXIT.damaged,
  "bundle-unreadable": EXIT.damaged,
  "bundle-trailing": EXIT.damaged,
  "bundle-foreign": EXIT.damaged,
  "entry-absolute": EXIT.damaged,
  "entry-climbs": EXIT.damaged,
  "entry-name": EXIT.damaged,
  "entry-duplicate": EXIT.damaged,
  "entry-order": EXIT.damaged,
  "entry-missing": EXIT.damaged,
  "entry-extra": EXIT.damaged,
  "entry-link": EXIT.damaged,
  "entry-device": EXIT.damaged,
  "entry-sparse": EXIT.damaged,
  "entry-pax": EXIT.damaged,
  "entry-type": EXIT.damaged,
  "entry-size": EXIT.damaged,
  "entry-header": EXIT.damaged,
  "bundle-too-new": EXIT.damaged,
  "manifest-invalid": EXIT.damaged,
  "manifest-too-large": EXIT.damaged,
  "checksums-invalid": EXIT.damaged,
  "digest-mismatch": EXIT.damaged,
  "image-mismatch": EXIT.damaged,
  "layer-refused": EXIT.damaged,
  "layer-bomb": EXIT.damaged,
  "backup-damaged": EXIT.damaged,
  "backup-other": EXIT.damaged,
  "bundle-not-offline": EXIT.damaged,
  "signature-invalid": EXIT.damaged,
  "signature-foreign": EXIT.damaged,
  "signatures-swapped": EXIT.damaged,
  "signature-missing": EXIT.damaged,
  "signatures-differ": EXIT.damaged,
  "signer-unknown": EXIT.damaged,

  // The machine around Docker.
  "preflight-failed": EXIT.host,
  "disk-full": EXIT.host,
  "output-exists": EXIT.host,
  "not-writable": EXIT.host,
  "permission-denied": EXIT.host,
  "already-running": EXIT.host,
  "git-missing": EXIT.host,
  "installer-missing": EXIT.host,
  "scanner-missing": EXIT.host,
  "scanner-failed": EXIT.host,
  "release-not-found": EXIT.host,
  "signing-failed": EXIT.host,
  "media-unreadable": EXIT.host,
  "task-not-found": EXIT.host,
  "service-not-found": EXIT.host,
  "backup-not-found": EXIT.host,
  "restore-refused": EXIT.host,
  "restore-unfinished": EXIT.host,
  "upgrade-unfinished": EXIT.host,

  unhealthy: EXIT.unhealthy,
  "task-failed": EXIT.unhealthy,

  "return-failed": EXIT.down,

  "image-not-found": EXIT.network,
  "image-platform": EXIT.network,
  "pull-failed": EXIT.network,
  "push-failed": EXIT.network,
  "registry-unreachable": EXIT.network,
  "registry-refused": EXIT.network,
  "registry-limited": EXIT.network,
  "repository-unreachable": EXIT.network,
  "repository-refused": EXIT.network,
  "tag-not-found": EXIT.network,

  "scan-found": EXIT.found,
} as const satisfies Record<string, ExitCode>;

export type ErrorCode = keyof typeof ERROR_EXIT_CODES;
