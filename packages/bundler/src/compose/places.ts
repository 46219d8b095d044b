import path from "node:path";
import { isMap } from "yaml";
import type { ComposeDocument } from "./compose-document.ts";
import type { ComposeGraph, ComposeUnit } from "./compose-graph.ts";
import { interpolate } from "./interpolate.ts";
import { type Found, lookUp, lookUpPath, positionOf, textOf, type Via } from "./look-up.ts";

/** A value of the project as it is written, how it comes to count, and what its variables and relative paths refer to. */
export interface Place extends Found {
  unit: ComposeUnit;
  environment: Readonly<Record<string, string>>;
  /** Folder of relative paths. */
  folder: string;
}

/** A chain of `extends` longer than this goes in a circle, which Compose refuses. */
export const LONGEST_CHAIN = 64;

/**
 * Every place in which a path of keys such as `services`, `web`, `ports` is written, the one that counts first: the last file wins;
 * what a service extends comes after its own; included files come last.
 */
export function placesOf(graph: ComposeGraph, keys: readonly string[]): Place[] {
  return graph.units.flatMap((unit) => {
    const included = includeStep(unit);
    return unit.documents
      .toReversed()
      .flatMap((document) => placesIn(graph, unit, document, keys, unit.projectDirectory, included));
  });
}

function includeStep(unit: ComposeUnit): Via[] {
  if (unit.includedAt === undefined) return [];
  return [{ kind: "include", name: path.basename(unit.documents[0]?.path ?? ""), ...unit.includedAt }];
}

function placesIn(
  graph: ComposeGraph,
  unit: ComposeUnit,
  document: ComposeDocument,
  keys: readonly string[],
  folder: string,
  via: Via[],
): Place[] {
  const own = lookUpPath(document, keys);
  const place = own && { ...own, via: [...via, ...own.via], unit, environment: unit.environment, folder };
  const base = via.length < LONGEST_CHAIN ? baseOf(graph, unit, document, keys, folder) : undefined;
  const inherited = base
    ? placesIn(graph, unit, base.document, base.keys, base.folder, [...via, ...base.via])
    : [];
  return place ? [place, ...inherited] : inherited;
}

interface Base {
  via: Via[];
  document: ComposeDocument;
  keys: string[];
  folder: string;
}

/** What the service that the keys lead into extends. */
function baseOf(
  graph: ComposeGraph,
  unit: ComposeUnit,
  document: ComposeDocument,
  keys: readonly string[],
  folder: string,
): Base | undefined {
  const [section, service, ...rest] = keys;
  if (section !== "services" || service === undefined) return undefined;
  const at = lookUpPath(document, ["services", service, "extends"]);
  if (at === undefined) return undefined;
  const field = (key: string): Found | undefined =>
    isMap(at.node) ? lookUp(at.document, at.node, key) : undefined;
  const named = isMap(at.node) ? field("service") : at;
  const name = named && textOf(named.node);
  if (named === undefined || !name) return undefined;
  const via: Via[] = [...at.via, { kind: "extends", name, ...positionOf(named) }];
  const file = textOf(field("file")?.node);
  const baseKeys = ["services", name, ...rest];
  if (file === undefined) {
    if (name === service) return undefined;
    const other = [document, ...unit.documents.toReversed()].find((each) =>
      lookUpPath(each, ["services", name]),
    );
    return other && { via, document: other, keys: baseKeys, folder };
  }
  const target = path.resolve(folder, interpolate(file, unit.environment));
  const found = graph.documents.findLast(
    (other) => other.path === target && other !== document && lookUpPath(other, ["services", name]),
  );
  return found && { via, document: found, keys: baseKeys, folder: path.dirname(target) };
}
