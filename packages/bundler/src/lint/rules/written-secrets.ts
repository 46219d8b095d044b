import type { Finding } from "@drybag/errors";
import {
  isGuessable,
  isNoSecret,
  isSecretName,
  knownToken,
  PRIVATE_KEY,
  urlCredentials,
} from "@drybag/format";
import type { Position } from "../../compose/compose-document.ts";
import type { LintProject } from "../lint-project.ts";
import { at, type Rule } from "../rule.ts";
import { type WrittenScalar, writtenScalars } from "../written-scalars.ts";

/** Secrets that stand in files of the project, which the bundle carries as they are. The secret itself is never shown. */
export const writtenSecrets: Rule = {
  codes: ["private-key", "token-in-file", "credentials-in-url", "secret-in-build-arg", "secret-in-file"],
  readsFilesOnly: true,
  check: (project) => [
    ...project.graph.documents.flatMap(writtenScalars).flatMap(judgeScalar),
    ...judgeEnvFiles(project),
  ],
};

function judgeScalar({ keys, name, text, position }: WrittenScalar): Finding[] {
  const shaped = judgeShape(name, text, position);
  if (shaped.length > 0) return shaped;
  if (keys.includes("build") && keys.includes("args")) return judgeBuildArgument(name, text, position);
  const isVariable = text.includes("$");
  const holdsValues = keys.includes("environment") || keys.includes("labels");
  if (!holdsValues || isVariable || !isStrongSecret(name, text)) return [];
  return [
    {
      code: "secret-in-file",
      severity: "warning",
      message: `${name} is a secret that stands in the Compose file, and so in every bundle.`,
      remedy: `Write \${${name}:?} in its place: then each site is asked for its own.`,
      ...at(position),
    },
  ];
}

function judgeBuildArgument(name: string, text: string, position: Position): Finding[] {
  if (!(isSecretName(name) || /^APPS_JSON_BASE64$/i.test(name)) || isNoSecretButVariable(text)) return [];
  return [
    {
      code: "secret-in-build-arg",
      severity: "warning",
      message: `The build argument ${name} can be read in the history of the image that it builds.`,
      remedy: "Pass it as a build secret (build.secrets, RUN --mount=type=secret).",
      ...at(position),
    },
  ];
}

function isNoSecretButVariable(text: string): boolean {
  return !text.includes("$") && isNoSecret(text);
}

/** What is a secret by its looks, whatever its name. */
function judgeShape(name: string, text: string, position: Position | undefined): Finding[] {
  if (PRIVATE_KEY.test(text)) {
    return [
      {
        code: "private-key",
        severity: "warning",
        message: `${name || "This value"} is a private key, and every bundle would hold it.`,
        remedy: "Keep it on the site: make it a file outside the project that the site provides.",
        ...at(position),
      },
    ];
  }
  const token = knownToken(text);
  if (token !== undefined) {
    return [
      {
        code: "token-in-file",
        severity: "warning",
        message: `${name || "This value"} holds ${token}, and every bundle would hold it too.`,
        remedy:
          "Revoke it, since it has been written down, and take it out; builds get one as a build secret.",
        ...at(position),
      },
    ];
  }
  const [credentials] = urlCredentials(text).filter(({ user, password }) => !isGuessable(password, [user]));
  if (credentials === undefined) return [];
  const isWeb = /^(?:https?|git|ssh|ftp)/i.test(credentials.scheme);
  return [
    {
      code: "credentials-in-url",
      severity: "warning",
      message: `${name || "This value"} has ${isWeb ? "a token or password" : "a password"} in its address of '${credentials.host}'.`,
      remedy: isWeb
        ? "Revoke it, since it has been written down, and pass it as a secret."
        : "Put a variable in its place, so that each site is asked for its own.",
      ...at(position),
    },
  ];
}

/** Secrets belong into env files rather than Compose files, but these are carried as they are as well. */
function judgeEnvFiles(project: LintProject): Finding[] {
  const files = new Map(
    [...project.variableFiles, ...project.serviceEnvFiles].map((file) => [file.path, file]),
  );
  return [...files.values()].flatMap((file) =>
    Object.entries(file.values).flatMap(([name, value]): Finding[] => {
      const position = file.positionOf(name);
      const shaped = judgeShape(name, value, position);
      if (shaped.length > 0 || !isStrongSecret(name, value)) return shaped;
      return [
        {
          code: "secret-in-file",
          severity: "info",
          message: `${name} is a secret in an env file, which the bundle carries as it is.`,
          remedy: "Leave it empty here if each site is to have its own.",
          ...at(position),
        },
      ];
    }),
  );
}

/** Guessable ones are reported as such where they are used. */
function isStrongSecret(name: string, value: string): boolean {
  return isSecretName(name) && !isNoSecret(value) && !isGuessable(value);
}
