import { DrybagError } from "@drybag/errors";
import { JSON_TEMPLATE } from "./engine-facts.ts";
import { type DockerContext, lastLines, type RunOptions, runDocker } from "./run-docker.ts";

/** An image as the engine has it. */
export interface ImageFacts {
  /** Config digest on a classic store, manifest digest on a containerd store. */
  id: string;
  tags: string[];
  /** `name@sha256:…` under which registries gave it. */
  repoDigests: string[];
  os: string;
  architecture: string;
  variant?: string;
  /** diffIDs, base first. Empty when the image is broken: its content is not there. */
  diffIds: string[];
  sizeBytes: number;
  labels: Record<string, string>;
}

/** The image under a reference, or undefined when the engine does not have it. Throws `docker-failed`. */
export async function inspectImage(
  context: DockerContext,
  reference: string,
  options: RunOptions & { platform?: string } = {},
): Promise<ImageFacts | undefined> {
  const platform = options.platform === undefined ? [] : ["--platform", options.platform];
  const { exitCode, stdout } = await runDocker(
    context,
    ["image", "inspect", ...platform, "--format", JSON_TEMPLATE, reference],
    { ...options, allowExitCodes: [1] },
  );
  if (exitCode !== 0) return undefined;
  const parsed = JSON.parse(stdout) as EngineImage[] | EngineImage;
  const image = Array.isArray(parsed) ? parsed[0] : parsed;
  return image === undefined ? undefined : toImageFacts(image);
}

/** The images under these references, or undefined when the engine lacks one of them. Asks once, however many. Throws `docker-failed`. */
export async function inspectImages(
  context: DockerContext,
  references: readonly string[],
  options: RunOptions = {},
): Promise<ImageFacts[] | undefined> {
  if (references.length === 0) return [];
  const args = ["image", "inspect", "--format", JSON_TEMPLATE, ...references];
  const { exitCode, stdout } = await runDocker(context, args, { ...options, allowExitCodes: [1] });
  const lines = stdout.split("\n").filter((line) => line !== "");
  if (exitCode !== 0 || lines.length !== references.length) return undefined;
  return lines.map((line) => {
    const parsed = JSON.parse(line) as EngineImage[] | EngineImage;
    return toImageFacts(Array.isArray(parsed) ? (parsed[0] as EngineImage) : parsed);
  });
}

interface EngineImage {
  Id: string;
  RepoTags: string[] | null;
  RepoDigests: string[] | null;
  Os: string;
  Architecture: string;
  Variant?: string;
  RootFS?: { Layers?: string[] | null };
  Size: number;
  Config?: { Labels?: Record<string, string> | null } | null;
}

function toImageFacts(image: EngineImage): ImageFacts {
  return {
    id: image.Id,
    tags: image.RepoTags ?? [],
    repoDigests: image.RepoDigests ?? [],
    os: image.Os,
    architecture: image.Architecture,
    ...(image.Variant ? { variant: image.Variant } : {}),
    diffIds: image.RootFS?.Layers ?? [],
    sizeBytes: image.Size,
    labels: image.Config?.Labels ?? {},
  };
}

/** Pulls one image. Throws `pull-failed` with what the engine said. */
export async function pullImage(
  context: DockerContext,
  reference: string,
  options: RunOptions & { platform?: string } = {},
): Promise<void> {
  const platform = options.platform === undefined ? [] : ["--platform", options.platform];
  const output = await runDocker(context, ["pull", "--quiet", ...platform, reference], {
    ...options,
    allowExitCodes: [1, 125],
  });
  if (output.exitCode !== 0) {
    throw new DrybagError("pull-failed", `${reference} could not be pulled.`, {
      detail: lastLines(output.stderr, 3),
      hint: "Check the name and tag, the network, and whether the registry wants 'docker login'.",
    });
  }
}

export async function tagImage(
  context: DockerContext,
  source: string,
  tag: string,
  options: RunOptions = {},
): Promise<void> {
  await runDocker(context, ["tag", source, tag], options);
}

/**
 * Removes a tag, and the image when it was its last one. An image that is not there is no error. With `force` the tag goes also where a
 * container was made of the image.
 */
export async function removeImage(
  context: DockerContext,
  reference: string,
  options: RunOptions & { force?: boolean } = {},
): Promise<void> {
  await runDocker(context, ["image", "rm", ...(options.force ? ["--force"] : []), reference], {
    ...options,
    allowExitCodes: [1],
  });
}

/** What each layer of an image was made by, newest first, as the engine tells it in full. Throws `docker-failed`. */
export async function readHistory(
  context: DockerContext,
  reference: string,
  options: RunOptions = {},
): Promise<string[]> {
  const args = ["history", "--no-trunc", "--format", JSON_TEMPLATE, reference];
  const { stdout } = await runDocker(context, args, options);
  return stdout.split("\n");
}

/** All that the engine knows of an image, as JSON. Throws `docker-failed`. */
export async function inspectImageJson(
  context: DockerContext,
  reference: string,
  options: RunOptions = {},
): Promise<string> {
  const { stdout } = await runDocker(context, ["image", "inspect", reference], options);
  return stdout;
}
