import type { Finding } from "@drybag/errors";
import { knownToken } from "@drybag/format";
import type { DeclaredFrappe } from "../../config/declared-builds.ts";
import { withoutCredentials } from "../../git/git-address.ts";
import { appName, type PinnedApp, repositoryName } from "./pinned-app.ts";

/** What is wrong with pins, as far as it can be seen without asking anybody. */
export function checkApps(frappe: DeclaredFrappe, apps: readonly PinnedApp[]): Finding[] {
  return [
    ...checkFrappe(frappe),
    ...apps.flatMap((app) => [...checkUrl(app), ...checkRefs(app)]),
    ...frappeAmong(apps),
    ...duplicates(apps),
    ...majors(frappe, apps),
  ];
}

/** Names that everybody moves, whatever the repository says today. */
const MOVING =
  /^(?:main|master|develop|development|dev|trunk|nightly|staging|stable|edge|latest|hotfix|head|version-\d+.*|v?\d+\.x(?:\.x)?|v?\d+-stable)$/i;

export function looksMoving(ref: string): boolean {
  return MOVING.test(ref) || /-(?:hotfix|beta|develop)$/i.test(ref);
}

function checkFrappe({ version, commit }: DeclaredFrappe): Finding[] {
  if (commit !== undefined || !looksMoving(version.text)) return [];
  return [movingRef("frappe", version)];
}

function checkRefs(app: PinnedApp): Finding[] {
  const [ref, second] = app.refs;
  if (second !== undefined) {
    return [
      {
        code: "app-two-refs",
        severity: "error",
        message: `${appName(app)} has a 'tag' and a 'branch'.`,
        remedy: "Take one of them out.",
        position: second.position,
      },
    ];
  }
  if (ref === undefined && app.commit === undefined) {
    return [
      {
        code: "app-unpinned",
        severity: "error",
        message: `${appName(app)} is not pinned: whatever its repository has today would be built.`,
        remedy: "Write a tag beside it; 'git ls-remote --tags <url>' lists them.",
        position: app.position,
      },
    ];
  }
  return ref !== undefined && app.commit === undefined && looksMoving(ref.text)
    ? [movingRef(appName(app), ref)]
    : [];
}

export function movingRef(
  name: string,
  ref: { text: string; position: NonNullable<Finding["position"]> },
  instead?: string,
): Finding {
  return {
    code: "app-moving-ref",
    severity: "error",
    message: `${name} is pinned to '${ref.text}', a branch: tomorrow it may be other code.`,
    remedy: `Pin a tag${instead === undefined ? "" : `, such as ${instead}`}, or write the commit beside it: "commit": "<40 digits>".`,
    position: ref.position,
  };
}

function checkUrl(app: PinnedApp): Finding[] {
  const { text, position } = app.url;
  const [, userinfo] = /^https?:\/\/([^/@]+)@/.exec(text) ?? [];
  if (userinfo === undefined) return [];
  const [user = "", password] = userinfo.split(":");
  const isWritten = (part: string | undefined) => part !== undefined && part !== "" && !part.includes("${");
  if (!isWritten(password) && !(isWritten(user) && (user.length > 20 || knownToken(user) !== undefined)))
    return [];
  return [
    {
      code: "app-token-written",
      severity: "error",
      message: `The address of ${repositoryName(withoutCredentials(text))} has a token written into it, and so has every copy of this file.`,
      remedy:
        "Revoke it, and write the address as https://${TOKEN}@…; TOKEN is read from the environment or from frappe.tokenFile.",
      position,
    },
  ];
}

function frappeAmong(apps: readonly PinnedApp[]): Finding[] {
  return apps
    .filter((app) => appName(app).toLowerCase() === "frappe")
    .map((app) => ({
      code: "app-is-frappe",
      severity: "error" as const,
      message:
        "frappe itself is no app of this list: bench installs it before, and would fail over a second one.",
      remedy: "Take it out; 'frappe.version' of drybag.yaml says which one is built.",
      position: app.position,
    }));
}

function duplicates(apps: readonly PinnedApp[]): Finding[] {
  return apps.flatMap((app, index) => {
    const first = apps.findIndex((each) => folderName(each) === folderName(app));
    if (first === index) return [];
    const line = apps[first]?.position.line;
    return [
      {
        code: "app-duplicate",
        severity: "error" as const,
        message: `${appName(app)} stands here twice; the first is in line ${line}.`,
        remedy: "Take one of them out.",
        position: app.position,
      },
    ];
  });
}

function folderName(app: PinnedApp): string {
  return appName(app).toLowerCase().replaceAll("-", "_");
}

/** Apps whose major version is that of the frappe that they run on. */
const SAME_MAJOR = new Set([
  "erpnext",
  "hrms",
  "india_compliance",
  "payments",
  "healthcare",
  "education",
  "lending",
  "webshop",
]);

function majors(frappe: DeclaredFrappe, apps: readonly PinnedApp[]): Finding[] {
  const major = majorOf(frappe.version.text);
  if (major === undefined) return [];
  return apps.flatMap((app) => {
    const [ref] = app.refs;
    const own = ref === undefined ? undefined : majorOf(ref.text);
    if (ref === undefined || own === undefined || own === major || own < 12) return [];
    return SAME_MAJOR.has(folderName(app))
      ? [majorMismatch(appName(app), ref.text, frappe.version.text, ref)]
      : [];
  });
}

export function majorMismatch(
  name: string,
  version: string,
  frappeVersion: string,
  { position }: { position: NonNullable<Finding["position"]> },
): Finding {
  return {
    code: "app-major-mismatch",
    severity: "warning",
    message: `${name} ${version} is not made for frappe ${frappeVersion}.`,
    remedy: "Choose a version of it for that frappe: most apps have a tag or branch for each major version.",
    position,
  };
}

/** `v15.88.1`, `15.88.1` and `version-15` are of 15. */
function majorOf(ref: string): number | undefined {
  const [, digits] = /^(?:v|version-)?(\d+)(?:[.-].*)?$/.exec(ref) ?? [];
  return digits === undefined ? undefined : Number(digits);
}
