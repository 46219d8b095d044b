import { readdir, realpath, stat } from "node:fs/promises";
import path from "node:path";
import type { ComposeModel } from "@drybag/docker";
import { DrybagError, type Finding } from "@drybag/errors";
import { CHECKSUMS_FILE, compareEntryPaths, INSTALLER_PREFIX } from "@drybag/format";
import { Exclusions, findIncluded } from "./file-patterns.ts";
import type { LoadedProject } from "./load-project.ts";
import { isInside, projectEntry, projectRoot } from "./project-files.ts";

/** A file or an empty folder that travels, as it lies on this machine. */
export type CarriedFile =
  | { type: "file"; source: string; entry: string; sizeBytes: number; mode: number }
  | { type: "directory"; source: string; entry: string; mode: number };

export interface CollectedFiles {
  /** Folder that becomes `project/`. */
  root: string;
  /** Sorted by entry. */
  files: CarriedFile[];
  findings: Finding[];
}

const FILE_MODE = 0o644;
const EXECUTABLE_MODE = 0o755;

/**
 * Every file that the project needs at run time, with its place. What lies outside the project is reported, not taken.
 * drybag.yaml's `files` adds to it and takes away from it.
 * Throws `file-missing`, `file-unreadable`, `file-outside-project`, `config-invalid`.
 */
export async function collectFiles(project: LoadedProject): Promise<CollectedFiles> {
  const { sources, graph } = project;
  const written = [
    ...graph.documents.map((document) => document.path),
    ...sources.envFiles,
    ...graph.units.flatMap((unit) => unit.envFiles.map((file) => file.path)),
  ];
  const exclusions = new Exclusions(project.config);
  exclusions.refuse([
    ...written,
    ...project.serviceFiles.flatMap((file) => (file.required ? [file.path] : [])),
  ]);
  const included = await findIncluded(project.config);
  const fixed = [
    ...written,
    ...graph.units.map((unit) => unit.projectDirectory),
    ...project.serviceFiles.map((file) => file.path),
    ...included.paths,
  ];
  const tree: FileTree = {
    root: projectRoot(sources.projectDirectory, fixed),
    files: new Map(),
    exclusions,
  };
  const findings: Finding[] = [];

  for (const file of written) await addTree(tree, file);
  for (const file of project.serviceFiles) {
    if (file.required || (await exists(file.path))) await addTree(tree, file.path);
  }
  for (const need of runTimePaths(project.model)) {
    if (!isInside(tree.root, need.path)) findings.push(outside(need));
    else if (exclusions.has(need.path)) findings.push(leftOut(need));
    else await addTree(tree, need.path, need.what);
  }
  for (const file of included.paths) await addTree(tree, file, "which drybag.yaml includes");
  findings.push(...included.findings, ...exclusions.findings());
  const files = [...tree.files.values()].sort((a, b) => compareEntryPaths(a.entry, b.entry));
  return { root: tree.root, files, findings };
}

interface FileTree {
  root: string;
  files: Map<string, CarriedFile>;
  exclusions: Exclusions;
}

interface Need {
  path: string;
  what: string;
}

/** Bind mounts, and the files behind configs and secrets. */
function runTimePaths(model: ComposeModel): Need[] {
  const mounts = Object.entries(model.services ?? {}).flatMap(([name, service]) =>
    (service.volumes ?? [])
      .filter((mount) => mount.type === "bind" && mount.source)
      .map((mount) => ({ path: mount.source as string, what: `the bind mount of service '${name}'` })),
  );
  const objects = (["configs", "secrets"] as const).flatMap((kind) =>
    Object.entries(model[kind] ?? {})
      .filter(([, object]) => object.file && !object.external)
      .map(([name, object]) => ({ path: object.file as string, what: `${kind.slice(0, -1)} '${name}'` })),
  );
  return [...mounts, ...objects];
}

function outside(need: Need): Finding {
  return {
    code: "bind-outside-project",
    severity: "warning",
    message: `${need.path}, ${need.what}, lies outside the project and is not carried.`,
    remedy: "It must be on the server; to carry it, move it into the project and name it by a relative path.",
  };
}

function leftOut(need: Need): Finding {
  return {
    code: "file-left-out",
    severity: "warning",
    message: `${need.path}, ${need.what}, is left out by drybag.yaml.`,
    remedy: "It must be put in its place on the server: Docker makes an empty folder of what is missing.",
  };
}

async function addTree(
  tree: FileTree,
  source: string,
  what = "a file of the project",
  parents: readonly string[] = [],
): Promise<void> {
  const { root, files } = tree;
  const entry = projectEntry(root, source);
  if (files.has(entry) || tree.exclusions.has(source)) return;
  const info = await statOf(source, what);
  const real = await realpath(source);
  if (!isInside(await realpath(root), real)) throw linkOutside(source, real);
  if (info.isFile()) {
    const mode = (info.mode & 0o100) === 0 ? FILE_MODE : EXECUTABLE_MODE;
    files.set(entry, { type: "file", source, entry, sizeBytes: info.size, mode });
  } else if (info.isDirectory()) {
    // A link to a folder above it would go on for ever.
    if (parents.includes(real)) return;
    const names = (await readdir(source)).sort();
    if (isCarryFolder(names)) return;
    // One that exclusions have emptied stays, so that what mounts it finds it.
    if (names.every((name) => tree.exclusions.has(path.join(source, name)))) {
      files.set(`${entry}/`, { type: "directory", source, entry: `${entry}/`, mode: EXECUTABLE_MODE });
    }
    for (const name of names) await addTree(tree, path.join(source, name), what, [...parents, real]);
  }
  // Sockets, pipes and devices have no content to carry.
}

/** An earlier bundle, written into a folder that the project mounts, is not part of the project. */
function isCarryFolder(names: readonly string[]): boolean {
  return names.includes(CHECKSUMS_FILE) && names.some((name) => name.startsWith(INSTALLER_PREFIX));
}

async function statOf(source: string, what: string) {
  try {
    return await stat(source);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new DrybagError(
      missing ? "file-missing" : "file-unreadable",
      `${source}, ${what}, ${missing ? "does not exist" : "cannot be read"}.`,
      {
        hint: missing
          ? "Create it or mend the path: Docker would silently put an empty folder in its place."
          : "Check its permissions.",
        cause: error,
      },
    );
  }
}

function linkOutside(source: string, target: string): DrybagError {
  return new DrybagError("file-outside-project", `${source} is a link to ${target}, outside the project.`, {
    hint: "Put the content itself into the project.",
  });
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
