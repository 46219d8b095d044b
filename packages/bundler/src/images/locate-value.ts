import { isMap } from "yaml";
import type { ComposeGraph, ComposeUnit } from "../compose/compose-graph.ts";
import { interpolate } from "../compose/interpolate.ts";
import { type Found, itemsOf, lookUp, textOf } from "../compose/look-up.ts";
import { type Place, placesOf } from "../compose/places.ts";

/** A value of a service, where the user wrote it. */
export interface Located {
  found: Found;
  /** As written, variables and all. */
  text: string;
  /** What its variables are replaced with. */
  unit: ComposeUnit;
}

/**
 * Finds where the value of a service's key is written that counts in the end. `value` is what Compose made of it: a place that gives
 * exactly that is preferred, so that a rule of merging that we do not know misleads nobody.
 * @param keys the path below the service; it may lead through a list: `volumes`, `source` means the source of any volume
 */
export function locateValue(
  graph: ComposeGraph,
  service: string,
  [key = "", ...rest]: readonly string[],
  value: string,
): Located | undefined {
  const candidates = placesOf(graph, ["services", service, key])
    .flatMap((place) => valuesUnder(place, rest))
    .flatMap((found) => {
      const text = textOf(found.node);
      return text === undefined ? [] : [{ found, text, unit: found.unit }];
    });
  return candidates.find(({ text, unit }) => interpolate(text, unit.environment) === value) ?? candidates[0];
}

function valuesUnder(place: Place, [key, ...rest]: readonly string[]): Place[] {
  if (key === undefined) return [place];
  return itemsOf(place).flatMap((item) => {
    const found = isMap(item.node) ? lookUp(item.document, item.node, key) : undefined;
    if (found === undefined) return [];
    return valuesUnder({ ...place, ...found, via: [...item.via, ...found.via] }, rest);
  });
}
