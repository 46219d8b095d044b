import type { ComposeModel, ComposeMount } from "@drybag/docker";
import { carriedTag } from "../images/collect-images.ts";
import { serviceImage } from "../images/image-uses.ts";

/**
 * The last Compose file on site: every service runs an image of the bundle and neither pulls nor builds.
 * `!reset` is Compose's own tag (2.18 and later); names and tags are written as JSON strings, which YAML takes as they are.
 */
export function offlineComposeFile(model: ComposeModel): string {
  const lines = [
    "# Written by drybag pack. Given to Docker Compose as its last file, so that nothing is pulled or built on site.",
    "services:",
  ];
  for (const [name, service] of Object.entries(model.services ?? {}).sort(byKey)) {
    if (service.provider || !(service.image || service.build)) continue;
    lines.push(
      `  ${JSON.stringify(name)}:`,
      `    image: ${JSON.stringify(carriedTag(serviceImage(model.name, name, service)))}`,
      "    pull_policy: never",
    );
    if (service.build) lines.push("    build: !reset null");
    const mounts = (service.volumes ?? []).filter(isRenamedImage);
    if (mounts.length > 0) lines.push("    volumes:", ...mounts.map(mountLine));
  }
  return `${lines.join("\n")}\n`;
}

/** An image mounted as a volume that travels under another name; Compose merges mounts by their target. */
function isRenamedImage(mount: ComposeMount): boolean {
  return mount.type === "image" && mount.source !== undefined && carriedTag(mount.source) !== mount.source;
}

function mountLine(mount: ComposeMount): string {
  const source = JSON.stringify(carriedTag(mount.source ?? ""));
  return `      - { type: image, source: ${source}, target: ${JSON.stringify(mount.target)} }`;
}

/** Values of the packing environment, as an env file. Single quotes keep Compose from reading anything into them. */
export function offlineEnvFile(values: Readonly<Record<string, string>>): string {
  const lines = Object.entries(values)
    .sort(byKey)
    .map(([name, value]) => `${name}='${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`);
  return [
    "# Written by drybag pack: values of drybag.yaml and of the environment it ran in. Given to Docker Compose as its last env file.",
    ...lines,
    "",
  ].join("\n");
}

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}
