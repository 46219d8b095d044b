import type { DrybagError } from "@drybag/errors";
import type { AppPin } from "../pins/app-pins.ts";
import type { ImagePin } from "../pins/image-pins.ts";
import type { NewerTags } from "../versions/find-newer.ts";

/** Something that is pinned, and what there is of it now. */
export interface OutdatedItem {
  pin: { image: ImagePin } | { app: AppPin };
  name: string;
  /** Tag, or branch or commit; empty where none is written. */
  current: string;
  /** Every tag there is; undefined where they could not be had. */
  tags: ReadonlySet<string> | undefined;
  /** undefined where the present tag is no version that could be compared. */
  newer: NewerTags | undefined;
  /** The same tag or branch stands for something else now. */
  moved: Moved | undefined;
  /** Why it could not be asked for. */
  problem: DrybagError | undefined;
}

export interface Moved {
  /** Digest of an image, commit of an app: as it is pinned, or as the engine has it. */
  from: string;
  to: string;
  isPinned: boolean;
}

/** Whether there is something else to be had than what is pinned. */
export function isOutdated({ newer, moved }: OutdatedItem): boolean {
  return moved !== undefined || Object.keys(newer ?? {}).length > 0;
}
