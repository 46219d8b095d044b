import { DrybagError } from "@drybag/errors";
import { entryPathProblem } from "./entry-path.ts";
import { normalizeReference } from "./image-reference.ts";
import { JsonValue } from "./json-value.ts";
import {
  type BundledImage,
  type BundledLayer,
  type BundledProject,
  type BundledService,
  type BundleEntry,
  type CarriedCompose,
  type Manifest,
  type Platform,
  SETTING_TYPES,
  type Setting,
} from "./manifest.ts";
import { manifestProblem } from "./manifest-rules.ts";
import { FORMAT_VERSION, LAYER_MEDIA_TYPES, MANIFEST_ENTRY, MAX_MANIFEST_BYTES } from "./names.ts";
import { readBuildProvenance } from "./parse-build.ts";
import { canonicalJson, isCanonicalJson, parseJson } from "./parse-json.ts";
import { notEmpty, readBackupRules, readCheck, readTask } from "./parse-tasks.ts";

/**
 * Reads `drybag.json`, trusting nothing: every field's type and form, and that all of them agree with each other.
 * Throws manifest-invalid, or bundle-too-new where only a newer program can know what the bundle means.
 */
export function parseManifest(bytes: Uint8Array): Manifest {
  if (bytes.length > MAX_MANIFEST_BYTES)
    throw new DrybagError(
      "manifest-too-large",
      `${MANIFEST_ENTRY} is larger than ${MAX_MANIFEST_BYTES} bytes.`,
    );
  const json = parseJson(bytes);
  if ("problem" in json) throw invalid(json.problem);

  const root = new JsonValue(json.value, "", (place, reason) => {
    throw invalid(`${place === "" ? "" : `${place} `}${reason}`);
  });
  refuseNewerFormat(root);
  if (!isCanonicalJson(json.text, json.value)) {
    throw invalid("is not written as the format wants it: two spaces, no key twice, one newline at the end");
  }

  const manifest = readManifest(root);
  const problem = manifestProblem(manifest);
  if (problem !== undefined) throw invalid(problem);
  return manifest;
}

/** Writes a manifest: always the same bytes for the same content. Fields unknown to the type are left out. */
export function serializeManifest(manifest: Manifest): Buffer {
  // Reading a field names it once, in the order of writing, for both directions.
  const root = new JsonValue(manifest, "", (place, reason) => {
    throw invalid(`${place} ${reason}`);
  });
  return Buffer.from(canonicalJson(readManifest(root)));
}

/** What is wrong may quote what the manifest says, which may be very long. */
const MAX_REASON_LENGTH = 500;

function invalid(reason: string): DrybagError {
  const half = MAX_REASON_LENGTH / 2;
  const shown =
    reason.length > MAX_REASON_LENGTH ? `${reason.slice(0, half)}…${reason.slice(-half)}` : reason;
  return new DrybagError("manifest-invalid", `${MANIFEST_ENTRY} ${shown}`);
}

const KNOWN_FIELDS: Record<keyof Manifest, true> = {
  format: true,
  formatVersion: true,
  critical: true,
  name: true,
  version: true,
  platform: true,
  generator: true,
  requires: true,
  compose: true,
  project: true,
  services: true,
  images: true,
  layers: true,
  settings: true,
  tasks: true,
  checks: true,
  backup: true,
  entries: true,
};

/** Before all else: in a newer format, other fields may mean other things. */
function refuseNewerFormat(root: JsonValue): void {
  const tooNew = (what: string) =>
    new DrybagError("bundle-too-new", `This bundle ${what}, which this version of Drybag does not know.`, {
      hint: "Use the installer that lies beside the bundle, or a newer Drybag.",
    });
  root.field("format").oneOf("drybag");
  const formatVersion = root.field("formatVersion").count();
  if (formatVersion > FORMAT_VERSION) throw tooNew(`has format version ${formatVersion}`);
  for (const name of root
    .field("critical")
    .list((item) => item.matching(/^[A-Za-z]\w{0,62}$/, "a field's name"))) {
    if (!Object.hasOwn(KNOWN_FIELDS, name)) throw tooNew(`needs the feature "${name}"`);
    if (root.field(name).value === undefined)
      root.field("critical").refuse(`names "${name}", which is not there`);
  }
}

function readManifest(root: JsonValue): Manifest {
  const tasks = root.field("tasks").optional((field) => notEmpty(field, readTask));
  const checks = root.field("checks").optional((field) => notEmpty(field, readCheck));
  const backup = root.field("backup").optional(readBackupRules);
  const compose = root.field("compose").optional(readCarriedCompose);
  return {
    format: root.field("format").oneOf("drybag"),
    formatVersion: root.field("formatVersion").oneOf(FORMAT_VERSION),
    critical: root.field("critical").list((item) => item.text()),
    name: root.field("name").matching(/^[a-z0-9][a-z0-9_-]{0,62}$/, "a Compose project name"),
    version: root
      .field("version")
      .matching(
        /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
        "letters, digits, dots, dashes and underscores, 63 at most",
      ),
    platform: readPlatform(root.field("platform")),
    generator: {
      name: readShortLine(root.field("generator").field("name")),
      version: readShortLine(root.field("generator").field("version")),
    },
    requires: {
      engine: root.field("requires").field("engine").matching(VERSION, "a version such as 23.0.0"),
      compose: root.field("requires").field("compose").matching(VERSION, "a version such as 2.18.0"),
    },
    ...(compose !== undefined && { compose }),
    project: readProject(root.field("project")),
    services: root.field("services").list(readService),
    images: root.field("images").list(readImage),
    layers: root.field("layers").list(readLayer),
    settings: root.field("settings").list(readSetting),
    ...(tasks !== undefined && { tasks }),
    ...(checks !== undefined && { checks }),
    ...(backup !== undefined && { backup }),
    entries: root.field("entries").list(readEntry),
  };
}

const VERSION = /^[0-9]{1,6}(\.[0-9]{1,6}){0,2}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

function readShortLine(value: JsonValue): string {
  const { length } = value.line();
  return length >= 1 && length <= 200
    ? value.line()
    : value.refuse("must be one line of 200 characters at most");
}

function readPlatform(value: JsonValue): Platform {
  const part = (field: JsonValue) => field.matching(/^[a-z0-9][a-z0-9._-]{0,31}$/, "as in linux/amd64");
  const variant = value.field("variant").optional(part);
  return {
    os: part(value.field("os")),
    architecture: part(value.field("architecture")),
    ...(variant !== undefined && { variant }),
  };
}

function readCarriedCompose(value: JsonValue): CarriedCompose {
  return {
    entry: readPath(value.field("entry")),
    version: value.field("version").matching(/^[0-9][A-Za-z0-9.+~-]{0,62}$/, "a version such as 2.40.3"),
  };
}

function readProject(value: JsonValue): BundledProject {
  return {
    directory: readPath(value.field("directory")),
    composeFiles: value.field("composeFiles").list(readPath),
    envFiles: value.field("envFiles").list(readPath),
    profiles: value.field("profiles").list(readName),
  };
}

function readService(value: JsonValue): BundledService {
  const oneShot = value.field("oneShot").optional((field) => field.flag() || field.refuse("must be true"));
  return {
    name: readName(value.field("name")),
    image: value.field("image").text(),
    profiles: value.field("profiles").list(readName),
    ...(oneShot !== undefined && { oneShot: true }),
  };
}

function readImage(value: JsonValue): BundledImage {
  const build = value.field("provenance").field("build").optional(readBuildProvenance);
  return {
    tag: readTag(value.field("tag")),
    configDigest: readDigest(value.field("configDigest")),
    manifestDigest: readDigest(value.field("manifestDigest")),
    diffIds: value.field("diffIds").list(readDigest),
    sizeBytes: value.field("sizeBytes").count(),
    provenance: {
      repoDigests: value
        .field("provenance")
        .field("repoDigests")
        .list((item) => item.lineMatching(/^[^\s@]+@sha256:[0-9a-f]{64}$/, "name@sha256:…")),
      ...(build !== undefined && { build }),
    },
  };
}

function readLayer(value: JsonValue): BundledLayer {
  return {
    diffId: readDigest(value.field("diffId")),
    digest: readDigest(value.field("digest")),
    mediaType: value.field("mediaType").oneOf(...Object.values(LAYER_MEDIA_TYPES)),
    sizeBytes: value.field("sizeBytes").count(),
    uncompressedSizeBytes: value.field("uncompressedSizeBytes").count(),
  };
}

function readSetting(value: JsonValue): Setting {
  const defaultValue = value.field("default").optional((field) => field.text());
  const description = value.field("description").optional((field) => field.line());
  return {
    name: value.field("name").matching(/^[A-Za-z_][A-Za-z0-9_]*$/, "the name of a variable"),
    required: value.field("required").flag(),
    secret: value.field("secret").flag(),
    ...(defaultValue !== undefined && { default: defaultValue }),
    ...(description !== undefined && { description }),
    ...readSettingForm(value),
  };
}

/** What a value of the setting has to look like. */
function readSettingForm(
  value: JsonValue,
): Pick<Setting, "type" | "choices" | "pattern" | "minimum" | "maximum"> {
  const type = value.field("type").optional((field) => field.oneOf(...SETTING_TYPES));
  const choices = value.field("choices").optional((field) => field.list((choice) => choice.line()));
  const pattern = value.field("pattern").optional((field) => field.pattern());
  const minimum = value.field("minimum").optional((field) => field.integer());
  const maximum = value.field("maximum").optional((field) => field.integer());
  if ((type === "choice") !== (choices !== undefined) || choices?.length === 0) {
    return value.field("choices").refuse('must be there, and not empty, exactly if the type is "choice"');
  }
  const bounded = minimum === undefined ? "maximum" : "minimum";
  if (value.field(bounded).value !== undefined && type !== "integer" && type !== "port") {
    return value.field(bounded).refuse('must not be there unless the type is "integer" or "port"');
  }
  if (minimum !== undefined && maximum !== undefined && minimum > maximum) {
    return value.field("minimum").refuse("must not be larger than the maximum");
  }
  return {
    ...(type !== undefined && { type }),
    ...(choices !== undefined && { choices }),
    ...(pattern !== undefined && { pattern }),
    ...(minimum !== undefined && { minimum }),
    ...(maximum !== undefined && { maximum }),
  };
}

function readEntry(value: JsonValue): BundleEntry {
  const type = value.field("type").oneOf("file", "directory");
  const path = readPath(value.field("path"));
  if (type === "directory") {
    if (!path.endsWith("/")) return value.field("path").refuse("is a folder's and must end with a slash");
    return { type, path, mode: value.field("mode").oneOf(0o755) };
  }
  if (path.endsWith("/")) return value.field("path").refuse("is a file's and must not end with a slash");
  return {
    type,
    path,
    sizeBytes: value.field("sizeBytes").count(),
    sha256: value.field("sha256").matching(/^[0-9a-f]{64}$/, "a sha256 in hex"),
    mode: value.field("mode").oneOf(0o644, 0o755),
  };
}

function readPath(value: JsonValue): string {
  const path = value.text();
  const problem = entryPathProblem(path);
  return problem === undefined ? path : value.refuse(`"${path}" ${problem}`);
}

function readName(value: JsonValue): string {
  return value.matching(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/,
    "letters, digits, dots, dashes and underscores",
  );
}

function readDigest(value: JsonValue): string {
  return value.matching(DIGEST, "sha256:… in lower case hex");
}

function readTag(value: JsonValue): string {
  const tag = value.text();
  try {
    const reference = normalizeReference(tag);
    if (reference.digest === undefined && reference.familiar === tag) return tag;
  } catch {
    // Refused below.
  }
  return value.refuse(`"${tag}" must be name:tag as Docker shows it`);
}
