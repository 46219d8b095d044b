import type { DockerContext } from "@drybag/docker";
import type { Progress } from "@drybag/terminal";
import type { Questions } from "../settings/ask-settings.ts";
import type { Operator } from "./operator.ts";

/** What an install needs to know, defaults applied. */
export interface InstallOptions {
  /** The carry folder, or the tar in it. */
  carryFolder: string;
  /** Folder of all stacks, absolute. */
  dir: string;
  /** Name of the stack and of its Compose project; the manifest's when undefined. */
  name: string | undefined;
  given: ReadonlyMap<string, string>;
  /** Make up secrets that have no value. */
  generateSecrets: boolean;
  /** Go ahead without asking. */
  yes: boolean;
  /** Stop before the first change. */
  dryRun: boolean;
  /** Where the answers are written besides, absolute. */
  answersOut: string | undefined;
  /** Fingerprint of a key to be trusted from now on. */
  trustNewKey: string | undefined;
  /** Whether an upgrade backs up the data of the release before. */
  backup: boolean;
  /** Tasks that are not to run before an upgrade. */
  skipTasks: readonly string[];
  healthTimeoutMs: number;
  /** Where the bundle's Compose is used: make it the plugin of Docker's client too. */
  installCompose: boolean;
  operator: Operator;
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
