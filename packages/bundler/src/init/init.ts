import { stat } from "node:fs/promises";
import path from "node:path";
import { DrybagError } from "@drybag/errors";
import { type Setting, writeFileAtomically } from "@drybag/format";
import { confirm, type Questions } from "@drybag/terminal";
import { readComposeDocuments } from "../compose/compose-document.ts";
import { readEnvFile } from "../compose/env-file.ts";
import { lookUpPath, textOf } from "../compose/look-up.ts";
import { parseConfigDocument } from "../config/config-document.ts";
import { NAME_PATTERN } from "../config/config-schema.ts";
import { CONFIG_NAMES } from "../config/find-config.ts";
import { configOf } from "../config/load-config.ts";
import { askText, chooseOne, chooseSome } from "./ask-choices.ts";
import { configText } from "./config-text.ts";
import { type FoundProject, findProject, profilesOf } from "./find-project.ts";
import { anyOverrides, frappeOverrides, type OverrideOption } from "./override-choices.ts";
import { areDefault, type ConfigPlan, chosenFiles, normalizedName, planSettings } from "./plan-config.ts";
import { type ProjectSettings, readSettings } from "./read-settings.ts";

export interface InitOptions {
  cwd: string;
  env: Record<string, string | undefined>;
  /** As given; relative to `cwd`. */
  files: string[] | undefined;
  envFiles: string[] | undefined;
  profiles: string[];
  name: string | undefined;
  force: boolean;
  /** How to ask; undefined where nobody is to be asked. */
  questions: Questions | undefined;
}

/** What `drybag init` made. */
export interface InitResult {
  file: string;
  plan: ConfigPlan;
  isFrappe: boolean;
  /** Overrides that are stacks of their own. */
  apart: string[];
  alternatives: string[];
  /** Variables that choose an image or a file, and have no value. */
  neededWhenPacking: string[];
  /** Why the settings could not be read, if so. */
  problem: string | undefined;
}

/**
 * Looks at a project and writes its drybag.yaml, asking what cannot be seen.
 * Throws `project-not-found`, `project-invalid`, `file-missing`, `output-exists`, `usage`, `interrupted`.
 */
export async function init(options: InitOptions): Promise<InitResult> {
  const { questions } = options;
  const found = options.files === undefined ? await findProject(options.cwd) : nothingFound(options.cwd);
  const file = await targetIn(found.folder, options.force);
  const compose = await chooseFiles(found, options);
  const env = await chooseEnvFiles(found, options);
  const absolute = (names: readonly string[]) => names.map((name) => path.resolve(found.folder, name));
  const name = await chooseName(found, absolute(compose.files), options);
  const read = await readSettings({
    folder: found.folder,
    files: absolute(compose.files),
    envFiles: absolute(env.files),
    environment: options.env,
  });
  const askSecrets = await chooseSecrets(ofTheSite(read), questions);
  const plan: ConfigPlan = {
    name,
    composeFiles: compose.files,
    files: compose.isDefault ? undefined : compose.files,
    filesFrom: compose.from,
    otherFiles: compose.others,
    envFiles: env.isDefault ? undefined : env.files,
    envFilesFrom: env.files.length > 0 ? env.files.join(", ") : ".env, if there is one",
    profiles: options.profiles,
    knownProfiles: await profilesOf(absolute(compose.files)),
    oneShots: compose.oneShots,
    ...planSettings(ofTheSite(read), askSecrets),
  };
  const text = configText(plan);
  // What is written is what every other command will read.
  configOf(parseConfigDocument(file, text));
  questions?.signal.throwIfAborted();
  await writeFileAtomically(file, text);
  return {
    file,
    plan,
    isFrappe: found.isFrappe,
    apart: compose.apart,
    alternatives: found.alternatives,
    neededWhenPacking: read.choosing.filter((name) =>
      read.settings.some((setting) => setting.name === name && setting.required),
    ),
    problem: read.problem,
  };
}

/** What chooses an image or a file is settled when packing. */
function ofTheSite({ settings, choosing }: ProjectSettings): Setting[] {
  return settings.filter((setting) => !choosing.includes(setting.name));
}

function nothingFound(folder: string): FoundProject {
  return {
    folder,
    base: undefined,
    automaticOverride: undefined,
    overrides: [],
    alternatives: [],
    dotEnv: undefined,
    exampleEnvFiles: [],
    isFrappe: false,
  };
}

/** The name of the file to write. Throws `output-exists`. */
async function targetIn(folder: string, force: boolean): Promise<string> {
  for (const name of CONFIG_NAMES) {
    const file = path.join(folder, name);
    const there = await stat(file).catch(() => undefined);
    if (there === undefined) continue;
    if (force && there.isFile()) return file;
    throw new DrybagError("output-exists", `${file} exists already.`, {
      hint: "Change it by hand, or write a new one in its place with --force.",
    });
  }
  return path.join(folder, CONFIG_NAMES[0] as string);
}

interface ChosenFiles {
  files: string[];
  isDefault: boolean;
  from: string;
  others: string[];
  apart: string[];
  oneShots: string[];
}

async function chooseFiles(found: FoundProject, options: InitOptions): Promise<ChosenFiles> {
  const named = namedFiles(found, options);
  if (named !== undefined) {
    // They may be wrong: say so now.
    for (const name of named.files) await readComposeDocuments(path.resolve(found.folder, name));
    const others = found.overrides.filter((file) => !named.files.includes(file));
    return { ...named, others, apart: [], oneShots: [] };
  }
  const base = found.base ?? (await chooseBase(found, options.questions));
  const { questions, free, apart } = (found.isFrappe ? frappeOverrides : anyOverrides)(found.overrides);
  const taken: OverrideOption[] = [];
  if (options.questions !== undefined && found.isFrappe) {
    options.questions.stderr.write("This is frappe_docker: it needs some of its overrides.\n");
  }
  for (const { question, options: choices } of questions) {
    const titles = choices.map(({ title }) => title);
    const index = options.questions ? await chooseOne(question, titles, options.questions) : 0;
    const choice = choices[index];
    if (choice !== undefined) taken.push(choice);
  }
  if (options.questions !== undefined && free.length > 0) {
    const titles = free.map(({ title }) => title);
    const chosen = await chooseSome("Files that may be added", titles, options.questions);
    taken.push(...free.filter((_, index) => chosen.includes(index)));
  }
  const files = chosenFiles(found, base, taken);
  return {
    files,
    isDefault: areDefault(found, files),
    from: files.join(", "),
    others: found.overrides.filter((file) => !files.includes(file) && !apart.includes(file)),
    apart,
    oneShots: taken.flatMap((option) => option.oneShots ?? []),
  };
}

/** Files that somebody has named already: flags, the environment, or `.env`. */
function namedFiles(
  found: FoundProject,
  { files, cwd, env }: InitOptions,
): Pick<ChosenFiles, "files" | "isDefault" | "from"> | undefined {
  const relative = (folder: string, names: readonly string[]) =>
    names.map((name) => path.relative(found.folder, path.resolve(folder, name)).split(path.sep).join("/"));
  if (files !== undefined) return { files: relative(cwd, files), isDefault: false, from: "" };
  const separator =
    env.COMPOSE_PATH_SEPARATOR ?? found.dotEnv?.values.COMPOSE_PATH_SEPARATOR ?? path.delimiter;
  if (env.COMPOSE_FILE)
    return { files: relative(cwd, env.COMPOSE_FILE.split(separator)), isDefault: false, from: "" };
  const inDotEnv = found.dotEnv?.values.COMPOSE_FILE;
  if (!inDotEnv) return undefined;
  return {
    files: relative(found.folder, inDotEnv.split(separator)),
    isDefault: true,
    from: "COMPOSE_FILE in .env",
  };
}

/** Without a file that Compose would take, one of the others. */
async function chooseBase(
  { alternatives, folder }: FoundProject,
  questions: Questions | undefined,
): Promise<string> {
  const [first = "", ...more] = alternatives;
  if (more.length === 0) return first;
  if (questions === undefined) {
    throw new DrybagError(
      "project-not-found",
      `There are several Compose files in ${folder}, and none is called compose.yaml.`,
      {
        hint: `Name those that belong together with -f: ${alternatives.join(", ")}.`,
      },
    );
  }
  return alternatives[await chooseOne("Which Compose file", alternatives, questions)] ?? first;
}

async function chooseEnvFiles(
  found: FoundProject,
  { envFiles, cwd, questions }: InitOptions,
): Promise<{ files: string[]; isDefault: boolean }> {
  if (envFiles !== undefined) {
    for (const name of envFiles) {
      const file = path.resolve(cwd, name);
      if ((await stat(file).catch(() => undefined)) === undefined) {
        throw new DrybagError("file-missing", `The env file ${file} does not exist.`, {
          hint: "Check the path.",
        });
      }
    }
    return {
      files: envFiles.map((name) => path.relative(found.folder, path.resolve(cwd, name))),
      isDefault: false,
    };
  }
  const dotEnv = await readEnvFile(path.join(found.folder, ".env"));
  if (dotEnv !== undefined) return { files: [".env"], isDefault: true };
  const [first, ...more] = found.exampleEnvFiles;
  if (first === undefined) return { files: [], isDefault: true };
  if (questions === undefined) return { files: [first], isDefault: false };
  const none = "none: a .env will be written";
  const choices = [first, ...more, none];
  const index = await chooseOne("There is no .env. Which env file has the values", choices, questions);
  return index === choices.length - 1
    ? { files: [], isDefault: true }
    : { files: [choices[index] as string], isDefault: false };
}

async function chooseName(
  found: FoundProject,
  files: readonly string[],
  options: InitOptions,
): Promise<string> {
  const problem = (name: string) =>
    NAME_PATTERN.test(name)
      ? undefined
      : "must be lower-case letters, digits, '-' and '_', beginning with a letter or digit";
  if (options.name !== undefined) {
    const wrong = problem(options.name);
    if (wrong !== undefined) throw new DrybagError("usage", `The name '${options.name}' ${wrong}.`);
    return options.name;
  }
  const offered = await nameOf(found, files, options.env);
  return options.questions === undefined
    ? offered
    : askText("Name of the stack", offered, problem, options.questions);
}

/** The name that Compose would give the project. */
async function nameOf(
  found: FoundProject,
  files: readonly string[],
  env: Record<string, string | undefined>,
): Promise<string> {
  const inFiles: (string | undefined)[] = [];
  for (const document of (await Promise.all(files.map(readComposeDocuments))).flat()) {
    inFiles.unshift(textOf(lookUpPath(document, ["name"])?.node));
  }
  const names = [env.COMPOSE_PROJECT_NAME, found.dotEnv?.values.COMPOSE_PROJECT_NAME, ...inFiles];
  const written = names.find((name) => name && !name.includes("$"));
  return normalizedName(written ?? path.basename(found.folder)) ?? "stack";
}

async function chooseSecrets(
  settings: readonly Setting[],
  questions: Questions | undefined,
): Promise<boolean> {
  const secrets = settings.filter(({ secret, required }) => secret && !required).map(({ name }) => name);
  if (questions === undefined || secrets.length === 0) return true;
  return confirm(`Ask each site for ${secrets.join(", ")}, in place of what the files say?`, questions);
}
