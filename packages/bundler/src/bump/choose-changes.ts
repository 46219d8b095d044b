import { DrybagError } from "@drybag/errors";
import { nearestName } from "@drybag/terminal";
import type { OutdatedItem } from "../outdated/outdated-item.ts";
import { STEPS, type Step } from "../versions/find-newer.ts";

/** What `drybag bump` was asked for. */
export interface BumpWish {
  /** Images, apps or services; empty: everything. */
  names: readonly string[];
  /** Exactly this tag, of the one name. */
  to: string | undefined;
  /** The largest step to take. */
  step: Step;
}

/** Something to be pinned otherwise. */
export interface Change {
  item: OutdatedItem;
  to: string;
  /** Another digest or commit is wanted although the tag or branch stays. */
  sameTag: boolean;
}

/**
 * What to change of what was found. Throws `usage` for a name that nothing has, `tag-not-found`, and of what was named the reason why
 * it could not be asked for.
 */
export function chooseChanges(items: readonly OutdatedItem[], wish: BumpWish): Change[] {
  const { names, to, step } = wish;
  if (to !== undefined) checkTag(to, names);
  const chosen =
    names.length === 0 ? items : items.filter((item) => names.some((name) => isCalled(item, name)));
  for (const name of names) requireKnown(items, name);
  const isNamed = names.length > 0;
  const unasked = isNamed ? chosen.find(({ problem }) => problem !== undefined)?.problem : undefined;
  if (unasked !== undefined) throw unasked;
  if (to !== undefined) return chosen.flatMap((item) => exactly(item, to));
  return chosen.flatMap((item) => newest(item, step, isNamed) ?? []);
}

function newest(item: OutdatedItem, largest: Step, isNamed: boolean): Change | undefined {
  const steps = STEPS.slice(0, STEPS.indexOf(largest) + 1).toReversed();
  const to = steps.map((step) => item.newer?.[step]).find((tag) => tag !== undefined);
  if (to !== undefined) return { item, to, sameTag: false };
  const { moved, pin, current } = item;
  if (!moved?.isPinned) return undefined;
  // A branch goes anywhere, so only when told to. A git tag that is another commit now is for a person to look into.
  const isWanted = "image" in pin || (isNamed && !item.tags?.has(current));
  return isWanted ? { item, to: current, sameTag: true } : undefined;
}

function exactly(item: OutdatedItem, to: string): Change[] {
  if (item.current === to) return [];
  if (item.tags?.has(to)) return [{ item, to, sameTag: false }];
  throw new DrybagError("tag-not-found", `${item.name} has no tag ${to}.`, {
    hint: nearHint(to, item) ?? "'drybag outdated' shows what there is.",
  });
}

function nearHint(to: string, { tags }: OutdatedItem): string | undefined {
  const near = nearestName(to, [...(tags ?? [])]);
  return near === undefined ? undefined : `Did you mean ${near}?`;
}

/** It is written into files of several forms. */
function checkTag(to: string, names: readonly string[]): void {
  if (names.length !== 1) {
    throw new DrybagError("usage", "--to needs one name: whose tag is it?", {
      hint: "For instance: drybag bump redis --to 8.8-alpine",
    });
  }
  if (!/^\w[\w./+-]{0,127}$/.test(to)) throw new DrybagError("usage", `'${to}' cannot be a tag.`);
}

function isCalled({ pin, name }: OutdatedItem, wanted: string): boolean {
  if (name === wanted) return true;
  if ("app" in pin) return false;
  return pin.image.reference === wanted || pin.image.uses.some(({ service }) => service === wanted);
}

function requireKnown(items: readonly OutdatedItem[], name: string): void {
  if (items.some((item) => isCalled(item, name))) return;
  const known = items.map((item) => item.name);
  const near = nearestName(name, known);
  throw new DrybagError("usage", `Nothing that is pinned here is called '${name}'.`, {
    hint: near === undefined ? `There are ${known.join(", ") || "none"}.` : `Did you mean ${near}?`,
  });
}
