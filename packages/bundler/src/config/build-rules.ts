import { normalizeReference } from "@drybag/format";
import type { ValuePath } from "./config-document.ts";
import type { ConfigFile } from "./config-schema.ts";

interface BuildProblem {
  path: ValuePath;
  message: string;
}

/** What is wrong with the builds although their form is right. */
export function buildProblems({ builds, recipe, frappe }: ConfigFile): BuildProblem[] {
  const problems: BuildProblem[] = [];
  const refuse = (path: ValuePath, message: string) => problems.push({ path, message });
  if (recipe === "frappe" && !frappe) refuse(["recipe"], "is frappe: 'frappe' must say which version");
  if (frappe && recipe !== "frappe") refuse(["frappe"], "is for 'recipe: frappe', which is not there");
  const all = Object.entries(builds ?? {}).map(([name, build]) => ({
    name,
    path: ["builds", name] as ValuePath,
    build,
  }));
  const recipes = frappe ? [{ name: "frappe", path: ["frappe"] as ValuePath, build: frappe }] : [];
  if (frappe && builds?.frappe) refuse(["builds", "frappe"], "has the name of the recipe's own build");
  const every = [...all, ...recipes];
  const names = every.map(({ name }) => name);
  for (const { path, build } of every) {
    if (build.image !== undefined && !isImageName(build.image))
      refuse([...path, "image"], `'${build.image}' is no name of an image without a tag`);
    for (const [id, secret] of Object.entries(build.secrets ?? {})) {
      if ((secret.env === undefined) === (secret.file === undefined))
        refuse([...path, "secrets", id], "needs either 'env' or 'file'");
    }
    for (const [index, need] of (build.needs ?? []).entries()) {
      if (!names.includes(need))
        refuse([...path, "needs", index], `'${need}' is no build; there are ${names.join(", ")}`);
    }
  }
  const needs = new Map(every.map(({ name, build }) => [name, build.needs ?? []]));
  for (const { name, path } of every) {
    if (reaches(needs, name, name)) refuse([...path, "needs"], "leads back to this build itself");
  }
  return problems;
}

function isImageName(image: string): boolean {
  if (image.includes("@") || image.lastIndexOf(":") > image.lastIndexOf("/")) return false;
  try {
    normalizeReference(image);
    return true;
  } catch {
    return false;
  }
}

function reaches(needs: ReadonlyMap<string, readonly string[]>, from: string, to: string): boolean {
  const seen = new Set<string>();
  const open = [...(needs.get(from) ?? [])];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (name === to) return true;
    if (seen.has(name)) continue;
    seen.add(name);
    open.push(...(needs.get(name) ?? []));
  }
  return false;
}
