import { execa } from "execa";

/**
 * A version for a project that nobody named one for: date and commit of its git work tree, `20251118-4c860c6`, with `-dirty`
 * where files below the folder are not committed. Undefined outside git, or where there is no git.
 */
export async function gitVersion(
  folder: string,
  env: Record<string, string | undefined>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const git = async (...args: string[]): Promise<string | undefined> => {
    const result = await execa("git", args, {
      cwd: folder,
      env,
      extendEnv: false,
      reject: false,
      cancelSignal: signal,
    });
    signal.throwIfAborted();
    return result.exitCode === 0 ? result.stdout : undefined;
  };
  // The commit's own day, wherever it is packed.
  const commit = await git("log", "-1", "--format=%cd-%H", "--date=format:%Y%m%d");
  const match = /^(\d{8})-([0-9a-f]{7})/.exec(commit ?? "");
  if (match === null) return undefined;
  const changes = await git("status", "--porcelain", "--untracked-files=normal", "--", ".");
  return `${match[1]}-${match[2]}${changes ? "-dirty" : ""}`;
}
