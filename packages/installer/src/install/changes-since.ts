import type { Manifest } from "@drybag/format";

/** Names of what a release has more, less, or otherwise than the one before. */
export interface Changes {
  added: string[];
  removed: string[];
  changed: string[];
}

export interface ReleaseChanges {
  images: Changes;
  services: Changes;
  files: Changes;
  settings: Changes;
}

/** What the contents of two releases differ in. Pure; values of settings are never compared. */
export function changesSince(before: Manifest, now: Manifest): ReleaseChanges {
  const of = <T>(list: (manifest: Manifest) => readonly T[], name: (item: T) => string) =>
    compare(byName(list(before), name), byName(list(now), name));
  return {
    images: of(
      ({ images }) => images.map(({ tag, configDigest }) => ({ tag, configDigest })),
      ({ tag }) => tag,
    ),
    services: of(
      ({ services }) => services,
      ({ name }) => name,
    ),
    files: of(
      ({ entries }) => entries.filter(({ path }) => !isOfImages(path)),
      ({ path }) => path,
    ),
    settings: of(
      ({ settings }) => settings,
      ({ name }) => name,
    ),
  };
}

function isOfImages(path: string): boolean {
  return path.startsWith("blobs/") || ["oci-layout", "index.json", "manifest.json"].includes(path);
}

function byName<T>(items: readonly T[], name: (item: T) => string): Map<string, string> {
  return new Map(items.map((item) => [name(item), JSON.stringify(item)]));
}

function compare(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): Changes {
  const names = [...now.keys()];
  return {
    added: names.filter((name) => !before.has(name)),
    removed: [...before.keys()].filter((name) => !now.has(name)),
    changed: names.filter((name) => before.has(name) && before.get(name) !== now.get(name)),
  };
}
