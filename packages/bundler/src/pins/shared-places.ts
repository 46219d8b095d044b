import { changeOnePart, withPart } from "./change-part.ts";
import type { ImagePin } from "./image-pins.ts";
import { placeKey } from "./text-place.ts";

/**
 * The image because of which another cannot have a tag: both get theirs from the same place, such as a variable for two versions, and
 * this one has no such tag. Where its tags are not known, it is believed to have it.
 */
export function blockedBy(
  pin: ImagePin,
  tag: string,
  tagsOf: ReadonlyMap<ImagePin, ReadonlySet<string> | undefined>,
): ImagePin | undefined {
  for (const { key, text } of changesOf(pin, tag)) {
    for (const [other, tags] of tagsOf) {
      if (other === pin || tags === undefined) continue;
      if (tagsWith(other, key, text).some((itsTag) => !tags.has(itsTag))) return other;
    }
  }
  return undefined;
}

/** The images that get another tag too when this one does. */
export function sharedWith(pin: ImagePin, tag: string, pins: readonly ImagePin[]): ImagePin[] {
  const changes = changesOf(pin, tag);
  return pins.filter(
    (other) => other !== pin && changes.some(({ key, text }) => tagsWith(other, key, text).length > 0),
  );
}

function changesOf(pin: ImagePin, tag: string): { key: string; text: string }[] {
  return pin.uses.flatMap((use) => {
    const change = changeOnePart(use.tag, tag);
    return change?.part.place === undefined ? [] : [{ key: placeKey(change.part.place), text: change.text }];
  });
}

/** The tags that an image would have if the text at a place were another. */
function tagsWith(pin: ImagePin, key: string, text: string): string[] {
  return pin.uses.flatMap(({ tag }) => {
    const part = tag.find(({ place }) => place !== undefined && placeKey(place) === key);
    return part === undefined ? [] : [withPart(tag, part, text)];
  });
}
