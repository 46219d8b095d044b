import type { OpenedBundle } from "@drybag/format";
import { formatBytes, type RunContext } from "@drybag/terminal";
import { type BundleDifference, type Changes, compareBundles } from "./compare-bundles.ts";
import { openCarryFolder, tarSizeBytes } from "./open-carry-folder.ts";
import { readBundledApps } from "./read-bundled-apps.ts";

/** `drybag diff A B`: what a technician brings with B where A is. */
export async function diffCommand(
  context: RunContext,
  _flags: object,
  before: string,
  after: string,
): Promise<void> {
  const [a, b] = [await openCarryFolder(context, before), await openCarryFolder(context, after)];
  const [appsBefore, appsAfter] = [
    await readBundledApps(a, context.signal),
    await readBundledApps(b, context.signal),
  ];
  const difference = compareBundles(a.manifest, b.manifest, {
    ...(appsBefore !== undefined && { before: appsBefore }),
    ...(appsAfter !== undefined && { after: appsAfter }),
  });
  const sizeBytes = tarSizeBytes(b);
  if (context.json) {
    const side = ({ manifest, manifestSha256: id, signer }: OpenedBundle) => ({
      id,
      name: manifest.name,
      version: manifest.version,
      signer: signer ?? null,
    });
    context.stdout.write(
      `${JSON.stringify({ before: side(a), after: side(b), same: a.manifestSha256 === b.manifestSha256, sizeBytes, ...difference })}\n`,
    );
    return;
  }
  context.stdout.write(`${report(a, b, difference, sizeBytes).join("\n")}\n`);
}

function report(a: OpenedBundle, b: OpenedBundle, difference: BundleDifference, sizeBytes: number): string[] {
  const name = ({ manifest }: OpenedBundle) => `${manifest.name} ${manifest.version}`;
  if (a.manifestSha256 === b.manifestSha256) return [`${name(a)} and ${name(b)} are the same bundle.`];
  const { newLayers, layers } = difference;
  const who = ({ signer }: OpenedBundle) => signer?.fingerprint ?? "nobody";
  return [
    `${name(a)} -> ${name(b)}`,
    ...(who(a) === who(b) ? [] : [`  signed by ${who(a)} -> ${who(b)}`]),
    ...section("images", difference.images),
    ...section("services", difference.services),
    ...appLines(difference.apps),
    ...section("settings", difference.settings),
    ...section("files", difference.files),
    "",
    `The technician carries ${formatBytes(sizeBytes)}; new in it are ${newLayers.count} of ${layers.count} layers, ${formatBytes(newLayers.sizeBytes)}.`,
  ];
}

function section(title: string, { added, removed, changed }: Changes<string>): string[] {
  const lines = [
    ...added.map((name) => `  + ${name}`),
    ...removed.map((name) => `  - ${name}`),
    ...changed.map((name) => `  ~ ${name}`),
  ];
  return lines.length === 0 ? [] : [title, ...lines];
}

function appLines(apps: BundleDifference["apps"]): string[] {
  if (apps.length === 0) return [];
  return [
    "apps",
    ...apps.map(
      ({ name, before, after }) =>
        `  ~ ${printable(name)} ${printable(before ?? "(none)")} -> ${printable(after ?? "(none)")}`,
    ),
  ];
}

/** Out of a file of the project, which says what it likes. */
function printable(text: string): string {
  return text.slice(0, 100).replace(/[^\x20-\x7e]/g, "?");
}
