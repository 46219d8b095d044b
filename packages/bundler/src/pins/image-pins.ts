import { normalizeReference } from "@drybag/format";
import type { Position } from "../compose/compose-document.ts";
import { type EnvFile, readEnvFile } from "../compose/env-file.ts";
import type { Piece } from "../compose/interpolate.ts";
import { positionOf } from "../compose/look-up.ts";
import { scanVariables } from "../compose/scan-variables.ts";
import { readConfigDocument } from "../config/config-document.ts";
import type { DeclaredBuild } from "../config/declared-builds.ts";
import { readBuildBases, readDeclaredBases } from "../images/build-bases.ts";
import { type ImageUse, imageUses } from "../images/image-uses.ts";
import { type Located, locateValue } from "../images/locate-value.ts";
import type { LoadedProject } from "../project/load-project.ts";
import { referenceParts } from "./reference-parts.ts";
import { type TextPlace, wholeValue } from "./text-place.ts";

/** An image that the project names by tag or digest, and every place in which it does. */
export interface ImagePin {
  /** As people write it, without tag and digest: `redis`. */
  name: string;
  /** As Compose has it. */
  reference: string;
  domain: string;
  path: string;
  /** `latest` where none is written. */
  tag: string | undefined;
  digest: string | undefined;
  uses: PinUse[];
}

/** One place in which an image is named, down to what gives its tag. */
export interface PinUse {
  service: string | undefined;
  /** Where the reference is written, if that is known. */
  position: Position | undefined;
  tag: PinPart[];
  digest: PinPart[];
}

export interface PinPart {
  text: string;
  /** undefined where it stands in no file that could be changed. */
  place: TextPlace | undefined;
  /** The variable that gives it. */
  variable?: string;
}

/** What of a project is looked at. */
export type PinnedProject = Pick<LoadedProject, "sources" | "environment" | "model" | "graph" | "config">;

/** Variables in their places: of drybag.yaml, then of env files, the last first. */
interface VariablePlaces {
  ownEnvironment: Readonly<Record<string, string | undefined>>;
  declared: ReadonlyMap<string, TextPlace>;
  envFiles: readonly EnvFile[];
}

/** Keys under which a service names an image of a kind. */
const KEYS: Partial<Record<ImageUse["kind"], string[][]>> = {
  service: [["image"]],
  volume: [["volumes", "source"]],
  hook: [
    ["pre_start", "image"],
    ["post_start", "image"],
    ["pre_stop", "image"],
  ],
};

/**
 * The images that come from registries, each once, sorted by name: those of services, volumes, hooks, drybag.yaml and Dockerfiles.
 * What the project builds itself is left out.
 */
export async function imagePins(
  project: PinnedProject,
  ownEnvironment: Readonly<Record<string, string | undefined>>,
): Promise<ImagePin[]> {
  const envFiles = await Promise.all(
    project.sources.envFiles.map((file) => readEnvFile(file, project.environment)),
  );
  const variables: VariablePlaces = {
    ownEnvironment,
    declared: await declaredPlaces(project),
    envFiles: envFiles.filter((file) => file !== undefined),
  };
  const pins = new Map<string, ImagePin>();
  const builds = buildsOf(project);
  const builtNames = new Set(builds.flatMap(({ image, name }) => pinOf(image ?? name)?.name ?? []));
  /** Such as CUSTOM_TAG: the images that they choose are built. */
  const builtVariables = new Set(builds.flatMap(({ env }) => Object.keys(env)));
  const add = (reference: string, use: PinUse) => {
    const pin = pins.get(reference) ?? pinOf(reference);
    if (pin === undefined || builtNames.has(pin.name)) return;
    pin.uses.push(use);
    pins.set(reference, pin);
  };
  const extra = project.config?.extraImages.map(({ text }) => text);
  for (const use of imageUses(project.model, extra)) {
    const keys = KEYS[use.kind] ?? [];
    if (use.isBuilt || use.kind === "build") continue;
    const located = keys.map((key) => locate(project, use, key)).find((each) => each !== undefined);
    if (located !== undefined && scanVariables(located.text).some(({ name }) => builtVariables.has(name)))
      continue;
    add(use.reference, use.kind === "extra" ? extraUse(project, use) : composeUse(use, located, variables));
  }
  const bases = [...(await readBuildBases(project.model)), ...(await readDeclaredBases(project.config))];
  for (const { use, written, position } of bases) {
    // frappe_docker's own bases go with frappe's version, which is pinned itself.
    if (use.service === undefined && written.includes("FRAPPE_BRANCH")) continue;
    const place = "line" in position ? position : undefined;
    add(use.reference, plainUse(use, place, written));
  }
  return [...pins.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function pinOf(reference: string): ImagePin | undefined {
  try {
    const { domain, path, tag, digest, familiar } = normalizeReference(reference);
    const name = familiar.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
    return { name, reference, domain, path, tag, digest, uses: [] };
  } catch {
    // Lint tells of it.
    return undefined;
  }
}

/** What drybag itself builds, as drybag.yaml says. */
function buildsOf({ config }: PinnedProject): DeclaredBuild[] {
  return [...(config?.builds ?? []), ...(config?.frappe ? [config.frappe.build] : [])];
}

function locate(project: PinnedProject, use: ImageUse, keys: readonly string[]): Located | undefined {
  return use.service === undefined ? undefined : locateValue(project.graph, use.service, keys, use.reference);
}

function extraUse(project: PinnedProject, use: ImageUse): PinUse {
  return plainUse(use, project.config?.extraImages.find(({ text }) => text === use.reference)?.position);
}

/** Written without variables; with arguments of a Dockerfile there is a place to show and none to change. */
function plainUse(
  { reference, service }: ImageUse,
  position: Position | undefined,
  written = reference,
): PinUse {
  const place = written === reference && position ? wholeValue(position, reference) : undefined;
  const { tag, digest } = referenceParts(reference.replaceAll("$", ""), {});
  const placed = (parts: typeof tag): PinPart[] =>
    parts.map(({ text, source, at }) => ({
      text,
      place: place && "at" in source ? { ...place, at: source.at + at, text } : undefined,
    }));
  return { service, position, tag: placed(tag), digest: placed(digest) };
}

function composeUse(use: ImageUse, located: Located | undefined, variables: VariablePlaces): PinUse {
  if (located === undefined) return plainUse(use, undefined);
  const { found, text: written, unit } = located;
  const position = positionOf(found);
  const parts = referenceParts(written, unit.environment);
  const placed = (sources: typeof parts.tag): PinPart[] =>
    sources.map(({ text, source, at }) => {
      const place = placeOf(source, { position, written }, [...unit.envFiles], variables);
      return {
        text,
        place: place && { ...place, at: place.at + at, text },
        ...("variable" in source && { variable: source.variable }),
      };
    });
  return { service: use.service, position, tag: placed(parts.tag), digest: placed(parts.digest) };
}

function placeOf(
  piece: Piece,
  own: { position: Position; written: string },
  unitFiles: readonly EnvFile[],
  { ownEnvironment, declared, envFiles }: VariablePlaces,
): TextPlace | undefined {
  if ("at" in piece) return { ...wholeValue(own.position, own.written), at: piece.at };
  const { variable } = piece;
  if (ownEnvironment[variable] !== undefined) return undefined;
  const inConfig = declared.get(variable);
  if (inConfig !== undefined) return inConfig;
  const position = [...envFiles, ...unitFiles]
    .toReversed()
    .map((file) => file.positionOf(variable))
    .find((each) => each !== undefined);
  return position && wholeValue(position, piece.text);
}

/** Where drybag.yaml gives variables a value. */
async function declaredPlaces({ config }: PinnedProject): Promise<Map<string, TextPlace>> {
  const declared = config?.settings.filter((setting) => setting.default !== undefined) ?? [];
  if (config === undefined || declared.length === 0) return new Map();
  const document = await readConfigDocument(config.file, config.file);
  return new Map(
    declared.map(({ name, default: value = "" }) => [
      name,
      wholeValue(document.positionOf(["settings", name, "default"]), value),
    ]),
  );
}
