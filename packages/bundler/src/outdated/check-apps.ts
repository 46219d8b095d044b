import { DrybagError, isDrybagError } from "@drybag/errors";
import { type GitAddress, gitAddress } from "../git/git-address.ts";
import { listRemote, type RemoteRefs } from "../git/list-remote.ts";
import { redactor } from "../git/redact.ts";
import type { GitContext } from "../git/run-git.ts";
import type { AppPin } from "../pins/app-pins.ts";
import { findNewer } from "../versions/find-newer.ts";
import { mapLimited } from "./map-limited.ts";
import type { Moved, OutdatedItem } from "./outdated-item.ts";

/** Repositories are asked for so many at once. */
const AT_ONCE = 4;

/** Commits of the tags and branches of an app, for who writes another one down. */
export type AppRefs = Map<AppPin, RemoteRefs>;

/** Asks the repositories of apps for newer tags. What cannot be asked for is told in its item. Throws `git-missing`. */
export async function checkApps(
  pins: readonly AppPin[],
  tokens: Readonly<Record<string, string | undefined>>,
  git: GitContext,
): Promise<{ items: OutdatedItem[]; refs: AppRefs }> {
  const refs: AppRefs = new Map();
  const items = await mapLimited(pins, AT_ONCE, async (pin) => {
    const answer = await askAbout(pin, tokens, git);
    if ("tags" in answer) refs.set(pin, answer);
    return itemOf(pin, answer);
  });
  return { items, refs };
}

async function askAbout(
  pin: AppPin,
  tokens: Readonly<Record<string, string | undefined>>,
  git: GitContext,
): Promise<RemoteRefs | DrybagError> {
  let address: GitAddress;
  try {
    address = gitAddress(pin.url, tokens);
  } catch (error) {
    if (!isDrybagError(error, "token-missing")) throw error;
    return error;
  }
  const answer = await listRemote(address, git);
  if ("tags" in answer) return answer;
  const said = redactor(address.secrets)(answer.detail);
  return answer.problem === "refused"
    ? new DrybagError(
        "repository-refused",
        `The repository ${address.url} does not let itself be read: ${said}`,
        {
          hint: "Check its address, and the token in it.",
        },
      )
    : new DrybagError("repository-unreachable", `The repository ${address.url} cannot be reached: ${said}`, {
        hint: "Check the network, HTTPS_PROXY, and the address.",
      });
}

function itemOf(pin: AppPin, answer: RemoteRefs | DrybagError): OutdatedItem {
  const current = pin.ref?.text ?? pin.commit?.text ?? "";
  const common = { pin: { app: pin }, name: pin.name, current };
  if (!("tags" in answer))
    return { ...common, tags: undefined, newer: undefined, moved: undefined, problem: answer };
  const tags = new Set(answer.tags.keys());
  const isTag = pin.ref !== undefined && tags.has(pin.ref.text);
  return {
    ...common,
    tags,
    newer: pin.ref === undefined ? undefined : findNewer(pin.ref.text, tags),
    moved: movedRef(pin, isTag ? answer.tags : answer.branches),
    problem: undefined,
  };
}

/** Whether the tag or branch is at another commit than the one that is pinned beside it. */
function movedRef({ ref, commit }: AppPin, refs: ReadonlyMap<string, string>): Moved | undefined {
  const to = ref === undefined ? undefined : refs.get(ref.text);
  if (commit === undefined || to === undefined || to === commit.text) return undefined;
  return { from: commit.text, to, isPinned: true };
}
