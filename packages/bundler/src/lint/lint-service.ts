import type { ComposeBuild, ComposeModel, ComposeService } from "@drybag/docker";

/** A service as `docker compose config` shows it, with what only lint reads (compose-spec, services). */
export type LintService = Omit<ComposeService, keyof LintedKeys> & LintedKeys;

interface LintedKeys {
  build?: (ComposeBuild & { secrets?: unknown[] }) | null;
  environment?: Record<string, string | null> | null;
  command?: string[] | null;
  entrypoint?: string[] | null;
  labels?: Record<string, string> | null;
  healthcheck?: { test?: string[] | null; disable?: boolean } | null;
  networks?: Record<string, { aliases?: string[] | null } | null> | null;
  links?: string[] | null;
  external_links?: string[] | null;
  volumes_from?: string[] | null;
  hostname?: string;
  tmpfs?: string | string[] | null;
  dns?: string | string[] | null;
  extra_hosts?: string[] | Record<string, string> | null;
  logging?: { driver?: string; options?: Record<string, string> | null } | null;
  privileged?: boolean;
  pid?: string;
  ipc?: string;
  userns_mode?: string;
  cap_add?: string[] | null;
  devices?: ({ source?: string } | string)[] | null;
  gpus?: unknown;
  runtime?: string;
  models?: Record<string, unknown> | null;
  develop?: { watch?: unknown[] | null } | null;
  secrets?: { source?: string }[] | null;
  configs?: { source?: string }[] | null;
  pre_start?: LintHook[] | null;
  post_start?: LintHook[] | null;
  pre_stop?: LintHook[] | null;
}

interface LintHook {
  command?: string[] | string | null;
  image?: string;
}

/** The services of a model, as `[name, service]`, in its order. */
export function lintServices(model: ComposeModel): [string, LintService][] {
  // A dollar sign of the value itself is shown as two.
  const text = JSON.stringify(model.services ?? {}).replaceAll("$$", () => "$");
  return Object.entries(JSON.parse(text) as Record<string, LintService>);
}

/** What a service runs: its entry point and command as words. */
export function wordsOf(service: LintService): string[] {
  return [...(service.entrypoint ?? []), ...(service.command ?? [])];
}

/** Services that run once and end: depended on so, declared so, or with restarting ruled out in so many words. */
export function findOneShots(
  services: readonly [string, LintService][],
  declared: readonly string[],
): Set<string> {
  const awaited = services.flatMap(([, service]) =>
    Object.entries(service.depends_on ?? {})
      .filter(([, { condition }]) => condition === "service_completed_successfully")
      .map(([name]) => name),
  );
  const written = services
    .filter(([, { restart, deploy }]) => restart === "no" || deploy?.restart_policy?.condition === "none")
    .map(([name]) => name);
  return new Set([...awaited, ...declared, ...written]);
}

/** Whether Docker starts it again by itself. */
export function restarts(service: LintService): boolean {
  const policy = service.deploy?.restart_policy;
  if (service.restart !== undefined) return service.restart !== "no" && service.restart !== "";
  return Boolean(policy) && policy?.condition !== "none";
}

/** Whether the Compose file gives it a healthcheck. */
export function hasHealthcheck({ healthcheck }: LintService): boolean {
  return Boolean(healthcheck?.test) && !isDisabled(healthcheck);
}

/** Whether the Compose file takes away the healthcheck of its image. */
export function isDisabled(healthcheck: LintService["healthcheck"]): boolean {
  return healthcheck?.disable === true || healthcheck?.test?.[0] === "NONE";
}

/**
 * Whether two services can run at the same time: `always`, `maybe` (when a profile is chosen), or `never` as far as the profiles
 * tell (two that are never chosen together).
 */
export function runTogether(
  a: LintService,
  b: LintService,
  allChosen: boolean,
): "always" | "maybe" | "never" {
  const [left, right] = [a.profiles ?? [], b.profiles ?? []];
  if (allChosen || (left.length === 0 && right.length === 0)) return "always";
  if (left.length === 0 || right.length === 0) return "maybe";
  return left.some((profile) => right.includes(profile)) ? "maybe" : "never";
}
