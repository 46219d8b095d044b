import path from "node:path";
import type { Finding } from "@drybag/errors";
import type { Position } from "../../compose/compose-document.ts";
import { positionOf } from "../../compose/look-up.ts";
import { isInside } from "../../project/project-files.ts";
import type { LintProject } from "../lint-project.ts";
import { findMount, mountPosition, writtenSource } from "../mounts.ts";
import { type Entry, entriesOf, fieldOf, positionAt } from "../places.ts";
import { at, quoted, type Rule, sharing } from "../rule.ts";
import { isOfSystem } from "./host-access.ts";

/** Files that the project names, but that will not be where it looks for them. */
export const files: Rule = {
  codes: ["file-missing", "bind-outside-project", "absolute-path", "build-context-missing"],
  check(project) {
    const { root } = project;
    return [
      ...sharing(mountedFiles(project), ({ file }) => file).flatMap((mount) =>
        judgeMount(project, root, mount),
      ),
      ...objectFiles(project).flatMap((object) => judgeObject(project, root, object)),
      ...absoluteEnvFiles(project, root),
      ...missingContexts(project),
    ];
  },
};

interface MountedFile {
  name: string;
  file: string;
  entry: Entry | undefined;
  position: Position | undefined;
}

function mountedFiles(project: LintProject): MountedFile[] {
  return project.services.flatMap(([name, service]) =>
    (service.volumes ?? []).flatMap((mount) =>
      mount.type === "bind" && mount.source
        ? [
            {
              name,
              file: mount.source,
              entry: findMount(project, name, mount),
              position: mountPosition(project, name, mount),
            },
          ]
        : [],
    ),
  );
}

function judgeMount(project: LintProject, root: string, mount: MountedFile & { names: string[] }): Finding[] {
  const { file, names, position, entry } = mount;
  if (hasPlaceholder(project, entry)) return [];
  if (!isInside(root, file)) {
    if (isOfSystem(file)) return [];
    return [
      {
        code: "bind-outside-project",
        severity: "warning",
        message: `${file}, mounted by ${quoted(names)}, lies outside the project and is not carried.`,
        remedy:
          "It must be on the server; to carry it, move it into the project and name it by a relative path.",
        ...at(position),
      },
    ];
  }
  if (project.paths.get(file) === "missing")
    return [missing(`${file}, mounted by ${quoted(names)},`, position)];
  const source = entry && writtenSource(entry);
  return source !== undefined && path.isAbsolute(source)
    ? [absolute(`${quoted(names)} ${names.length === 1 ? "mounts" : "mount"} ${file}`, position)]
    : [];
}

interface ObjectFile {
  what: string;
  file: string;
  written: string | undefined;
  position: Position | undefined;
}

function objectFiles(project: LintProject): ObjectFile[] {
  return (["configs", "secrets"] as const).flatMap((kind) =>
    Object.entries(project.model[kind] ?? {}).flatMap(([name, object]) => {
      if (!object?.file || object.external) return [];
      const [entry] = entriesOf(project.graph, kind, name, "file");
      if (hasPlaceholder(project, entry)) return [];
      const position = positionAt(project.graph, kind, name, "file");
      return [
        { what: `the ${kind.slice(0, -1)} '${name}'`, file: object.file, written: entry?.text, position },
      ];
    }),
  );
}

function judgeObject(project: LintProject, root: string, object: ObjectFile): Finding[] {
  const { what, file, written, position } = object;
  if (!isInside(root, file)) {
    return [
      {
        code: "bind-outside-project",
        severity: "warning",
        message: `${file}, ${what}, lies outside the project and is not carried.`,
        remedy:
          "It must be on the server; to carry it, move it into the project and name it by a relative path.",
        ...at(position),
      },
    ];
  }
  if (project.paths.get(file) === "missing") return [missing(`${file}, ${what},`, position)];
  return written !== undefined && path.isAbsolute(written) ? [absolute(`${what} is ${file}`, position)] : [];
}

/** What a variable chooses that has no value yet cannot be looked for. */
function hasPlaceholder(project: LintProject, entry: Entry | undefined): boolean {
  const { written } = entry ?? {};
  return project.unknownVariables.some((name) => written === undefined || written.includes(name));
}

function missing(what: string, position: Position | undefined): Finding {
  return {
    code: "file-missing",
    severity: "error",
    message: `${what} does not exist: Docker would put an empty folder in its place.`,
    remedy: "Create it, mend the path, or use a named volume for data that the service makes itself.",
    ...at(position),
  };
}

function absolute(what: string, position: Position | undefined): Finding {
  return {
    code: "absolute-path",
    severity: "warning",
    message: `${what} by its absolute path, but on site the project lies in another folder.`,
    remedy: "Write it relative to the Compose file: ./…",
    ...at(position),
  };
}

function absoluteEnvFiles(project: LintProject, root: string): Finding[] {
  const entries = project.services.flatMap(([name]) =>
    entriesOf(project.graph, "services", name, "env_file").map((entry) => ({
      name,
      file: entry.text ?? fieldOf(entry, "path") ?? "",
      position: positionOf(entry.place),
    })),
  );
  return sharing(entries, ({ file }) => file)
    .filter(({ file }) => path.isAbsolute(file) && isInside(root, file))
    .map(({ file, names, position }) => absolute(`${quoted(names)} reads ${file}`, position));
}

/** Builds that cannot be made here. With `--no-build` the image may be there already, so this is no error. */
function missingContexts(project: LintProject): Finding[] {
  return project.services.flatMap(([name, { build }]): Finding[] => {
    const context = build?.context;
    if (context === undefined || project.paths.get(context) !== "missing") return [];
    return [
      {
        code: "build-context-missing",
        severity: "warning",
        message: `${context}, from which '${name}' is built, does not exist.`,
        remedy: "Check it out, mend the path, or pack with --no-build if the image is there already.",
        ...at(
          positionAt(project.graph, "services", name, "build", "context") ??
            positionAt(project.graph, "services", name, "build"),
        ),
      },
    ];
  });
}
