import { DrybagError } from "@drybag/errors";
import { execa } from "execa";
import type { GitAddress } from "./git-address.ts";

/** How to start git. */
export interface GitContext {
  env: Record<string, string | undefined>;
  signal: AbortSignal;
}

export interface GitOutput {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** How long a server may take to answer, in milliseconds. */
const TIMEOUT_MS = 10 * 60_000;

/**
 * Runs `git <args>`; it never asks anything, and learns credentials by its environment only: command lines are seen by everybody on
 * the machine. Throws `git-missing`.
 */
export async function runGit(
  { env, signal }: GitContext,
  args: readonly string[],
  options: { cwd?: string; address?: GitAddress; input?: string } = {},
): Promise<GitOutput> {
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  const result = await execa("git", args, {
    env: { ...env, ...QUIET, ...credentialsFor(env, options.address) },
    extendEnv: false,
    reject: false,
    maxBuffer: 256 * 1024 * 1024,
    cancelSignal: AbortSignal.any([signal, limit]),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.input === undefined ? { stdin: "ignore" } : { input: options.input }),
  });
  signal.throwIfAborted();
  if (result.code === "ENOENT" && options.cwd === undefined) throw gitMissing();
  const stderr = limit.aborted ? "the server did not answer in time" : result.stderr;
  return { exitCode: result.exitCode ?? 1, stdout: result.stdout, stderr };
}

function gitMissing(): DrybagError {
  return new DrybagError("git-missing", "There is no 'git' command on this machine.", {
    hint: "Install git; drybag asks the repositories of the apps with it.",
  });
}

const QUIET = {
  GIT_TERMINAL_PROMPT: "0",
  GIT_ASKPASS: "true",
  SSH_ASKPASS: "true",
  SSH_ASKPASS_REQUIRE: "never",
  LC_ALL: "C",
};

/** As git-config(1), ENVIRONMENT: settings for one command that stand in no file and no command line. */
function credentialsFor(
  env: GitContext["env"],
  address: GitAddress | undefined,
): Record<string, string | undefined> {
  const own = Number(env.GIT_CONFIG_COUNT) || 0;
  const entries: [string, string][] = [
    // A helper of the user's could show a window, or answer for another user.
    ...(address?.authorization === undefined
      ? []
      : ([[`http.${address.url}.extraHeader`, `Authorization: ${address.authorization}`]] as [
          string,
          string,
        ][])),
  ];
  const pairs = entries.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${own + index}`, key],
    [`GIT_CONFIG_VALUE_${own + index}`, value],
  ]);
  const ssh = env.GIT_SSH_COMMAND ?? env.GIT_SSH ?? "ssh -o BatchMode=yes";
  return {
    ...Object.fromEntries(pairs),
    ...(entries.length === 0 ? {} : { GIT_CONFIG_COUNT: String(own + entries.length) }),
    GIT_SSH_COMMAND: ssh,
  };
}
