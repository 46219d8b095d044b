import { ERROR_EXIT_CODES, EXIT, isDrybagError } from "@drybag/errors";
import { expect } from "vitest";
import { randomNumbers } from "./random-numbers.ts";

/** How long each of the five runs, and where it starts; a failure names its seed. */
const SECONDS = Number(process.env.DRYBAG_FUZZ_SECONDS ?? 60) / 5;
const SEED = Number(process.env.DRYBAG_FUZZ_SEED ?? Date.now() % 2 ** 31);
/** No input that small may take longer. */
const SLOWEST_MS = 2000;

export type Random = (below: number) => number;

/** Runs as long as it may; what fails says with which seed to see it again. */
export async function fuzz(name: string, round: (random: Random) => Promise<void> | void): Promise<void> {
  const endMs = performance.now() + SECONDS * 1000;
  let rounds = 0;
  for (let seed = SEED; performance.now() < endMs; seed++) {
    const startedMs = performance.now();
    try {
      await round(randomNumbers(Math.imul(seed, 2654435761)));
    } catch (cause) {
      throw new Error(`${name} with DRYBAG_FUZZ_SEED=${seed}`, { cause });
    }
    rounds++;
    // A machine that is busy is no defect: only what always takes long counts.
    const tookMs = performance.now() - startedMs;
    if (tookMs > SLOWEST_MS)
      expect(tookMs, `${name} with DRYBAG_FUZZ_SEED=${seed}`).toBeLessThan(10 * SLOWEST_MS);
  }
  console.log(`${name}: ${rounds} rounds from seed ${SEED}`);
}

/** Refused as a damaged bundle, with a code of our own: anything else is a defect. */
export function expectRefusal(error: unknown): void {
  if (!isDrybagError(error)) throw error;
  expect([EXIT.damaged, EXIT.project]).toContain(ERROR_EXIT_CODES[error.code]);
}

/** Another value of one bit. */
export function flipIn(bytes: Buffer, random: Random): void {
  const at = random(Math.max(bytes.length, 1));
  if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
}

const VALUES: unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  2 ** 53,
  1e300,
  "",
  "..",
  "/",
  "project/../x",
  "project/compose.yaml",
  "a\u0000b",
  "\ud800",
  "\u202etxt",
  "sha256:",
  `sha256:${"0".repeat(64)}`,
  "x".repeat(70_000),
  "(a+)+$",
  [],
  {},
  [[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]],
  { __proto__: null, constructor: 1 },
];

/** Somewhere, something else; or a thing twice, or gone, or a neighbour's. */
export function mutateJson(root: unknown, random: Random): void {
  const places: [Record<string, unknown>, string][] = [];
  const collect = (value: unknown) => {
    if (typeof value !== "object" || value === null) return;
    for (const key of Object.keys(value)) {
      places.push([value as Record<string, unknown>, key]);
      collect((value as Record<string, unknown>)[key]);
    }
  };
  collect(root);
  const [owner, key] = places[random(places.length)] ?? [];
  const [otherOwner, otherKey] = places[random(places.length)] ?? [];
  if (owner === undefined || key === undefined || otherOwner === undefined || otherKey === undefined) return;
  switch (random(5)) {
    case 0:
      owner[key] = structuredClone(VALUES[random(VALUES.length)]);
      break;
    case 1:
      if (Array.isArray(owner)) owner.splice(Number(key), 1);
      else delete owner[key];
      break;
    case 2:
      if (Array.isArray(owner)) owner.push(structuredClone(owner[Number(key)]));
      else owner[`${key}_`] = structuredClone(owner[key]);
      break;
    case 3:
      owner[key] = structuredClone(otherOwner[otherKey]);
      break;
    default:
      if (Array.isArray(owner)) owner.reverse();
      else owner[["__proto__", "constructor", "toString", "0"][random(4)] ?? "x"] = 1;
  }
}
