import { posix } from "node:path";
import type { ComposeFlags } from "@drybag/docker";
import { type Manifest, OFFLINE_COMPOSE_ENTRY } from "@drybag/format";
import { DIRECTORY_MARKER_FILE, RELEASE_ENV_FILE } from "../site/site-paths.ts";

/**
 * How Compose is called for the release in a folder: everything said, nothing found by Compose itself. compose.offline.yaml
 * comes last, so that its images and `pull_policy: never` win. `docker compose up` typed in that folder does the same through
 * its `.env` (release-env.ts).
 */
export function releaseFlags(manifest: Manifest, folder: string, projectName: string): ComposeFlags {
  return {
    cwd: folder,
    projectName,
    projectDirectory: posix.join(folder, manifest.project.directory),
    files: composeFiles(manifest).map((file) => posix.join(folder, file)),
    envFiles: [posix.join(folder, RELEASE_ENV_FILE)],
    profiles: manifest.project.profiles,
  };
}

function composeFiles(manifest: Manifest): string[] {
  return [...manifest.project.composeFiles, OFFLINE_COMPOSE_ENTRY];
}

/**
 * The same files for COMPOSE_FILE, where Compose takes the first one's folder for the project directory. Where it is another,
 * an empty file in the right folder stands first.
 */
export function composeFileVariable(manifest: Manifest): { files: string[]; marker: string | undefined } {
  const files = composeFiles(manifest);
  const directory = posix.normalize(manifest.project.directory).replace(/\/$/, "");
  if (posix.dirname(files[0] ?? "") === directory) return { files, marker: undefined };
  const marker = posix.join(directory, DIRECTORY_MARKER_FILE);
  return { files: [marker, ...files], marker };
}
