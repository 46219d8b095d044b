import { isDrybagError } from "@drybag/errors";
import { describe, expect, test } from "vitest";
import type { Manifest } from "./manifest.ts";
import { canonicalJson } from "./parse-json.ts";
import { parseManifest, serializeManifest } from "./parse-manifest.ts";
import { sha256Hex } from "./sha256.ts";
import { tinyBundle } from "./testing/tiny-bundle.ts";

test("reads what it writes, and writes the same bytes again", () => {
  const { manifest } = tinyBundle();
  const bytes = serializeManifest(manifest);
  expect(parseManifest(bytes)).toEqual(manifest);
  expect(serializeManifest(parseManifest(bytes))).toEqual(bytes);
});

test("writes the same bytes whatever the order of keys, and leaves out what is not a field", () => {
  const { manifest } = tinyBundle();
  const shuffled = Object.fromEntries(Object.entries(manifest).reverse()) as unknown as Manifest;
  const more = { ...shuffled, platform: { architecture: "amd64", os: "linux", more: 1 }, more: true };
  expect(serializeManifest(more)).toEqual(serializeManifest(manifest));
});

test("golden: the bytes of a tiny manifest", () => {
  expect(sha256Hex(serializeManifest(tinyBundle().manifest))).toMatchInlineSnapshot(
    `"f3708768562c44eed113eebe5a41c22c386f74470473dd44e710a037df794876"`,
  );
});

test("reads what a setting has to look like, and what runs once", () => {
  const changed = parsed((it) => {
    Object.assign(it.settings[0], { type: "choice", choices: ["80", "8080"], pattern: "[0-9]+" });
    it.services[0].oneShot = true;
  });
  expect(changed.settings[0]).toMatchObject({ type: "choice", choices: ["80", "8080"], pattern: "[0-9]+" });
  expect(changed.services[0]).toMatchObject({ oneShot: true });
});

// biome-ignore lint/suspicious/noExplicitAny: tests write what the types forbid.
type Broken = any;

function parsed(change: (manifest: Broken) => void): Manifest {
  const manifest = structuredClone(tinyBundle().manifest);
  change(manifest);
  return parseManifest(Buffer.from(canonicalJson(manifest)));
}

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (isDrybagError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "not refused";
}

describe("what a newer version wrote", () => {
  test("is read if nothing unknown is critical", () => {
    const manifest = parsed((it) => {
      it.rehearsal = { passed: true };
      it.images[0].base = "debian";
    });
    expect(manifest).toEqual(tinyBundle().manifest);
  });

  test("may have more entries in extra/", () => {
    const extra = {
      type: "file",
      path: "extra/sbom.json",
      sizeBytes: 1,
      sha256: "0".repeat(64),
      mode: 0o644,
    };
    const at = tinyBundle().manifest.entries.findIndex((entry) => entry.path === "oci-layout");
    expect(parsed((it) => it.entries.splice(at, 0, extra)).entries[at]).toEqual(extra);
  });

  test("is refused if its format is newer, however it is written", () => {
    const newer = Buffer.from('{"format":"drybag","formatVersion":2,"critical":0}');
    expect(refusal(() => parseManifest(newer))).toMatch(/^bundle-too-new: .*format version 2/);
  });

  test("is refused if a field is critical that this version does not know", () => {
    const refused = refusal(() =>
      parsed((it) => {
        it.critical = ["base"];
        it.base = "sha256:…";
        it.layers = 7;
      }),
    );
    expect(refused).toMatch(/^bundle-too-new: .*"base"/);
  });
});

describe("bytes that are no manifest", () => {
  const good = () => serializeManifest(tinyBundle().manifest).toString();
  test.each<[string, () => Buffer | string, string?]>([
    ["empty", () => ""],
    ["not JSON", () => "hello"],
    ["cut", () => good().slice(0, -10)],
    ["another value", () => "[]\n"],
    ["null", () => "null\n"],
    ["not UTF-8", () => Buffer.concat([Buffer.from(good()), Buffer.from([0xff])])],
    ["a byte order mark", () => `\ufeff${good()}`],
    ["a key twice", () => good().replace('"name": "tiny",', '"name": "evil",\n  "name": "tiny",')],
    ["an escape that is not needed", () => good().replace('"tiny"', '"\\u0074iny"')],
    ["another way to write a number", () => good().replace('"formatVersion": 1', '"formatVersion": 1.0')],
    ["spaces", () => good().replace("  ", " ")],
    ["no newline at the end", () => good().trimEnd()],
    ["something behind the end", () => `${good()}\n`],
    ["deep nesting", () => "[".repeat(10_000_000)],
    ["deep nesting, closed", () => `${"[".repeat(100_000)}${"]".repeat(100_000)}`],
    ["very many values", () => `[${"{},".repeat(10_000_000)}{}]`],
    ["an open string", () => `"${"\\".repeat(1_000_001)}`],
    ["65 MiB", () => Buffer.alloc(65 * 1024 ** 2, " "), "manifest-too-large"],
  ])("%s", (_, bytes, code = "manifest-invalid") => {
    const made = Buffer.from(bytes());
    const started = performance.now();
    expect(refusal(() => parseManifest(made))).toMatch(new RegExp(`^${code}: drybag\\.json `));
    expect(performance.now() - started).toBeLessThan(30_000);
  });
});

describe("fields", () => {
  test("none may be missing, anywhere, and none may have another type", () => {
    const { manifest } = tinyBundle();
    const optional = ["settings.0.default", "settings.0.description"];
    let tried = 0;
    for (const path of leaves(manifest)) {
      for (const wrong of [undefined, null, [[]], { a: 1 }, -1, 0.5, 1e300, "\u0000", true]) {
        const name = path.join(".");
        if (wrong === undefined && (optional.includes(name) || isItem(path))) continue;
        if (wrong === true && /\.(required|secret)$/.test(name)) continue;
        const refused = refusal(() => parsed((it) => put(it, path, wrong)));
        expect(refused, `${name} = ${JSON.stringify(wrong)}`).toMatch(/^(manifest-invalid|bundle-too-new): /);
        tried++;
      }
    }
    expect(tried).toBeGreaterThan(1_000);
  });

  test.each<[string, (it: Broken) => void, RegExp]>([
    ["format", (it) => (it.format = "zip"), /format must be "drybag"/],
    ["version 0", (it) => (it.formatVersion = 0), /formatVersion must be 1/],
    [
      "critical, not there",
      (it) => Object.assign(it, { critical: ["entries"], entries: undefined }),
      /not there/,
    ],
    ["name", (it) => (it.name = "../up"), /name must be a Compose project name/],
    ["version with a slash", (it) => (it.version = "1/2"), /^manifest-invalid: drybag.json version must be/],
    [
      "escape sequences",
      (it) => (it.settings[0].default = "\u001b[2J"),
      /settings\[0\]\.default has control/,
    ],
    [
      "a description of two lines",
      (it) => (it.settings[0].description = "Port\nsigned by SHA256:you-know-whom"),
      /settings\[0\]\.description must be one line of visible text/,
    ],
    [
      "a description that turns text around",
      (it) => (it.settings[0].description = "\u202etxt.exe"),
      /settings\[0\]\.description must be one line of visible text/,
    ],
    ["a generator of two lines", (it) => (it.generator.name = "a\nb"), /generator\.name must be one line/],
    [
      "a generator without a name",
      (it) => (it.generator.name = ""),
      /generator\.name must be one line of 200/,
    ],
    ["a setting's type", (it) => (it.settings[0].type = "colour"), /settings\[0\]\.type must be/],
    ["a choice of nothing", (it) => (it.settings[0].type = "choice"), /settings\[0\]\.choices must be there/],
    ["choices of a port", (it) => (it.settings[0].choices = ["80"]), /settings\[0\]\.choices must be there/],
    ["bounds of a text", (it) => (it.settings[0].minimum = 1), /settings\[0\]\.minimum must not be there/],
    [
      "bounds the wrong way round",
      (it) => Object.assign(it.settings[0], { type: "port", minimum: 9, maximum: 1 }),
      /settings\[0\]\.minimum must not be larger/,
    ],
    ["a setting's pattern", (it) => (it.settings[0].pattern = "("), /pattern must be a regular expression/],
    ["a service that is no one-shot", (it) => (it.services[0].oneShot = false), /oneShot must be true/],
    ["a setting's name", (it) => (it.settings[0].name = "A=B"), /settings\[0\]\.name must be/],
    ["a tag by digest", (it) => (it.images[0].tag = `a@${it.images[0].configDigest}`), /must be name:tag/],
    ["a tag without a tag", (it) => (it.images[0].tag = "redis"), /must be name:tag/],
    ["a tag in full", (it) => (it.images[0].tag = "docker.io/library/redis:1"), /must be name:tag/],
    ["a digest in upper case", (it) => (it.layers[0].digest = it.layers[0].digest.toUpperCase()), /sha256:/],
    ["an unknown media type", (it) => (it.layers[0].mediaType = "text/plain"), /mediaType must be/],
    ["a mode", (it) => (it.entries[0].mode = 0o4755), /entries\[0\]\.mode must be 420 or 493/],
    ["a type", (it) => (it.entries[0].type = "symlink"), /entries\[0\]\.type must be "file" or "directory"/],
  ])("%s", (_, change, message) => {
    expect(refusal(() => parsed(change))).toMatch(message);
  });
});

describe("paths", () => {
  test.each([
    ["/etc/passwd", "is absolute"],
    ["project/../../etc/passwd", "climbs"],
    ["..", "climbs"],
    ["project/./a", 'has a "."'],
    ["project//a", "has an empty segment"],
    ["", "is empty"],
    ["project\\a", "has a backslash"],
    ["project/a\nb", "has control characters"],
    ["project/a\u0000b", "has control characters"],
    ["project/a\u202egnp.exe", "has control characters"],
    [`project/${"a".repeat(256)}`, "has a segment longer than 255 bytes"],
    [`project/${"ä".repeat(128)}`, "has a segment longer than 255 bytes"],
    [`project/${"a/".repeat(2100)}b`, "is longer than 4096 bytes"],
    ["project/a/", "must not end with a slash"],
    ["elsewhere/a", "has no place in a bundle"],
    ["drybag.json", "has no place in a bundle"],
    ["repositories", "has no place in a bundle"],
    ["projects/a", "has no place in a bundle"],
    ["blobs/sha512/ab", "has no place in a bundle"],
  ])("$1", (path, problem) => {
    const refused = refusal(() => parsed((it) => (it.entries[0].path = path)));
    expect(refused).toMatch(/^manifest-invalid: /);
    expect(refused).toContain(problem);
  });
});

describe("what the fields say together", () => {
  const addOfflineEnv = (it: Broken, ...envFiles: string[]) => {
    it.entries.splice(byPath(it, "compose.offline.yaml") + 1, 0, file("compose.offline.env"));
    it.project.envFiles = envFiles;
  };

  test("values taken from the environment when packing are the last env file", () => {
    const last = parsed((it) => addOfflineEnv(it, "project/.env", "compose.offline.env"));
    expect(last.project.envFiles).toEqual(["project/.env", "compose.offline.env"]);
  });

  const byPath = (it: Manifest, path: string) => it.entries.findIndex((entry) => entry.path === path);
  const blob = (it: Manifest, digest = "") => byPath(it, `blobs/sha256/${digest.slice(7)}`);

  test.each<[string, (it: Broken) => void, RegExp]>([
    ["an entry twice", (it) => it.entries.splice(1, 0, it.entries[0]), /path project\/\.env twice/],
    ["a tag twice", (it) => it.images.push(it.images[0]), /tag tiny\/web:latest twice/],
    ["a layer twice", (it) => it.layers.push(it.layers[0]), /diffID .* twice/],
    ["a service twice", (it) => it.services.push(it.services[0]), /name web twice/],
    ["a setting twice", (it) => it.settings.push(it.settings[0]), /name PORT twice/],
    [
      "project files out of order",
      (it) => it.entries.splice(0, 2, it.entries[1], it.entries[0]),
      /out of order/,
    ],
    ["groups out of order", (it) => it.entries.unshift(it.entries.pop()), /out of order/],
    ["no Compose file", (it) => (it.project.composeFiles = []), /composeFiles is empty/],
    ["a Compose file not carried", (it) => (it.project.composeFiles = ["project/x.yaml"]), /not in entries/],
    [
      "a Compose file elsewhere",
      (it) => (it.project.composeFiles = ["index.json"]),
      /does not lie in project/,
    ],
    ["an env file not carried", (it) => (it.project.envFiles = ["project/x.env"]), /not in entries/],
    [
      "our env file not last",
      (it) => addOfflineEnv(it, "compose.offline.env", "project/.env"),
      /does not lie in/,
    ],
    ["our env file not used", (it) => addOfflineEnv(it, "project/.env"), /or in neither/],
    ["our env file not there", (it) => it.project.envFiles.push("compose.offline.env"), /or in neither/],
    [
      "our env file as Compose file",
      (it) => (it.project.composeFiles = ["compose.offline.env"]),
      /does not lie in/,
    ],
    ["an env file twice", (it) => it.project.envFiles.push("project/.env"), /envFiles has a file twice/],
    ["a folder as env file", (it) => (it.project.envFiles = ["project/data/"]), /not in entries/],
    ["a project folder elsewhere", (it) => (it.project.directory = "projects"), /must be "project" or/],
    ["a project folder not carried", (it) => (it.project.directory = "project/x"), /is not in entries/],
    [
      "no offline file",
      (it) => it.entries.splice(byPath(it, "compose.offline.yaml"), 1),
      /lacks compose.offline/,
    ],
    ["no index", (it) => it.entries.splice(byPath(it, "index.json"), 1), /lacks index.json/],
    [
      "a service without its image",
      (it) => (it.services[0].image = "x:1"),
      /runs x:1, which is not in images/,
    ],
    ["an image without its layer", (it) => it.layers.shift(), /which is not in layers/],
    ["a layer of no image", (it) => (it.images[0].diffIds.length = 1), /but its layers have/],
    ["a size of an image", (it) => it.images[0].sizeBytes++, /but its layers have/],
    ["layers in another order", (it) => it.layers.reverse(), /must have blobs/],
    ["a layer's blob missing", (it) => it.entries.pop(), /must have blobs.* at the end/],
    [
      "a config missing",
      (it) => it.entries.splice(blob(it, it.images[0].configDigest), 1),
      /must have blobs/,
    ],
    [
      "a blob of nobody",
      (it) => it.entries.push({ ...it.entries.at(-1), path: `blobs/sha256/${"0".repeat(64)}` }),
      /which no image needs/,
    ],
    [
      "a blob with another digest",
      (it) => (it.entries.at(-1).sha256 = "0".repeat(64)),
      /with another sha256/,
    ],
    ["a layer with another size", (it) => it.entries.at(-1).sizeBytes++, /bytes, layers with/],
    ["a compressed layer said not to be", (it) => (it.layers[0].mediaType = NONE), /is not compressed/],
    [
      "an index of other images",
      (it) => (it.entries[byPath(it, "index.json")].sha256 = ZERO),
      /does not follow/,
    ],
    ["another tag than in the index", (it) => retag(it, "tiny/web:other"), /index.json with a content/],
    [
      "another layer order of an image",
      (it) => it.images[0].diffIds.reverse(),
      /manifest that does not follow/,
    ],
    ["a blob as a program", (it) => (it.entries.at(-1).mode = 0o755), /mode of a program/],
    ["a folder among the blobs", (it) => it.entries.push(folder("blobs/sha256/a/")), /has the folder/],
    ["the project as an empty folder", (it) => it.entries.unshift(folder("project/")), /has the folder/],
    [
      "a file in an empty folder",
      (it) => it.entries.splice(0, 0, folder("project/.a/"), file("project/.a/b")),
      /below/,
    ],
    ["a file in a file", (it) => it.entries.splice(1, 0, file("project/.env/b")), /below/],
    [
      "a file as a folder",
      (it) => it.entries.splice(1, 0, folder("project/.env/")),
      /file and a folder at once/,
    ],
  ])("%s", (_, change, message) => {
    const refused = refusal(() => parsed(change));
    expect(refused).toMatch(/^manifest-invalid: /);
    expect(refused).toMatch(message);
  });

  const ZERO = "0".repeat(64);
  const NONE = "application/vnd.oci.image.layer.v1.tar";
  const folder = (path: string) => ({ type: "directory", path, mode: 0o755 });
  const file = (path: string) => ({ type: "file", path, sizeBytes: 0, sha256: ZERO, mode: 0o644 });
  const retag = (it: Broken, tag: string) => {
    it.images[0].tag = tag;
    it.services[0].image = tag;
  };
});

type Path = (string | number)[];

/** Paths of all values in an object, inner ones too. */
function leaves(value: unknown, path: Path = []): Path[] {
  const inner = typeof value === "object" && value !== null ? Object.entries(value) : [];
  const keys = inner.flatMap(([key, item]) =>
    leaves(item, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  return path.length === 0 ? keys : [path, ...keys];
}

/** Whether it is a whole item of a list: a list may be shorter as far as types go. */
function isItem(path: Path): boolean {
  return typeof path.at(-1) === "number";
}

function put(target: Broken, path: Path, value: unknown): void {
  const last = path.at(-1) as string | number;
  const parent = path.slice(0, -1).reduce((at: Broken, key) => at[key], target);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
}
