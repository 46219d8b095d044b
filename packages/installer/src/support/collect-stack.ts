import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import {
  type ComposeModel,
  type DockerContext,
  listProjectContainers,
  openContainerLog,
  readComposeModel,
  runDocker,
} from "@drybag/docker";
import { MANIFEST_ENTRY } from "@drybag/format";
import { isLocalEngine } from "../docker-environment.ts";
import { examine } from "../doctor/examine.ts";
import { releaseFlags } from "../release/release-flags.ts";
import { listReleases } from "../releases/list-releases.ts";
import { readAnswers } from "../settings/answers-file.ts";
import { type InstalledRelease, readCurrentRelease } from "../site/current-release.ts";
import { type SitePaths, sitePaths } from "../site/site-paths.ts";
import { readStatus } from "../status/read-status.ts";
import { describeError } from "./collect-host.ts";
import { type KnownSecrets, knownSecrets, secretFiles } from "./known-secrets.ts";
import type { Redactor } from "./redact.ts";
import type { SupportArchive, Text } from "./support-archive.ts";

/** Last lines of each container's log. */
const LOG_LINES = 5000;
/** Files of the site and of its releases that are of use to whoever helps; databases and pictures are not. */
const TEXT_FILE = /(?:\.(?:ya?ml|json|ndjson|txt|conf|cnf|log|ini|toml|cfg|env|sh|pub)|(?:^|\/)\.env)$/i;
const MAX_TEXT_FILE_BYTES = 1024 ** 2;

/** A stack as far as it can be read, and what must not be told of it. */
export interface OpenedStack {
  name: string;
  paths: SitePaths;
  current: InstalledRelease | undefined;
  model: ComposeModel | undefined;
  secrets: KnownSecrets;
  /** What could not be had. */
  problems: string[];
}

/** Reads what is needed to know a stack's secrets. One that was never installed to its end is taken too. */
export async function openStack(
  { dir, name }: { dir: string; name: string },
  docker: DockerContext,
  signal: AbortSignal,
): Promise<OpenedStack> {
  const paths = sitePaths(dir, name);
  const problems: string[] = [];
  const attempt = attempting(problems, name, signal);
  const current = await attempt("current release", () => readCurrentRelease(paths));
  const model = current && (await attempt("compose config", () => modelOf(docker, name, current, signal)));
  const answers = (await attempt("answers", () => readAnswers(paths.answers))) ?? new Map<string, string>();
  const secrets = current
    ? await knownSecrets(current.manifest, answers, model)
    : // Without a manifest nobody knows which answers are secret.
      { values: new Set(answers.values()), names: new Set(answers.keys()) };
  return { name, paths, current, model, secrets, problems };
}

/** Adds all that tells how a stack is: states, findings, containers, logs, journal, configuration and reports. */
export async function collectStack(
  archive: SupportArchive,
  { name, paths, current, model, problems }: OpenedStack,
  redactor: () => Redactor,
  docker: DockerContext,
  signal: AbortSignal,
): Promise<void> {
  const attempt = attempting(problems, name, signal);
  const add = (file: string, text: Text) => archive.add(`${name}/${file}`, text, redactor());
  const addJson = async (file: string, run: () => Promise<unknown>) => {
    const value = await attempt(file, run);
    if (value !== undefined) await add(file, JSON.stringify(value, undefined, 2));
  };
  if (current) {
    const stack = { name, paths, current };
    const around = { engineIsLocal: isLocalEngine(docker.env), signal };
    await addJson("status.json", () => readStatus(docker, name, current, around));
    await addJson("doctor.json", () => examine(docker, stack, signal));
    await addJson("releases.json", () => listReleases(stack));
  }
  if (model) await addJson("compose-config.json", async () => model);
  const containers =
    (await attempt("containers", () => listProjectContainers(docker, name, { signal }))) ?? [];
  if (containers.length > 0) {
    await addJson("containers.json", async () => {
      const ids = containers.map(({ id }) => id);
      return JSON.parse((await runDocker(docker, ["container", "inspect", ...ids], { signal })).stdout);
    });
  }
  for (const { id, name: container } of containers) {
    await attempt(`log of ${container}`, async () => {
      const { log, done } = openContainerLog(docker, id, { tail: LOG_LINES, signal });
      await add(`logs/${container}.log`, log);
      // Not read to its end where it was cut: the client then ends with an error that is none.
      if (log.readableEnded) await done;
    });
  }
  const hidden = current ? secretFiles(model).map((file) => relative(current.folder, file)) : [];
  for (const path of await textFiles(paths.root)) {
    const inRelease = relative(paths.releases, path).split("/").slice(1).join("/");
    if (hidden.includes(inRelease)) continue;
    await attempt(path, () => add(`site/${relative(paths.root, path)}`, createReadStream(path)));
  }
}

/** Runs what may fail, and notes why it did. */
function attempting(problems: string[], name: string, signal: AbortSignal) {
  return async <T>(what: string, run: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await run();
    } catch (error) {
      signal.throwIfAborted();
      problems.push(`${name}: ${what}: ${describeError(error)}`);
      return undefined;
    }
  };
}

async function modelOf(
  docker: DockerContext,
  name: string,
  { manifest, folder }: InstalledRelease,
  signal: AbortSignal,
): Promise<ComposeModel> {
  return readComposeModel(docker, releaseFlags(manifest, folder, name), { signal });
}

/** Configuration and records of a stack; not what its services wrote (`data/`), and no volumes or backups. */
async function textFiles(root: string): Promise<string[]> {
  const found: string[] = [];
  const visit = async (folder: string, depth: number): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (depth === 0 && entry.name !== "releases") continue;
        await visit(path, depth + 1);
      } else if (entry.isFile() && (TEXT_FILE.test(path) || entry.name === MANIFEST_ENTRY)) {
        if ((await stat(path)).size <= MAX_TEXT_FILE_BYTES) found.push(path);
      }
    }
  };
  await visit(root, 0);
  return found.sort();
}
