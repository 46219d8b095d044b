/** What a stack wants to have done, looked at and kept safe on site. */

export const TASK_TIMES = ["first-install", "before-upgrade", "after-upgrade", "on-demand"] as const;
export type TaskTime = (typeof TASK_TIMES)[number];

/** A command in one of the project's services. Every task can also be run by `drybag-site run`. */
export interface Task {
  /** `[a-z0-9][a-z0-9-]{0,62}`. */
  name: string;
  description?: string;
  /** When it runs by itself; `on-demand` for those that never do. At least one. */
  when: TaskTime[];
  service: string;
  /** In the running container, or in a new one of that service that is removed afterwards. */
  mode: "exec" | "run";
  /** Program and arguments; no shell. */
  command: string[];
  user?: string;
  /** Absolute. */
  workingDirectory?: string;
  /** Variables with fixed values. */
  environment: Record<string, string>;
  /** Settings of the site, given as variables of the same name. */
  settings: string[];
  /** Names of variables that whoever runs the task gives a value. */
  arguments?: string[];
  timeoutSeconds: number;
  /** Not again after it succeeded, until the site's data is removed. */
  once?: true;
  /** Program and arguments, run in the same place: exit code 0 means that there is nothing to do. */
  unless?: string[];
  /** Tasks that run first, in this order. */
  before?: string[];
}

export const CHECK_KINDS = ["http", "tcp", "exec", "log"] as const;
export type CheckKind = (typeof CHECK_KINDS)[number];

/** What must be so for the stack to count as healthy, asked again until it is or the time is over. */
export type Check = { name: string; timeoutSeconds: number } & (HttpCheck | TcpCheck | ExecCheck | LogCheck);

export interface HttpCheck {
  kind: "http";
  service: string;
  /** Inside the container. */
  port: number;
  /** With its query. `${NAME}` in it, and in `headers` and `host`, stands for the setting. */
  path: string;
  status: number;
  headers?: Record<string, string>;
  /** Regular expression (ECMAScript, flags `u` and `m`) that the body has to hold. */
  body?: string;
  /** Value of the Host header. */
  host?: string;
}

export interface TcpCheck {
  kind: "tcp";
  service: string;
  port: number;
}

export interface ExecCheck {
  kind: "exec";
  service: string;
  command: string[];
  user?: string;
}

export interface LogCheck {
  kind: "log";
  service: string;
  /** Regular expression (ECMAScript, flag `u`) that a line has to hold. */
  pattern: string;
}

/** Which volumes a backup holds, and how they are made not to change meanwhile. */
export interface BackupRules {
  /** Volumes of the Compose files, by key; all of them when absent. */
  volumes?: string[];
  exclude?: string[];
  /** The stack keeps running, and this task writes a dump into a volume first. Otherwise it is stopped for the time. */
  dumpTask?: string;
  /** How many backups are kept; at least 1. */
  keep: number;
}
