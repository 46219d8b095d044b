import type { ImageStore } from "@drybag/docker";
import { DrybagError } from "@drybag/errors";
import type { EnteredSite } from "../site/enter-site.ts";
import { undoUpgrade } from "../upgrade/begin-upgrade.ts";
import { readUnfinishedUpgrade } from "../upgrade/unfinished-upgrade.ts";
import type { InstallSurroundings } from "./install-options.ts";
import { runAgain } from "./run-again.ts";
import type { Stopwatch } from "./stopwatch.ts";

/**
 * What is done about a release that did not become healthy, and what the person is told: the one before runs again, with the data that
 * it had; where there is none, the containers are left to be looked at. Data is never deleted.
 */
export async function afterFailure(
  error: DrybagError,
  input: {
    site: EnteredSite;
    store: ImageStore;
    projectName: string;
    release: string;
    healthTimeoutMs: number;
  },
  surroundings: InstallSurroundings & { stopwatch: Stopwatch },
): Promise<DrybagError> {
  const { site, projectName, release } = input;
  const { previous } = site;
  const logs = `docker compose -p ${projectName} logs`;
  if (!previous) {
    return withHint(
      error,
      `The containers were left to be looked at ('${logs}'). Mend the cause and run the same command again, or remove them with 'docker compose -p ${projectName} down'; volumes stay.`,
    );
  }
  if (previous.name === release) {
    return withHint(
      error,
      `Release ${release} stays the current one. Look at '${logs}', mend the cause and run the same command again.`,
    );
  }
  const pending = await readUnfinishedUpgrade(site.paths);
  // A signal of its own: this is what happens after a failure, and it is not to be stopped half-way.
  const signal = new AbortController().signal;
  const under = { ...surroundings, signal };
  try {
    if (pending !== undefined)
      await undoUpgrade(pending, previous, { ...under, projectName, paths: site.paths });
    const stack = { name: projectName, paths: site.paths, current: previous };
    await runAgain(under, stack, input.store, input.healthTimeoutMs, signal);
  } catch (cause) {
    const why = cause instanceof DrybagError ? cause : undefined;
    return new DrybagError(
      "return-failed",
      `${error.message} Release ${previous.name} could not be started again either: ${(cause as Error).message}`,
      {
        cause,
        detail: [error.detail, why?.detail].filter(Boolean).join("\n"),
        hint: `Install its bundle again, or see '${logs}'.${pending?.backup ? ` Its data is in ${site.paths.backups}/${pending.backup}.` : ""}`,
      },
    );
  }
  const data =
    pending === undefined
      ? ""
      : pending.backup === null
        ? " Data is as the new release left it: there was no backup."
        : ` Its data was put back from the backup ${pending.backup}.`;
  return withHint(
    error,
    `Release ${previous.name} was started again, is healthy and stays the current one.${data} 'drybag-site status ${projectName}' shows it.`,
  );
}

function withHint({ code, message, detail, cause }: DrybagError, hint: string): DrybagError {
  return new DrybagError(code, message, { cause, hint, ...(detail === undefined ? {} : { detail }) });
}
