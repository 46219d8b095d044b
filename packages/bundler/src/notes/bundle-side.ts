import type { Manifest, OpenedBundle } from "@drybag/format";
import { readApps } from "../bundle/compare-bundles.ts";
import { tarSizeBytes } from "../bundle/open-carry-folder.ts";
import { readBundledApps } from "../bundle/read-bundled-apps.ts";
import type { ReleaseApp, ReleaseSide } from "./release-side.ts";

/** A bundle as one side of release notes. */
export async function bundleSide(bundle: OpenedBundle, signal: AbortSignal): Promise<ReleaseSide> {
  const { manifest, manifestSha256: id } = bundle;
  const { name, version, services, settings, entries, layers } = manifest;
  return {
    kind: "bundle",
    ...{ name, version, id, services, settings, entries, layers },
    images: manifest.images.map(({ tag, configDigest, diffIds, provenance }) => ({
      tag,
      configDigest,
      diffIds,
      repoDigests: provenance.repoDigests,
    })),
    apps: builtApps(manifest) ?? appsOf(await readBundledApps(bundle, signal)),
    sizeBytes: tarSizeBytes(bundle),
  };
}

/** What the images were built from; undefined where that is not known. */
function builtApps({ images }: Manifest): ReleaseApp[] | undefined {
  const apps = images.flatMap(({ provenance }) => provenance.build?.apps ?? []);
  if (apps.length === 0) return undefined;
  const byName = apps.map(({ name, ref, commit, version }) => {
    return [name, { name, ref, commit, ...(version !== undefined && { version }) }] as const;
  });
  return [...new Map(byName).values()];
}

/** The applications that an apps.json asks for. */
export function appsOf(text: string | undefined): ReleaseApp[] {
  return [...readApps(text)].map(([name, ref]) => ({ name, ref }));
}
