import { type DockerContext, inspectImage } from "@drybag/docker";
import { type DrybagError, isDrybagError } from "@drybag/errors";
import { normalizeReference } from "@drybag/format";
import type { ImagePin } from "../pins/image-pins.ts";
import { blockedBy } from "../pins/shared-places.ts";
import type { RegistryClient } from "../registry/registry-client.ts";
import { findNewer } from "../versions/find-newer.ts";
import { mapLimited } from "./map-limited.ts";
import type { Moved, OutdatedItem } from "./outdated-item.ts";

/** Registries are asked for so many images at once. */
const AT_ONCE = 4;

/** Asks the registries about images. What cannot be asked for is told in its item. */
export async function checkImages(
  pins: readonly ImagePin[],
  registry: RegistryClient,
  docker: DockerContext,
  signal: AbortSignal,
): Promise<OutdatedItem[]> {
  const answers = await mapLimited(pins, AT_ONCE, (pin) => askAbout(pin, registry, docker, signal));
  const tagsOf = new Map(answers.map(({ pin, tags }) => [pin, tags]));
  return answers.map(({ pin, tags, moved, problem }) => ({
    pin: { image: pin },
    name: pin.name,
    current: pin.tag ?? "",
    tags,
    newer:
      pin.tag === undefined || tags === undefined
        ? undefined
        : findNewer(pin.tag, tags, (tag) => blockedBy(pin, tag, tagsOf) === undefined),
    moved,
    problem,
  }));
}

interface Answer {
  pin: ImagePin;
  tags: ReadonlySet<string> | undefined;
  moved: Moved | undefined;
  problem: DrybagError | undefined;
}

async function askAbout(
  pin: ImagePin,
  registry: RegistryClient,
  docker: DockerContext,
  signal: AbortSignal,
): Promise<Answer> {
  const answer: Answer = { pin, tags: undefined, moved: undefined, problem: undefined };
  try {
    const tags = new Set(await registry.listTags(pin, signal));
    return { ...answer, tags, moved: await findMoved(pin, registry, docker, signal) };
  } catch (error) {
    if (!isDrybagError(error)) throw error;
    return { ...answer, problem: error };
  }
}

/** Whether the tag is another image now than the one that is pinned, or that the engine has. */
async function findMoved(
  pin: ImagePin,
  registry: RegistryClient,
  docker: DockerContext,
  signal: AbortSignal,
): Promise<Moved | undefined> {
  if (pin.tag === undefined) return undefined;
  const here = pin.digest === undefined ? await digestsHere(pin, docker, signal) : [pin.digest];
  if (here[0] === undefined) return undefined;
  const to = await registry.readDigest(pin, pin.tag, signal);
  if (to === undefined || here.includes(to)) return undefined;
  return { from: here[0], to, isPinned: pin.digest !== undefined };
}

/** Digests under which the engine got it from its registry: none where it is not there, or was built here. */
async function digestsHere(
  { reference, domain, path }: ImagePin,
  docker: DockerContext,
  signal: AbortSignal,
): Promise<string[]> {
  const facts = await inspectImage(docker, reference, { signal });
  return (facts?.repoDigests ?? []).flatMap((repoDigest) => {
    const found = normalizeReference(repoDigest);
    return found.domain === domain && found.path === path && found.digest ? [found.digest] : [];
  });
}
