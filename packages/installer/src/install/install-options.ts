import type { DockerContext } from "@drybag/docker";
import type { Progress } from "@drybag/terminal";
import type { Questions } from "../settings/ask-settings.ts";

/** What an install needs to know, defaults applied. */
export interface InstallOptions {
  /** The carry folder, or the tar in it. */
  carryFolder: string;
  /** Folder of all stacks, absolute. */
  dir: string;
  /** Name of the stack and of its Compose project; the manifest's when undefined. */
  name: string | undefined;
  given: ReadonlyMap<string, string>;
  /** Go ahead without asking. */
  yes: boolean;
  healthTimeoutMs: number;
}

/** The world around an install. */
export interface InstallSurroundings {
  docker: DockerContext;
  engineIsLocal: boolean;
  progress: Progress;
  signal: AbortSignal;
  /** Undefined where nobody can be asked. */
  questions: Questions | undefined;
}
