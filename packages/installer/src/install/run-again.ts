import { type ImageStore, inspectImage, readComposeModel } from "@drybag/docker";
import type { CheckResult } from "../checks/watch-checks.ts";
import { expectedServices } from "../health/expected-state.ts";
import { type JudgedService, serviceLine } from "../health/judge-services.ts";
import { expectedImageId } from "../images/image-state.ts";
import { restoreTags } from "../images/restore-tags.ts";
import { releaseFlags } from "../release/release-flags.ts";
import type { InstalledStack } from "../site/installed-stacks.ts";
import { appendToJournal } from "../site/journal.ts";
import type { InstallSurroundings } from "./install-options.ts";
import { NO_TASKS, settleRelease } from "./settle-release.ts";
import { startFailed } from "./start-failed.ts";
import { startRelease } from "./start-release.ts";
import type { Stopwatch } from "./stopwatch.ts";

/**
 * Starts the release that was installed before: its tags back to its images, its own Compose files; and sees it healthy, with its checks
 * good. Throws `unhealthy`, `up-failed`.
 */
export async function runAgain(
  surroundings: Omit<InstallSurroundings, "signal" | "questions"> & { stopwatch: Stopwatch },
  { name: projectName, paths, current }: InstalledStack,
  store: ImageStore,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<{ services: JudgedService[]; checks: CheckResult[] }> {
  const { docker, engineIsLocal, progress, stopwatch } = surroundings;
  const { manifest, folder, name } = current;
  for (const image of manifest.images) {
    const imageId = expectedImageId(image, store);
    // One that is gone cannot be given its tag back; Compose will say what it lacks.
    if (await inspectImage(docker, imageId, { signal }))
      await restoreTags(docker, [{ tag: image.tag, imageId }]);
  }
  const flags = releaseFlags(manifest, folder, projectName);
  const model = await readComposeModel(docker, flags, { signal });
  const expected = expectedServices(model, manifest.services);
  await appendToJournal(paths.journal, { step: "up-started", release: name });
  const release = {
    docker,
    engineIsLocal,
    flags,
    projectName,
    manifest,
    model,
    expected,
    store,
    name,
    folder,
    paths,
  };
  const started = await stopwatch.stage(
    "health",
    `Start ${name} and wait until it is healthy`,
    async () => {
      const onServices = (services: JudgedService[]) =>
        progress.emit({ type: "services", services: services.map(serviceLine) });
      const result = await startRelease(release, { timeoutMs, signal, onServices });
      if (result.outcome !== "healthy") throw await startFailed(docker, result, timeoutMs, signal);
      return result;
    },
    ({ services }) => `${services.length} services`,
  );
  const { checks, services } = await settleRelease(release, NO_TASKS, { stopwatch, progress, signal });
  return { services: services ?? started.services, checks };
}
