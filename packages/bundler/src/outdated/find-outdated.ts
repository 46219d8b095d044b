import type { DockerContext } from "@drybag/docker";
import { withBuildVariables } from "../build/build-variables.ts";
import type { Config } from "../config/load-config.ts";
import type { ProjectFlags } from "../options.ts";
import { appPins } from "../pins/app-pins.ts";
import { imagePins } from "../pins/image-pins.ts";
import { loadProject } from "../project/load-project.ts";
import { readTokens } from "../recipes/frappe/prepare-frappe.ts";
import { openRegistryClient, type RegistryClient } from "../registry/registry-client.ts";
import { type AppRefs, checkApps } from "./check-apps.ts";
import { checkImages } from "./check-images.ts";
import type { OutdatedItem } from "./outdated-item.ts";

/** What is pinned in a project, and what there is of it now. */
export interface OutdatedProject {
  /** Frappe and its apps first, then images by name. */
  items: OutdatedItem[];
  refs: AppRefs;
  registry: RegistryClient;
}

/** Looks at the project, and asks git servers and registries. Throws as `loadProject`, and `apps-invalid`. */
export async function findOutdated(
  docker: DockerContext,
  flags: ProjectFlags,
  config: Config | undefined,
  signal: AbortSignal,
): Promise<OutdatedProject> {
  const project = await loadProject(await withBuildVariables(docker, config, signal), flags, signal);
  const frappe = config?.project.frappe;
  const [images, registry] = await Promise.all([
    imagePins(project, docker.env),
    openRegistryClient(docker, signal),
  ]);
  const [apps, imageItems] = await Promise.all([
    frappe === undefined
      ? { items: [], refs: new Map() }
      : checkApps(await appPins(frappe), await readTokens(frappe, docker.env), { env: docker.env, signal }),
    checkImages(images, registry, docker, signal),
  ]);
  return { items: [...apps.items, ...imageItems], refs: apps.refs, registry };
}
