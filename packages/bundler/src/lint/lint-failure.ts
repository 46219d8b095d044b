import type { DrybagError, Finding } from "@drybag/errors";
import { isMap, isScalar } from "yaml";
import type { Position } from "../compose/compose-document.ts";
import type { ComposeGraph } from "../compose/compose-graph.ts";
import { lookUpPath } from "../compose/look-up.ts";
import { keyPosition } from "./places.ts";
import { at } from "./rule.ts";

/** Makes a finding of the error with which a project could not be read, at the place that it names. */
export function failureFinding(error: DrybagError, graph: ComposeGraph | undefined): Finding {
  const words = error.detail === undefined ? undefined : complaintOf(error.detail);
  const [, file, line, column, rest] = /^(\S.*?):(\d+):(\d+): ([\s\S]*)$/.exec(error.message) ?? [];
  const message =
    rest ?? (words === undefined ? error.message : `Docker Compose refuses the project: ${words}`);
  const position =
    file === undefined
      ? words && graph && placeOfComplaint(words, graph)
      : { file, line: Number(line), column: Number(column) };
  return {
    code: error.code,
    severity: "error",
    message,
    ...(error.hint === undefined ? {} : { remedy: error.hint }),
    ...at(position || undefined),
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
  const path = /\b((?:services|networks|volumes|configs|secrets)\.[\w.-]*\w)/.exec(words)?.[1];
  const unknown = /additional properties '([^']+)'/.exec(words)?.[1];
  if (path !== undefined)
    return deepest(graph, [...path.split("."), ...(unknown === undefined ? [] : [unknown])]);
  const service = /\bservice "([^"]+)"/.exec(words)?.[1];
  return service === undefined ? undefined : keyPosition(graph, "services", service);
}

/** Follows keys as far as they are written in the last file that has them; names may have dots in them. */
function deepest(graph: ComposeGraph, words: readonly string[]): Position | undefined {
  for (const document of graph.documents.toReversed()) {
    let position: Position | undefined;
    const path: string[] = [];
    for (let from = 0; from < words.length; ) {
      const map = path.length === 0 ? document.root : lookUpPath(document, path)?.node;
      const to = isMap(map) ? longestKey(words, from, (name) => map.has(name)) : undefined;
      if (to === undefined || !isMap(map)) break;
      const name = words.slice(from, to).join(".");
      const key = map.items.find((pair) => isScalar(pair.key) && pair.key.value === name)?.key;
      if (isScalar(key)) position = document.positionOf(key);
      path.push(name);
      from = to;
    }
    if (position !== undefined && path.length > 1) return position;
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
