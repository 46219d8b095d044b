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
  parseAllDocuments,
  type YAMLMap,
} from "yaml";

/** Where something is written: 1-based, columns in UTF-16 units, as editors count. */
export interface Position {
  file: string;
  line: number;
  column: number;
}

/** One Compose file, as nodes that know their place. Aliases are never expanded, so that none can blow it up. */
export interface ComposeDocument {
  path: string;
  /** The top-level mapping; undefined for an empty file. */
  root: YAMLMap | undefined;
  positionOf(node: Node): Position;
  /** The node that an alias stands for; any other node as it is. */
  resolve(node: unknown): Node | undefined;
}

/** No Compose file written by people comes near it. */
const LARGEST_FILE_BYTES = 4 * 1024 * 1024;
const LARGEST_EXPANSION = 1_000_000;

/**
 * Reads and parses a Compose file, which may hold several YAML documents: Compose merges them in their order.
 * Throws `file-missing`, `file-unreadable`, `project-invalid` with its position.
 */
export async function readComposeDocuments(file: string): Promise<ComposeDocument[]> {
  const text = await readText(file);
  const lineCounter = new LineCounter();
  return parse(file, text, lineCounter).map((document) => ({
    path: file,
    root: isMap(document.contents) ? document.contents : undefined,
    positionOf: (node) => positionAt(file, lineCounter, node.range?.[0] ?? 0),
    resolve: (node) => resolveAlias(document, node),
  }));
}

function parse(file: string, text: string, lineCounter: LineCounter): Document[] {
  // Compose's own tags, !reset and !override, are read as plain values; what they mean is for Compose.
  const options = { lineCounter, merge: true, logLevel: "error", uniqueKeys: false } as const;
  const documents = parseAllDocuments(text, options);
  for (const { errors, contents } of documents) {
    const error = errors[0];
    if (error !== undefined) {
      const at = error.linePos?.[0] ?? { line: 1, col: 1 };
      throw invalid(
        file,
        at.line,
        at.col,
        error.message.split("\n")[0]?.replace(/ at line \d+.*$/, "") ?? "",
      );
    }
    if (contents !== null && !isMap(contents)) {
      const { line, column } = positionAt(file, lineCounter, contents.range[0]);
      throw invalid(file, line, column, "a Compose file is a mapping with keys such as 'services'");
    }
  }
  for (const document of documents) {
    if (expandedSize(document) > LARGEST_EXPANSION) {
      throw invalid(file, 1, 1, "its aliases (*name) multiply to more than a million values");
    }
  }
  return [...documents];
}

/** How many nodes a document has with its aliases written out; infinite where one holds itself. Compose would write them out. */
function expandedSize(document: Document): number {
  const sizes = new Map<unknown, number>();
  const sizeOf = (node: unknown): number => {
    const known = sizes.get(node);
    if (known !== undefined) return known;
    sizes.set(node, Number.POSITIVE_INFINITY);
    const parts: unknown[] = isAlias(node)
      ? [node.resolve(document)]
      : isMap(node)
        ? node.items.map((pair) => pair.value)
        : isSeq(node)
          ? node.items
          : [];
    const size = parts.reduce((sum: number, part) => sum + sizeOf(part), 1);
    sizes.set(node, size);
    return size;
  };
  return sizeOf(document.contents);
}

function resolveAlias(document: Document, node: unknown): Node | undefined {
  const target = isAlias(node) ? node.resolve(document) : node;
  return isMap(target) || isScalar(target) || isSeq(target) ? target : undefined;
}

async function readText(file: string): Promise<string> {
  const content = await readLimited(file);
  const zero = content.indexOf(0);
  if (zero !== -1) throw invalid(file, 1, zero + 1, "this is not a text file");
  return content.toString("utf8");
}

async function readLimited(file: string): Promise<Buffer> {
  try {
    await using handle = await open(file, "r");
    const { size } = await handle.stat();
    if (size > LARGEST_FILE_BYTES) {
      throw invalid(
        file,
        1,
        1,
        `a Compose file of ${Math.round(size / 1024 ** 2)} MiB is too large (at most 4 MiB)`,
      );
    }
    return await handle.readFile();
  } catch (error) {
    if (error instanceof DrybagError) throw error;
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new DrybagError(
      missing ? "file-missing" : "file-unreadable",
      `The Compose file ${file} ${missing ? "does not exist" : "cannot be read"}.`,
      {
        hint: missing ? "Check the path." : "Check that it is a file and that you may read it.",
        cause: error,
      },
    );
  }
}

function positionAt(file: string, lineCounter: LineCounter, offset: number): Position {
  const { line, col } = lineCounter.linePos(offset);
  return { file, line, column: col };
}

function invalid(file: string, line: number, column: number, message: string): DrybagError {
  return new DrybagError("project-invalid", `${file}:${line}:${column}: ${message}`, {
    hint: "Mend the file there.",
  });
}
