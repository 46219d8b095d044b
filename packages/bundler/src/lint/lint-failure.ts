import path from "node:path";
import type { DrybagError, Finding } from "@drybag/errors";
import { isMap, isScalar } from "yaml";
import type { Position } from "../compose/compose-document.ts";
import type { ComposeGraph } from "../compose/compose-graph.ts";
import { interpolate } from "../compose/interpolate.ts";
import { lookUpPath } from "../compose/look-up.ts";
import { keyPosition } from "./places.ts";
import { at } from "./rule.ts";
import { writtenScalars } from "./written-scalars.ts";

/** Makes a finding of the error with which a project could not be read, at the place that it names. */
export function failureFinding(error: DrybagError, graph: ComposeGraph | undefined): Finding {
  const words = error.detail === undefined ? undefined : complaintOf(error.detail);
  const [, file, line, column, rest] = /^(\S.*?):(\d+):(\d+): ([\s\S]*)$/.exec(error.message) ?? [];
  const message =
    rest ?? (words === undefined ? error.message : `Docker Compose refuses the project: ${words}`);
  const position =
    file === undefined
      ? graph &&
        ((words && placeOfComplaint(words, graph)) || placeOfPath(`${error.message} ${words ?? ""}`, graph))
      : { file, line: Number(line), column: Number(column) };
  return {
    code: error.code,
    severity: "error",
    message,
    ...(error.hint === undefined ? {} : { remedy: error.hint }),
    ...at(position),
  };
}

/** What Compose said, without its warnings. Only its first line: further ones may quote a value. */
function complaintOf(detail: string): string | undefined {
  const lines = detail
    .split("\n")
    .filter((line) => line.trim() !== "" && !/level=(?:warning|info)/.test(line));
  return lines[0]?.replace(/: invalid compose project$/, "").trim();
}

/** Compose names keys, but not where they are. Where its words fit no key that is written, there is no place. */
function placeOfComplaint(words: string, graph: ComposeGraph): Position | undefined {
  const keys = /\b((?:services|networks|volumes|configs|secrets)\.[\w.-]*\w)/.exec(words)?.[1];
  const unknown = /additional properties '([^']+)'/.exec(words)?.[1];
  if (keys !== undefined)
    return deepest(graph, [...keys.split("."), ...(unknown === undefined ? [] : [unknown])]);
  if (unknown !== undefined) return keyPosition(graph, unknown);
  const inCircle = /dependency cycle detected: (\S+) ->/.exec(words)?.[1];
  if (inCircle !== undefined) return keyPosition(graph, "services", inCircle, "depends_on");
  const service = /\bservice "([^"]+)"/.exec(words)?.[1];
  return service === undefined ? undefined : keyPosition(graph, "services", service);
}

const NAMES_FILE = new Set([
  "env_file",
  "label_file",
  "path",
  "include",
  "file",
  "volumes",
  "source",
  "context",
]);

/** Where a file is named that a text tells of, or the folder that it lies in. */
function placeOfPath(text: string, graph: ComposeGraph): Position | undefined {
  let best: { length: number; position: Position } | undefined;
  for (const unit of graph.units) {
    for (const scalar of unit.documents.flatMap(writtenScalars)) {
      if (!scalar.keys.some((key) => NAMES_FILE.has(key))) continue;
      const [source = ""] = interpolate(scalar.text, unit.environment).split(":");
      const file = path.resolve(unit.projectDirectory, source);
      const isNamed = file.length > unit.projectDirectory.length && namesPath(text, file);
      if (isNamed && file.length > (best?.length ?? 0))
        best = { length: file.length, position: scalar.position };
    }
  }
  return best?.position;
}

function namesPath(text: string, file: string): boolean {
  const from = text.indexOf(file);
  return from !== -1 && /^(?:[\s/,;:'"]|\.?$)/.test(text.slice(from + file.length));
}

/** Follows keys as far as they are written in the last file that has them; names may have dots in them. */
function deepest(graph: ComposeGraph, words: readonly string[]): Position | undefined {
  for (const document of graph.documents.toReversed()) {
    let position: Position | undefined;
    const found: string[] = [];
    for (let from = 0; from < words.length; ) {
      const map = found.length === 0 ? document.root : lookUpPath(document, found)?.node;
      const to = isMap(map) ? longestKey(words, from, (name) => map.has(name)) : undefined;
      if (to === undefined || !isMap(map)) break;
      const name = words.slice(from, to).join(".");
      const key = map.items.find((pair) => isScalar(pair.key) && pair.key.value === name)?.key;
      if (isScalar(key)) position = document.positionOf(key);
      found.push(name);
      from = to;
    }
    if (position !== undefined && found.length > 1) return position;
  }
  return undefined;
}

function longestKey(
  words: readonly string[],
  from: number,
  has: (name: string) => boolean,
): number | undefined {
  for (let to = words.length; to > from; to -= 1) {
    if (has(words.slice(from, to).join("."))) return to;
  }
  return undefined;
}
