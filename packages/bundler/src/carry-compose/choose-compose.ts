import { access, constants } from "node:fs/promises";
import { compareVersions, type DockerContext, readComposePlugin, readComposeVersion } from "@drybag/docker";
import { DrybagError, type Finding, isDrybagError } from "@drybag/errors";
import { composeEntry, type Platform } from "@drybag/format";
import { type ElfFacts, readElfFacts } from "./elf-facts.ts";

/** A Compose binary that travels with the bundle. */
export interface ChosenCompose {
  source: string;
  entry: string;
  version: string;
}

/**
 * Which Compose the bundle carries. Unless drybag.yaml says otherwise, that of this machine, if it runs on every server of the platform:
 * Docker's own plugins do, distributions' may need libraries of theirs. Throws `file-missing`, `compose-missing`, `config-invalid`.
 */
export async function chooseCompose(
  docker: DockerContext,
  wish: string | undefined,
  platform: Platform,
  oldest: string,
  signal: AbortSignal,
): Promise<{ compose: ChosenCompose | undefined; findings: Finding[] }> {
  const nothing = { compose: undefined, findings: [] };
  if (wish === "none") return nothing;
  const isOwn = wish === undefined || wish === "carry";
  const source = isOwn ? await readComposePlugin(docker, { signal }) : wish;
  if (source === undefined || !(await isThere(source))) {
    if (wish === undefined) return nothing;
    throw missing(source);
  }
  const facts = await readElfFacts(source);
  const isFit = platform.os === "linux" && facts?.architecture === platform.architecture;
  if (wish === undefined && !(isFit && facts?.isStatic)) return nothing;
  if (!isFit) throw unfit(source, facts, platform);
  const version = await versionOf(docker, isOwn ? undefined : source, signal);
  if (version === undefined || compareVersions(version, oldest) < 0) {
    if (wish === undefined) return nothing;
    throw new DrybagError("config-invalid", `${source} is no Compose ${oldest} or newer that runs here.`, {
      hint: "Name another one with 'compose:' in drybag.yaml, or carry none.",
    });
  }
  const entry = composeEntry(platform.os, platform.architecture);
  return { compose: { source, entry, version }, findings: facts?.isStatic ? [] : [dynamic(source)] };
}

async function isThere(path: string): Promise<boolean> {
  return access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
}

async function versionOf(
  docker: DockerContext,
  compose: string | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    return await readComposeVersion({ ...docker, ...(compose !== undefined && { compose }) }, { signal });
  } catch (error) {
    if (isDrybagError(error, "compose-missing", "docker-missing")) return undefined;
    throw error;
  }
}

function missing(source: string | undefined): DrybagError {
  return source === undefined
    ? new DrybagError("compose-missing", "There is no Compose plugin on this machine to carry.", {
        hint: "Install it, or write 'compose: none' or a path in drybag.yaml.",
      })
    : new DrybagError("file-missing", `There is no ${source}, which is to be carried as Compose.`, {
        hint: "Mend the path that drybag.yaml gives with 'compose:'.",
      });
}

function unfit(source: string, facts: ElfFacts | undefined, { os, architecture }: Platform): DrybagError {
  const is = facts === undefined ? "no Linux program" : `for ${facts.architecture ?? "another processor"}`;
  return new DrybagError("config-invalid", `${source} is ${is}; the bundle is for ${os}/${architecture}.`, {
    hint: "Name a Compose binary for that platform with 'compose:' in drybag.yaml, or carry none.",
  });
}

function dynamic(source: string): Finding {
  return {
    code: "compose-dynamic",
    severity: "warning",
    message: `${source} needs the libraries of this distribution; on an older or another one it may not run.`,
    remedy: "Carry one that is linked statically, such as Docker's own: compose: PATH in drybag.yaml.",
  };
}
