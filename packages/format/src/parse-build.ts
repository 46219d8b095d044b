import type { JsonValue } from "./json-value.ts";
import type { AppProvenance, BaseImage, BuildProvenance } from "./manifest-build.ts";
import { readMap, readVariableName } from "./parse-tasks.ts";

export function readBuildProvenance(value: JsonValue): BuildProvenance {
  const recipe = value.field("recipe").optional((field) => field.line());
  const commit = value.field("commit").optional(readCommit);
  const dirty = value.field("dirty").optional((field) => field.flag() || field.refuse("must be true"));
  return {
    target: value.field("target").line(),
    ...(recipe !== undefined && { recipe }),
    ...(commit !== undefined && { commit }),
    ...(dirty !== undefined && { dirty: true }),
    file: value.field("file").line(),
    args: readMap(value.field("args"), readVariableName),
    baseImages: value.field("baseImages").list(readBaseImage),
    apps: value.field("apps").list(readApp),
  };
}

function readBaseImage(value: JsonValue): BaseImage {
  const digest = value
    .field("digest")
    .optional((field) => field.matching(/^sha256:[0-9a-f]{64}$/, "sha256:… in lower case hex"));
  return { reference: value.field("reference").line(), ...(digest !== undefined && { digest }) };
}

function readApp(value: JsonValue): AppProvenance {
  const version = value.field("version").optional((field) => field.line());
  return {
    name: value.field("name").line(),
    repo: value.field("repo").line(),
    ref: value.field("ref").line(),
    commit: readCommit(value.field("commit")),
    ...(version !== undefined && { version }),
  };
}

function readCommit(value: JsonValue): string {
  return value.matching(/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/, "a commit of 40 or 64 digits");
}
