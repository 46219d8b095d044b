import type { DrybagError } from "@drybag/errors";

/** One thing that is wrong in an archive, and where. */
export interface Damage {
  error: DrybagError;
  /** Names of the parts that it can lie in; empty if all are as SHA256SUMS says, so that copying again would not help. */
  parts: string[];
  /** The entry that it spoils, if it is not a whole part. */
  entry?: string;
}

/** Told of damage while an archive is read. It throws, or else reading goes on. */
export type ReportDamage = (damage: Damage) => void;

export const refuseDamage: ReportDamage = ({ error }) => {
  throw error;
};

/** `a`, `a or b`, `a, b or c`. */
export function listParts(parts: string[]): string {
  if (parts.length <= 1) return parts.join("");
  return `${parts.slice(0, -1).join(", ")} or ${parts.at(-1)}`;
}

/** What helps against damage in these parts. */
export function copyAgainHint(parts: string[]): string {
  if (parts.length === 0) return "The bundle was made wrong: pack it again.";
  if (parts.length === 1) return `Copy ${parts[0]} again from where the bundle was made.`;
  return `Copy ${listParts(parts)} again from where the bundle was made; "drybag-site verify" says which.`;
}
