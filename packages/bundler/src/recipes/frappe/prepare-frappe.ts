import { createHash } from "node:crypto";
import path from "node:path";
import type { DockerContext } from "@drybag/docker";
import { DrybagError, type Finding } from "@drybag/errors";
import type { StageReport } from "@drybag/terminal";
import type { PlannedBuild } from "../../build/plan-builds.ts";
import { readEnvFile } from "../../compose/env-file.ts";
import type { DeclaredFrappe } from "../../config/declared-builds.ts";
import { gitAddress, tokenNames } from "../../git/git-address.ts";
import { readNamedFile } from "../../read-named-file.ts";
import type { PreparedRecipe } from "../recipe.ts";
import { checkApps, majorMismatch } from "./check-apps.ts";
import { type ContainerfileForm, containerfileForm } from "./containerfile.ts";
import { isInRange } from "./newest-tag.ts";
import { appName, type PinnedApp } from "./pinned-app.ts";
import { readPinnedApps } from "./read-apps.ts";
import { type Pin, type ResolvedApp, resolveApp } from "./resolve-app.ts";
import { verifyApps } from "./verify-apps.ts";

export interface FrappeToPrepare {
  frappe: DeclaredFrappe;
  build: PlannedBuild;
  docker: DockerContext;
  /** Where commits of apps are kept between builds. */
  cacheDirectory: string;
}

/**
 * Checks the pins of the recipe, finds the commit of each, and says what the build is given. Throws `apps-invalid` with all that is
 * wrong at once, `token-missing`, `file-missing`, `file-unreadable`, `git-missing`.
 */
export async function prepareFrappe(
  { frappe, build, docker, cacheDirectory }: FrappeToPrepare,
  report: StageReport,
  signal: AbortSignal,
): Promise<{ recipe: PreparedRecipe; findings: Finding[] }> {
  const pinned = await readPinnedApps(frappe);
  const findings = [...pinned.findings, ...checkApps(frappe, pinned.apps)];
  refuseErrors(findings);

  const tokens = await readTokens(frappe, docker.env);
  const pins = [frappePin(frappe, tokens), ...pinned.apps.map((app) => appPin(app, tokens))];
  const form = containerfileForm(
    await readNamedFile(
      build.declared.file,
      "The Containerfile",
      "Check 'frappe.containerfile' of drybag.yaml.",
    ),
    build.declared.target,
  );
  findings.push(...checkForm(form, frappe, pins));
  refuseErrors(findings);

  const context = { env: docker.env, signal };
  const gitDirectory = path.join(cacheDirectory, "git");
  const resolved: ResolvedApp[] = [];
  for (const pin of pins) {
    report.message(pin.name);
    const result = await resolveApp(pin, gitDirectory, context);
    if ("app" in result) resolved.push(result.app);
    else findings.push(...result.findings);
  }
  const [own, ...apps] = resolved;
  findings.push(...checkCommits(resolved, form));
  refuseErrors(findings);
  if (own === undefined) throw new Error("frappe was not resolved");
  findings.push(...checkRanges(own, apps));
  return { recipe: recipeOf({ own, apps, form, docker }), findings };
}

/** All at once, each with its place, code and remedy. */
function refuseErrors(findings: readonly Finding[]): void {
  const errors = findings.filter(({ severity }) => severity === "error");
  if (errors.length === 0) return;
  const lines = errors.flatMap(({ position, message, code, remedy }) => [
    `${position === undefined ? "" : `${position.file}:${position.line}:${position.column}: `}${message} [${code}]`,
    ...(remedy === undefined ? [] : [`  ${remedy}`]),
  ]);
  const what =
    errors.length === 1
      ? "One pin of the recipe frappe is"
      : `${errors.length} pins of the recipe frappe are`;
  throw new DrybagError("apps-invalid", `${what} wrong.`, {
    detail: lines.join("\n"),
    hint: "Mend the places that are named; docs/errors.md explains each code.",
  });
}

export async function readTokens(
  { tokenFile }: DeclaredFrappe,
  env: DockerContext["env"],
): Promise<Record<string, string | undefined>> {
  if (tokenFile === undefined) return env;
  const file = await readEnvFile(tokenFile);
  if (file === undefined) {
    throw new DrybagError("file-missing", `The file of tokens ${tokenFile} cannot be read.`, {
      hint: "Check 'frappe.tokenFile' of drybag.yaml.",
    });
  }
  return { ...file.values, ...env };
}

function frappePin(
  { repo, version, commit }: DeclaredFrappe,
  tokens: Record<string, string | undefined>,
): Pin {
  return {
    name: "frappe",
    address: gitAddress(repo.text, tokens),
    hasToken: tokenNames(repo.text).length > 0,
    url: repo,
    ref: version,
    commit,
  };
}

function appPin(app: PinnedApp, tokens: Record<string, string | undefined>): Pin {
  return {
    name: appName(app),
    address: gitAddress(app.url.text, tokens),
    hasToken: tokenNames(app.url.text).length > 0,
    url: app.url,
    ref: app.refs[0],
    commit: app.commit,
  };
}

/** The argument that a Containerfile with a stage for each app takes: `INDIA_COMPLIANCE_REF`. */
function argumentPrefix(name: string): string {
  return name.toUpperCase().replace(/[^A-Z0-9]+/g, "_");
}

function takesOneByOne(form: ContainerfileForm, pin: Pin): boolean {
  return (
    form.args.has(`${argumentPrefix(pin.name)}_REF`) || form.args.has(`${argumentPrefix(pin.name)}_COMMIT`)
  );
}

function checkForm(form: ContainerfileForm, frappe: DeclaredFrappe, pins: readonly Pin[]): Finding[] {
  const position = frappe.build.position;
  const [own, ...apps] = pins;
  const left = apps.filter((pin) => !takesOneByOne(form, pin));
  if (left.length > 0 && !form.takesSecret && !form.takesBase64) {
    return [
      {
        code: "containerfile-without-apps",
        severity: "error",
        message: `The Containerfile has no place for ${left.map(({ name }) => name).join(", ")}.`,
        remedy:
          "Let it mount the secret apps_json as frappe_docker's images/layered does; docs/recipe-frappe.md has the line.",
        position,
      },
    ];
  }
  const leaky = apps.find((pin) => pin.hasToken && !form.takesGitConfig);
  const findings: Finding[] = [];
  if (leaky !== undefined && !form.takesSecret && form.takesBase64 && form.base64InHistory) {
    findings.push({
      code: "token-in-history",
      severity: "error",
      message: `The Containerfile takes apps.json as the argument APPS_JSON_BASE64 in a stage of the image itself: the token of ${leaky.name} would be readable in its history.`,
      remedy:
        "Let it mount the secret apps_json instead (docs/recipe-frappe.md), or move the ARG into a stage that is only copied from.",
      position,
    });
  }
  if (own?.hasToken && !form.takesGitConfig) {
    findings.push({
      code: "token-as-argument",
      severity: "error",
      message:
        "The address of frappe has a token, and the Containerfile takes that address as an argument, which stays readable.",
      remedy:
        "Let it mount the secret gitconfig (docs/recipe-frappe.md): addresses are given without tokens then.",
      position: own.url.position,
    });
  }
  return findings;
}

/** A commit that no tag or branch stands for needs a Containerfile that looks at it. */
function checkCommits(apps: readonly ResolvedApp[], form: ContainerfileForm): Finding[] {
  return apps.flatMap(({ pin, cloneRef, provenance }) => {
    const isTaken = form.args.has(`${argumentPrefix(pin.name)}_COMMIT`) || form.takesCommits;
    if (cloneRef !== undefined || pin.commit === undefined || isTaken) return [];
    return [
      {
        code: "app-commit-unnamed",
        severity: "error" as const,
        message: `No tag or branch of ${pin.name} stands for the commit ${provenance.commit.slice(0, 12)} any more, and this Containerfile can only clone tags and branches.`,
        remedy:
          "Pin a tag, or let the Containerfile check out the 'commit' of apps.json (docs/recipe-frappe.md).",
        position: pin.commit.position,
      },
    ];
  });
}

/** What the apps themselves say of the frappe that they need. */
function checkRanges(frappe: ResolvedApp, apps: readonly ResolvedApp[]): Finding[] {
  const version = frappe.provenance.version ?? frappe.provenance.ref;
  return apps.flatMap(({ pin, provenance, frappeRange }) =>
    frappeRange !== undefined && isInRange(version, frappeRange) === false
      ? [
          majorMismatch(
            `${provenance.name}, which wants frappe ${frappeRange},`,
            provenance.ref,
            version,
            pin.ref ?? pin.url,
          ),
        ]
      : [],
  );
}

function recipeOf({
  own,
  apps,
  form,
  docker,
}: {
  own: ResolvedApp;
  apps: ResolvedApp[];
  form: ContainerfileForm;
  docker: DockerContext;
}): PreparedRecipe {
  const all = [own, ...apps];
  const tokens = [...new Set(all.flatMap(({ pin }) => pin.address.secrets))];
  const list = `${JSON.stringify(apps.map((app) => appEntry(app, form)))}\n`;
  const base64 = Buffer.from(list).toString("base64");
  const provenance = all.map((app) => app.provenance);
  // Secrets are no part of BuildKit's cache key: frappe_docker's argument CACHE_BUST is, and says when the apps are others.
  const pins = createHash("sha256").update(JSON.stringify(provenance)).digest("hex").slice(0, 16);
  const usesBase64 = form.takesBase64 && !form.takesSecret && apps.length > 0;
  return {
    recipe: "frappe",
    args: onlyDeclared(form, {
      FRAPPE_PATH: own.pin.address.url,
      FRAPPE_BRANCH: own.cloneRef ?? own.provenance.ref,
      FRAPPE_COMMIT: own.provenance.commit,
      CACHE_BUST: pins,
      ...Object.assign({}, ...apps.map(argumentsOf)),
    }),
    hiddenArgs: usesBase64 ? { APPS_JSON_BASE64: base64 } : {},
    secrets: [
      ...(form.takesSecret && apps.length > 0 ? [{ id: "apps_json", value: list }] : []),
      ...(form.takesGitConfig ? [{ id: "gitconfig", value: gitConfig(all) }] : []),
    ],
    uncachedStages: form.takesSecret && !form.args.has("CACHE_BUST") ? form.secretStages : [],
    labels: { "dev.drybag.recipe": "frappe", "dev.drybag.apps": JSON.stringify(provenance) },
    tokens: tokens.length > 0 && usesBase64 ? [...tokens, base64] : tokens,
    apps: provenance,
    verify: (reference, signal) => verifyApps(docker, reference, all, signal),
  };
}

function onlyDeclared(form: ContainerfileForm, args: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(args).filter(([name]) => form.args.has(name)));
}

/** For a Containerfile with a stage for each app: a new version of one builds that stage only. */
function argumentsOf({ pin, cloneRef, provenance }: ResolvedApp): Record<string, string> {
  const prefix = argumentPrefix(pin.name);
  return {
    [`${prefix}_URL`]: pin.address.url,
    [`${prefix}_REF`]: cloneRef ?? provenance.ref,
    [`${prefix}_COMMIT`]: provenance.commit,
  };
}

/** An app for bench, which knows `url` and `branch`, and for Containerfiles that check out `commit`. */
function appEntry(
  { pin, cloneRef, provenance }: ResolvedApp,
  form: ContainerfileForm,
): Record<string, string> {
  const branch = cloneRef ?? pin.ref?.text;
  return {
    url: form.takesGitConfig ? pin.address.url : pin.address.full,
    ...(branch === undefined ? {} : { branch }),
    ...(pin.commit === undefined ? {} : { commit: provenance.commit }),
  };
}

/** git-config(1), http.<url>.extraHeader: credentials that are in no address, and so in no .git/config and no command line. */
function gitConfig(apps: readonly ResolvedApp[]): string {
  const sections = apps.flatMap(({ pin: { address } }) =>
    address.authorization === undefined
      ? []
      : [`[http "${address.url}"]\n\textraHeader = Authorization: ${address.authorization}\n`],
  );
  return [...new Set(sections)].join("") || "# No app has a token.\n";
}
