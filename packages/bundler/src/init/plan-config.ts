import type { Setting } from "@drybag/format";
import { settingValueProblem } from "@drybag/format";
import type { FoundProject } from "./find-project.ts";
import type { OverrideOption } from "./override-choices.ts";

/** What a new drybag.yaml says. File names are relative to its folder. */
export interface ConfigPlan {
  name: string;
  /** The Compose files that are packed, whoever names them. */
  composeFiles: string[];
  /** undefined: left to Compose. */
  files: string[] | undefined;
  /** Why `files` is left to Compose. */
  filesFrom: string;
  /** Overrides that are there and were not taken. */
  otherFiles: string[];
  envFiles: string[] | undefined;
  envFilesFrom: string;
  profiles: string[];
  /** Profiles that the files have. */
  knownProfiles: string[];
  oneShots: string[];
  /** What the site is asked for. */
  asked: PlannedSetting[];
  /** Other settings that it may change. */
  optional: PlannedSetting[];
}

export interface PlannedSetting {
  name: string;
  description?: string | undefined;
  type?: "port" | "hostname";
  secret: boolean;
  required: boolean;
  default?: string | undefined;
}

/** The Compose files of an answer: the base, what Compose adds to it by itself, and the options in their order. */
export function chosenFiles(found: FoundProject, base: string, options: readonly OverrideOption[]): string[] {
  const automatic =
    base === found.base && found.automaticOverride !== undefined ? [found.automaticOverride] : [];
  return [...new Set([base, ...automatic, ...options.flatMap((option) => option.files)])];
}

/** Whether Compose would take just these files by itself. */
export function areDefault(found: FoundProject, files: readonly string[]): boolean {
  const byItself = [found.base, found.automaticOverride].filter((name) => name !== undefined);
  return files.length === byItself.length && files.every((file, index) => file === byItself[index]);
}

/** Which settings a new drybag.yaml has the site asked for: those without a value, and secrets that have one everybody can read. */
export function planSettings(
  settings: readonly Setting[],
  askSecrets: boolean,
): Pick<ConfigPlan, "asked" | "optional"> {
  const planned = settings.map((setting): PlannedSetting => {
    const type = typeOf(setting);
    return {
      name: setting.name,
      description: setting.description,
      ...(type && { type }),
      secret: setting.secret,
      required: setting.required || (setting.secret && askSecrets),
      default: setting.default,
    };
  });
  return {
    asked: planned.filter(({ required }) => required),
    optional: planned.filter(({ required }) => !required),
  };
}

const TYPES = [
  ["port", /(?:^|_)PORT$/],
  ["hostname", /(?:^|_)(?:HOST|HOSTNAME|DOMAIN)$/],
] as const;

/** As its name says, where its value does not say otherwise. */
function typeOf(setting: Setting): "port" | "hostname" | undefined {
  const type = TYPES.find(([, pattern]) => pattern.test(setting.name))?.[0];
  return type === undefined || settingValueProblem(setting.default ?? "", { type }) ? undefined : type;
}

/** The name that Compose makes of a folder (compose-go, loader.NormalizeProjectName). */
export function normalizedName(text: string): string | undefined {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, "")
    .replace(/^[_-]+/, "")
    .slice(0, 63);
  return name === "" ? undefined : name;
}
