import { DrybagError } from "@drybag/errors";
import type { ProjectCommit } from "../git/work-tree.ts";

/** What the words in braces stand for. */
export interface TagWords {
  /** Undefined outside git. */
  project: ProjectCommit | undefined;
  /** Of drybag.yaml, or of frappe. */
  version: string | undefined;
  environment: string | undefined;
}

export const DEFAULT_TAG = "{date}-{commit}";
const TAG_FORM = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/** Whether a tag says which commit an image is made from. */
export function namesCommit(template: string): boolean {
  return /\{(?:date|commit)\}/.test(template);
}

/** Makes a tag of its template: `{date}-{commit}` becomes `20251118-4c860c6`. Throws `reference-invalid`. */
export function imageTag(template: string, words: TagWords): string {
  const tag = template.replace(/\{([^{}]*)\}/g, (_, word: string) => wordOf(word, template, words));
  if (TAG_FORM.test(tag)) return tag;
  throw new DrybagError("reference-invalid", `'${template}' becomes '${tag}', which cannot be a tag.`, {
    hint: "A tag has letters, digits, '.', '-' and '_', 128 at most.",
  });
}

function wordOf(word: string, template: string, { project, version, environment }: TagWords): string {
  const refuse = (why: string, hint: string) =>
    new DrybagError("reference-invalid", `The tag '${template}' ${why}.`, { hint });
  if (word === "version") {
    if (version !== undefined) return clean(version);
    throw refuse("needs a version", "Write 'version' into drybag.yaml, or take {version} out of the tag.");
  }
  if (word === "environment") {
    if (environment !== undefined) return clean(environment);
    throw refuse("needs an environment", "Name one with --environment.");
  }
  if (!["date", "commit", "branch"].includes(word)) {
    throw refuse(
      `has {${word}}, which stands for nothing`,
      "There are {date}, {commit}, {branch}, {version}, {environment}.",
    );
  }
  if (project === undefined) {
    throw refuse(
      "names the commit, and this folder is in no git work tree",
      "Put the project into git ('git init', commit), or write 'tags' that do without, such as {version}.",
    );
  }
  if (word === "date") return project.date;
  if (word === "commit") return `${project.commit.slice(0, 7)}${project.dirty.length > 0 ? "-dirty" : ""}`;
  if (project.branch !== undefined) return clean(project.branch);
  throw refuse(
    "needs a branch, and none is checked out",
    "Check out a branch, or take {branch} out of the tag.",
  );
}

/** `feature/x` is no tag. */
function clean(text: string): string {
  return text.replace(/[^A-Za-z0-9_.-]+/g, "-").replace(/^[.-]+/, "");
}
