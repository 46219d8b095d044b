import type { Finding } from "@drybag/errors";
import type { LintProject } from "./lint-project.ts";

/** One thing that lint looks for. It computes only: what it needs was read into the project before. */
export interface Rule {
  /** Every code that its findings can have; each stands in docs/errors.md. */
  codes: readonly string[];
  /** Looks at the files only, and so has something to say about a project that Compose cannot read. */
  readsFilesOnly?: boolean;
  check(project: LintProject): Finding[];
}

/** `'a'`, `'a' and 'b'`, `'a', 'b' and 3 more`. */
export function quoted(names: readonly string[]): string {
  const shown = names.length > 4 ? names.slice(0, 3) : names;
  const all = shown.map((name) => `'${name}'`);
  if (names.length > shown.length) return `${all.join(", ")} and ${names.length - shown.length} more`;
  const last = all.pop() ?? "";
  return all.length === 0 ? last : `${all.join(", ")} and ${last}`;
}

/** `service 'a'`, `services 'a' and 'b'`. */
export function servicesNamed(names: readonly string[]): string {
  return `${names.length === 1 ? "service" : "services"} ${quoted(names)}`;
}

/** A place in a finding; left out where it is not known. */
export function at(position: Finding["position"]): Pick<Finding, "position"> {
  return position === undefined ? {} : { position };
}

/** One item for all that share a place and a text, such as services that merge one mapping: each with all their names. */
export function sharing<Item extends { name: string; position: Finding["position"] }>(
  items: readonly Item[],
  textOf: (item: Item) => string,
): (Item & { names: string[] })[] {
  const groups = Map.groupBy(items, (item) => JSON.stringify([item.position, textOf(item)]));
  return [...groups.values()].map((group) => ({
    ...(group[0] as Item),
    names: [...new Set(group.map((item) => item.name))],
  }));
}
