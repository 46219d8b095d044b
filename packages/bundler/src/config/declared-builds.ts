import path from "node:path";
import type { Position } from "../compose/compose-document.ts";
import type { PinnedApp } from "../recipes/frappe/pinned-app.ts";
import type { BuildInFile, FrappeInFile } from "./build-schema.ts";
import type { ConfigDocument, ValuePath } from "./config-document.ts";
import type { Placed } from "./project-config.ts";

/** What drybag.yaml says about a build; paths are absolute. */
export interface DeclaredBuild {
  name: string;
  position: Position;
  context: string;
  /** The Dockerfile. */
  file: string;
  target: string | undefined;
  args: Record<string, string>;
  secrets: DeclaredSecret[];
  /** Name without a tag; the build's own name when undefined. */
  image: string | undefined;
  tags: Placed[] | undefined;
  platforms: string[];
  needs: Placed[];
  cacheFrom: string[];
  cacheTo: string[];
  network: "default" | "host" | "none" | undefined;
  environments: Record<string, { args: Record<string, string>; tags: Placed[] | undefined }>;
  /** Variables of the Compose files that it sets. */
  env: Record<string, string>;
}

export interface DeclaredSecret {
  id: string;
  position: Position;
  env: string | undefined;
  file: string | undefined;
}

/** `frappe` of drybag.yaml, as a build of that name and what only the recipe knows. */
export interface DeclaredFrappe {
  build: DeclaredBuild;
  repo: Placed;
  /** The tag, or the branch where `commit` stands beside it. */
  version: Placed;
  commit: Placed | undefined;
  /** The file of the apps, or the apps themselves. */
  apps: { file: string; position: Position } | { apps: PinnedApp[] };
  tokenFile: string | undefined;
  /** Name of the site unless the server's says otherwise. */
  site: string | undefined;
  /** Whether the recipe brings what it knows of running the stack. */
  tasks: boolean;
}

export const FRAPPE_BUILD = "frappe";
const FRAPPE_REPO = "https://github.com/frappe/frappe";
/** What frappe_docker's Compose files are steered by. */
const FRAPPE_ENV = { CUSTOM_IMAGE: "{image}", CUSTOM_TAG: "{tag}", PULL_POLICY: "{policy}" };

/** The builds of drybag.yaml in the order of the file. */
export function declaredBuilds(
  document: ConfigDocument,
  builds: Record<string, BuildInFile> | null | undefined,
): DeclaredBuild[] {
  return Object.entries(builds ?? {}).map(([name, build]) => {
    const read = reader(document, ["builds", name]);
    const context = read.resolve(build.context ?? ".");
    return {
      ...read.shared(build),
      name,
      position: document.positionOfKey(["builds"], name),
      context,
      file: build.file === undefined ? path.join(context, "Dockerfile") : read.resolve(build.file),
      args: read.texts(["args"], build.args),
      env: build.env ?? {},
    };
  });
}

/** The recipe frappe of drybag.yaml. */
export function declaredFrappe(document: ConfigDocument, frappe: FrappeInFile): DeclaredFrappe {
  const read = reader(document, ["frappe"]);
  const context = read.resolve(frappe.context ?? ".");
  const version = (key: "pythonVersion" | "nodeVersion", name: string) =>
    frappe[key] === undefined ? {} : { [name]: document.textOf(["frappe", key]) ?? "" };
  return {
    build: {
      ...read.shared(frappe),
      name: FRAPPE_BUILD,
      position: document.positionOfKey([], "frappe"),
      context,
      file:
        frappe.containerfile === undefined
          ? path.join(context, "Containerfile")
          : read.resolve(frappe.containerfile),
      args: {
        ...version("pythonVersion", "PYTHON_VERSION"),
        ...version("nodeVersion", "NODE_VERSION"),
        ...read.texts(["buildArgs"], frappe.buildArgs),
      },
      env: frappe.env ?? FRAPPE_ENV,
    },
    repo: read.placed("repo", frappe.repo ?? FRAPPE_REPO),
    version: read.placed("version", frappe.version),
    commit: frappe.commit === undefined ? undefined : read.placed("commit", frappe.commit),
    apps:
      typeof frappe.apps === "string"
        ? { file: read.resolve(frappe.apps), position: document.positionOf(["frappe", "apps"]) }
        : { apps: (frappe.apps ?? []).map((app, index) => read.app(app, index)) },
    site: frappe.site,
    tasks: frappe.tasks ?? true,
    tokenFile: frappe.tokenFile === undefined ? undefined : read.resolve(frappe.tokenFile),
  };
}

type AppInFile = Exclude<NonNullable<FrappeInFile["apps"]>, string>[number];
type Shared = Omit<BuildInFile, "context" | "file" | "args" | "env">;
type SharedDeclaration = Omit<DeclaredBuild, "name" | "position" | "context" | "file" | "args" | "env">;

function reader(document: ConfigDocument, at: ValuePath) {
  const resolve = (file: string) => path.resolve(path.dirname(document.file), file);
  const placedList = (key: ValuePath, texts: readonly string[]): Placed[] =>
    texts.map((text, index) => ({ text, position: document.positionOf([...at, ...key, index]) }));
  const texts = (key: ValuePath, values: Record<string, unknown> | null | undefined) =>
    Object.fromEntries(
      Object.keys(values ?? {}).map((name) => [name, document.textOf([...at, ...key, name]) ?? ""]),
    );
  return {
    resolve,
    texts,
    placed: (key: string, text: string): Placed => ({ text, position: document.positionOf([...at, key]) }),
    app: (app: AppInFile, index: number): PinnedApp => {
      const place = (key: string) => document.positionOf([...at, "apps", index, key]);
      return {
        url: { text: app.url, position: place("url") },
        refs: (["tag", "branch"] as const).flatMap((key) =>
          app[key] === undefined ? [] : [{ key, text: app[key], position: place(key) }],
        ),
        commit: app.commit === undefined ? undefined : { text: app.commit, position: place("commit") },
        position: document.positionOf([...at, "apps", index]),
      };
    },
    shared: (build: Shared): SharedDeclaration => ({
      target: build.target,
      image: build.image,
      tags: build.tags === undefined ? undefined : placedList(["tags"], build.tags),
      platforms: build.platforms ?? [],
      needs: placedList(["needs"], build.needs ?? []),
      cacheFrom: build.cacheFrom ?? [],
      cacheTo: build.cacheTo ?? [],
      network: build.network,
      secrets: Object.entries(build.secrets ?? {}).map(([id, secret]) => ({
        id,
        position: document.positionOfKey([...at, "secrets"], id),
        env: secret.env,
        file: secret.file === undefined ? undefined : resolve(secret.file),
      })),
      environments: Object.fromEntries(
        Object.entries(build.environments ?? {}).map(([name, environment]) => [
          name,
          {
            args: texts(["environments", name, "args"], environment?.args),
            tags: environment?.tags && placedList(["environments", name, "tags"], environment.tags),
          },
        ]),
      ) as DeclaredBuild["environments"],
    }),
  };
}
