/** A small Compose project, and where its images are written. */
export interface SmallProject {
  title: string;
  files: Record<string, string>;
  /** Flags of docker compose. */
  flags?: string[];
  env?: Record<string, string>;
  /** Folder to run in, below the project's. */
  cwd?: string;
  /** For a service: the file and the text at which its image is written. The text stands there once. */
  written: Record<string, [file: string, text: string]>;
  /** Images that `docker compose config --images` does not tell of, by kind. */
  hidden?: Record<string, string[]>;
}

const digest = `sha256:${"0123456789abcdef".repeat(4)}`;

/** One for each way in which an image finds its way into a project. */
export const PROJECTS: SmallProject[] = [
  {
    title: "a plain tag",
    files: { "compose.yaml": "services:\n  web:\n    image: nginx:1.27\n" },
    written: { web: ["compose.yaml", "nginx:1.27"] },
  },
  {
    title: "no tag",
    files: { "compose.yaml": "services:\n  web: {image: nginx}\n" },
    written: { web: ["compose.yaml", "nginx"] },
  },
  {
    title: "a digest, with and without a tag",
    files: {
      "compose.yaml": `services:\n  a:\n    image: redis@${digest}\n  b:\n    image: "redis:8@${digest}"\n`,
    },
    written: { a: ["compose.yaml", `redis@${digest}`], b: ["compose.yaml", `"redis:8@${digest}"`] },
  },
  {
    title: "a registry with a port",
    files: { "compose.yaml": "services:\n  web:\n    image: registry.example:5000/team/web:2\n" },
    written: { web: ["compose.yaml", "registry.example:5000/team/web:2"] },
  },
  {
    title: "an alias to a scalar",
    files: {
      "compose.yaml": "x-image: &image redis:8\nservices:\n  a: {image: *image}\n  b: {image: *image}\n",
    },
    written: { a: ["compose.yaml", "redis:8"], b: ["compose.yaml", "redis:8"] },
  },
  {
    title: "a merged mapping",
    files: { "compose.yaml": "x-base: &base\n  image: redis:8\nservices:\n  a:\n    <<: *base\n" },
    written: { a: ["compose.yaml", "redis:8"] },
  },
  {
    title: "a list of merged mappings: the first that has it counts",
    files: {
      "compose.yaml":
        "x-a: &a {restart: always}\nx-b: &b {image: redis:8}\nx-c: &c {image: redis:7}\nservices:\n  s:\n    <<: [*a, *b, *c]\n",
    },
    written: { s: ["compose.yaml", "redis:8"] },
  },
  {
    title: "a service's own key over what it merges",
    files: {
      "compose.yaml": "x-a: &a {image: redis:7}\nservices:\n  s:\n    image: redis:8\n    <<: *a\n",
    },
    written: { s: ["compose.yaml", "redis:8"] },
  },
  {
    title: "merges within merges",
    files: {
      "compose.yaml":
        "x-a: &a {image: redis:8}\nx-b: &b\n  <<: *a\n  restart: always\nservices:\n  s:\n    <<: *b\n    command: x\n",
    },
    written: { s: ["compose.yaml", "redis:8"] },
  },
  {
    title: "a mapping merged in place",
    files: { "compose.yaml": "services:\n  s:\n    <<: {image: redis:8}\n" },
    written: { s: ["compose.yaml", "redis:8"] },
  },
  {
    title: "a service merged from another service",
    files: { "compose.yaml": "services:\n  a: &a\n    image: redis:8\n  b:\n    <<: *a\n    command: x\n" },
    written: { a: ["compose.yaml", "redis:8"], b: ["compose.yaml", "redis:8"] },
  },
  {
    title: "extends in the same file",
    files: { "compose.yaml": "services:\n  base:\n    image: redis:8\n  s:\n    extends: base\n" },
    written: { base: ["compose.yaml", "redis:8"], s: ["compose.yaml", "redis:8"] },
  },
  {
    title: "extends another file",
    files: {
      "compose.yaml": "services:\n  s:\n    extends:\n      file: common/base.yaml\n      service: base\n",
      "common/base.yaml": "services:\n  base:\n    image: redis:8\n",
    },
    written: { s: ["common/base.yaml", "redis:8"] },
  },
  {
    title: "a chain of extends, each relative to its own file",
    files: {
      "compose.yaml": "services:\n  s:\n    extends: {file: one/a.yaml, service: a}\n",
      "one/a.yaml": "services:\n  a:\n    extends: {file: ../two/b.yaml, service: b}\n    command: x\n",
      "two/b.yaml": "services:\n  b:\n    image: redis:8\n",
    },
    written: { s: ["two/b.yaml", "redis:8"] },
  },
  {
    title: "a service's own image over what it extends",
    files: {
      "compose.yaml":
        "services:\n  base: {image: redis:7}\n  s:\n    extends: {service: base}\n    image: redis:8\n",
    },
    written: { base: ["compose.yaml", "redis:7"], s: ["compose.yaml", "redis:8"] },
  },
  {
    title: "an override that changes the image",
    files: {
      "compose.yaml": "services:\n  s:\n    image: redis:7\n  t:\n    image: nginx:1\n",
      "compose.override.yaml": "services:\n  s:\n    image: redis:8\n",
    },
    written: { s: ["compose.override.yaml", "redis:8"], t: ["compose.yaml", "nginx:1"] },
  },
  {
    title: "several files, the last that has it counts",
    files: {
      "a.yaml": "services:\n  s: {image: redis:6}\n",
      "b.yaml": "services:\n  s: {image: redis:7}\n",
      "c.yaml": "services:\n  s: {restart: always}\n  t: {image: nginx:1}\n",
    },
    flags: ["-f", "a.yaml", "-f", "b.yaml", "-f", "c.yaml"],
    written: { s: ["b.yaml", "redis:7"], t: ["c.yaml", "nginx:1"] },
  },
  {
    title: "an included file",
    files: {
      "compose.yaml": "include:\n  - sub/compose.yaml\nservices:\n  s: {image: redis:8}\n",
      "sub/compose.yaml": "services:\n  t:\n    image: nginx:1\n",
    },
    written: { s: ["compose.yaml", "redis:8"], t: ["sub/compose.yaml", "nginx:1"] },
  },
  {
    title: "an include with its own folder and env file",
    files: {
      "compose.yaml":
        "include:\n  - path: sub/compose.yaml\n    project_directory: other\n    env_file: versions.env\n",
      "sub/compose.yaml": "services:\n  t:\n    image: nginx:${VERSION}\n",
      "other/.keep": "",
      "versions.env": "VERSION=1.27\n",
    },
    written: { t: ["sub/compose.yaml", "nginx:${VERSION}"] },
  },
  {
    title: "an include of several files, the last that has it counts",
    files: {
      "compose.yaml": "include:\n  - path: [sub/a.yaml, sub/b.yaml]\n",
      "sub/a.yaml": "services:\n  t: {image: nginx:1}\n",
      "sub/b.yaml": "services:\n  t: {image: nginx:2}\n",
    },
    written: { t: ["sub/b.yaml", "nginx:2"] },
  },
  {
    title: "an include within an include",
    files: {
      "compose.yaml": "include: [one/compose.yaml]\n",
      "one/compose.yaml": "include: [two/compose.yaml]\nservices:\n  a: {image: redis:8}\n",
      "one/two/compose.yaml": "services:\n  b: {image: nginx:1}\n",
    },
    written: { a: ["one/compose.yaml", "redis:8"], b: ["one/two/compose.yaml", "nginx:1"] },
  },
  {
    title: "an include reads the .env beside it",
    files: {
      "compose.yaml": "include: [sub/compose.yaml]\n",
      "sub/compose.yaml": "services:\n  t: {image: 'nginx:$VERSION'}\n",
      "sub/.env": "VERSION=1.27\n",
    },
    written: { t: ["sub/compose.yaml", "'nginx:$VERSION'"] },
  },
  {
    title: "an override of an included service",
    files: {
      "compose.yaml": "include: [sub/compose.yaml]\n",
      "compose.override.yaml": "services:\n  t: {image: nginx:2}\n",
      "sub/compose.yaml": "services:\n  t: {image: nginx:1}\n",
    },
    written: { t: ["compose.override.yaml", "nginx:2"] },
  },
  {
    title: "profiles, none of them chosen",
    files: {
      "compose.yaml":
        "services:\n  s: {image: redis:8}\n  d: {image: adminer:5, profiles: [debug]}\n  e: {image: mailpit:1, profiles: [debug, mail]}\n",
    },
    written: {
      s: ["compose.yaml", "redis:8"],
      d: ["compose.yaml", "adminer:5"],
      e: ["compose.yaml", "mailpit:1"],
    },
  },
  {
    title: "a profile that is chosen",
    files: {
      "compose.yaml":
        "services:\n  s: {image: redis:8}\n  d: {image: adminer:5, profiles: [debug]}\n  e: {image: mailpit:1, profiles: [mail]}\n",
    },
    flags: ["--profile", "mail"],
    written: { s: ["compose.yaml", "redis:8"], e: ["compose.yaml", "mailpit:1"] },
  },
  {
    title: "an image that Compose builds and names",
    files: {
      "compose.yaml": "name: shop\nservices:\n  api:\n    build: ./api\n",
      "api/Dockerfile":
        "ARG V=3.20\nFROM alpine:${V} AS base\nFROM base\nCOPY --from=busybox:1 /bin/busybox /b\n",
    },
    written: { api: ["compose.yaml", "./api"] },
    hidden: { "build-base": ["alpine:3.20", "busybox:1"] },
  },
  {
    title: "an image that Compose builds and the user names",
    files: {
      "compose.yaml":
        "services:\n  api:\n    image: team/api:2\n    build:\n      context: .\n      dockerfile_inline: |\n        FROM golang:1.25\n",
    },
    written: { api: ["compose.yaml", "team/api:2"] },
    hidden: { "build-base": ["golang:1.25"] },
  },
  {
    title: "an image mounted as a volume",
    files: {
      "compose.yaml":
        "services:\n  s:\n    image: redis:8\n    volumes:\n      - {type: image, source: 'models:2', target: /models}\n",
    },
    written: { s: ["compose.yaml", "redis:8"] },
    hidden: { volume: ["models:2"] },
  },
  {
    title: "a variable, its default, and a default within a default",
    files: {
      "compose.yaml":
        "services:\n  s:\n    image: ${NAME:-redis}:${TAG:-${FALLBACK:-8}}\n  t:\n    image: nginx:$$V\n",
    },
    env: {},
    written: {
      s: ["compose.yaml", "${NAME:-redis}:${TAG:-${FALLBACK:-8}}"],
      t: ["compose.yaml", "nginx:$$V"],
    },
  },
  {
    title: "several env files, the last one wins",
    files: {
      "compose.yaml": "services:\n  s:\n    image: redis:${TAG}\n",
      "one.env": "TAG=6\nBASE=8\n",
      "two.env": "TAG=$BASE-alpine\n",
    },
    flags: ["--env-file", "one.env", "--env-file", "two.env"],
    written: { s: ["compose.yaml", "redis:${TAG}"] },
  },
  {
    title: "the environment over the env file",
    files: { "compose.yaml": "services:\n  s:\n    image: redis:${TAG}\n", ".env": "TAG=6\n" },
    env: { TAG: "8" },
    written: { s: ["compose.yaml", "redis:${TAG}"] },
  },
  {
    title: "COMPOSE_FILE in .env",
    files: {
      "base.yaml": "services:\n  s: {image: redis:8}\n",
      "more.yaml": "services:\n  t: {image: nginx:1}\n",
      ".env": "COMPOSE_FILE=base.yaml:more.yaml\n",
    },
    written: { s: ["base.yaml", "redis:8"], t: ["more.yaml", "nginx:1"] },
  },
  {
    title: "COMPOSE_FILE and its separator in the environment",
    files: {
      "base.yaml": "services:\n  s: {image: redis:8}\n",
      "more.yaml": "services:\n  t: {image: nginx:1}\n",
    },
    env: { COMPOSE_FILE: "base.yaml;more.yaml", COMPOSE_PATH_SEPARATOR: ";" },
    written: { s: ["base.yaml", "redis:8"], t: ["more.yaml", "nginx:1"] },
  },
  {
    title: "the old name of the file, and its override",
    files: {
      "docker-compose.yml": "version: '3.8'\nservices:\n  s: {image: redis:7}\n",
      "docker-compose.override.yml": "services:\n  s: {image: redis:8}\n",
    },
    written: { s: ["docker-compose.override.yml", "redis:8"] },
  },
  {
    title: "started in a subfolder",
    files: { "compose.yaml": "services:\n  s: {image: redis:8}\n", "deep/down/.keep": "" },
    cwd: "deep/down",
    written: { s: ["compose.yaml", "redis:8"] },
  },
  {
    title: "a project directory elsewhere",
    files: {
      "deploy/compose.yaml": "services:\n  s:\n    extends: {file: base.yaml, service: b}\n",
      "base.yaml": "services:\n  b: {image: 'redis:$TAG'}\n",
      ".env": "TAG=8\n",
    },
    flags: ["-f", "deploy/compose.yaml", "--project-directory", "."],
    written: { s: ["base.yaml", "'redis:$TAG'"] },
  },
  {
    title: "a name given by flag, which built images are called by",
    files: { "compose.yaml": "services:\n  api: {build: .}\n", Dockerfile: "FROM scratch\n" },
    flags: ["-p", "given"],
    written: { api: ["compose.yaml", "."] },
  },
  {
    title: "block scalars, quotes and columns behind wide characters",
    files: {
      "compose.yaml":
        'services:\n  s:\n    image: >-\n      redis:8\n  t: {container_name: "tt", labels: {x: "größe"}, image: "nginx:1"}\n',
    },
    written: { s: ["compose.yaml", ">-"], t: ["compose.yaml", '"nginx:1"'] },
  },
  {
    title: "a JSON file",
    files: { "compose.json": '{"services": {"s": {"image": "redis:8"}}}\n' },
    flags: ["-f", "compose.json"],
    written: { s: ["compose.json", '"redis:8"'] },
  },
  {
    title: "Windows line ends and a byte order mark",
    files: { "compose.yaml": "\uFEFFservices:\r\n  s:\r\n    image: redis:8\r\n" },
    written: { s: ["compose.yaml", "redis:8"] },
  },
  {
    title: "several YAML documents in one file",
    files: {
      "compose.yaml":
        "services:\n  s: {image: redis:7}\n  t: {image: nginx:1}\n---\nservices:\n  s: {image: redis:8}\n",
    },
    written: { s: ["compose.yaml", "redis:8"], t: ["compose.yaml", "nginx:1"] },
  },
  {
    title: "!override and !reset",
    files: {
      "compose.yaml": "services:\n  s:\n    image: redis:7\n    ports: ['80:80']\n  t:\n    image: nginx:1\n",
      "compose.override.yaml":
        "services:\n  s:\n    ports: !reset []\n    image: redis:8\n  t: !override\n    image: nginx:2\n",
    },
    written: { s: ["compose.override.yaml", "redis:8"], t: ["compose.override.yaml", "nginx:2"] },
  },
  {
    title: "no instance of a service",
    files: {
      "compose.yaml":
        "services:\n  s: {image: redis:8, scale: 0}\n  t: {image: nginx:1, deploy: {replicas: 0}}\n",
    },
    written: { s: ["compose.yaml", "redis:8"], t: ["compose.yaml", "nginx:1"] },
  },
  {
    title: "comments that look like variables, and required ones with a value",
    files: {
      "compose.yaml": "# ${NEVER:?asked}\nservices:\n  s:\n    image: redis:${TAG:?which}\n",
      ".env": "TAG=8\n",
    },
    written: { s: ["compose.yaml", "redis:${TAG:?which}"] },
  },
  {
    title: "a required variable that only the site knows",
    files: { "compose.yaml": "services:\n  s:\n    image: redis:8\n    ports: ['${PORT:?which port}:80']\n" },
    env: { PORT: "" },
    written: { s: ["compose.yaml", "redis:8"] },
  },
];
