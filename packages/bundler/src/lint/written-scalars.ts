import { isPair, isScalar, visit } from "yaml";
import type { ComposeDocument, Position } from "../compose/compose-document.ts";
import { textOf } from "../compose/look-up.ts";

/** A scalar value of a document, where it is written, aliases not followed. */
export interface WrittenScalar {
  /** Keys that lead to it, its own last. */
  keys: string[];
  /** Its own key, or `NAME` of an item `NAME=value`. */
  name: string;
  /** As written, without that `NAME=`. */
  text: string;
  position: Position;
}

/** Every value of a document, in the order in which they are written. Keys and comments are none. */
export function writtenScalars(document: ComposeDocument): WrittenScalar[] {
  const found: WrittenScalar[] = [];
  if (document.root === undefined) return found;
  visit(document.root, {
    Scalar(key, node, ancestors) {
      const whole = key === "key" ? undefined : textOf(node);
      if (!whole) return;
      const keys = ancestors.flatMap((each) =>
        isPair(each) && isScalar(each.key) ? [String(each.key.value)] : [],
      );
      const item = typeof key === "number" ? /^([A-Za-z_][\w.-]*)=([\s\S]*)$/.exec(whole) : null;
      found.push({
        keys,
        name: item?.[1] ?? keys.at(-1) ?? "",
        text: item?.[2] ?? whole,
        position: document.positionOf(node),
      });
    },
  });
  return found;
}
