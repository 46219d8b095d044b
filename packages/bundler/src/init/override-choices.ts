import path from "node:path";

/** One question about overrides: exactly one of its options is taken. */
export interface OverrideQuestion {
  question: string;
  /** The first one is taken where nobody is asked. */
  options: OverrideOption[];
}

export interface OverrideOption {
  title: string;
  files: string[];
  /** Services of these files that run once, although nothing in them says so. */
  oneShots?: string[];
}

export interface OverrideChoices {
  questions: OverrideQuestion[];
  /** Overrides that may be added to any of them. */
  free: OverrideOption[];
  /** Not for this stack. */
  apart: string[];
}

/** Any project: which override goes with which, only its author knows. */
export function anyOverrides(files: readonly string[]): OverrideChoices {
  return { questions: [], free: files.map((file) => ({ title: file, files: [file] })), apart: [] };
}

interface Known {
  title: string;
  names: string[];
  oneShots?: string[];
}

/** frappe_docker, docs/01-getting-started and docs/02-setup: its overrides, by the part of the name after `compose.`. */
const FRAPPE_QUESTIONS: { question: string; options: Known[] }[] = [
  {
    question: "Database",
    options: [
      { title: "MariaDB", names: ["mariadb"] },
      {
        title: "MariaDB, its password in a file (DB_PASSWORD_SECRETS_FILE)",
        names: ["mariadb", "mariadb-secrets"],
      },
      { title: "PostgreSQL", names: ["postgres"] },
      { title: "MariaDB that other benches on the server share", names: ["mariadb-shared"] },
      { title: "one that the server has already (DB_HOST, DB_PORT)", names: [] },
    ],
  },
  {
    question: "Cache and queue",
    options: [
      { title: "Redis", names: ["redis"] },
      { title: "one that the server has already (REDIS_CACHE, REDIS_QUEUE)", names: [] },
    ],
  },
  {
    question: "How the site is reached",
    options: [
      { title: "a port of the server, plain HTTP", names: ["noproxy"] },
      { title: "Traefik, plain HTTP", names: ["proxy"] },
      { title: "nginx-proxy, plain HTTP", names: ["nginxproxy"] },
      { title: "Traefik with Let's Encrypt (which needs the internet)", names: ["https"] },
      {
        title: "nginx-proxy with Let's Encrypt (which needs the internet)",
        names: ["nginxproxy", "nginxproxy-ssl"],
      },
      { title: "a Traefik that several benches share", names: ["multi-bench"] },
      {
        title: "a Traefik that several benches share, with HTTPS",
        names: ["multi-bench", "multi-bench-ssl"],
      },
      { title: "in another way", names: [] },
    ],
  },
];

const FRAPPE_FREE: Known[] = [
  { title: "migrate all sites at each start", names: ["migrator"], oneShots: ["migrator"] },
  { title: "back up all sites every six hours", names: ["backup-cron"] },
];

/** Overrides that are stacks of their own, next to the benches. */
const FRAPPE_APART = ["traefik", "traefik-ssl", "custom-domain", "custom-domain-ssl"];

export function frappeOverrides(files: readonly string[]): OverrideChoices {
  const byName = new Map(files.map((file) => [shortName(file), file]));
  const present = ({ names, ...rest }: Known): OverrideOption[] => {
    const own = names.flatMap((name) => byName.get(name) ?? []);
    return own.length < names.length
      ? []
      : [{ title: rest.title, files: own, ...(rest.oneShots && { oneShots: rest.oneShots }) }];
  };
  const questions = FRAPPE_QUESTIONS.map(({ question, options }) => ({
    question,
    options: options.flatMap(present),
  }));
  const known = new Set(
    [...FRAPPE_QUESTIONS.flatMap(({ options }) => options), ...FRAPPE_FREE]
      .flatMap(({ names }) => names)
      .concat(FRAPPE_APART),
  );
  return {
    // With nothing but "none of them" there is nothing to ask.
    questions: questions.filter(({ options }) => options.some((option) => option.files.length > 0)),
    free: [
      ...FRAPPE_FREE.flatMap(present),
      ...files.filter((file) => !known.has(shortName(file))).map((file) => ({ title: file, files: [file] })),
    ],
    apart: FRAPPE_APART.flatMap((name) => byName.get(name) ?? []),
  };
}

/** `overrides/compose.mariadb.yaml` is `mariadb`. */
function shortName(file: string): string {
  return path
    .basename(file)
    .replace(/^(?:docker-)?compose[.-]/, "")
    .replace(/\.ya?ml$/i, "");
}
