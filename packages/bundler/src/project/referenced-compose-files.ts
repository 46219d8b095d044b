import { readFile } from "node:fs/promises";
import path from "node:path";
import { DrybagError } from "@drybag/errors";
import { parseDocument } from "yaml";

/** Files that Compose files draw in, and what stands in them. */
export interface ReferencedFiles {
  /** The given Compose files and every included and extended one, absolute, once each. */
  composeFiles: { path: string; values: string[] }[];
  /** Env files that `include` names. */
  envFiles: string[];
  /** Project directories that `include` names. */
  directories: string[];
}

/** Replaces variables in a path. */
type Interpolate = (text: string) => string;

interface Task {
  file: string;
  /** Folder against which the file's relative paths count. */
  base: string;
}

/**
 * Follows `include` and `extends` from the given Compose files: `docker compose config` merges them away.
 * Throws `file-unreadable` and `project-invalid`; a remote one (git, OCI) is refused, since it would need a network.
 */
export async function readReferencedComposeFiles(
  files: readonly string[],
  projectDirectory: string,
  interpolate: Interpolate,
): Promise<ReferencedFiles> {
  const found: ReferencedFiles = { composeFiles: [], envFiles: [], directories: [] };
  const seen = new Set<string>();
  const tasks: Task[] = files.map((file) => ({ file, base: projectDirectory }));
  for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) {
    if (seen.has(task.file)) continue;
    seen.add(task.file);
    const text = await readText(task.file);
    const document = parseYaml(task.file, text);
    found.composeFiles.push({ path: task.file, values: textValues(document) });
    tasks.push(...includesOf(document, task, interpolate, found), ...extendsOf(document, task, interpolate));
  }
  return found;
}

function includesOf(document: unknown, task: Task, interpolate: Interpolate, found: ReferencedFiles): Task[] {
  const includes = asList(record(document).include);
  return includes.flatMap((item) => {
    const long = typeof item === "string" ? { path: item } : record(item);
    const paths = asList(long.path)
      .filter(isText)
      .map((text) => localPath(interpolate(text), task));
    const first = paths[0];
    if (first === undefined) return [];
    const named = isText(long.project_directory) ? interpolate(long.project_directory) : undefined;
    const base = named === undefined ? path.dirname(first) : path.resolve(task.base, named);
    found.directories.push(base);
    found.envFiles.push(
      ...asList(long.env_file)
        .filter(isText)
        .map((text) => path.resolve(task.base, interpolate(text))),
    );
    return paths.map((file) => ({ file, base }));
  });
}

function extendsOf(document: unknown, task: Task, interpolate: Interpolate): Task[] {
  const services = Object.values(record(record(document).services));
  return services.flatMap((service) => {
    const file = record(record(service).extends).file;
    if (!isText(file)) return [];
    const target = localPath(interpolate(file), task);
    return [{ file: target, base: path.dirname(target) }];
  });
}

function localPath(reference: string, task: Task): string {
  if (/^(?:[a-z][a-z0-9+.-]*:\/\/|git@|oci:)/i.test(reference)) {
    throw new DrybagError("project-invalid", `${task.file} draws in ${reference}, which lies on a network.`, {
      hint: "Copy that file into the project and name the copy.",
    });
  }
  return path.resolve(task.base, reference);
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new DrybagError("file-unreadable", `${file} cannot be read.`, {
      hint: "Check that it exists and that you may read it.",
      cause: error,
    });
  }
}

function parseYaml(file: string, text: string): unknown {
  // Compose's own tags (!reset, !override) are no errors here.
  const document = parseDocument(text, { merge: true, logLevel: "error" });
  const error = document.errors[0];
  if (error !== undefined) {
    const position = error.linePos?.[0];
    const where = position === undefined ? file : `${file}:${position.line}:${position.col}`;
    throw new DrybagError("project-invalid", `${where}: ${error.message.split("\n")[0]}`, {
      hint: "Mend the YAML there.",
    });
  }
  return document.toJS({ maxAliasCount: 10_000 }) as unknown;
}

/** Every string in a document, keys left out: Compose interpolates values only. */
function textValues(node: unknown): string[] {
  if (typeof node === "string") return [node];
  if (typeof node !== "object" || node === null) return [];
  return Object.values(node).flatMap(textValues);
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

function asList(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
