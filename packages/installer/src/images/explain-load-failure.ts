import { DrybagError, isDrybagError } from "@drybag/errors";
import { formatBytes } from "@drybag/terminal";
import { engineBytesNeeded, freeBytes } from "../preflight/preflight-disk.ts";
import type { LoadPlan } from "./plan-load.ts";

/**
 * A load that failed where there is less room than it needs has most likely filled the disk, whatever the engine says of it: a
 * containerd store says nothing at all. Asked after the tags are back, so that what the load left behind is gone.
 */
export async function explainLoadFailure(
  error: unknown,
  plan: LoadPlan,
  dataRoot: string | undefined,
): Promise<unknown> {
  if (!isDrybagError(error, "load-failed", "image-mismatch") || dataRoot === undefined) return error;
  const free = await freeBytes(dataRoot);
  const needed = engineBytesNeeded(plan);
  if (free === undefined || free >= needed) return error;
  return new DrybagError("disk-full", "The disk filled up while the engine took the images.", {
    cause: error,
    detail: [
      `There are ${formatBytes(free)} free in ${dataRoot}; ${formatBytes(needed)} are needed.`,
      error.detail,
    ]
      .filter(Boolean)
      .join("\n"),
    hint: "The images are as they were before. Make room there ('docker system df' shows what Docker holds), then run the same command again.",
  });
}
