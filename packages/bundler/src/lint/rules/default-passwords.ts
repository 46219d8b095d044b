import type { Finding } from "@drybag/errors";
import { isGuessable, isSecretName, urlCredentials } from "@drybag/format";
import { isScalar } from "yaml";
import type { Position } from "../../compose/compose-document.ts";
import { interpolate } from "../../compose/interpolate.ts";
import { positionOf } from "../../compose/look-up.ts";
import type { LintProject } from "../lint-project.ts";
import { type LintService, wordsOf } from "../lint-service.ts";
import { type Entry, entriesOf } from "../places.ts";
import { at, quoted, type Rule } from "../rule.ts";

/** Passwords that everybody tries first, as the services will get them. */
export const defaultPasswords: Rule = {
  codes: ["default-password", "no-password"],
  check: (project) =>
    combined(
      project.services.flatMap(([name, service]) => [
        ...inEnvironment(project, name, service),
        ...inCommand(project, name, service),
      ]),
    ),
};

interface Weakness {
  code: "default-password" | "no-password";
  /** Variable or option that holds it. */
  holder: string;
  service: string;
  position: Position | undefined;
}

const PASSWORDLESS: [RegExp, RegExp][] = [
  [/^(?:MYSQL|MARIADB)?_?ALLOW_EMPTY_(?:ROOT_)?PASSWORD$/, /^(?!(?:0|no|false)?$)/i],
  [/^POSTGRES_HOST_AUTH_METHOD$/, /^trust$/i],
];

function inEnvironment(project: LintProject, name: string, service: LintService): Weakness[] {
  const variables = Object.entries(service.environment ?? {});
  const users = variables
    .filter(([key]) => /USER(?:NAME)?$|_DB$|DATABASE$/i.test(key))
    .map(([, user]) => user);
  const words = [name, ...users.map((user) => user ?? undefined)];
  return variables.flatMap(([key, value]): Weakness[] => {
    const text = value ?? "";
    const isOpen = PASSWORDLESS.some(([names, values]) => names.test(key) && values.test(text));
    const isWeak =
      (isSecretName(key) && isGuessable(text, words)) ||
      urlCredentials(text).some(({ user, password }) => isGuessable(password, [...words, user]));
    if (!isOpen && !isWeak) return [];
    const code = isWeak ? "default-password" : "no-password";
    return [{ code, service: name, ...sourceOf(project, name, key, text) }];
  });
}

/** `--admin-password=admin`, `--requirepass admin`: in one word, in two, or in the text of a script. */
const OPTION = /(?:^|[\s"'])--?([a-z][a-z0-9_-]*)(?:=|\s+)["']?([^\s"';|&]+)/gi;

function inCommand(project: LintProject, name: string, service: LintService): Weakness[] {
  const found = wordsOf(service).join(" ").matchAll(OPTION);
  return [...found].flatMap(([, option = "", value = ""]): Weakness[] => {
    const isPassword = isSecretName(option) || /^(?:requirepass|masterauth)$/i.test(option);
    if (!isPassword || value.startsWith("-") || !isGuessable(value)) return [];
    const entry = commandEntries(project, name).find(({ text }) => text?.includes(option));
    const source = entry && variableSource(project, entry, value);
    const position = entry && positionOf(entry.place);
    return [{ code: "default-password", holder: `--${option}`, service: name, position, ...(source ?? {}) }];
  });
}

function commandEntries(project: LintProject, service: string): Entry[] {
  return ["command", "entrypoint"].flatMap((key) => entriesOf(project.graph, "services", service, key));
}

/** Where the value of a service's variable comes from: the Compose file, a variable of an env file, or an env file of its own. */
function sourceOf(
  project: LintProject,
  service: string,
  key: string,
  value: string,
): Pick<Weakness, "holder" | "position"> {
  const entry = entriesOf(project.graph, "services", service, "environment").find(
    (each) => each.name === key,
  );
  if (entry !== undefined) {
    const isPassedOn = isScalar(entry.place.node) && (entry.written === undefined || entry.written === key);
    const source = isPassedOn ? passedOn(project, key) : variableSource(project, entry, value);
    return source ?? { holder: key, position: positionOf(entry.place) };
  }
  const file = project.serviceEnvFiles.findLast((each) => each.values[key] === value);
  return { holder: key, position: file?.positionOf(key) };
}

/** `- NAME` or `NAME:` without a value: the project's own variable of that name. */
function passedOn(project: LintProject, name: string): Pick<Weakness, "holder" | "position"> | undefined {
  if (project.ownEnvironment[name] !== undefined) return undefined;
  const position = project.variableFiles
    .findLast((each) => each.values[name] !== undefined)
    ?.positionOf(name);
  return position && { holder: name, position };
}

/** The variable that gave a value all or part of its text. */
function variableSource(
  project: LintProject,
  { written = "", place }: Entry,
  value: string,
): Pick<Weakness, "holder" | "position"> | undefined {
  const used: string[] = [];
  interpolate(written, place.environment, (name) => used.push(name));
  const name =
    used.find((each) => isSecretName(each)) ?? used.find((each) => place.environment[each] === value);
  if (name === undefined) return undefined;
  const isOwn = project.ownEnvironment[name] !== undefined;
  const file = isOwn ? undefined : project.variableFiles.findLast((each) => each.values[name] !== undefined);
  return { holder: name, position: file?.positionOf(name) ?? positionOf(place) };
}

/** One finding a place, for all services that get it from there. */
function combined(all: readonly Weakness[]): Finding[] {
  const groups = Map.groupBy(all, ({ code, holder, service, position }) =>
    JSON.stringify([code, holder, position ?? service]),
  );
  return [...groups.values()].map((group): Finding => {
    const { code, holder, position } = group[0] as Weakness;
    const whose = quoted([...new Set(group.map(({ service }) => service))]);
    if (code === "no-password") {
      return {
        code: "no-password",
        severity: "warning",
        message: `${holder} lets anybody into ${whose} without a password.`,
        remedy: "Set a password for it.",
        ...at(position),
      };
    }
    return {
      code: "default-password",
      severity: "warning",
      message: `${holder} gives ${whose} a password that everybody tries first, or that an example left there.`,
      remedy: holder.startsWith("-")
        ? "Put a variable without a default in its place, so that each site is asked for its own."
        : `Write \${${holder}:?} in the Compose file and give it no value here, so that each site is asked for its own.`,
      ...at(position),
    };
  });
}
