import type { ComposeModel } from "@drybag/docker";
import { DrybagError } from "@drybag/errors";
import { imageUses } from "./image-uses.ts";

/** An image that the stack needs. */
export interface NeededImage {
  /** As Compose asks for it. */
  reference: string;
  /** The tag under which it travels; differs from the reference where that holds a digest. */
  tag: string;
  /** Made by `docker compose build`, not pulled. */
  isBuilt: boolean;
  services: string[];
}

/**
 * Every image of the model, once each, sorted by tag. A reference with a digest gets a tag of its own: a classic image store
 * cannot be given a digest, and moving a tag of the user's would surprise.
 * Throws `project-no-images`.
 */
export function collectImages(model: ComposeModel, extra: readonly string[] = []): NeededImage[] {
  const needed = new Map<string, NeededImage>();
  for (const { reference, isBuilt, service } of imageUses(model, extra)) {
    const image = needed.get(reference) ?? {
      reference,
      tag: carriedTag(reference),
      isBuilt: false,
      services: [],
    };
    image.isBuilt ||= isBuilt;
    if (service !== undefined && !image.services.includes(service)) image.services.push(service);
    needed.set(reference, image);
  }
  if (needed.size === 0) {
    throw new DrybagError("project-no-images", `The project '${model.name}' has no service with an image.`, {
      hint: "Check the Compose files and profiles: 'docker compose config --images' should list some.",
    });
  }
  return [...needed.values()].sort((a, b) => (a.tag < b.tag ? -1 : 1));
}

/** `name:tag@sha256:abc…` and `name@sha256:abc…` become `name:tag-abc…` and `name:sha256-abc…` (12 digits). */
export function carriedTag(reference: string): string {
  const [named = reference, digest] = reference.split("@");
  const hasTag = named.lastIndexOf(":") > named.lastIndexOf("/");
  if (digest === undefined) return hasTag ? named : `${named}:latest`;
  const short = digest.replace(/^.*:/, "").slice(0, 12);
  return hasTag ? `${named}-${short}` : `${named}:sha256-${short}`;
}
