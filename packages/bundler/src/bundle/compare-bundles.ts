import type { BundleEntry, Manifest, Setting } from "@drybag/format";

/** What differs between two bundles of a stack, or of two. */
export interface BundleDifference {
  images: Changes<string>;
  /** Which of the settings' fields changed is not told: both are at hand. */
  settings: Changes<string>;
  /** Paths below `project/`. */
  files: Changes<string>;
  services: Changes<string>;
  /** Applications of an `apps.json` (Frappe): `url`, and the branch, tag or commit. */
  apps: { name: string; before?: string; after?: string }[];
  /** Layers of B that A does not have. */
  newLayers: { count: number; sizeBytes: number };
  layers: { count: number; sizeBytes: number };
}

export interface Changes<T> {
  added: T[];
  removed: T[];
  changed: T[];
}

/** What is compared of a bundle; a project that is not packed yet has no layers. */
export type Comparable = Pick<Manifest, "images" | "layers" | "settings" | "services" | "entries">;

/** Compares two manifests; the apps.json are for bundles whose images do not say what they were built from. */
export function compareBundles(
  before: Comparable,
  after: Comparable,
  apps: { before?: string; after?: string } = {},
): BundleDifference {
  const known = new Set(before.layers.map((layer) => layer.diffId));
  const fresh = after.layers.filter((layer) => !known.has(layer.diffId));
  return {
    images: changes(
      before.images,
      after.images,
      (image) => image.tag,
      (image) => image.configDigest,
    ),
    settings: changes(before.settings, after.settings, (setting) => setting.name, settingText),
    files: changes(projectFiles(before), projectFiles(after), (entry) => entry.path, entryText),
    services: changes(
      before.services,
      after.services,
      (service) => service.name,
      ({ image, profiles }) => JSON.stringify([image, profiles]),
    ),
    apps: compareApps(builtApps(before) ?? readApps(apps.before), builtApps(after) ?? readApps(apps.after)),
    newLayers: { count: fresh.length, sizeBytes: sumBytes(fresh) },
    layers: { count: after.layers.length, sizeBytes: sumBytes(after.layers) },
  };
}

function changes<T>(
  before: readonly T[],
  after: readonly T[],
  nameOf: (item: T) => string,
  contentOf: (item: T) => string,
): Changes<string> {
  const old = new Map(before.map((item) => [nameOf(item), contentOf(item)]));
  const now = new Map(after.map((item) => [nameOf(item), contentOf(item)]));
  return {
    added: [...now.keys()].filter((name) => !old.has(name)),
    removed: [...old.keys()].filter((name) => !now.has(name)),
    changed: [...now]
      .filter(([name, content]) => old.has(name) && old.get(name) !== content)
      .map(([name]) => name),
  };
}

function settingText(setting: Setting): string {
  return JSON.stringify(setting);
}

function projectFiles({ entries }: Pick<Manifest, "entries">): BundleEntry[] {
  return entries.filter((entry) => entry.path.startsWith("project/"));
}

function entryText(entry: BundleEntry): string {
  return entry.type === "file" ? `${entry.sha256} ${entry.mode}` : "folder";
}

function sumBytes(layers: readonly { sizeBytes: number }[]): number {
  return layers.reduce((sum, layer) => sum + layer.sizeBytes, 0);
}

/** What images were built from, where that is known. */
function builtApps({ images }: Comparable): Map<string, string> | undefined {
  const apps = images.flatMap(({ provenance }) => provenance.build?.apps ?? []);
  if (apps.length === 0) return undefined;
  return new Map(apps.map(({ name, ref, commit }) => [name, `${ref} ${commit.slice(0, 12)}`]));
}

/** Of an apps.json: name of each application, the last part of its address, and what was chosen of it. */
export function readApps(text: string | undefined): Map<string, string> {
  try {
    const apps = JSON.parse(text ?? "[]") as { url?: unknown; branch?: unknown }[];
    return new Map(
      apps.map((app) => [
        String(app.url)
          .replace(/\.git$/, "")
          .replace(/^.*[/:]/, ""),
        String(app.branch ?? ""),
      ]),
    );
  } catch {
    return new Map();
  }
}

function compareApps(before: Map<string, string>, after: Map<string, string>): BundleDifference["apps"] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names.flatMap((name) => {
    const [old, now] = [before.get(name), after.get(name)];
    if (old === now) return [];
    return { name, ...(old !== undefined && { before: old }), ...(now !== undefined && { after: now }) };
  });
}
