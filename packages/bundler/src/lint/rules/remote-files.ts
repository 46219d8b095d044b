import type { Finding } from "@drybag/errors";
import type { Rule } from "../rule.ts";
import { writtenScalars } from "../written-scalars.ts";

/** Compose files that lie on another machine. Drybag cannot carry them, and so does not read such a project. */
export const remoteFiles: Rule = {
  codes: ["remote-file"],
  readsFilesOnly: true,
  check: (project) => project.graph.documents.flatMap(writtenScalars).flatMap(judge),
};

const REMOTE = /^(?:[a-z][a-z0-9+.-]*:\/\/|git@|oci:|github\.com\/)/i;

function judge({ keys, text, position }: ReturnType<typeof writtenScalars>[number]): Finding[] {
  const [section, , key] = keys;
  const last = keys.at(-1);
  const isInclude =
    section === "include" && ["include", "path", "env_file", "project_directory"].includes(last ?? "");
  const isExtends = section === "services" && key === "extends" && last === "file";
  if (!(isInclude || isExtends) || !REMOTE.test(text)) return [];
  return [
    {
      code: "remote-file",
      severity: "error",
      message: `${isInclude ? "'include'" : "'extends'"} reads a file from another machine, which nothing can do on site.`,
      remedy: "Copy it into the project and name the copy.",
      position,
    },
  ];
}
