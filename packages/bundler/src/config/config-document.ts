import { open } from "node:fs/promises";
import { DrybagError } from "@drybag/errors";
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLMap,
} from "yaml";
import type { ComposeDocument, Position } from "../compose/compose-document.ts";
import { lookUp, textOf } from "../compose/look-up.ts";

/** Keys and indexes that lead to a value. */
export type ValuePath = readonly (string | number)[];

/** drybag.yaml as plain data that knows where each value is written. */
export interface ConfigDocument {
  /** Absolute. */
  file: string;
  /** How messages name it. */
  shownAs: string;
  /** undefined for an empty file. */
  value: unknown;
  /** Where a value is written, or the mapping that it should be in. */
  positionOf(path: ValuePath): Position;
  positionOfKey(path: ValuePath, key: string): Position;
  /** A scalar as it is written: `1.10` is no 1.1. */
  textOf(path: ValuePath): string | undefined;
}

/** A mistake in drybag.yaml. */
export interface Mistake {
  position: Position;
  message: string;
}

/** Far above what people write, and still read within a second or two whatever it holds. */
const LARGEST_FILE_BYTES = 256 * 1024;
/** As many times as an alias may be used over before it counts as an attack: the limit of `yaml` itself. */
const MOST_ALIASES = 100;
const MOST_MISTAKES = 20;

/** Reads and parses drybag.yaml. Throws `file-missing`, `file-unreadable`, and `config-invalid` with all mistakes of the YAML. */
export async function readConfigDocument(file: string, shownAs: string): Promise<ConfigDocument> {
  return parseConfigDocument(file, await readText(file, shownAs), shownAs);
}

export function parseConfigDocument(file: string, text: string, shownAs = file): ConfigDocument {
  const lineCounter = new LineCounter();
  const place: Place = (offset) => {
    const { line, col } = lineCounter.linePos(offset);
    return { file, line, column: col };
  };
  const { document, value, mistakes } = parse(text, lineCounter, place);
  if (mistakes.length > 0) throw configInvalid(shownAs, mistakes);
  const tree: Tree = {
    path: file,
    root: document && isMap(document.contents) ? document.contents : undefined,
    positionOf: (node) => place(node.range?.[0] ?? 0),
    resolve: (node) => resolveAlias(document, node),
    pairsOf: remember(pairsByKey),
  };
  return {
    file,
    shownAs,
    value,
    positionOf: (path) => place(nearestNode(tree, path)?.range?.[0] ?? 0),
    positionOfKey: (path, key) => place(keyNode(tree, path, key)?.range?.[0] ?? 0),
    textOf: (path) => textOf(nodeAt(tree, path)),
  };
}

/** All mistakes as one error. */
export function configInvalid(shownAs: string, mistakes: readonly Mistake[]): DrybagError {
  const shown = [...mistakes].sort(byPlace).slice(0, MOST_MISTAKES);
  const lines = shown.map(
    ({ position, message }) => `${shownAs}:${position.line}:${position.column}: ${message}`,
  );
  if (mistakes.length > shown.length) lines.push(`and ${mistakes.length - shown.length} more`);
  return new DrybagError("config-invalid", lines.join("\n"), {
    hint: "Mend the file there; docs/configuration.md describes every key.",
  });
}

function byPlace({ position: a }: Mistake, { position: b }: Mistake): number {
  return a.line - b.line || a.column - b.column;
}

async function readText(file: string, shownAs: string): Promise<string> {
  const at = (column: number, message: string) =>
    configInvalid(shownAs, [{ position: { file, line: 1, column }, message }]);
  const content = await readLimited(file);
  if (content === undefined) throw at(1, "a drybag.yaml of more than 256 KiB is too large");
  const zero = content.indexOf(0);
  if (zero !== -1) throw at(zero + 1, "this is not a text file");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch {
    throw at(1, "this is not a text file in UTF-8");
  }
}

/** undefined where there is more than the limit. */
async function readLimited(file: string): Promise<Buffer | undefined> {
  try {
    await using handle = await open(file, "r");
    const info = await handle.stat();
    if (!info.isFile()) throw new Error("not a file");
    if (info.size > LARGEST_FILE_BYTES) return undefined;
    return await handle.readFile();
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new DrybagError(
      missing ? "file-missing" : "file-unreadable",
      `The configuration ${file} ${missing ? "does not exist" : "cannot be read"}.`,
      {
        hint: missing
          ? "Check the path; 'drybag init' writes one."
          : "Check that it is a file and that you may read it.",
        cause: error,
      },
    );
  }
}

/** As compose/look-up.ts walks it, and quick with mappings of very many keys. */
interface Tree extends ComposeDocument {
  pairsOf(map: YAMLMap): Map<string, { key: Node; value: unknown }>;
}

function pairsByKey(map: YAMLMap): Map<string, { key: Node; value: unknown }> {
  const pairs = map.items.flatMap(({ key, value }) =>
    isScalar(key) && typeof key.value !== "symbol" ? [[String(key.value), { key, value }] as const] : [],
  );
  return new Map(pairs);
}

function remember<Key extends object, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new WeakMap<Key, Value>();
  return (key) => {
    const known = made.get(key) ?? make(key);
    made.set(key, known);
    return known;
  };
}

type Place = (offset: number) => Position;

interface Parsed {
  document?: Document;
  value?: unknown;
  mistakes: Mistake[];
}

function parse(text: string, lineCounter: LineCounter, place: Place): Parsed {
  try {
    // Its own check for keys that stand twice takes a time that grows with the square of their number.
    const options = {
      lineCounter,
      merge: true,
      uniqueKeys: false,
      logLevel: "error",
      prettyErrors: false,
    } as const;
    const document: Document = parseDocument(text, options);
    const ofTheYaml = [...document.errors, ...document.warnings].map(({ message, pos }) => ({
      position: place(pos[0]),
      message: message.split("\n")[0] ?? "",
    }));
    if (ofTheYaml.length > 0) return { mistakes: ofTheYaml };
    const repeated = repeatedKeys(document, place);
    if (repeated.length > 0) return { mistakes: repeated };
    const { contents } = document;
    if (contents !== null && !isMap(contents) && !(isScalar(contents) && contents.value === null)) {
      const position = place((contents as Node).range?.[0] ?? 0);
      return { mistakes: [{ position, message: "drybag.yaml is a mapping with keys such as 'project'" }] };
    }
    return { document, ...toData(document, place) };
  } catch (error) {
    // Nesting so deep that the parser runs out of stack.
    if (!(error instanceof RangeError)) throw error;
    return { mistakes: [{ position: place(0), message: "this is nested too deeply" }] };
  }
}

function repeatedKeys(document: Document, place: Place): Mistake[] {
  const mistakes: Mistake[] = [];
  visit(document, {
    Map(_, map: YAMLMap) {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        if (!isScalar(key) || typeof key.value === "symbol" || key.value === "<<") continue;
        const name = String(key.value);
        const position = place(key.range?.[0] ?? 0);
        if (seen.has(name)) mistakes.push({ position, message: `the key '${name}' stands here twice` });
        seen.add(name);
      }
    },
  });
  return mistakes;
}

/** Aliases expanded; where that would be without bounds, refused. */
function toData(document: Document, place: Place): Pick<Parsed, "value" | "mistakes"> {
  try {
    return { value: document.toJS({ maxAliasCount: MOST_ALIASES }) ?? undefined, mistakes: [] };
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    return { mistakes: [aliasMistake(document, place)] };
  }
}

/** The alias that stands for nothing, or else the first of too many. */
function aliasMistake(document: Document, place: Place): Mistake {
  let mistake: Mistake | undefined;
  visit(document, {
    Alias(_, alias) {
      const position = place(alias.range?.[0] ?? 0);
      const isUnknown = alias.resolve(document) === undefined;
      if (isUnknown) mistake = { position, message: `there is no anchor &${alias.source} before this` };
      mistake ??= { position, message: "aliases here stand for more than a configuration can hold" };
      return isUnknown ? visit.BREAK : undefined;
    },
  });
  return mistake ?? { position: place(0), message: "aliases that cannot be followed" };
}

function resolveAlias(document: Document | undefined, node: unknown): Node | undefined {
  const target = isAlias(node) && document !== undefined ? node.resolve(document) : node;
  return isMap(target) || isScalar(target) || isSeq(target) ? target : undefined;
}

function keyNode(tree: Tree, path: ValuePath, key: string): Node | undefined {
  const map = nodeAt(tree, path);
  // Where it is merged in from elsewhere, the value has a place, its key is not here.
  return (isMap(map) ? tree.pairsOf(map).get(key)?.key : undefined) ?? nearestNode(tree, [...path, key]);
}

function nodeAt(tree: Tree, path: ValuePath): Node | undefined {
  let node: Node | undefined = tree.root;
  for (const step of path) {
    if (isMap(node)) node = valueIn(tree, node, String(step));
    else if (isSeq(node)) node = tree.resolve(node.items[Number(step)]);
    else return undefined;
  }
  return node;
}

function valueIn(tree: Tree, map: YAMLMap, key: string): Node | undefined {
  const own = tree.pairsOf(map).get(key);
  return own === undefined ? lookUp(tree, map, key)?.node : tree.resolve(own.value);
}

function nearestNode(tree: Tree, path: ValuePath): Node | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const node = nodeAt(tree, path.slice(0, length));
    if (node !== undefined) return node;
  }
  return tree.root;
}
