import { DrybagError, EXIT, type ExitCode } from "@drybag/errors";
import type { RunContext } from "@drybag/terminal";
import { findConfig } from "../config/find-config.ts";
import { count } from "../count.ts";
import { findOutdated, type OutdatedProject } from "../outdated/find-outdated.ts";
import { sharedWith } from "../pins/shared-places.ts";
import { type ProjectCommandFlags, projectFlags } from "../project-options.ts";
import type { Step } from "../versions/find-newer.ts";
import { type Change, chooseChanges } from "./choose-changes.ts";
import { type EditedFile, writeFiles } from "./edit-files.ts";
import { type LeftOut, planBump } from "./plan-bump.ts";

export interface BumpFlags extends ProjectCommandFlags {
  to?: string;
  patch?: boolean;
  minor?: boolean;
  major?: boolean;
  dryRun?: boolean;
}

/**
 * `drybag bump`: writes newer tags into the files in which the present ones stand. Exit code 8 when something could not be asked for.
 */
export async function bumpCommand(context: RunContext, flags: BumpFlags, names: string[]): Promise<ExitCode> {
  const wish = { names, to: flags.to, step: stepOf(flags) };
  const config = await findConfig(flags, context.cwd);
  const found = await context.wait("asking registries and repositories", () =>
    findOutdated({ env: context.env }, projectFlags(flags, context.cwd, config), config, context.signal),
  );
  const changes = chooseChanges(found.items, wish);
  const { files, done, leftOut } = await planBump(found, changes, {
    isNamed: names.length > 0,
    cwd: context.cwd,
    signal: context.signal,
  });
  context.signal.throwIfAborted();
  if (!flags.dryRun) await writeFiles(files);
  // What nobody named does not matter then.
  const unasked = names.length > 0 ? [] : found.items;
  leftOut.push(
    ...unasked.flatMap(({ name, problem }) => (problem === undefined ? [] : [{ name, error: problem }])),
  );
  const told = { changes: done, files, leftOut, written: !flags.dryRun, all: found };
  context.stdout.write(context.json ? bumpJson(told) : bumpReport(told));
  return leftOut.some(({ error }) => error.exitCode === EXIT.network) ? EXIT.network : EXIT.ok;
}

function stepOf({ patch, minor, major, to }: BumpFlags): Step {
  const given = [patch, minor, major, to !== undefined].filter(Boolean).length;
  if (given > 1)
    throw new DrybagError("usage", "Of --patch, --minor, --major and --to only one makes sense.");
  return major ? "major" : patch ? "patch" : "minor";
}

interface Told {
  changes: readonly Change[];
  files: readonly EditedFile[];
  leftOut: readonly LeftOut[];
  written: boolean;
  all: OutdatedProject;
}

function bumpReport({ changes, files, leftOut, written, all }: Told): string {
  const lines = changes.map(
    (change) => `${change.item.name}: ${fromTo(change)}${alsoChanged(change, all, changes)}`,
  );
  const told = leftOut.map(({ name, error }) => `not ${name}: ${error.message} [${error.code}]`);
  const end =
    files.length === 0
      ? "Nothing to change."
      : written
        ? `Wrote ${count([...files], "file")}.`
        : `--dry-run: ${count([...files], "file")} would be written.`;
  return `${[...files.map(({ diff }) => diff), ...lines, ...told, end].join("\n")}\n`;
}

function fromTo({ item, to, sameTag }: Change): string {
  if (!sameTag) return `${item.current} -> ${to}`;
  const short = (digest = "") => digest.replace(/^sha256:/, "").slice(0, 12);
  return `${to}, ${short(item.moved?.from)} -> ${short(item.moved?.to)}`;
}

/** Other images that have their tag from the same place. */
function alsoChanged({ item, to }: Change, { items }: OutdatedProject, changes: readonly Change[]): string {
  if (!("image" in item.pin)) return "";
  const pins = items.flatMap(({ pin }) => ("image" in pin ? [pin.image] : []));
  const known = new Set(changes.map((change) => change.item.name));
  const others = sharedWith(item.pin.image, to, pins).filter(({ name }) => !known.has(name));
  return others.length === 0 ? "" : ` (and so ${others.map(({ name }) => name).join(", ")})`;
}

function bumpJson({ changes, files, leftOut, written }: Told): string {
  return `${JSON.stringify({
    written: written && files.length > 0,
    changes: changes.map(({ item, to }) => ({
      kind: "image" in item.pin ? "image" : item.pin.app.kind,
      name: item.name,
      from: item.current,
      to,
    })),
    files: files.map(({ file, diff }) => ({ file, diff })),
    leftOut: leftOut.map(({ name, error }) => ({ name, code: error.code, message: error.message })),
  })}\n`;
}
