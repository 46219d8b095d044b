import { type DockerContext, inspectImage } from "@drybag/docker";
import { DrybagError } from "@drybag/errors";
import type { Manifest } from "@drybag/format";
import { expectedImageId } from "../images/image-state.ts";

/** The container that volumes are reached through. */
export function helper(projectName: string): { name: string; label: string } {
  return { name: `${projectName}-drybag-volume`, label: `dev.drybag.helper=${projectName}` };
}

/** Any image will do: nothing of it is run. */
export async function anyImage(
  docker: DockerContext,
  { images }: Manifest,
  signal: AbortSignal,
): Promise<string> {
  for (const { tag } of [...images].sort((a, b) => a.sizeBytes - b.sizeBytes)) {
    if (await inspectImage(docker, tag, { signal })) return tag;
  }
  throw new DrybagError("image-not-found", "The engine has none of this release's images any more.", {
    hint: "Install its bundle again: that brings them.",
  });
}

/**
 * The image of a service as the bundle has it, whatever its tag names now: while an upgrade is made or undone, tags are another release's.
 * Under its tag where the engine has it under no ID.
 */
export async function imageOfService(
  docker: DockerContext,
  { services, images }: Manifest,
  service: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const tag = services.find(({ name }) => name === service)?.image;
  const image = images.find((each) => each.tag === tag);
  if (image === undefined) return undefined;
  for (const store of ["classic", "containerd"] as const) {
    const id = expectedImageId(image, store);
    if (await inspectImage(docker, id, { signal })) return id;
  }
  return tag;
}
