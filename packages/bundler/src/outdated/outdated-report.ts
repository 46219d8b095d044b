import path from "node:path";
import { table } from "@drybag/terminal";
import type { Position } from "../compose/compose-document.ts";
import { count } from "../count.ts";
import { STEPS } from "../versions/find-newer.ts";
import { isOutdated, type OutdatedItem } from "./outdated-item.ts";

/** What is newer, as a table, and below it what a table has no room for. */
export function outdatedReport(
  items: readonly OutdatedItem[],
  cwd: string,
  width: number | undefined,
): string {
  if (items.length === 0) return "Nothing is pinned here: no image of a registry, no app.\n";
  const rows = items.map((item) => [
    item.name,
    item.current || "(none)",
    ...STEPS.map((step) => item.newer?.[step] ?? "-"),
    placesOf(item)
      .map(({ file, line, column }) => `${path.relative(cwd, file)}:${line}:${column}`)
      .join(", "),
  ]);
  const head = ["NAME", "CURRENT", ...STEPS.map((step) => step.toUpperCase()), "WRITTEN AT"];
  const newer = items.filter(isOutdated).length;
  const unknown = items.filter(({ problem }) => problem !== undefined).length;
  return `${[
    table([head, ...rows], { width }),
    "",
    ...items.flatMap(remarks),
    [
      newer === 0
        ? `Nothing newer of ${count([...items], "pin")}.`
        : `Of ${count([...items], "pin")}, ${newer} ${newer === 1 ? "has" : "have"} something newer. 'drybag bump' writes it.`,
      ...(unknown === 0 ? [] : [`${unknown} could not be asked for.`]),
    ].join(" "),
  ].join("\n")}\n`;
}

function remarks(item: OutdatedItem): string[] {
  const { name, current, problem, moved, newer, tags } = item;
  if (problem !== undefined) {
    const lines = [`${name}: ${problem.message} [${problem.code}]`];
    return problem.hint === undefined ? lines : [...lines, `  ${problem.hint}`];
  }
  const said: string[] = [];
  if (moved !== undefined) {
    const [from, to] = [moved.from, moved.to].map((digest) => digest.replace(/^sha256:/, "").slice(0, 12));
    const where = moved.isPinned ? "pinned" : "here";
    said.push(`${name}: ${current} is ${to} now; ${from} is ${where}.`);
    if (!moved.isPinned) said.push(`  'docker pull ${name}:${current}' gets it.`);
  }
  if (newer === undefined && tags !== undefined && current !== "")
    said.push(`${name}: '${current}' is no version, so nothing can be newer.`);
  return said;
}

export function outdatedJson(items: readonly OutdatedItem[]): string {
  const shown = items.map((item) => {
    const { pin, name, current, newer, moved, problem } = item;
    const image = "image" in pin ? pin.image : undefined;
    return {
      kind: "image" in pin ? "image" : pin.app.kind,
      name,
      current,
      ...(image && { reference: image.reference, services: servicesOf(image.uses) }),
      newer: newer ?? null,
      moved: moved ?? null,
      places: placesOf(item),
      ...(problem && { problem: { code: problem.code, message: problem.message, hint: problem.hint } }),
    };
  });
  return `${JSON.stringify({ items: shown, outdated: items.filter(isOutdated).length })}\n`;
}

function servicesOf(uses: readonly { service: string | undefined }[]): string[] {
  return [...new Set(uses.flatMap(({ service }) => service ?? []))];
}

/** Where the tag stands, or else what names it; each place once. */
function placesOf({ pin }: OutdatedItem): Position[] {
  const positions =
    "app" in pin
      ? [(pin.app.ref ?? pin.app.commit)?.position]
      : pin.image.uses.flatMap((use) => {
          // Of `${VERSION}-alpine`, only the version is of interest.
          const versions = use.tag.filter(({ text }) => /\d/.test(text));
          const own = versions.flatMap((part) => part.place?.position ?? []);
          return own.length > 0 ? own : [use.position];
        });
  const known = positions.filter((position) => position !== undefined);
  return [...new Map(known.map((position) => [JSON.stringify(position), position])).values()];
}
