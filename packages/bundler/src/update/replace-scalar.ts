import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  type Node,
  parseAllDocuments,
  parseDocument,
  Scalar,
} from "yaml";

/** Keys and indexes that lead to a value. */
export type ScalarPath = readonly string[];

/** Why a value was not replaced. */
export type ReplaceProblem = "no-such-path" | "not-plain" | "unreadable";

/**
 * Puts another text in the place of one value of a YAML or JSON file, everything else left as it is, to the byte; quoted as it was,
 * and where it would be read as a number or the like without quotes. Of several YAML documents, all that have the path.
 * Anchors, tags, block scalars (`|`) and aliases are not touched.
 */
export function replaceScalar(
  content: string,
  path: ScalarPath,
  text: string,
): { content: string } | { problem: ReplaceProblem } {
  const documents = parseAllDocuments(content, { logLevel: "error", uniqueKeys: false });
  if (!Array.isArray(documents) || documents.some(({ errors }) => errors.length > 0)) {
    return { problem: "unreadable" };
  }
  const nodes = documents.flatMap((document: Document) => nodeAt(document.contents, path) ?? []);
  if (nodes.length === 0) return { problem: "no-such-path" };
  let result = content;
  for (const node of nodes.toReversed()) {
    const written = isScalar(node) ? quoted(node, text, isJson(content)) : undefined;
    if (written === undefined || !node.range) return { problem: "not-plain" };
    const [start, end] = node.range;
    // Behind a key with nothing there is no room yet.
    const gap = start === end && !/\s/.test(content[start - 1] ?? "") ? " " : "";
    result = `${result.slice(0, start)}${gap}${written}${result.slice(end)}`;
  }
  return { content: result };
}

function nodeAt(root: unknown, path: ScalarPath): Node | undefined {
  let node: unknown = root;
  for (const step of path) {
    if (isMap(node)) node = node.items.find(({ key }) => isScalar(key) && String(key.value) === step)?.value;
    else if (isSeq(node) && /^\d+$/.test(step)) node = node.items[Number(step)];
    else return undefined;
  }
  return (node ?? undefined) as Node | undefined;
}

function quoted(node: Scalar, text: string, json: boolean): string | undefined {
  if (node.anchor !== undefined || node.tag !== undefined) return undefined;
  switch (node.type) {
    case Scalar.QUOTE_DOUBLE:
      return JSON.stringify(text);
    case Scalar.QUOTE_SINGLE:
      return `'${text.replaceAll("'", "''")}'`;
    case Scalar.PLAIN:
      return !json && isTextPlain(text) ? text : JSON.stringify(text);
    default:
      return undefined;
  }
}

function isJson(content: string): boolean {
  try {
    JSON.parse(content);
    return true;
  } catch {
    return false;
  }
}

/** Also between brackets, and for readers of YAML 1.1, to whom `1_0` and `on` are none. */
function isTextPlain(text: string): boolean {
  return (["1.1", "1.2"] as const).every((version) => {
    const { contents, errors } = parseDocument(`[${text}]`, { version, logLevel: "silent" });
    const [item, ...rest] = isSeq(contents) ? contents.items : [];
    return errors.length === 0 && rest.length === 0 && isScalar(item) && item.value === text;
  });
}

/** `image.tag`, `containers[0].image`, `containers.0.image`; a dot within a key is written `\.`. */
export function parseScalarPath(path: string): ScalarPath {
  return path
    .replace(/\[(\d+)\]/g, ".$1")
    .split(/(?<!\\)\./)
    .map((step) => step.replaceAll("\\.", "."));
}
