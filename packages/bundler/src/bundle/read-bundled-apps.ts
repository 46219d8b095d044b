import { buffer } from "node:stream/consumers";
import { type OpenedBundle, readBundle } from "@drybag/format";

const LARGEST_APPS_BYTES = 1024 ** 2;

/** The text of the apps.json that a bundle carries, if it does. Reading stops behind it. */
export async function readBundledApps(
  bundle: OpenedBundle,
  signal: AbortSignal,
): Promise<string | undefined> {
  const listed = bundle.manifest.entries.find((entry) => /^project\/(.*\/)?apps\.json$/.test(entry.path));
  if (listed?.type !== "file" || listed.sizeBytes > LARGEST_APPS_BYTES) return undefined;
  for await (const { entry, body } of readBundle(bundle, { signal })) {
    if (entry.path === listed.path) return (await buffer(body)).toString();
    body.destroy();
  }
  return undefined;
}
