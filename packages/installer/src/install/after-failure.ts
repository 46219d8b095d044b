import type { DockerContext, ImageStore } from "@drybag/docker";
import { DrybagError } from "@drybag/errors";
import type { InstalledRelease } from "../site/current-release.ts";
import { returnToPrevious } from "./return-to-previous.ts";

/**
 * What is done about a release that did not become healthy, and what the person is told: the one before runs again; where there is
 * none, the containers are left to be looked at. Data is never deleted.
 */
export async function afterFailure(
  error: DrybagError,
  input: {
    docker: DockerContext;
    store: ImageStore;
    projectName: string;
    release: string;
    previous: InstalledRelease | undefined;
  },
): Promise<DrybagError> {
  const { projectName, release, previous } = input;
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
  const started = await returnToPrevious({ ...input, previous }).catch((cause: Error) => cause);
  return withHint(
    error,
    started === true
      ? `Release ${previous.name} was started again and stays the current one; 'docker compose -p ${projectName} ps' shows it.`
      : `Release ${previous.name} could not be started again${
          started instanceof Error ? ` (${started.message})` : ""
        }; install its bundle again, or see '${logs}'.`,
  );
}

function withHint({ code, message, detail, cause }: DrybagError, hint: string): DrybagError {
  return new DrybagError(code, message, { cause, hint, ...(detail === undefined ? {} : { detail }) });
}
