import type { Manifest } from "@drybag/format";
import { formatBytes, table } from "@drybag/terminal";
import type { LoadPlan } from "../images/plan-load.ts";

export interface InstallPlan {
  manifest: Manifest;
  release: string;
  folder: string;
  /** The release that runs now. */
  previous: string | undefined;
  load: LoadPlan;
  answers: ReadonlyMap<string, string>;
}

/** The plan in words: what will change, and how it comes back. */
export function describePlan(plan: InstallPlan, width?: number): string {
  const { manifest, release, folder, previous, load } = plan;
  const facts = [
    ["release", release],
    ["runs now", previous === undefined ? "nothing" : previous === release ? "this release" : previous],
    ["images", describeLoad(load, manifest.images.length)],
    ["services", manifest.services.map(({ name }) => name).join(", ")],
    ["folder", folder],
  ];
  const settings = manifest.settings.map(({ name, secret, default: byDefault }) => {
    const answer = plan.answers.get(name);
    const value = answer ?? byDefault ?? "";
    // The value last: it is what a narrow terminal may cut.
    return [
      name,
      answer === undefined ? "default" : "this site",
      secret && value !== "" ? "(hidden)" : value,
    ];
  });
  const parts = [table(facts, { width })];
  if (settings.length > 0) parts.push(table([["SETTING", "FROM", "VALUE"], ...settings], { width }));
  return `\n${parts.join("\n\n")}\n\n`;
}

function describeLoad({ images, storedBytes, unpackedBytes }: LoadPlan, total: number): string {
  if (images.length === 0) return `all ${total} are here`;
  const sizes = `${formatBytes(storedBytes)}, ${formatBytes(unpackedBytes)} unpacked`;
  return `${images.length} of ${total} to load (${sizes})`;
}
