import { DrybagError } from "@drybag/errors";

/** How far an install has come, as far as it matters to somebody who stops it. */
export type InstallPhase =
  | "preparing"
  | "loading"
  | "unpacking"
  | "placing"
  | "settling"
  | "backup"
  | "starting"
  | "healthy";

const STATE: Record<InstallPhase, string> = {
  preparing: "Nothing was changed.",
  loading: "The engine's images are as they were before; the stack was not touched.",
  unpacking:
    "The engine has all images, verified, and goes on unpacking them by itself; the stack was not touched.",
  placing: "The images are loaded; the stack was not touched.",
  settling: "The images are loaded. What an earlier command had left unfinished is not all put right.",
  backup: "The images are loaded. The release before runs on; its data was being backed up.",
  starting: "The images are loaded and the stack was being started: some of its containers may run.",
  healthy: "The stack runs and is healthy; it was only not recorded as the current release.",
};

/** What a person who pressed Ctrl-C has to know. */
export function interruptedIn(phase: InstallPhase, cause: unknown): DrybagError {
  return new DrybagError("interrupted", "interrupted", {
    cause,
    detail: STATE[phase],
    hint:
      phase === "preparing"
        ? "Run the same command again to install."
        : "Run the same command again to finish.",
  });
}
