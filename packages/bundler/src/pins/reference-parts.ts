import { interpolationPieces, type Piece } from "../compose/interpolate.ts";

/** A part of a tag or a digest, and the piece of text that gives it. */
export interface PartSource {
  text: string;
  source: Piece;
  /** Where the part begins in that piece's text. */
  at: number;
}

export interface ReferenceParts {
  /** Empty where no tag is written. */
  tag: PartSource[];
  /** `sha256:…`; empty where none is written. */
  digest: PartSource[];
}

/** Takes an image reference apart as it is written: which piece of the text, or which variable, gives its tag and its digest. */
export function referenceParts(
  written: string,
  environment: Readonly<Record<string, string>>,
): ReferenceParts {
  const pieces = interpolationPieces(written, environment);
  const reference = pieces.map(({ text }) => text).join("");
  const at = reference.indexOf("@");
  const end = at === -1 ? reference.length : at;
  const colon = reference.lastIndexOf(":", end - 1);
  const hasTag = colon > reference.lastIndexOf("/", end);
  return {
    tag: hasTag ? partsWithin(pieces, colon + 1, end) : [],
    digest: at === -1 ? [] : partsWithin(pieces, at + 1, reference.length),
  };
}

function partsWithin(pieces: readonly Piece[], from: number, to: number): PartSource[] {
  let offset = 0;
  return pieces.flatMap((source) => {
    const start = offset;
    offset += source.text.length;
    const [first, last] = [Math.max(from, start), Math.min(to, offset)];
    if (first >= last) return [];
    return { text: source.text.slice(first - start, last - start), source, at: first - start };
  });
}
