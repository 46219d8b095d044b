import type { Setting } from "@drybag/format";
import { type Changes, compareBundles } from "../bundle/compare-bundles.ts";
import { type ImageChange, pairImages } from "./pair-images.ts";
import type { ReleaseApp, ReleaseSide } from "./release-side.ts";

/** What changes for the people of a stack from one release to the next. */
export interface ReleaseNotes {
  before: ReleaseName;
  after: ReleaseName;
  apps: AppChange[];
  images: ImageChange[];
  services: Changes<string>;
  settings: { added: SettingNote[]; removed: SettingNote[]; changed: SettingChange[] };
  /** Paths within the project. */
  files: Changes<string>;
  /** What the technician carries; undefined for a project that is not packed yet. */
  size?: { bytes: number; newLayers: LayerSum; layers: LayerSum };
}

export type ReleaseName = Pick<ReleaseSide, "kind" | "name" | "version" | "id">;

interface LayerSum {
  count: number;
  sizeBytes: number;
}

export interface AppChange {
  name: string;
  before?: ReleaseApp;
  after?: ReleaseApp;
}

/** A setting as release notes tell it: of a secret never a value. */
export interface SettingNote {
  name: string;
  required: boolean;
  secret: boolean;
  default?: string;
  description?: string;
}

export interface SettingChange {
  name: string;
  before: SettingNote;
  after: SettingNote;
}

export function releaseNotes(before: ReleaseSide, after: ReleaseSide): ReleaseNotes {
  // Images and apps are told in more detail here; that a service runs another image is no second news.
  const plain = (side: ReleaseSide) => ({
    ...side,
    images: [],
    services: side.services.map((service) => ({ ...service, image: "" })),
  });
  const { services, files, settings, newLayers, layers } = compareBundles(plain(before), plain(after));
  const noteOf = (side: ReleaseSide, name: string) => settingNote(side, name, [before, after]);
  return {
    before: nameOf(before),
    after: nameOf(after),
    apps: changedApps(before.apps, after.apps),
    images: pairImages(before.images, after.images),
    services,
    settings: {
      added: settings.added.map((name) => noteOf(after, name)),
      removed: settings.removed.map((name) => noteOf(before, name)),
      changed: settings.changed.map((name) => ({
        name,
        before: noteOf(before, name),
        after: noteOf(after, name),
      })),
    },
    files: withoutPrefix(files),
    ...(after.sizeBytes !== undefined && { size: { bytes: after.sizeBytes, newLayers, layers } }),
  };
}

/** Whether nothing that people would notice is different. */
export function isUnchanged({ apps, images, services, settings, files }: ReleaseNotes): boolean {
  const isEmpty = ({ added, removed, changed }: Changes<unknown>) =>
    added.length + removed.length + changed.length === 0;
  return apps.length + images.length === 0 && [services, settings, files].every(isEmpty);
}

function nameOf({ kind, name, version, id }: ReleaseSide): ReleaseName {
  return { kind, name, ...(version !== undefined && { version }), ...(id !== undefined && { id }) };
}

function changedApps(before: readonly ReleaseApp[], after: readonly ReleaseApp[]): AppChange[] {
  // A repository is called `india-compliance`, the package in it `india_compliance`.
  const keyOf = ({ name }: ReleaseApp) => name.replaceAll("-", "_");
  const find = (apps: readonly ReleaseApp[], key: string) => apps.find((app) => keyOf(app) === key);
  const keys = [...new Set([...before, ...after].map(keyOf))].sort();
  return keys.flatMap((key) => {
    const [old, now] = [find(before, key), find(after, key)];
    if (old !== undefined && now !== undefined && isSameApp(old, now)) return [];
    return { name: (now ?? old)?.name ?? key, ...(old && { before: old }), ...(now && { after: now }) };
  });
}

/** A commit is known only of what was built; without it the ref has to do. */
function isSameApp(a: ReleaseApp, b: ReleaseApp): boolean {
  if (a.ref !== b.ref) return false;
  return a.commit === undefined || b.commit === undefined || a.commit === b.commit;
}

function settingNote(side: ReleaseSide, name: string, sides: readonly ReleaseSide[]): SettingNote {
  const find = ({ settings }: ReleaseSide): Setting | undefined =>
    settings.find((setting) => setting.name === name);
  const { required = false, default: value, description } = find(side) ?? {};
  // Secret now, it may have been written openly before: told neither then nor now.
  const secret = sides.some((each) => find(each)?.secret);
  return {
    name,
    required,
    secret,
    ...(value !== undefined && !secret && { default: value }),
    ...(description !== undefined && { description }),
  };
}

function withoutPrefix({ added, removed, changed }: Changes<string>): Changes<string> {
  const cut = (paths: readonly string[]) => paths.map((path) => path.replace(/^project\//, ""));
  return { added: cut(added), removed: cut(removed), changed: cut(changed) };
}
