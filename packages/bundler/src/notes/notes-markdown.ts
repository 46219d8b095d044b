import { formatBytes } from "@drybag/terminal";
import type { Changes } from "../bundle/compare-bundles.ts";
import type { ImageChange, ImageState } from "./pair-images.ts";
import {
  type AppChange,
  isUnchanged,
  type ReleaseName,
  type ReleaseNotes,
  type SettingChange,
  type SettingNote,
} from "./release-notes.ts";
import type { ReleaseApp } from "./release-side.ts";

/** Release notes as Markdown, sections without content left out. */
export function notesMarkdown(notes: ReleaseNotes): string {
  const { before, after, apps, images, services, settings, files, size } = notes;
  const title =
    before.name === after.name ? text(after.name) : `${text(after.name)}, from ${text(before.name)}`;
  const blocks = [
    `# ${title} ${text(after.version ?? (after.kind === "project" ? "(not packed yet)" : ""))}`.trimEnd(),
    `Changes since ${releaseText(before)}.`,
    ...section("Apps", apps.length === 0 ? [] : appTable(apps)),
    ...section("Images", images.length === 0 ? [] : imageTable(images)),
    ...section("Services", listLines(services)),
    ...section("Settings", settingLines(withoutTags(settings, images))),
    ...section("Files", listLines(files)),
    ...(isUnchanged(notes) ? ["Nothing has changed."] : []),
  ];
  if (size !== undefined) {
    const { bytes, newLayers, layers } = size;
    blocks.push(
      "## Size",
      `The bundle has ${formatBytes(bytes)}. New in it are ${newLayers.count} of ${layers.count} layers, ${formatBytes(newLayers.sizeBytes)}.`,
    );
  }
  return `${blocks.join("\n\n")}\n`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`## ${title}`, lines.join("\n")];
}

function releaseText({ version, id }: ReleaseName): string {
  return [version === undefined ? "the project as it was" : text(version), id && `(\`${id.slice(0, 12)}\`)`]
    .filter(Boolean)
    .join(" ");
}

function appTable(apps: readonly AppChange[]): string[] {
  const cell = (app: ReleaseApp | undefined) =>
    app === undefined
      ? "-"
      : [code(app.ref), app.version && `(${text(app.version)})`, app.commit && code(app.commit.slice(0, 12))]
          .filter(Boolean)
          .join(" ");
  return markdownTable(
    ["App", "Before", "Now"],
    apps.map(({ name, before, after }) => [text(name), cell(before), cell(after)]),
  );
}

function imageTable(images: readonly ImageChange[]): string[] {
  const cell = (image: ImageState | undefined) => {
    if (image === undefined) return "-";
    const digest = image.digest?.replace(/^sha256:/, "").slice(0, 12);
    return [code(image.tag), digest && code(digest)].filter(Boolean).join(" ");
  };
  return markdownTable(
    ["Image", "Before", "Now"],
    images.map(({ repository, before, after }) => [code(repository), cell(before), cell(after)]),
  );
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}

function listLines({ added, removed, changed }: Changes<string>): string[] {
  return [
    ...added.map((name) => `- added: ${code(name)}`),
    ...removed.map((name) => `- removed: ${code(name)}`),
    ...changed.map((name) => `- changed: ${code(name)}`),
  ];
}

/** What only says the tag of an image stands under the images already. */
function withoutTags(
  settings: ReleaseNotes["settings"],
  images: readonly ImageChange[],
): ReleaseNotes["settings"] {
  const isTag = ({ before, after }: SettingChange) =>
    images.some((image) => image.before?.tag === before.default && image.after?.tag === after.default);
  return { ...settings, changed: settings.changed.filter((change) => !isTag(change)) };
}

function settingLines({ added, removed, changed }: ReleaseNotes["settings"]): string[] {
  return [
    ...added.map((setting) => `- added: ${code(setting.name)}${qualities(setting)}${described(setting)}`),
    ...removed.map((setting) => `- removed: ${code(setting.name)}`),
    ...changed.map((setting) => `- changed: ${code(setting.name)}, ${changeText(setting)}`),
  ];
}

function qualities({ required, secret, default: value }: SettingNote): string {
  const told = [
    required && "required",
    secret && "secret",
    value !== undefined && value !== "" && `default ${code(value)}`,
  ].filter(Boolean);
  return told.length === 0 ? "" : `, ${told.join(", ")}`;
}

function described({ description }: SettingNote): string {
  return description === undefined ? "" : `: ${text(description)}`;
}

function changeText({ before, after }: SettingChange): string {
  const told = [
    before.default !== after.default && `default ${valueText(before)} -> ${valueText(after)}`,
    before.required !== after.required && (after.required ? "now required" : "no longer required"),
    !before.secret && after.secret && "now a secret",
  ].filter(Boolean);
  return told.length === 0 ? "described differently" : told.join(", ");
}

function valueText({ default: value, secret }: SettingNote): string {
  if (secret) return "(secret)";
  return value === undefined ? "(none)" : code(value);
}

const LONGEST_TEXT = 200;

/** What files and registries say, as plain text: nothing in it can end a cell, a line or a code span, or steer a terminal. */
function printable(said: string): string {
  const short = said.length > LONGEST_TEXT ? `${said.slice(0, LONGEST_TEXT)}...` : said;
  return short.toWellFormed().replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ");
}

function text(said: string): string {
  return printable(said).replace(/[\\`*[\]<>|#]/g, "\\$&");
}

function code(said: string): string {
  return `\`${printable(said).replaceAll("`", "'").replaceAll("|", "\\|")}\``;
}
