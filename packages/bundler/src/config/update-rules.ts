import type { ValuePath } from "./config-document.ts";
import type { ConfigFile } from "./config-schema.ts";

/** What may stand in braces in `value`. */
export const UPDATE_WORDS = ["image", "tag", "reference"] as const;

/** What is wrong with `update` although its form is right. */
export function updateProblems({
  update,
  builds,
  frappe,
}: ConfigFile): { path: ValuePath; message: string }[] {
  const names = [...Object.keys(builds ?? {}), ...(frappe ? ["frappe"] : [])];
  const known = names.join(", ") || "none";
  return (update ?? []).flatMap(({ value, build }, index) => {
    const refuse = (key: string, message: string) => ({ path: ["update", index, key], message });
    const unknown = [...value.matchAll(/\{([^{}]*)\}/g)].find(
      ([, word]) => !UPDATE_WORDS.some((each) => each === word),
    )?.[0];
    return [
      ...(unknown === undefined
        ? []
        : [refuse("value", `has ${unknown}; there are {image}, {tag} and {reference}`)]),
      ...(build === undefined || names.includes(build)
        ? []
        : [refuse("build", `'${build}' is no build; there are ${known}`)]),
      ...(build === undefined && names.length !== 1
        ? [{ path: ["update", index], message: `must say which 'build'; there are ${known}` }]
        : []),
    ];
  });
}
