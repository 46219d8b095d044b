import { normalizeReference } from "@drybag/format";
import type { Position } from "../compose/compose-document.ts";
import { readEnvFile } from "../compose/env-file.ts";
import { positionOf, type Via } from "../compose/look-up.ts";
import type { LoadedProject } from "../project/load-project.ts";
import { readBuildBases, readDeclaredBases } from "./build-bases.ts";
import { type ImageKind, type ImageUse, imageUses } from "./image-uses.ts";
import { type Located, locateValue } from "./locate-value.ts";
import { traceVariables, type VariableSources } from "./trace-variables.ts";

/** An image, and everything that asks for it. */
export interface ListedImage {
  /** As Compose has it, variables replaced. */
  as: string;
  /** Fully qualified, `docker.io/library/redis:8`; as `as` where that is no reference. */
  ref: string;
  kind: ImageKind;
  /** Compose builds it. */
  build: boolean;
  /** Profiles of which one must be chosen for it to be needed; none: always. */
  profiles: string[];
  uses: ListedUse[];
}

export interface ListedUse extends Partial<Position> {
  service?: string;
  /** As the user wrote it, variables and all. */
  written?: string;
  via: Via[];
}

/** Every image that the project needs, with the places where the user wrote it. Sorted by kind and reference. */
export async function listImages(
  project: LoadedProject,
  ownEnvironment: Readonly<Record<string, string | undefined>>,
): Promise<ListedImage[]> {
  const extra = project.config?.extraImages.map(({ text }) => text) ?? [];
  const envFiles = await Promise.all(
    project.sources.envFiles.map((file) => readEnvFile(file, project.environment)),
  );
  const sources: VariableSources = {
    ownEnvironment,
    envFiles: envFiles.filter((file) => file !== undefined),
  };
  const images = new Map<string, ListedImage>();
  const add = (use: ImageUse, listed: ListedUse) => {
    const key = `${use.kind} ${use.reference}`;
    const image = images.get(key);
    if (image === undefined) {
      const { reference: as, kind, isBuilt: build } = use;
      images.set(key, { as, ref: qualified(as), kind, build, profiles: use.profiles, uses: [listed] });
      return;
    }
    image.build ||= use.isBuilt;
    image.profiles = eitherOf(image.profiles, use.profiles);
    image.uses.push(listed);
  };
  for (const use of imageUses(project.model, extra)) add(use, describeUse(project, use, sources));
  const bases = [...(await readBuildBases(project.model)), ...(await readDeclaredBases(project.config))];
  for (const base of bases) {
    add(base.use, { ...service(base.use), ...base.position, via: [] });
  }
  return [...images.values()].sort(byKindAndName);
}

const KINDS: ImageKind[] = ["service", "build", "hook", "volume", "extra", "build-base"];

function byKindAndName(a: ListedImage, b: ListedImage): number {
  return KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || (a.as < b.as ? -1 : 1);
}

/** Keys under which a service names an image of a kind. */
const KEYS: Partial<Record<ImageKind, string[][]>> = {
  service: [["image"]],
  build: [["build", "context"], ["build"]],
  volume: [["volumes", "source"]],
  hook: [
    ["pre_start", "image"],
    ["post_start", "image"],
    ["pre_stop", "image"],
  ],
};

function describeUse(project: LoadedProject, use: ImageUse, sources: VariableSources): ListedUse {
  const located = (KEYS[use.kind] ?? [])
    .map((keys) => locate(project, use, keys))
    .find((each) => each !== undefined);
  if (use.kind === "extra") {
    const declared = project.config?.extraImages.find(({ text }) => text === use.reference);
    return { written: use.reference, ...declared?.position, via: [] };
  }
  if (located === undefined) return { ...service(use), via: [] };
  const isImage = use.kind !== "build";
  return {
    ...service(use),
    ...(isImage ? { written: located.text } : {}),
    ...positionOf(located.found),
    via: [...located.found.via, ...(isImage ? traceVariables(located, sources) : [])],
  };
}

function locate(project: LoadedProject, use: ImageUse, keys: readonly string[]): Located | undefined {
  return use.service === undefined ? undefined : locateValue(project.graph, use.service, keys, use.reference);
}

function service(use: ImageUse): { service?: string } {
  return use.service === undefined ? {} : { service: use.service };
}

function eitherOf(a: string[], b: string[]): string[] {
  return a.length === 0 || b.length === 0 ? [] : [...new Set([...a, ...b])].sort();
}

function qualified(reference: string): string {
  try {
    return normalizeReference(reference).qualified;
  } catch {
    return reference;
  }
}
