import type { ComposeModel, ComposeService } from "@drybag/docker";
import { DrybagError } from "@drybag/errors";

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
export function collectImages(model: ComposeModel): NeededImage[] {
  const needed = new Map<string, NeededImage>();
  for (const [name, service] of Object.entries(model.services ?? {})) {
    for (const use of usesOf(model.name, name, service)) {
      const known = needed.get(use.reference);
      if (known === undefined)
        needed.set(use.reference, { ...use, tag: carriedTag(use.reference), services: [name] });
      else {
        known.isBuilt ||= use.isBuilt;
        if (!known.services.includes(name)) known.services.push(name);
      }
    }
  }
  if (needed.size === 0) {
    throw new DrybagError("project-no-images", `The project '${model.name}' has no service with an image.`, {
      hint: "Check the Compose files and profiles: 'docker compose config --images' should list some.",
    });
  }
  return [...needed.values()].sort((a, b) => (a.tag < b.tag ? -1 : 1));
}

/** The image that a service runs, as Compose names it: its own, or the one that Compose builds. */
export function serviceImage(projectName: string, name: string, service: ComposeService): string {
  return service.image || `${projectName}-${name}`;
}

function usesOf(
  projectName: string,
  name: string,
  service: ComposeService,
): { reference: string; isBuilt: boolean }[] {
  const mounted = (service.volumes ?? [])
    .filter((mount) => mount.type === "image" && mount.source)
    .map((mount) => ({ reference: mount.source as string, isBuilt: false }));
  const runs = service.image || service.build;
  if (!runs || service.provider) return mounted;
  return [
    { reference: serviceImage(projectName, name, service), isBuilt: Boolean(service.build) },
    ...mounted,
  ];
}

/** `name:tag@sha256:abc…` and `name@sha256:abc…` become `name:tag-abc…` and `name:sha256-abc…` (12 digits). */
export function carriedTag(reference: string): string {
  const [named = reference, digest] = reference.split("@");
  const hasTag = named.lastIndexOf(":") > named.lastIndexOf("/");
  if (digest === undefined) return hasTag ? named : `${named}:latest`;
  const short = digest.replace(/^.*:/, "").slice(0, 12);
  return hasTag ? `${named}-${short}` : `${named}:sha256-${short}`;
}
