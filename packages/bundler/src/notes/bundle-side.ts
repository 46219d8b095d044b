import type { OpenedBundle } from "@drybag/format";
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
    apps: appsOf(await readBundledApps(bundle, signal)),
    sizeBytes: tarSizeBytes(bundle),
  };
}

/** The applications that an apps.json asks for. */
export function appsOf(text: string | undefined): ReleaseApp[] {
  return [...readApps(text)].map(([name, ref]) => ({ name, ref }));
}
