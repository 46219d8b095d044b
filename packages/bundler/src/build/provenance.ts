import { readFile } from "node:fs/promises";
import path from "node:path";
import type { BuildLog } from "@drybag/docker";
import {
  type AppProvenance,
  type BaseImage,
  type BuildProvenance,
  isSecretName,
  normalizeReference,
} from "@drybag/format";
import type { ProjectCommit } from "../git/work-tree.ts";
import { dockerfileImages } from "../images/build-bases.ts";

/** A build as far as the manifest tells of it. */
export interface DescribedBuild {
  target: string;
  recipe?: string | undefined;
  commit: ProjectCommit | undefined;
  /** The Dockerfile; undefined where it is inline or on another machine. */
  file: string | undefined;
  /** The Dockerfile itself, where it is inline. */
  text?: string | undefined;
  args: Readonly<Record<string, string>>;
  contexts: Readonly<Record<string, string>>;
  apps?: AppProvenance[] | undefined;
}

/** What the manifest says of it. The same pins give the same: nothing of this machine, no times. */
export async function describeProvenance(
  build: DescribedBuild,
  log: Pick<BuildLog, "bases">,
  folder: string,
): Promise<BuildProvenance> {
  const { commit, args, file } = build;
  const text = build.text ?? (file && (await readFile(file, "utf8").catch(() => ""))) ?? "";
  return {
    target: build.target,
    ...(build.recipe === undefined ? {} : { recipe: build.recipe }),
    ...(commit === undefined ? {} : { commit: commit.commit }),
    ...((commit?.dirty.length ?? 0) > 0 ? { dirty: true as const } : {}),
    file: file === undefined ? "" : path.relative(folder, file),
    args: Object.fromEntries(Object.entries(args).filter(([name]) => !isSecretName(name))),
    baseImages: baseImages(text, build, log),
    apps: build.apps ?? [],
  };
}

function baseImages(
  text: string,
  { args, contexts }: DescribedBuild,
  log: Pick<BuildLog, "bases">,
): BaseImage[] {
  const found = dockerfileImages(text, { args: { ...args }, additional_contexts: { ...contexts } });
  const references = [...new Set(found.map(({ reference }) => qualified(reference)))].sort();
  return references.map((reference) => {
    const digest = log.bases.get(reference);
    return { reference, ...(digest === undefined ? {} : { digest }) };
  });
}

function qualified(reference: string): string {
  try {
    return normalizeReference(reference).qualified;
  } catch {
    return reference;
  }
}
