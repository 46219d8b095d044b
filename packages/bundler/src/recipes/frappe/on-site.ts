import type { ComposeModel } from "@drybag/docker";
import type { Check, Task } from "@drybag/format";
import type { Declared } from "../../config/declared-tasks.ts";
import type { DeclaredSetting, ProjectConfig } from "../../config/project-config.ts";

/** Service of frappe_docker that bench commands run in, and the one that answers browsers. */
const BENCH_SERVICE = "backend";
const WEB_SERVICE = "frontend";
const WEB_PORT = 8080;
/** What pwd.yml of frappe_docker calls the site that it makes. */
const SITE_OF_COMPOSE = "frontend";

const HOUR_SECONDS = 3600;

/**
 * A configuration with what the recipe knows of running its stack: tasks, the check that the site answers, and the settings that they
 * need. What drybag.yaml says by the same name wins. The same configuration where there is no such recipe or service.
 */
export function withFrappeOnSite(config: ProjectConfig, model: ComposeModel): ProjectConfig {
  const { frappe } = config;
  const services = Object.keys(model.services ?? {});
  if (frappe === undefined || !frappe.tasks || !services.includes(BENCH_SERVICE)) return config;
  const makesSite = !services.includes("create-site");
  const declare = <T extends { name: string }>(kind: string, value: T): Declared<T> => ({
    value,
    label: `${kind}.${value.name} of the recipe frappe`,
    positionOf: () => frappe.build.position,
  });
  const tasks = frappeTasks(makesSite).map((task) => declare("tasks", task));
  const checks = services.includes(WEB_SERVICE)
    ? frappeChecks(makesSite).map((check) => declare("checks", check))
    : [];
  const site = frappe.site ?? (makesSite ? undefined : SITE_OF_COMPOSE);
  const settings = frappeSettings(makesSite, site).map((each) => ({
    ...each,
    position: frappe.build.position,
  }));
  const isFree = (own: readonly { name: string }[]) => (name: string) =>
    own.every((each) => each.name !== name);
  const freeTask = isFree(config.tasks.map(({ value }) => value));
  const freeCheck = isFree(config.checks.map(({ value }) => value));
  const freeSetting = isFree(config.settings);
  return {
    ...config,
    tasks: [...tasks.filter(({ value }) => freeTask(value.name)), ...config.tasks],
    checks: [...checks.filter(({ value }) => freeCheck(value.name)), ...config.checks],
    settings: [...config.settings, ...settings.filter(({ name }) => freeSetting(name))],
  };
}

type TaskParts = Pick<Task, "name" | "description" | "when"> &
  Partial<Task> &
  ({ shell: string } | { bench: string[] });

/** Passwords are in the environment of the task; bench takes them by its command line only, as frappe_docker gives them too. */
function frappeTasks(makesSite: boolean): Task[] {
  const createSite: TaskParts = {
    name: "create-site",
    description: "Makes the site, with every app of the image",
    when: ["first-install"],
    shell: [
      'bench new-site "$SITE_NAME" --mariadb-user-host-login-scope=% --db-root-username=root',
      '--db-root-password="$DB_PASSWORD" --admin-password="$ADMIN_PASSWORD" --set-default &&',
      "for app in erpnext $(ls -1 apps | grep -vx -e frappe -e erpnext);",
      'do [ ! -d "apps/$app" ] || bench --site "$SITE_NAME" install-app "$app" || exit 1; done',
    ].join(" "),
    unless: ["sh", "-c", 'test -e "sites/$SITE_NAME/site_config.json"'],
    settings: ["SITE_NAME", "DB_PASSWORD", "ADMIN_PASSWORD"],
    timeoutSeconds: 2 * HOUR_SECONDS,
  };
  const others: TaskParts[] = [
    {
      name: "migrate",
      description: "Brings the sites' data to the version of the image",
      when: ["after-upgrade"],
      bench: ["--site", "all", "migrate"],
      timeoutSeconds: 4 * HOUR_SECONDS,
    },
    {
      name: "bench-backup",
      description: "Writes a backup of every site, with its files, into private/backups of the site",
      when: ["on-demand"],
      bench: ["--site", "all", "backup", "--with-files"],
      timeoutSeconds: 4 * HOUR_SECONDS,
    },
    {
      name: "install-app",
      description: "Installs the app APP on the site, after a backup",
      when: ["on-demand"],
      shell: 'bench --site "$SITE_NAME" install-app "$APP"',
      settings: ["SITE_NAME"],
      arguments: ["APP"],
      before: ["bench-backup"],
      timeoutSeconds: 2 * HOUR_SECONDS,
    },
    {
      name: "uninstall-app",
      description: "Removes the app APP from the site with all its data, after a backup",
      when: ["on-demand"],
      shell: 'bench --site "$SITE_NAME" uninstall-app "$APP" --yes',
      settings: ["SITE_NAME"],
      arguments: ["APP"],
      before: ["bench-backup"],
      timeoutSeconds: 2 * HOUR_SECONDS,
    },
    {
      name: "list-apps",
      description: "Apps of the site, with their versions",
      when: ["on-demand"],
      shell: 'bench --site "$SITE_NAME" list-apps',
      settings: ["SITE_NAME"],
    },
    {
      name: "clear-cache",
      description: "Clears the cache of every site",
      when: ["on-demand"],
      bench: ["--site", "all", "clear-cache"],
    },
  ];
  return [...(makesSite ? [createSite] : []), ...others].map(taskOf);
}

function taskOf(parts: TaskParts): Task {
  const { name, description, when, settings = [], timeoutSeconds = 600 } = parts;
  return {
    name,
    ...(description === undefined ? {} : { description }),
    when,
    service: BENCH_SERVICE,
    mode: "exec",
    command: "shell" in parts ? ["sh", "-c", parts.shell] : ["bench", ...parts.bench],
    environment: {},
    settings,
    ...(parts.arguments === undefined ? {} : { arguments: parts.arguments }),
    timeoutSeconds,
    ...(parts.unless === undefined ? {} : { unless: parts.unless }),
    ...(parts.before === undefined ? {} : { before: parts.before }),
  };
}

function frappeChecks(makesSite: boolean): Check[] {
  return [
    {
      name: "ping",
      kind: "http",
      service: WEB_SERVICE,
      port: WEB_PORT,
      path: "/api/method/ping",
      status: 200,
      body: "pong",
      host: "${SITE_NAME}",
      // A site that a one-shot of the Compose files makes takes its time, and nobody waits for it.
      timeoutSeconds: makesSite ? 180 : 1200,
    },
  ];
}

function frappeSettings(makesSite: boolean, site: string | undefined): Omit<DeclaredSetting, "position">[] {
  return [
    {
      name: "SITE_NAME",
      description: "Name of the site: the host name that browsers ask for",
      type: "hostname",
      ...(site === undefined ? { required: true } : { default: site }),
    },
    ...(makesSite
      ? [
          {
            name: "ADMIN_PASSWORD",
            description: "Password of the site's Administrator",
            secret: true,
            required: true,
          },
        ]
      : []),
  ];
}
