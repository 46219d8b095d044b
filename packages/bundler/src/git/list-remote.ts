import type { GitAddress } from "./git-address.ts";
import { type GitContext, runGit } from "./run-git.ts";

/** The refs of a repository, by name; a tag gives the commit that it stands for. */
export interface RemoteRefs {
  tags: Map<string, string>;
  branches: Map<string, string>;
}

/** Why a repository could not be asked. `refused` also where it does not exist: servers do not tell strangers which. */
export interface RemoteProblem {
  problem: "refused" | "unreachable";
  /** What git said, for people. */
  detail: string;
}

/** Asks a repository for its tags and branches: `git ls-remote`. Throws `git-missing`. */
export async function listRemote(
  address: GitAddress,
  context: GitContext,
): Promise<RemoteRefs | RemoteProblem> {
  const output = await runGit(context, ["ls-remote", "--tags", "--heads", "--", address.url], { address });
  if (output.exitCode !== 0) return { problem: problemOf(output.stderr), detail: lastLine(output.stderr) };
  return parseRefs(output.stdout);
}

/** `<commit>\trefs/tags/v1`, and `refs/tags/v1^{}` for the commit of an annotated tag. */
export function parseRefs(text: string): RemoteRefs {
  const tags = new Map<string, string>();
  const branches = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, commit = "", kind, name = "", peeled] =
      /^([0-9a-f]{40})\trefs\/(tags|heads)\/(.+?)(\^\{\})?$/.exec(line) ?? [];
    if (kind === "heads") branches.set(name, commit);
    if (kind === "tags" && (peeled !== undefined || !tags.has(name))) tags.set(name, commit);
  }
  return { tags, branches };
}

/** git has one exit code for everything: its words, in the C locale, only choose between two remedies. */
function problemOf(stderr: string): RemoteProblem["problem"] {
  const isRefused =
    /Authentication failed|could not read (?:Username|Password)|not found|does not (?:exist|appear)|access rights|Permission denied|HTTP (?:401|403|404)|error: 40[134]/i;
  return isRefused.test(stderr) ? "refused" : "unreachable";
}

function lastLine(stderr: string): string {
  const lines = stderr.trim().split("\n");
  return (lines.find((line) => /^(?:fatal|remote|error):/.test(line)) ?? lines.at(-1) ?? "").trim();
}
