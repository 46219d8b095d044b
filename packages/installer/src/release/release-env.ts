import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DrybagError } from "@drybag/errors";
import { type Manifest, writeFileAtomically } from "@drybag/format";
import { envLine } from "../settings/env-lines.ts";
import { RELEASE_ENV_FILE } from "../site/site-paths.ts";
import { composeFileVariable } from "./release-flags.ts";

export interface ReleaseEnv {
  manifest: Manifest;
  /** Where the release's files are now. */
  folder: string;
  /** Where they will be when somebody types `docker compose` there; the same, except while it is staged. */
  finalFolder: string;
  projectName: string;
  answers: ReadonlyMap<string, string>;
}

/**
 * Writes the release's `.env`: the project's env files in order, then the site's answers, then how to call Compose. Our own calls
 * read it with `--env-file`, and a plain `docker compose` typed in the folder finds it by itself, so that both see the same.
 * Paths are absolute: through the link `current`, relative ones would name another folder and make Compose recreate
 * containers. Returns whether anything in it changed.
 */
export async function writeReleaseEnv(release: ReleaseEnv): Promise<boolean> {
  const { manifest, folder } = release;
  refuseSeparator(release.finalFolder);
  const content = await renderReleaseEnv(release);
  const { marker } = composeFileVariable(manifest);
  if (marker !== undefined) {
    await mkdir(dirname(join(folder, marker)), { recursive: true });
    await writeFileAtomically(join(folder, marker), "services: {}\n", { mode: 0o644 });
  }
  const path = join(folder, RELEASE_ENV_FILE);
  if ((await readFile(path, "utf8").catch(() => undefined)) === content) return false;
  await writeFileAtomically(path, content, { mode: 0o600 });
  return true;
}

/** What the release's `.env` has to be. */
export async function renderReleaseEnv(release: ReleaseEnv): Promise<string> {
  const { manifest, folder } = release;
  const envFiles = manifest.project.envFiles.map((file) => readFile(join(folder, file), "utf8"));
  return releaseEnvText(release, await Promise.all(envFiles));
}

/** Exported for its test. */
export function releaseEnvText(release: ReleaseEnv, envFiles: readonly string[]): string {
  const { manifest, projectName, answers, finalFolder } = release;
  const { files } = composeFileVariable(manifest);
  const ours = [
    ["COMPOSE_PROJECT_NAME", projectName],
    ["COMPOSE_FILE", files.map((file) => join(finalFolder, file)).join(":")],
    // Left alone where there are none: the project's own env files may say some.
    ...(manifest.project.profiles.length > 0
      ? [["COMPOSE_PROFILES", manifest.project.profiles.join(",")]]
      : []),
  ] as const;
  return [
    "# Written by drybag-site, with secrets in it. To change a setting, install again with --set NAME=value.\n",
    ...envFiles.map((text, index) => `\n# ${manifest.project.envFiles[index]}\n${endWithNewline(text)}`),
    "\n# settings of this site\n",
    ...[...answers].map(([name, value]) => envLine(name, value)),
    "\n# how Compose is called\n",
    ...ours.map(([name, value]) => envLine(name ?? "", value ?? "")),
  ].join("");
}

/** An editor on Windows may have put a mark in front, which only the start of a file may have. */
function endWithNewline(text: string): string {
  const body = text.replace(/^\ufeff/, "");
  return body === "" || body.endsWith("\n") ? body : `${body}\n`;
}

/** COMPOSE_FILE is a list with colons between. */
function refuseSeparator(folder: string): void {
  if (folder.includes(":")) {
    throw new DrybagError("usage", `The folder ${folder} has a colon in its path.`, {
      hint: "Choose another one with --dir.",
    });
  }
}
