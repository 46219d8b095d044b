import type { Setting } from "@drybag/format";
import { describe, expect, test } from "vitest";
import { notesMarkdown } from "./notes-markdown.ts";
import { pairImages } from "./pair-images.ts";
import { releaseNotes } from "./release-notes.ts";
import type { ReleaseImage, ReleaseSide } from "./release-side.ts";

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;

function image(tag: string, letter: string): ReleaseImage {
  return { tag, configDigest: digest(letter), diffIds: [digest(letter)], repoDigests: [] };
}

function side(values: Partial<ReleaseSide>): ReleaseSide {
  return {
    kind: "bundle",
    name: "erp",
    ...{ images: [], apps: [], settings: [], services: [], entries: [], layers: [] },
    ...values,
  };
}

function setting(name: string, values: Partial<Setting> = {}): Setting {
  return { name, required: false, secret: false, ...values };
}

function file(path: string, letter: string) {
  return { type: "file" as const, path, sizeBytes: 1, sha256: letter.repeat(64), mode: 0o644 };
}

const before = side({
  version: "20251118-4c860c6",
  id: "1".repeat(64),
  images: [image("redis:8.6-alpine", "a"), image("mariadb:11.8", "b"), image("old:1", "c")],
  apps: [
    { name: "erpnext", ref: "v16.32.3", commit: "e".repeat(40), version: "16.32.3" },
    { name: "hrms", ref: "v16.1.0" },
  ],
  settings: [setting("PORT", { default: "8080" }), setting("GONE"), setting("TOKEN", { default: "open" })],
  entries: [file("project/compose.yaml", "a"), file("project/gone.conf", "a"), file("blobs/sha256/x", "a")],
});
const after = side({
  version: "20251120-abc1234",
  id: "2".repeat(64),
  images: [image("redis:8.8-alpine", "d"), image("mariadb:11.8", "e"), image("ghcr.io/a/new:1", "f")],
  apps: [
    { name: "erpnext", ref: "v16.33.0", commit: "f".repeat(40), version: "16.33.0" },
    { name: "hrms", ref: "v16.1.0", commit: "a".repeat(40) },
    { name: "india_compliance", ref: "v16.0.1" },
  ],
  settings: [
    setting("PORT", { default: "9090", required: true }),
    setting("DB_PASSWORD", { secret: true, required: true, description: "Of the *database*" }),
    setting("TOKEN", { secret: true }),
  ],
  entries: [file("project/compose.yaml", "b"), file("project/new.conf", "a")],
  layers: [
    {
      diffId: digest("d"),
      digest: digest("d"),
      mediaType: "x",
      sizeBytes: 2_000_000,
      uncompressedSizeBytes: 4_000_000,
    },
  ],
  sizeBytes: 3_000_000,
});

test("golden: release notes from one bundle to the next", () => {
  expect(notesMarkdown(releaseNotes(before, after))).toMatchInlineSnapshot(`
    "# erp 20251120-abc1234

    Changes since 20251118-4c860c6 (\`111111111111\`).

    ## Apps

    | App | Before | Now |
    | --- | --- | --- |
    | erpnext | \`v16.32.3\` (16.32.3) \`eeeeeeeeeeee\` | \`v16.33.0\` (16.33.0) \`ffffffffffff\` |
    | india_compliance | - | \`v16.0.1\` |

    ## Images

    | Image | Before | Now |
    | --- | --- | --- |
    | \`ghcr.io/a/new\` | - | \`1\` \`ffffffffffff\` |
    | \`mariadb\` | \`11.8\` \`bbbbbbbbbbbb\` | \`11.8\` \`eeeeeeeeeeee\` |
    | \`old\` | \`1\` \`cccccccccccc\` | - |
    | \`redis\` | \`8.6-alpine\` \`aaaaaaaaaaaa\` | \`8.8-alpine\` \`dddddddddddd\` |

    ## Settings

    - added: \`DB_PASSWORD\`, required, secret: Of the \\*database\\*
    - removed: \`GONE\`
    - changed: \`PORT\`, default \`8080\` -> \`9090\`, now required
    - changed: \`TOKEN\`, described differently

    ## Files

    - added: \`new.conf\`
    - removed: \`gone.conf\`
    - changed: \`compose.yaml\`

    ## Size

    The bundle has 2.9 MiB. New in it are 1 of 1 layers, 1.9 MiB.
    "
  `);
});

test("what one piece of news brings along is told once", () => {
  const service = (image: string) => ({ name: "web", image, profiles: [] });
  const old = side({
    images: [image("erp:1", "a")],
    services: [service("erp:1")],
    apps: [{ name: "india_compliance", ref: "v1", commit: "a".repeat(40) }],
    settings: [setting("CUSTOM_TAG", { default: "1" }), setting("PORT", { default: "1" })],
  });
  const now = side({
    images: [image("erp:2", "b")],
    services: [service("erp:2")],
    apps: [{ name: "india-compliance", ref: "v1" }],
    settings: [setting("CUSTOM_TAG", { default: "2" }), setting("PORT", { default: "3" })],
  });
  const markdown = notesMarkdown(releaseNotes(old, now));
  expect(markdown).toContain("| `erp` | `1` ");
  expect(markdown).toContain("`PORT`");
  for (const word of ["Services", "Apps", "CUSTOM_TAG"]) expect(markdown).not.toContain(word);
});

test("a secret's value is told by neither side", () => {
  expect(JSON.stringify(releaseNotes(before, after))).not.toContain("open");
  expect(JSON.stringify(releaseNotes(after, before))).not.toContain("open");
});

test("nothing but the version: says so", () => {
  const notes = releaseNotes(before, { ...before, version: "2" });
  expect(notesMarkdown(notes)).toContain("Nothing has changed.");
});

test("a project has no size, and no version where there is no git", () => {
  const { sizeBytes: _, version: __, id: ___, ...rest } = after;
  const notes = releaseNotes(before, { ...rest, kind: "project", layers: [] });
  expect(notes.size).toBeUndefined();
  expect(notesMarkdown(notes)).toMatch(/^# erp \(not packed yet\)\n\nChanges since 20251118-4c860c6/);
});

test("what a file says cannot leave its cell or its line", () => {
  const apps = [{ name: "a|b`\n# c", ref: "v1`|\u001b[2J" }];
  const markdown = notesMarkdown(releaseNotes(side({}), side({ apps })));
  expect(markdown).toContain("| a\\|b\\` \\# c | - | `v1'\\| [2J` |");
});

describe("images of one repository belong together:", () => {
  const known = (tag: string, repoDigest: string, layer = "a"): ReleaseImage => ({
    tag,
    repoDigests: [`x@${digest(repoDigest)}`],
    diffIds: [digest(layer)],
  });
  test.each<[string, ReleaseImage[], ReleaseImage[], number]>([
    ["the same bundle image", [image("a:1", "a")], [image("a:1", "a")], 0],
    ["rebuilt under its tag", [image("a:1", "a")], [image("a:1", "b")], 1],
    ["pulled anew, same digest", [image("a:1", "a"), known("b:1", "a", "b")], [known("b:1", "a", "c")], 1],
    ["not on the engine", [image("a:1", "a")], [{ tag: "a:1", repoDigests: [] }], 0],
    ["other layers on the engine", [image("a:1", "b")], [known("a:1", "c", "a")], 1],
    [
      "two tags of which one moved",
      [image("a:1", "a"), image("a:2", "b")],
      [image("a:2", "b"), image("a:3", "c")],
      1,
    ],
    ["a registry with a port", [image("localhost:5000/a:1", "a")], [image("localhost:5000/a:2", "a")], 1],
  ])("%s", (_title, old, now, count) => {
    expect(pairImages(old, now)).toHaveLength(count);
  });
});
