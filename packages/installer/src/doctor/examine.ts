import { join } from "node:path";
import { type DockerContext, readComposeVersion, readEngineFacts } from "@drybag/docker";
import { type Finding, isDrybagError } from "@drybag/errors";
import { checkEngine } from "../preflight/preflight-engine.ts";
import type { InstalledStack } from "../site/installed-stacks.ts";
import { readJournal } from "../site/journal.ts";
import { RELEASE_ENV_FILE } from "../site/site-paths.ts";
import { checkFiles, checkSecretFiles } from "./check-files.ts";
import { checkJournal } from "./check-journal.ts";
import { checkRunning } from "./check-running.ts";
import { checkSettings } from "./check-settings.ts";

export interface Examination {
  name: string;
  release: string;
  /** Nothing among the findings is an error. */
  ok: boolean;
  findings: Finding[];
}

/**
 * Compares all that can be compared of a stack with what was installed, and changes nothing. What keeps one comparison from being made
 * becomes a finding beside those of the others.
 */
export async function examine(
  docker: DockerContext,
  stack: InstalledStack,
  signal: AbortSignal,
): Promise<Examination> {
  const { paths, current } = stack;
  const findings: Finding[] = [];
  const look = async (check: () => Promise<Finding[]>) => {
    findings.push(...(await orFinding(check, signal)));
  };
  await look(() => checkFiles(current));
  await look(() => checkSecretFiles(paths, [join(current.folder, RELEASE_ENV_FILE)]));
  await look(() => checkSettings(stack));
  await look(async () => checkJournal(await readJournal(paths.journal), current.name));
  await look(async () => {
    const engine = await readEngineFacts(docker, { signal });
    const compose = await readComposeVersion(docker, { signal });
    const unfit = checkEngine(current.manifest, engine, compose);
    return [...unfit, ...(await orFinding(() => checkRunning(docker, stack, engine, signal), signal))];
  });
  const ok = findings.every(({ severity }) => severity !== "error");
  return { name: stack.name, release: current.name, ok, findings };
}

async function orFinding(check: () => Promise<Finding[]>, signal: AbortSignal): Promise<Finding[]> {
  try {
    return await check();
  } catch (error) {
    signal.throwIfAborted();
    if (!isDrybagError(error)) throw error;
    const { code, message, detail, hint } = error;
    const said = detail === undefined ? message : `${message}\n    ${detail.replaceAll("\n", "\n    ")}`;
    return [{ code, severity: "error", message: said, ...(hint === undefined ? {} : { remedy: hint }) }];
  }
}
