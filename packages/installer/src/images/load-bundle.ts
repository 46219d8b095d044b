import type { DockerContext, ImageStore } from "@drybag/docker";
import { DrybagError } from "@drybag/errors";
import type { BundlePass } from "../bundle-pass.ts";
import { appendToJournal } from "../site/journal.ts";
import { explainLoadFailure } from "./explain-load-failure.ts";
import { type ImageState, readImageStates, recordedTag } from "./image-state.ts";
import type { LoadPlan } from "./plan-load.ts";
import { restoreTags } from "./restore-tags.ts";
import { sendImages } from "./send-images.ts";

export interface LoadSurroundings {
  docker: DockerContext;
  store: ImageStore;
  /** The engine's folder, where it is on this machine. */
  dataRoot: string | undefined;
  journal: string;
  signal: AbortSignal;
  /** All of the bundle is verified and with the engine, which unpacks it now. */
  onSent: () => void;
  /** The bundle is read once more, from the start. */
  onAgain: () => void;
}

/**
 * Reads the bundle to its end, verifies all of it and brings what the engine lacks into it. Afterwards every image has been seen to
 * be the bundle's, or every tag is what it was before and the error says why.
 */
export async function loadBundle(
  pass: BundlePass,
  plan: LoadPlan,
  surroundings: LoadSurroundings,
): Promise<void> {
  if (plan.images.length === 0) return pass.verifyRest();
  const { docker, store, journal, signal } = surroundings;
  const before = (await readImageStates(docker, plan.images, store, { signal })).map(recordedTag);
  await appendToJournal(journal, { step: "tags-recorded", tags: before });
  let isSent = false;
  const onSent = () => {
    isSent = true;
    surroundings.onSent();
  };
  try {
    await sendImages(docker, pass, plan, { signal, onSent });
    if (store === "containerd" && (await wrongImages(docker, plan, store, signal)).length > 0) {
      await sendAgain(pass, plan, surroundings);
    }
    const wrong = await wrongImages(docker, plan, store, signal);
    if (wrong.length > 0) throw imageMismatch(wrong);
  } catch (error) {
    // An engine that has all of the archive finishes without its client: what is put back now, it would move again. What it
    // moves to is verified, and the journal tells the next install what to make of it.
    if (isSent && signal.aborted) throw error;
    await restoreTags(docker, before);
    await appendToJournal(journal, { step: "tags-restored" });
    throw await explainLoadFailure(error, plan, surroundings.dataRoot);
  }
  await appendToJournal(journal, { step: "images-loaded", tags: plan.images.map(({ tag }) => tag) });
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
async function wrongImages(
  docker: DockerContext,
  plan: LoadPlan,
  store: ImageStore,
  signal: AbortSignal,
): Promise<ImageState[]> {
  const states = await readImageStates(docker, plan.images, store, { signal });
  return states.filter(({ problem }) => problem !== undefined);
}

function imageMismatch(wrong: readonly ImageState[]): DrybagError {
  return new DrybagError("image-mismatch", "The engine does not have the images as they were packed.", {
    detail: wrong.map(({ image, problem }) => `${image.tag} ${problem}`).join("\n"),
    hint: "The images are as they were before. Look at the engine's disk space and log (journalctl -u docker), then run the same command again.",
  });
}
