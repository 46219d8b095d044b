import { isAlias, isMap, isScalar, isSeq, type Node, type YAMLMap } from "yaml";
import type { ComposeDocument, Position } from "./compose-document.ts";

/** How a value came to where it counts, from the outside in. */
export interface Via {
  kind: "alias" | "merge" | "extends" | "include" | "variable";
  /** Name of the anchor, service, file or variable. */
  name: string;
  /** Where the step is written; absent for a variable of the environment. */
  file?: string;
  line?: number;
  column?: number;
}

export interface Found {
  node: Node;
  document: ComposeDocument;
  via: Via[];
}

/** A bound for malformed documents: nobody nests merges deeper. */
const DEEPEST_MERGE = 32;

/** The value under a key, through aliases and merge keys (`<<`): own keys win, then the first mapping merged (YAML 1.1, merge). */
export function lookUp(document: ComposeDocument, map: YAMLMap, key: string, depth = 0): Found | undefined {
  for (const pair of map.items) {
    if (keyOf(pair.key) === key) return follow(document, pair.value, []);
  }
  if (depth >= DEEPEST_MERGE) return undefined;
  for (const { source, via } of mergedMaps(document, map)) {
    const found = lookUp(document, source, key, depth + 1);
    if (found !== undefined) return { ...found, via: [...via, ...found.via] };
  }
  return undefined;
}

/** Follows a path of keys. */
export function lookUpPath(document: ComposeDocument, path: readonly string[]): Found | undefined {
  let found: Found | undefined = document.root && { node: document.root, document, via: [] };
  for (const key of path) {
    if (found === undefined || !isMap(found.node)) return undefined;
    const next = lookUp(document, found.node, key);
    found = next && { ...next, via: [...found.via, ...next.via] };
  }
  return found;
}

/** Keys of a mapping, merged ones too, each once. */
export function keysOf(document: ComposeDocument, map: YAMLMap, depth = 0): string[] {
  const own = map.items.map((pair) => keyOf(pair.key)).filter((key) => key !== undefined && key !== "<<");
  const merged =
    depth >= DEEPEST_MERGE
      ? []
      : mergedMaps(document, map).flatMap(({ source }) => keysOf(document, source, depth + 1));
  return [...new Set([...own, ...merged])] as string[];
}

/** The items of a list, or the value itself where there is no list. */
export function itemsOf(found: Found | undefined): Found[] {
  if (found === undefined) return [];
  if (!isSeq(found.node)) return [found];
  return found.node.items.flatMap((item) => follow(found.document, item, found.via) ?? []);
}

/** The text of a scalar; undefined for anything else, and for null. */
export function textOf(node: unknown): string | undefined {
  if (!isScalar(node) || node.value === null || node.value === undefined) return undefined;
  // As written, where it is a number or the like: `1.10` is no 1.1.
  return typeof node.value === "string" ? node.value : (node.source ?? String(node.value));
}

export function positionOf(found: Found): Position {
  return found.document.positionOf(found.node);
}

function follow(document: ComposeDocument, value: unknown, via: Via[]): Found | undefined {
  const node = document.resolve(value);
  if (node === undefined) return undefined;
  if (!isAlias(value)) return { node, document, via };
  return {
    node,
    document,
    via: [...via, { kind: "alias", name: value.source, ...document.positionOf(value) }],
  };
}

interface MergedMap {
  source: YAMLMap;
  via: Via[];
}

function mergedMaps(document: ComposeDocument, map: YAMLMap): MergedMap[] {
  return map.items
    .filter((pair) => keyOf(pair.key) === "<<")
    .flatMap((pair) => {
      const value = document.resolve(pair.value);
      const sources: unknown[] = isSeq(value) ? value.items : [pair.value];
      return sources.flatMap((item) => {
        const source = document.resolve(item);
        if (!isMap(source)) return [];
        const via: Via[] = isAlias(item)
          ? [{ kind: "merge", name: item.source, ...document.positionOf(item) }]
          : [];
        return [{ source, via }];
      });
    });
}

function keyOf(key: unknown): string | undefined {
  // The merge key is a symbol or a string, depending on the schema.
  if (isScalar(key)) return typeof key.value === "symbol" ? "<<" : String(key.value);
  return undefined;
}
