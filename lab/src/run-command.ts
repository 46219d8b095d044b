import { ExecaError, execa } from "execa";
import { LabError, type LabErrorCode } from "./lab-error.ts";

export interface RunOptions {
  /** What is being done, in the words of the error message. */
  doing: string;
  code: LabErrorCode;
  hint?: string;
  cwd?: string;
  env?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

/** Runs a program to its end and returns its stdout. @throws LabError with the last line of its stderr. */
export async function runCommand(
  file: string,
  args: readonly string[],
  options: RunOptions,
): Promise<string> {
  const { doing, code, hint, cwd, env, signal } = options;
  try {
    const { stdout } = await execa(file, args, {
      stdin: "ignore",
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env }),
      ...(signal === undefined ? {} : { cancelSignal: signal }),
    });
    return stdout;
  } catch (error) {
    signal?.throwIfAborted();
    const message = `cannot ${doing}: ${lastLine(error)}`;
    throw new LabError(code, message, { ...(hint === undefined ? {} : { hint }), cause: error });
  }
}

function lastLine(error: unknown): string {
  if (!(error instanceof ExecaError)) return String(error);
  const lines = String(error.stderr ?? "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return lines.at(-1) ?? error.shortMessage;
}
