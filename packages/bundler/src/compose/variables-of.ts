import { isScalar, type Scalar, visit } from "yaml";
import type { ComposeDocument, Position } from "./compose-document.ts";
import { textOf } from "./look-up.ts";
import { scanVariables, type VariableUse } from "./scan-variables.ts";

/** A variable, and the value that it stands in. */
export interface PlacedVariable extends VariableUse {
  position: Position;
}

/** Every variable of a document, in the order in which they are written. Keys and comments are not interpolated. */
export function variablesOf(document: ComposeDocument): PlacedVariable[] {
  return scalarValuesOf(document).flatMap((scalar) => {
    const text = textOf(scalar);
    if (!text?.includes("$")) return [];
    const position = document.positionOf(scalar);
    return scanVariables(text).map((use) => ({ ...use, position }));
  });
}

/** Every scalar that is a value, aliases not followed. */
export function scalarValuesOf(document: ComposeDocument): Scalar[] {
  const scalars: Scalar[] = [];
  if (document.root === undefined) return scalars;
  visit(document.root, {
    Scalar(key, node) {
      if (key !== "key" && isScalar(node)) scalars.push(node);
    },
  });
  return scalars;
}
