import { type DockerContext, type ImageStore, tagImage } from "@drybag/docker";
import { DrybagError } from "@drybag/errors";
import type { BundledImage } from "@drybag/format";
import type { BundlePass } from "../bundle-pass.ts";
import { appendToJournal } from "../site/journal.ts";
import { explainLoadFailure } from "./explain-load-failure.ts";
import { expectedImageId, readImageStates, recordedTag, untaggedProblem } from "./image-state.ts";
import type { LoadPlan } from "./plan-load.ts";
import { removeUntagged } from "./remove-untagged.ts";
import { restoreTags } from "./restore-tags.ts";
import { sendImages } from "./send-images.ts";

export interface LoadSurroundings {
  docker: DockerContext;
  store: ImageStore;
  /** The engine's folder, where it is on this machine. */
  dataRoot: string | undefined;
  journal: string;
  /** IDs of images that a load which was cut off brought, and that nobody had before it. */
  leftOver: readonly string[];
  signal: AbortSignal;
  /** All of the bundle is verified and with the engine, which unpacks it now. */
  onSent: () => void;
  /** The bundle is read once more, from the start. */
  onAgain: () => void;
}

/**
 * Reads the bundle to its end, verifies all of it and brings what the engine lacks into it. Afterwards every image has been seen to
 * be the bundle's and has its tag; or every tag is what it was before, what was brought is gone, and the error says why.
 */
export async function loadBundle(
  pass: BundlePass,
  plan: LoadPlan,
  surroundings: LoadSurroundings,
): Promise<void> {
  if (plan.toTag.length === 0) return pass.verifyRest();
  const { docker, store, journal, signal } = surroundings;
  const states = await readImageStates(docker, plan.toTag, store, { signal });
  const tags = states.map(recordedTag);
  const absent = states.filter(({ isThere }) => !isThere).map(({ image }) => expectedImageId(image, store));
  const brought = [...new Set([...absent, ...surroundings.leftOver])];
  await appendToJournal(journal, { step: "tags-recorded", tags, absent: brought });
  let isSent = false;
  const onSent = () => {
    isSent = true;
    surroundings.onSent();
  };
  try {
    await bringImages(pass, plan, { ...surroundings, onSent });
  } catch (error) {
    await restoreTags(docker, tags);
    // An engine that has all archives may finish without their clients: what is removed now would come again. It is verified, has no
    // name, and the journal tells the next install what to make of it.
    if (isSent && signal.aborted) throw error;
    await removeUntagged(docker, brought);
    await appendToJournal(journal, { step: "tags-restored" });
    throw await explainLoadFailure(error, plan, surroundings.dataRoot);
  }
  await appendToJournal(journal, { step: "images-loaded", tags: plan.toTag.map(({ tag }) => tag) });
}

/** Brings what is missing, and gives all images their tags, which must be the bundle's then. */
async function bringImages(pass: BundlePass, plan: LoadPlan, surroundings: LoadSurroundings): Promise<void> {
  const { docker, store, signal, onSent } = surroundings;
  await sendImages(docker, pass, plan, { signal, onSent });
  if (store === "containerd" && (await problemsOf(plan.images, surroundings)).length > 0) {
    await sendAgain(pass, plan, surroundings);
  }
  refuseMismatch(await problemsOf(plan.toTag, surroundings));
  for (const image of plan.toTag)
    await tagImage(docker, expectedImageId(image, store), image.tag, { signal });
  const states = await readImageStates(docker, plan.toTag, store, { signal });
  refuseMismatch(states.flatMap(({ image, problem }) => (problem ? [`${image.tag} ${problem}`] : [])));
}

/**
 * A load that breaks off in the middle of a blob leaves that part in a containerd store, and the next load of the same blob goes on
 * behind it instead of beginning anew. Where the part was damaged, the blob does not get its digest, `docker load` says 0 and the
 * image is broken; with that the part is gone, and the same load once more heals the image (seen with 28.5.2 and containerd 2.1).
 */
async function sendAgain(pass: BundlePass, plan: LoadPlan, surroundings: LoadSurroundings): Promise<void> {
  const { docker, signal, onSent, onAgain } = surroundings;
  onAgain();
  await using again = pass.again();
  await sendImages(docker, again, plan, { signal, onSent });
}

/** `docker load` says 0, and "Loaded image", for images that it could not unpack or that have become others. */
async function problemsOf(
  images: readonly BundledImage[],
  { docker, store, signal }: LoadSurroundings,
): Promise<string[]> {
  const problems = await Promise.all(
    images.map(async (image) => {
      const problem = await untaggedProblem(docker, image, store, { signal });
      return problem === undefined ? [] : [`${image.tag} ${problem}`];
    }),
  );
  return problems.flat();
}

function refuseMismatch(problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new DrybagError("image-mismatch", "The engine does not have the images as they were packed.", {
    detail: problems.join("\n"),
    hint: "The images are as they were before. Look at the engine's disk space and log (journalctl -u docker), then run the same command again.",
  });
}
