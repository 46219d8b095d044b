import type { Finding } from "@drybag/errors";
import type { Manifest } from "@drybag/format";
import { formatBytes, printableLine, table } from "@drybag/terminal";
import type { LoadPlan } from "../images/plan-load.ts";
import { describeSigner, type SignerVerdict } from "../trust/judge-signer.ts";

export interface InstallPlan {
  name: string;
  manifest: Manifest;
  manifestSha256: string;
  signer: SignerVerdict;
  release: string;
  folder: string;
  /** The release that runs now. */
  previous: string | undefined;
  load: LoadPlan;
  /** Version of the bundle's Compose, where that is used. */
  carriedCompose: string | undefined;
  /** Names of the tasks that will run. */
  tasks: readonly string[];
  /** The release that runs now is stopped, and its data backed up. */
  backup: boolean;
  answers: ReadonlyMap<string, string>;
  findings: readonly Finding[];
}

/** The plan in words: what will change, and how it comes back. */
export function describePlan(plan: InstallPlan, width?: number): string {
  const { manifest, release, folder, previous, load } = plan;
  const facts = [
    ["release", release],
    ["signed by", describeSigner(plan.signer)],
    ["runs now", previous === undefined ? "nothing" : previous === release ? "this release" : previous],
    ["images", describeLoad(load, manifest.images.length)],
    ["services", manifest.services.map(({ name }) => name).join(", ")],
    ...(plan.carriedCompose === undefined ? [] : [["compose", `${plan.carriedCompose}, the bundle's own`]]),
    ...(plan.tasks.length > 0 ? [["tasks", plan.tasks.join(", ")]] : []),
    ...(plan.backup ? [["data", "backed up first; the stack is stopped for the time"]] : []),
    ["folder", folder],
  ];
  // The value last: it is what a narrow terminal may cut; it was typed here and can be shown again.
  const settings = planSettings(plan).map(({ name, value, from }) => [name, from, printableLine(value)]);
  const parts = [table(width === undefined ? facts : wrapped(facts, width), { width })];
  if (settings.length > 0) parts.push(table([["SETTING", "FROM", "VALUE"], ...settings], { width }));
  return `\n${parts.join("\n\n")}\n\n`;
}

/** What does not fit behind its name goes on below: that a signer is new must not be what a narrow terminal cuts. */
function wrapped(facts: readonly (readonly string[])[], width: number): string[][] {
  const room = width - 2 - Math.max(...facts.map(([name = ""]) => name.length));
  return facts.flatMap(([name = "", value = ""]) => {
    const lines: string[] = [];
    for (const word of value.split(" ")) {
      const longer = [...lines.slice(-1), word].join(" ");
      if (lines.length > 0 && longer.length <= room) lines.splice(-1, 1, longer);
      else lines.push(word);
    }
    return lines.map((line, index) => [index === 0 ? name : "", line]);
  });
}

/** Every setting with the value that it will have; secrets are hidden. */
function planSettings({ manifest, answers }: InstallPlan): { name: string; value: string; from: string }[] {
  return manifest.settings.map(({ name, secret, default: byDefault }) => {
    const answer = answers.get(name);
    const value = answer ?? byDefault ?? "";
    return {
      name,
      value: secret && value !== "" ? "(hidden)" : value,
      from: answer === undefined ? "default" : "this site",
    };
  });
}

/** The plan for programs: what `install --dry-run --json` prints. */
export function planAsJson(plan: InstallPlan): object {
  const { name, manifest, manifestSha256, signer, release, folder, previous, load, findings } = plan;
  const toLoad = new Set(load.images.map(({ tag }) => tag));
  return {
    name,
    version: manifest.version,
    release,
    folder,
    previousRelease: previous ?? null,
    manifestSha256,
    signer: signer.signer?.fingerprint ?? null,
    trust: signer.trust,
    images: manifest.images.map(({ tag }) => ({ tag, load: toLoad.has(tag) })),
    loadBytes: load.storedBytes,
    unpackedBytes: load.unpackedBytes,
    carriedCompose: plan.carriedCompose ?? null,
    services: manifest.services.map((service) => service.name),
    tasks: plan.tasks,
    backup: plan.backup,
    settings: planSettings(plan),
    findings,
  };
}

function describeLoad({ images, storedBytes, unpackedBytes }: LoadPlan, total: number): string {
  if (images.length === 0) return `all ${total} are here`;
  const sizes = `${formatBytes(storedBytes)}, ${formatBytes(unpackedBytes)} unpacked`;
  return `${images.length} of ${total} to load (${sizes})`;
}
