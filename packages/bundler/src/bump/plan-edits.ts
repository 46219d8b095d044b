import { DrybagError } from "@drybag/errors";
import type { AppRefs } from "../outdated/check-apps.ts";
import type { OutdatedItem } from "../outdated/outdated-item.ts";
import type { AppPin } from "../pins/app-pins.ts";
import { changeOnePart } from "../pins/change-part.ts";
import type { ImagePin, PinPart } from "../pins/image-pins.ts";
import { blockedBy } from "../pins/shared-places.ts";
import { placeKey, type TextPlace } from "../pins/text-place.ts";
import type { Change } from "./choose-changes.ts";
import type { TextEdit } from "./text-edit.ts";

/** The new digest of an image that is pinned by one, by image. */
export type NewDigests = ReadonlyMap<ImagePin, string>;

/** What has to be written for changes, each place once. Throws `place-unknown`, `tag-not-found`. */
export function planEdits(
  changes: readonly Change[],
  items: readonly OutdatedItem[],
  digests: NewDigests,
  refs: AppRefs,
): TextEdit[] {
  const edits = new Map<string, TextEdit>();
  for (const change of changes) {
    const { pin } = change.item;
    const own =
      "image" in pin ? imageEdits(change, pin.image, items, digests) : appEdits(change, pin.app, refs);
    for (const edit of own) {
      const key = placeKey(edit.place);
      const other = edits.get(key);
      if (other !== undefined && other.text !== edit.text) {
        throw placeUnknown(edit.place, `it would have to be both ${other.text} and ${edit.text}`);
      }
      edits.set(key, edit);
    }
  }
  return [...edits.values()];
}

function imageEdits(
  { to, sameTag, item }: Change,
  pin: ImagePin,
  items: readonly OutdatedItem[],
  digests: NewDigests,
): TextEdit[] {
  const tagsOf = new Map(
    items.flatMap((each) => ("image" in each.pin ? [[each.pin.image, each.tags] as const] : [])),
  );
  const other = sameTag ? undefined : blockedBy(pin, to, tagsOf);
  if (other !== undefined) {
    throw new DrybagError(
      "place-unknown",
      `${item.name} and ${other.name} have their tags from the same place, and ${other.name} has no ${to}.`,
      { hint: "Give each a variable of its own, or choose a tag that both have." },
    );
  }
  const digest = digests.get(pin);
  if (pin.digest !== undefined && digest === undefined) {
    throw new DrybagError("tag-not-found", `${item.name} has no tag ${to} with a digest to pin.`, {
      hint: "Ask again: it may have been removed just now.",
    });
  }
  return pin.uses.flatMap((use) => [
    ...(sameTag ? [] : [edited(item.name, pin.tag ?? "", use.tag, to, use.position)]),
    ...(digest === undefined || use.digest.length === 0 || digest === pin.digest
      ? []
      : [edited(item.name, pin.digest ?? "", use.digest, digest, use.position)]),
  ]);
}

function edited(
  name: string,
  present: string,
  parts: readonly PinPart[],
  wanted: string,
  position: TextPlace["position"] | undefined,
): TextEdit {
  const change = changeOnePart(parts, wanted);
  if (change?.part.place !== undefined) return { place: change.part.place, text: change.text };
  const at = position === undefined ? "" : `${position.file}:${position.line}:${position.column}: `;
  const why =
    parts.length === 0
      ? "no tag is written for it"
      : change === undefined
        ? `'${present}' is put together from several values`
        : change.part.variable === undefined
          ? "the place where it stands is not known"
          : `${change.part.variable} has its value from the environment of this command`;
  throw new DrybagError("place-unknown", `${at}${name} cannot be changed to ${wanted} here: ${why}.`, {
    hint: "Change it by hand.",
  });
}

function appEdits({ to, sameTag, item }: Change, pin: AppPin, refs: AppRefs): TextEdit[] {
  const known = refs.get(pin);
  const commit = sameTag ? item.moved?.to : known?.tags.get(to);
  const ofRef = pin.ref === undefined || sameTag ? [] : [{ place: pin.ref, text: to }];
  const ofCommit =
    pin.commit === undefined || commit === undefined ? [] : [{ place: pin.commit, text: commit }];
  return [...ofRef, ...ofCommit];
}

function placeUnknown({ position: { file, line, column } }: TextPlace, why: string): DrybagError {
  return new DrybagError("place-unknown", `${file}:${line}:${column}: this cannot be changed: ${why}.`, {
    hint: "Name what to change: drybag bump NAME.",
  });
}
