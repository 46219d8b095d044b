import { closingBrace, VARIABLE_NAME } from "./scan-variables.ts";

/** A part of an interpolated text, and where it comes from. */
export type Piece =
  /** Written there, at this index; a default within `${NAME:-default}` too. */
  | { text: string; at: number }
  /** The value of a variable. */
  | { text: string; variable: string };

type Environment = Readonly<Record<string, string>>;

/**
 * Replaces variables as Compose does (compose-spec, interpolation). An unset one becomes nothing. `onUse` is told of each variable
 * whose value is used.
 */
export function interpolate(
  text: string,
  env: Environment,
  onUse: (name: string) => void = () => undefined,
): string {
  let result = "";
  for (const piece of interpolationPieces(text, env)) {
    if ("variable" in piece) onUse(piece.variable);
    result += piece.text;
  }
  return result;
}

/** The parts whose texts, one after the other, are the interpolated text. @param offset of the text in what it is part of */
export function interpolationPieces(text: string, env: Environment, offset = 0): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < text.length; ) {
    const next = text.indexOf("$", at);
    if (next === -1) return [...pieces, { text: text.slice(at), at: offset + at }];
    if (next > at) pieces.push({ text: text.slice(at, next), at: offset + at });
    if (text[next + 1] === "$") {
      pieces.push({ text: "$", at: offset + next });
      at = next + 2;
    } else if (text[next + 1] === "{") {
      const end = closingBrace(text, next + 2);
      pieces.push(...bracedPieces(text.slice(next + 2, end), env, offset + next + 2));
      at = end + 1;
    } else {
      const name = VARIABLE_NAME.exec(text.slice(next + 1))?.[0];
      if (name === undefined) pieces.push({ text: "$", at: offset + next });
      else if (env[name] !== undefined) pieces.push({ text: env[name], variable: name });
      at = next + 1 + (name?.length ?? 0);
    }
  }
  return pieces;
}

function bracedPieces(inside: string, env: Environment, offset: number): Piece[] {
  const name = VARIABLE_NAME.exec(inside)?.[0] ?? "";
  const match = /^(:?)([-?+])([\s\S]*)$/.exec(inside.slice(name.length));
  const value = env[name];
  const own: Piece[] = value === undefined ? [] : [{ text: value, variable: name }];
  if (!match) return own;
  const isSet = value !== undefined && (match[1] === "" || value !== "");
  const alternative = match[3] ?? "";
  const written = () => interpolationPieces(alternative, env, offset + inside.length - alternative.length);
  if (match[2] === "+") return isSet ? [{ text: "", variable: name }, ...written()] : [];
  if (match[2] === "-" && !isSet) return written();
  return isSet ? own : [];
}
