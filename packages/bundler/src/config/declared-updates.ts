import path from "node:path";
import type { Position } from "../compose/compose-document.ts";
import type { ConfigDocument } from "./config-document.ts";
import type { ConfigFile } from "./config-schema.ts";

/** A value of another file that names what a build made. */
export interface DeclaredUpdate {
  /** Absolute. */
  file: string;
  /** As written: `image.tag`. */
  path: string;
  /** With `{image}`, `{tag}`, `{reference}`. */
  value: string;
  build: string;
  position: Position;
}

export function declaredUpdates(
  document: ConfigDocument,
  { update, builds, frappe }: ConfigFile,
): DeclaredUpdate[] {
  const [only = ""] = [...Object.keys(builds ?? {}), ...(frappe ? ["frappe"] : [])];
  return (update ?? []).map(({ file, path: keys, value, build }, index) => ({
    file: path.resolve(path.dirname(document.file), file),
    path: keys,
    value,
    build: build ?? only,
    position: document.positionOf(["update", index]),
  }));
}
