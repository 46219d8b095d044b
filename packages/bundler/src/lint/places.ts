import { isMap, isScalar, isSeq, type YAMLMap } from "yaml";
import type { Position } from "../compose/compose-document.ts";
import type { ComposeGraph } from "../compose/compose-graph.ts";
import { interpolate } from "../compose/interpolate.ts";
import { type Found, itemsOf, lookUp, positionOf, textOf } from "../compose/look-up.ts";
import { LONGEST_CHAIN, type Place, placesOf } from "../compose/places.ts";

/** Where the value at a path of keys is written. */
export function positionAt(graph: ComposeGraph, ...keys: string[]): Position | undefined {
  const place = placesOf(graph, keys).find(({ node }) => !isScalar(node) || node.value !== null);
  return place && positionOf(place);
}

/** Where a key is written, such as the name of a service; the first file that has it is where it is defined. */
export function keyPosition(graph: ComposeGraph, ...keys: string[]): Position | undefined {
  const parents = placesOf(graph, keys.slice(0, -1)).reverse();
  for (const { document, node } of parents) {
    const key = isMap(node) ? ownKey(node, keys.at(-1) ?? "") : undefined;
    if (key !== undefined) return document.positionOf(key);
  }
  return undefined;
}

function ownKey(map: YAMLMap, name: string) {
  const key = map.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === name)?.key;
  return isScalar(key) ? key : undefined;
}

/** An item of a list, or a pair of a mapping, as `name` and text with its variables replaced. */
export interface Entry {
  /** Key of a pair, `NAME` of an item `NAME=value`; the whole text of any other item. */
  name: string;
  /** The rest of it, variables replaced; undefined for what is no scalar. */
  value: string | undefined;
  /** All of a scalar, variables replaced. */
  text: string | undefined;
  /** As written. */
  written: string | undefined;
  place: Place;
}

/** What is written under a path of keys, in all places, as lists of entries; the place that counts first. */
export function entriesOf(graph: ComposeGraph, ...keys: string[]): Entry[] {
  return placesOf(graph, keys).flatMap((place) => {
    if (isMap(place.node)) return pairsOf(place, place.node);
    return itemsOf(place).flatMap((item) => itemEntry({ ...place, ...item }));
  });
}

function pairsOf(place: Place, map: YAMLMap): Entry[] {
  return keysIn(place, map).flatMap((name) => {
    const found = lookUp(place.document, map, name);
    if (found === undefined) return [];
    const written = textOf(found.node);
    const value = written === undefined ? undefined : interpolate(written, place.environment);
    return [{ name, value, text: value, written, place: { ...place, ...found } }];
  });
}

function keysIn(place: Place, map: YAMLMap, depth = 0): string[] {
  if (depth > LONGEST_CHAIN) return [];
  const keys = map.items.flatMap(({ key, value }) => {
    if (!isScalar(key)) return [];
    if (typeof key.value !== "symbol" && key.value !== "<<") return [String(key.value)];
    const merged = place.document.resolve(value);
    const sources = isSeq(merged) ? merged.items.map((item) => place.document.resolve(item)) : [merged];
    return sources.flatMap((source) => (isMap(source) ? keysIn(place, source, depth + 1) : []));
  });
  return [...new Set(keys)];
}

function itemEntry(place: Place): Entry[] {
  const written = textOf(place.node);
  if (written === undefined) return [{ name: "", value: undefined, text: undefined, written, place }];
  const text = interpolate(written, place.environment);
  const [, name = text, value] = /^([^=\s]+)=([\s\S]*)$/.exec(text) ?? [];
  return [{ name, value: value ?? text, text, written, place }];
}

/** Where the first entry is written that fits. */
export function entryPosition(
  graph: ComposeGraph,
  keys: readonly string[],
  fits: (entry: Entry) => boolean,
): Position | undefined {
  const entry = entriesOf(graph, ...keys).find(fits);
  return entry && positionOf(entry.place);
}

/** The text under a key of an entry that is a mapping, such as `target` of a volume; variables replaced. */
export function fieldOf(entry: Entry, key: string): string | undefined {
  const text = textOf(fieldIn(entry, key)?.node);
  return text === undefined ? undefined : interpolate(text, entry.place.environment);
}

/** Where that text is written. */
export function fieldPosition(entry: Entry, key: string): Position | undefined {
  const found = fieldIn(entry, key);
  return found && positionOf(found);
}

function fieldIn({ place }: Entry, key: string): Found | undefined {
  return isMap(place.node) ? lookUp(place.document, place.node, key) : undefined;
}
