import { type DrybagError, isDrybagError } from "@drybag/errors";
import type { OutdatedProject } from "../outdated/find-outdated.ts";
import type { ImagePin } from "../pins/image-pins.ts";
import type { Change } from "./choose-changes.ts";
import { type EditedFile, planFiles } from "./edit-files.ts";
import { planEdits } from "./plan-edits.ts";

export interface BumpPlan {
  done: Change[];
  leftOut: LeftOut[];
  files: EditedFile[];
}

/** What cannot be changed, beside what can. */
export interface LeftOut {
  name: string;
  error: DrybagError;
}

export interface BumpRun {
  /** Somebody named what to change. */
  isNamed: boolean;
  cwd: string;
  signal: AbortSignal;
}

/**
 * What files will be like. Of what was named, everything is changed or nothing; else whatever can be, and the rest is told.
 * Throws `place-unknown`, `tag-not-found`, `file-unreadable`.
 */
export async function planBump(
  {
    items,
    refs,
    registry,
  }: Pick<OutdatedProject, "items" | "refs"> & {
    registry: Pick<OutdatedProject["registry"], "readDigest">;
  },
  changes: readonly Change[],
  { isNamed, cwd, signal }: BumpRun,
): Promise<BumpPlan> {
  const digests = new Map<ImagePin, string>();
  for (const { item, to } of changes) {
    if (!("image" in item.pin) || item.pin.image.digest === undefined) continue;
    const digest = await registry.readDigest(item.pin.image, to, signal);
    if (digest !== undefined) digests.set(item.pin.image, digest);
  }
  const filesOf = (chosen: readonly Change[]) => planFiles(planEdits(chosen, items, digests, refs), cwd);
  const done: Change[] = [];
  const leftOut: LeftOut[] = [];
  for (const change of changes) {
    try {
      await filesOf([...done, change]);
      done.push(change);
    } catch (error) {
      if (isNamed || !isDrybagError(error, "place-unknown", "tag-not-found")) throw error;
      leftOut.push({ name: change.item.name, error });
    }
  }
  return { done, leftOut, files: await filesOf(done) };
}
