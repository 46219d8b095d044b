import type { ComposeMount } from "@drybag/docker";
import type { Position } from "../compose/compose-document.ts";
import { positionOf } from "../compose/look-up.ts";
import type { LintProject } from "./lint-project.ts";
import { type Entry, entriesOf, fieldOf, fieldPosition } from "./places.ts";

/** Where a mount of a service is written. Compose tells mounts apart by their target, and so does this. */
export function findMount(project: LintProject, service: string, mount: ComposeMount): Entry | undefined {
  const entries = entriesOf(project.graph, "services", service, "volumes");
  return entries.find((entry) => samePath(targetOf(entry), mount.target));
}

export function mountPosition(
  project: LintProject,
  service: string,
  mount: ComposeMount,
): Position | undefined {
  const entry = findMount(project, service, mount);
  return entry && (fieldPosition(entry, mount.source ? "source" : "target") ?? positionOf(entry.place));
}

/** Source of a mount as it is written, variables replaced but not made absolute. */
export function writtenSource(entry: Entry): string | undefined {
  return entry.text === undefined ? fieldOf(entry, "source") : partsOf(entry.text).source;
}

function targetOf(entry: Entry): string | undefined {
  return entry.text === undefined ? fieldOf(entry, "target") : partsOf(entry.text).target;
}

/** `[source:]target[:options]` (compose-spec, volumes, short syntax). */
function partsOf(text: string): { source: string | undefined; target: string | undefined } {
  const parts = text.split(":");
  return parts.length === 1
    ? { source: undefined, target: parts[0] }
    : { source: parts[0], target: parts[1] };
}

export function samePath(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && withoutSlash(a) === withoutSlash(b);
}

/** Whether a path is another or lies below it. */
export function isBelow(file: string, folder: string): boolean {
  const parent = withoutSlash(folder);
  return withoutSlash(file) === parent || file.startsWith(parent === "/" ? "/" : `${parent}/`);
}

function withoutSlash(file: string): string {
  return file.length > 1 ? file.replace(/\/+$/, "") : file;
}
