import type { DockerContext, ImageStore } from "@drybag/docker";
import { DrybagError } from "@drybag/errors";
import type { BundlePass } from "../bundle-pass.ts";
import { appendToJournal } from "../site/journal.ts";
import { readImageStates, recordedTag } from "./image-state.ts";
import type { LoadPlan } from "./plan-load.ts";
import { restoreTags } from "./restore-tags.ts";
import { sendImages } from "./send-images.ts";

export interface LoadSurroundings {
  docker: DockerContext;
  store: ImageStore;
  journal: string;
  signal: AbortSignal;
  /** All of the bundle is verified and with the engine, which unpacks it now. */
  onSent: () => void;
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
    await refuseOtherImages(docker, plan, store, signal);
  } catch (error) {
    // An engine that has all of the archive finishes without its client: what is put back now, it would move again. What it
    // moves to is verified, and the journal tells the next install what to make of it.
    if (isSent && signal.aborted) throw error;
    await restoreTags(docker, before);
    await appendToJournal(journal, { step: "tags-restored" });
    throw error;
  }
  await appendToJournal(journal, { step: "images-loaded", tags: plan.images.map(({ tag }) => tag) });
}

/** `docker load` says 0, and "Loaded image", for images that it could not unpack or that have become others. */
async function refuseOtherImages(
  docker: DockerContext,
  plan: LoadPlan,
  store: ImageStore,
  signal: AbortSignal,
): Promise<void> {
  const states = await readImageStates(docker, plan.images, store, { signal });
  const wrong = states.filter(({ problem }) => problem !== undefined);
  if (wrong.length === 0) return;
  throw new DrybagError("image-mismatch", "The engine does not have the images as they were packed.", {
    detail: wrong.map(({ image, problem }) => `${image.tag} ${problem}`).join("\n"),
    hint: "The images are as they were before. Look at the engine's disk space and log (journalctl -u docker), then run the same command again.",
  });
}
