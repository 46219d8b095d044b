// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Compose syntax

/** One way to call Compose in the tree below. */
export interface LoadingCase {
  title: string;
  /** Where the command runs, relative to the tree. */
  cwd?: string;
  flags?: string[];
  /** `%` stands for the tree's folder. */
  env?: Record<string, string>;
  /** Files beside those of the tree; an empty text takes one of the tree away. */
  files?: Record<string, string>;
}

/** Each file has an image of its own, and each env file another value, so that the images tell which were read. */
export const TREE: Record<string, string> = {
  "compose.yaml": "services:\n  base: { image: 'base:${V:-none}' }\n  made: { build: . }\n",
  "compose.override.yaml": "services:\n  override: { image: 'override:${W:-none}' }\n",
  "prod.yaml": "services:\n  prod: { image: 'prod:${V:-none}' }\n",
  "extra/dev.yaml": "services:\n  dev: { image: 'dev:${V:-none}' }\n",
  "profiles.yaml":
    "services:\n  always: { image: 'always:1' }\n  one: { image: 'one:1', profiles: [one] }\n  two: { image: 'two:1', profiles: [two, three] }\n",
  ".env": "V=dotenv\nW=dotenv\n",
  "a.env": "V=a\nW=a\n",
  "b.env": "V=b\n",
  Dockerfile: "FROM scratch\n",
  "sub/deep/keep": "\n",
  "other/compose.yml": "services:\n  other: { image: 'other:${V:-none}' }\n",
  "other/.env": "V=other\n",
};

const NO_DOT_ENV = { ".env": "" };

export const CASES: LoadingCase[] = [
  { title: "a plain folder" },
  { title: "a folder below", cwd: "sub/deep" },
  { title: "a folder below with an env file", cwd: "sub", files: { "sub/.env": "V=sub\n" } },
  { title: "no env file at all", files: NO_DOT_ENV },
  { title: "the environment wins over .env", env: { V: "env" } },
  { title: "an empty value of the environment", env: { V: "" } },
  { title: "one env file in place of .env", flags: ["--env-file", "b.env"] },
  { title: "several env files", flags: ["--env-file", "a.env", "--env-file", "b.env"] },
  {
    title: "several env files, from below",
    cwd: "sub",
    flags: ["--env-file", "../b.env", "--env-file", "../a.env"],
  },
  { title: "COMPOSE_ENV_FILES", env: { COMPOSE_ENV_FILES: "a.env,b.env" } },
  {
    title: "COMPOSE_ENV_FILES, absolute, from below",
    cwd: "sub",
    env: { COMPOSE_ENV_FILES: "%/a.env,%/b.env" },
  },
  { title: "COMPOSE_ENV_FILES in .env", files: { ".env": "V=dotenv\nCOMPOSE_ENV_FILES=a.env\n" } },
  {
    title: "an env file wins over COMPOSE_ENV_FILES",
    flags: ["--env-file", "b.env"],
    env: { COMPOSE_ENV_FILES: "a.env" },
  },
  { title: "COMPOSE_DISABLE_ENV_FILE", env: { COMPOSE_DISABLE_ENV_FILE: "1" } },
  { title: "COMPOSE_DISABLE_ENV_FILE=false", env: { COMPOSE_DISABLE_ENV_FILE: "false" } },
  {
    title: "COMPOSE_DISABLE_ENV_FILE and an env file",
    env: { COMPOSE_DISABLE_ENV_FILE: "true" },
    flags: ["--env-file", "a.env"],
  },
  {
    title: "COMPOSE_DISABLE_ENV_FILE and COMPOSE_FILE in .env",
    env: { COMPOSE_DISABLE_ENV_FILE: "1" },
    files: { ".env": "COMPOSE_FILE=prod.yaml\n" },
  },
  { title: "one file: no override", flags: ["-f", "compose.yaml"] },
  { title: "two files", flags: ["-f", "prod.yaml", "-f", "extra/dev.yaml"] },
  { title: "a file of a folder below: its own .env", flags: ["-f", "other/compose.yml"] },
  { title: "a file above", cwd: "sub", flags: ["-f", "../prod.yaml"] },
  {
    title: "a file above, and a .env here",
    cwd: "sub",
    flags: ["-f", "../prod.yaml"],
    files: { "sub/.env": "V=sub\n" },
  },
  { title: "an absolute file", cwd: "sub", flags: ["-f", "%/prod.yaml"] },
  { title: "files of two folders", flags: ["-f", "extra/dev.yaml", "-f", "other/compose.yml"] },
  { title: "COMPOSE_FILE", env: { COMPOSE_FILE: "prod.yaml:extra/dev.yaml" } },
  { title: "COMPOSE_FILE from below", cwd: "sub", env: { COMPOSE_FILE: "../prod.yaml:../extra/dev.yaml" } },
  { title: "COMPOSE_FILE of another folder", env: { COMPOSE_FILE: "other/compose.yml" } },
  {
    title: "COMPOSE_FILE with another separator",
    env: { COMPOSE_FILE: "prod.yaml,extra/dev.yaml", COMPOSE_PATH_SEPARATOR: "," },
  },
  {
    title: "a file wins over COMPOSE_FILE",
    flags: ["-f", "compose.yaml"],
    env: { COMPOSE_FILE: "prod.yaml" },
  },
  { title: "COMPOSE_FILE in .env", files: { ".env": "V=dotenv\nCOMPOSE_FILE=prod.yaml:extra/dev.yaml\n" } },
  {
    title: "COMPOSE_FILE in .env, from below",
    cwd: "sub",
    files: { ".env": "V=dotenv\nCOMPOSE_FILE=prod.yaml\n" },
  },
  {
    title: "COMPOSE_FILE in a .env below",
    cwd: "sub",
    files: { "sub/.env": "V=sub\nCOMPOSE_FILE=../prod.yaml\n" },
  },
  {
    title: "COMPOSE_FILE in a named env file",
    flags: ["--env-file", "c.env"],
    files: { "c.env": "V=c\nCOMPOSE_FILE=prod.yaml\n" },
  },
  {
    title: "COMPOSE_FILE in the second of two env files",
    flags: ["--env-file", "a.env", "--env-file", "c.env"],
    files: { "c.env": "COMPOSE_FILE=prod.yaml\n" },
  },
  {
    title: "COMPOSE_FILE in two env files",
    flags: ["--env-file", "c.env", "--env-file", "d.env"],
    files: { "c.env": "COMPOSE_FILE=prod.yaml\n", "d.env": "COMPOSE_FILE=extra/dev.yaml\n" },
  },
  {
    title: "COMPOSE_FILE in an env file of COMPOSE_ENV_FILES",
    env: { COMPOSE_ENV_FILES: "c.env" },
    files: { "c.env": "V=c\nCOMPOSE_FILE=prod.yaml\n" },
  },
  {
    title: "COMPOSE_FILE in .env beside a named env file",
    flags: ["--env-file", "a.env"],
    files: { ".env": "COMPOSE_FILE=prod.yaml\n" },
  },
  { title: "COMPOSE_DISABLE_ENV_FILE in .env", files: { ".env": "V=dotenv\nCOMPOSE_DISABLE_ENV_FILE=1\n" } },
  {
    title: "COMPOSE_PROFILES in the .env of a folder above",
    cwd: "sub",
    files: {
      "compose.override.yaml":
        "services:\n  one: { image: 'one:1', profiles: [one] }\n  two: { image: 'two:1', profiles: [two] }\n",
      ".env": "COMPOSE_PROFILES=one\n",
    },
  },
  { title: "a folder called .env", files: { ".env": "", ".env/x": "V=1\n" } },
  { title: "COMPOSE_FILE in .env, made of variables", files: { ".env": "N=prod\nCOMPOSE_FILE=${N}.yaml\n" } },
  {
    title: "the environment wins over COMPOSE_FILE in .env",
    env: { COMPOSE_FILE: "prod.yaml" },
    files: { ".env": "COMPOSE_FILE=extra/dev.yaml\n" },
  },
  { title: "a project directory", flags: ["--project-directory", "other"] },
  {
    title: "a project directory below, named from below",
    cwd: "sub",
    flags: ["--project-directory", "../other"],
  },
  { title: "a project directory without a file in it", flags: ["--project-directory", "sub"] },
  {
    title: "a project directory and a file elsewhere",
    flags: ["--project-directory", "other", "-f", "prod.yaml"],
  },
  {
    title: "a project directory and a file elsewhere, from below",
    cwd: "sub",
    flags: ["--project-directory", "..", "-f", "../other/compose.yml"],
  },
  {
    title: "a project directory and COMPOSE_FILE",
    flags: ["--project-directory", "other"],
    env: { COMPOSE_FILE: "prod.yaml" },
  },
  {
    title: "a project directory with COMPOSE_FILE in its .env",
    flags: ["--project-directory", "other"],
    files: { "other/.env": "V=other\nCOMPOSE_FILE=prod.yaml\n" },
  },
  {
    title: "a project directory, and COMPOSE_FILE in the .env here",
    flags: ["--project-directory", "other"],
    files: { ".env": "V=dotenv\nCOMPOSE_FILE=prod.yaml\n" },
  },
  {
    title: "a project directory and an env file",
    flags: ["--project-directory", "other", "--env-file", "a.env"],
  },
  { title: "all profiles", flags: ["-f", "profiles.yaml"] },
  { title: "one profile", flags: ["-f", "profiles.yaml", "--profile", "one"] },
  { title: "two profiles", flags: ["-f", "profiles.yaml", "--profile", "one", "--profile", "three"] },
  { title: "a profile that nobody has", flags: ["-f", "profiles.yaml", "--profile", "nobody"] },
  { title: "COMPOSE_PROFILES", flags: ["-f", "profiles.yaml"], env: { COMPOSE_PROFILES: "one,two" } },
  {
    title: "COMPOSE_PROFILES in .env",
    flags: ["-f", "profiles.yaml"],
    files: { ".env": "COMPOSE_PROFILES=two\n" },
  },
  {
    title: "COMPOSE_PROFILES and a profile",
    flags: ["-f", "profiles.yaml", "--profile", "one"],
    env: { COMPOSE_PROFILES: "two" },
  },
  { title: "COMPOSE_PROFILES=*", flags: ["-f", "profiles.yaml"], env: { COMPOSE_PROFILES: "*" } },
  { title: "a project name", flags: ["-p", "mine"] },
  { title: "COMPOSE_PROJECT_NAME", env: { COMPOSE_PROJECT_NAME: "mine" } },
  { title: "COMPOSE_PROJECT_NAME in .env", files: { ".env": "COMPOSE_PROJECT_NAME=mine\n" } },
  {
    title: "COMPOSE_PROJECT_NAME in .env, from below",
    cwd: "sub",
    files: { ".env": "COMPOSE_PROJECT_NAME=mine\n" },
  },
  { title: "a name in the file", files: { "compose.override.yaml": "name: written\nservices: {}\n" } },
  { title: "the name of a project directory", flags: ["--project-directory", "other", "-f", "compose.yaml"] },
  { title: "yml beside yaml", files: { "compose.yml": "services:\n  yml: { image: 'yml:1' }\n" } },
  {
    title: "both names of Compose",
    files: { "docker-compose.yaml": "services:\n  old: { image: 'old:1' }\n" },
  },
  {
    title: "the old names",
    files: {
      "compose.yaml": "",
      "compose.override.yaml": "",
      "docker-compose.yml": "services:\n  old: { image: 'old:1' }\n",
      "docker-compose.override.yml": "services:\n  more: { image: 'more:1' }\n",
    },
  },
  {
    title: "an old name with a new override",
    files: { "compose.yaml": "", "docker-compose.yml": "services:\n  old: { image: 'old:1' }\n" },
  },
  { title: "two overrides", files: { "compose.override.yml": "services:\n  yml: { image: 'yml:1' }\n" } },
  {
    title: "an override of the old name",
    files: {
      "compose.override.yaml": "",
      "docker-compose.override.yml": "services:\n  more: { image: 'more:1' }\n",
    },
  },
  {
    title: "an override without a base here, and a base above",
    cwd: "sub",
    files: { "sub/compose.override.yaml": "services:\n  lost: { image: 'lost:1' }\n" },
  },
  { title: "a nearer project", cwd: "other" },
  {
    title: "env file syntax",
    files: { ".env": "# a comment\nexport V=\"x y\" # more\nW='a$V'\nEMPTY=\n" },
    flags: ["-f", "env.yaml"],
    ...{},
  },
  { title: "an include with its own .env", flags: ["-f", "include.yaml"] },
  { title: "an include with a folder and env files of its own", flags: ["-f", "include-long.yaml"] },
  { title: "extends from another folder", flags: ["-f", "extends.yaml"] },
];

/** For those that need more than the tree. */
export const MORE: Record<string, string> = {
  "env.yaml":
    "services:\n  a: { image: 'a:1', labels: { v: '${V}', w: '${W}' } }\n  b: { image: '${EMPTY:-b}:${MISSING-2}' }\n",
  "include.yaml": "include: [other/compose.yml]\nservices:\n  top: { image: 'top:${V:-none}' }\n",
  "include-long.yaml":
    "include:\n  - path: [other/compose.yml, prod.yaml]\n    project_directory: extra\n    env_file: [b.env]\nservices:\n  top: { image: 'top:${V:-none}' }\n",
  "extends.yaml": "services:\n  top: { extends: { file: extra/dev.yaml, service: dev } }\n",
};
