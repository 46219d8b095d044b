import type { Position } from "../compose/compose-document.ts";

/** A piece of a value, where the user wrote it: the `8.6` of `image: "redis:8.6-alpine"`. */
export interface TextPlace {
  /** Of the whole value, its quotes included. */
  position: Position;
  /** The whole value, as it was read. */
  value: string;
  /** Where the piece begins in it. */
  at: number;
  text: string;
}

export function wholeValue(position: Position, value: string): TextPlace {
  return { position, value, at: 0, text: value };
}

/** The same for the same piece of the same file. */
export function placeKey({ position: { file, line, column }, at, text }: TextPlace): string {
  return JSON.stringify([file, line, column, at, text.length]);
}
