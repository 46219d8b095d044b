import type { Finding } from "@drybag/errors";
import type { AppProvenance } from "@drybag/format";
import type { Placed } from "../../config/project-config.ts";
import { type CommitFiles, fetchCommitFiles } from "../../git/commit-files.ts";
import type { GitAddress } from "../../git/git-address.ts";
import { listRemote, type RemoteRefs } from "../../git/list-remote.ts";
import type { GitContext } from "../../git/run-git.ts";
import { movingRef } from "./check-apps.ts";
import { newestTag } from "./newest-tag.ts";

/** A pin with the address that it is at. */
export interface Pin {
  /** What messages call it. */
  name: string;
  address: GitAddress;
  /** Whether the address has a token. */
  hasToken: boolean;
  url: Placed;
  ref: Placed | undefined;
  commit: Placed | undefined;
}

/** A pin that is exactly one commit. */
export interface ResolvedApp {
  pin: Pin;
  /** What `git clone --branch` is given, so that it gets the commit; undefined where nothing but the commit names it. */
  cloneRef: string | undefined;
  provenance: AppProvenance;
  /** Its own module: the folder with hooks.py. */
  folderNames: string[];
  files: ReadonlyMap<string, string>;
  /** What it says of frappe's version, as in pyproject.toml. */
  frappeRange: string | undefined;
}

/** Finds the commit of a pin and looks into it. The findings say why there is none. */
export async function resolveApp(
  pin: Pin,
  gitDirectory: string,
  context: GitContext,
): Promise<{ app: ResolvedApp } | { findings: Finding[] }> {
  const refs = await listRemote(pin.address, context);
  if ("problem" in refs) return { findings: [notReached(pin, refs)] };
  const found = findCommit(pin, refs);
  if ("findings" in found) return found;
  const files = await fetchCommitFiles(pin.address, found.commit, found.cloneRef, gitDirectory, context);
  if (files === undefined) return { findings: [commitMissing(pin, found.commit)] };
  return { app: await describe(pin, found, files) };
}

function notReached(pin: Pin, { problem, detail }: { problem: string; detail: string }): Finding {
  const position = pin.url.position;
  if (problem === "unreachable") {
    return {
      code: "app-unreachable",
      severity: "error",
      message: `The repository of ${pin.name}, ${pin.address.url}, does not answer: ${detail}`,
      remedy: "Check the address and the network, then run the same command again.",
      position,
    };
  }
  return {
    code: "app-not-found",
    severity: "error",
    message: pin.hasToken
      ? `The repository of ${pin.name}, ${pin.address.url}, is not there, or does not take the token.`
      : `The repository of ${pin.name}, ${pin.address.url}, is not there, or it is private and wants a token.`,
    remedy: pin.hasToken
      ? "Check the address, and that the token has not expired and may read this repository."
      : "Check the address; for a private one write it as https://${TOKEN}@… and set TOKEN in the environment.",
    position,
  };
}

interface FoundCommit {
  commit: string;
  cloneRef: string | undefined;
  ref: string;
}

/** What a pin means, given the refs of its repository. */
export function findCommit(pin: Pin, refs: RemoteRefs): FoundCommit | { findings: Finding[] } {
  const { ref, commit } = pin;
  const isBranch = ref !== undefined && refs.branches.has(ref.text);
  const ofTag = ref === undefined ? undefined : refs.tags.get(ref.text);
  if (ref !== undefined && !isBranch && ofTag === undefined)
    return { findings: [refMissing(pin, ref, refs)] };
  if (commit === undefined) {
    if (ref === undefined || ofTag === undefined || isBranch) {
      return { findings: [movingRef(pin.name, ref ?? pin.url, newestTag([...refs.tags.keys()]))] };
    }
    return { commit: ofTag, cloneRef: ref.text, ref: ref.text };
  }
  const named = (name: string) => (refs.branches.get(name) ?? refs.tags.get(name)) === commit.text;
  if (ofTag !== undefined && !isBranch && ofTag !== commit.text) {
    return { findings: [tagIsOther(pin, ref as Placed, ofTag)] };
  }
  const own = ref !== undefined && named(ref.text) ? ref.text : undefined;
  const other = [...refs.tags.keys(), ...refs.branches.keys()].find(named);
  return { commit: commit.text, cloneRef: own ?? other, ref: ref?.text ?? other ?? commit.text };
}

function refMissing(pin: Pin, ref: Placed, refs: RemoteRefs): Finding {
  const newest = newestTag([...refs.tags.keys()]);
  return {
    code: "app-ref-missing",
    severity: "error",
    message: `${pin.name} has no tag '${ref.text}'.`,
    remedy: `${newest === undefined ? "It has no tags that look like versions" : `Its newest tag is ${newest}`}; 'git ls-remote --tags ${pin.address.url}' lists all.`,
    position: ref.position,
  };
}

function tagIsOther(pin: Pin, ref: Placed, commit: string): Finding {
  return {
    code: "app-tag-moved",
    severity: "error",
    message: `The tag '${ref.text}' of ${pin.name} is the commit ${commit.slice(0, 12)}, not the one beside it.`,
    remedy: "Find out why: a tag that was moved may hold other code. Then correct one of the two.",
    position: ref.position,
  };
}

function commitMissing(pin: Pin, commit: string): Finding {
  return {
    code: "app-commit-missing",
    severity: "error",
    message: `The repository of ${pin.name} does not have the commit ${commit.slice(0, 12)}, or does not give it.`,
    remedy: "Check the 40 digits; a commit that was pushed over can no longer be had.",
    position: (pin.commit ?? pin.ref ?? pin.url).position,
  };
}

async function describe(pin: Pin, found: FoundCommit, commitFiles: CommitFiles): Promise<ResolvedApp> {
  const { files } = commitFiles;
  const module = [...files.keys()].map((file) => /^([A-Za-z_]\w*)\/hooks\.py$/.exec(file)?.[1]).find(Boolean);
  const init = module === undefined ? undefined : `${module}/__init__.py`;
  const text = init !== undefined && files.has(init) ? await commitFiles.read(init) : undefined;
  const version = /^__version__\s*=\s*["']([^"'\n]{1,100})["']/m.exec(text ?? "")?.[1];
  const project = files.has("pyproject.toml") ? await commitFiles.read("pyproject.toml") : undefined;
  return {
    pin,
    cloneRef: found.cloneRef,
    provenance: {
      name: module ?? pin.name,
      repo: pin.address.url,
      ref: found.ref,
      commit: found.commit,
      ...(version === undefined ? {} : { version }),
    },
    folderNames: [...new Set([module ?? pin.name, pin.name, pin.name.replaceAll("-", "_")])],
    files,
    frappeRange: frappeRangeOf(project),
  };
}

/** `[tool.bench.frappe-dependencies]` with `frappe = ">=15.0.0,<16.0.0"`. */
function frappeRangeOf(text: string | undefined): string | undefined {
  const section = /^\[tool\.bench\.frappe-dependencies\]$([\s\S]*?)(?=^\[|(?![\s\S]))/m.exec(text ?? "")?.[1];
  return /^\s*frappe\s*=\s*["']([^"']+)["']/m.exec(section ?? "")?.[1];
}
