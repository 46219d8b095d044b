import path from "node:path";
import { isMap } from "yaml";
import type { ComposeDocument } from "../compose/compose-document.ts";
import { type ComposeGraph, type ComposeUnit, localPath } from "../compose/compose-graph.ts";
import { interpolate } from "../compose/interpolate.ts";
import { type Found, itemsOf, lookUpPath, positionOf, textOf, type Via } from "../compose/look-up.ts";

/** A value of a service, where the user wrote it. */
export interface Located {
  found: Found;
  /** As written, variables and all. */
  text: string;
  /** What its variables are replaced with. */
  unit: ComposeUnit;
}

/** A chain of `extends` longer than this goes in a circle, which Compose refuses. */
const LONGEST_CHAIN = 64;

/**
 * Finds where the value of a service's key is written that counts in the end: in the last file that has it, in the service itself,
 * in what it merges (`<<`), or in what it extends; then in included files. `value` is what Compose made of it: a place that gives
 * exactly that is preferred, so that a rule of merging that we do not know misleads nobody.
 */
export function locateValue(
  graph: ComposeGraph,
  service: string,
  keys: readonly string[],
  value: string,
): Located | undefined {
  const candidates = graph.units.flatMap((unit) => candidatesIn(graph, unit, service, keys));
  return candidates.find(({ text, unit }) => interpolate(text, unit.environment) === value) ?? candidates[0];
}

/** All places in a unit that could give the value, the one that counts first. */
function candidatesIn(
  graph: ComposeGraph,
  unit: ComposeUnit,
  service: string,
  keys: readonly string[],
): Located[] {
  const included: Via[] = unit.includedAt
    ? [{ kind: "include", name: path.basename(unit.documents[0]?.path ?? ""), ...unit.includedAt }]
    : [];
  return unit.documents.toReversed().flatMap((document) =>
    inService(graph, unit, document, service, keys, unit.projectDirectory, 0).flatMap((found) => {
      const text = textOf(found.node);
      return text === undefined
        ? []
        : [{ found: { ...found, via: [...included, ...found.via] }, text, unit }];
    }),
  );
}

function inService(
  graph: ComposeGraph,
  unit: ComposeUnit,
  document: ComposeDocument,
  service: string,
  keys: readonly string[],
  folder: string,
  depth: number,
): Found[] {
  const definition = lookUpPath(document, ["services", service]);
  if (definition === undefined || !isMap(definition.node) || depth > LONGEST_CHAIN) return [];
  const own = valuesUnder(document, ["services", service], keys);
  return [...own, ...inBase(graph, unit, document, service, keys, folder, depth)];
}

function inBase(
  graph: ComposeGraph,
  unit: ComposeUnit,
  document: ComposeDocument,
  service: string,
  keys: readonly string[],
  folder: string,
  depth: number,
): Found[] {
  const base = lookUpPath(document, ["services", service, "extends"]);
  if (base === undefined) return [];
  const named = isMap(base.node) ? lookUpPath(document, ["services", service, "extends", "service"]) : base;
  const name = named && textOf(named.node);
  if (named === undefined || !name) return [];
  const file = isMap(base.node) ? lookUpPath(document, ["services", service, "extends", "file"]) : undefined;
  const target = file && localPath(file, unit.environment, folder);
  const step: Via = { kind: "extends", name, ...positionOf(named) };
  const others =
    target === undefined
      ? [document, ...unit.documents]
      : [graph.documents.find((each) => each.path === target)];
  for (const other of new Set(others)) {
    if (other === undefined || (other === document && name === service)) continue;
    const inner = target === undefined ? folder : path.dirname(target);
    const found = inService(graph, unit, other, name, keys, inner, depth + 1);
    if (found.length > 0) return found.map((each) => ({ ...each, via: [...base.via, step, ...each.via] }));
  }
  return [];
}

/** The values under a path of keys, through lists: `volumes`, `source` gives the source of each volume. */
function valuesUnder(document: ComposeDocument, start: readonly string[], keys: readonly string[]): Found[] {
  const [first, ...rest] = keys;
  if (first === undefined) return [];
  const found = lookUpPath(document, [...start, first]);
  if (found === undefined || rest.length === 0) return found ? [found] : [];
  return itemsOf(found).flatMap((item) => {
    if (!isMap(item.node)) return [];
    return valuesUnder({ ...document, root: item.node }, [], rest).map((each) => ({
      ...each,
      document,
      via: [...item.via, ...each.via],
    }));
  });
}
