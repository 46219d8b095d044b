import { relative } from "node:path";
import type { ComposeModel } from "@drybag/docker";
import type { Finding } from "@drybag/errors";
import type { Manifest } from "@drybag/format";

/**
 * Folders of the release that services may write to: what they write there stays with that release, and the next one begins with what
 * is in its bundle. Folders that are empty in the bundle are not among them: all releases share these.
 */
export function checkBindMounts(model: ComposeModel, manifest: Manifest, releaseFolder: string): Finding[] {
  return Object.entries(model.services ?? {}).flatMap(([service, { volumes = [] }]) =>
    volumes
      .filter(({ type, read_only, source }) => type === "bind" && !read_only && source !== undefined)
      .map(({ source = "" }) => relative(releaseFolder, source))
      .filter((path) =>
        manifest.entries.some((entry) => entry.path.startsWith(`${path}/`) && entry.type === "file"),
      )
      .map((path) => ({
        code: "data-in-release",
        severity: "warning" as const,
        message: `${service} may write to ${path}, a folder of this release; the next release will not have what it writes.`,
        remedy: "Mount it read-only (:ro) if it is only read, or use a named volume for data.",
      })),
  );
}
