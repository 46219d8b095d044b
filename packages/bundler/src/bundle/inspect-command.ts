import type { Manifest, OpenedBundle } from "@drybag/format";
import { formatBytes, type RunContext } from "@drybag/terminal";
import { openCarryFolder, shortDigest, tarSizeBytes } from "./open-carry-folder.ts";

export interface InspectFlags {
  files?: boolean;
}

/** `drybag inspect`: what is inside, from the manifest alone; its signature is verified, the rest is not read. */
export async function inspectCommand(
  context: RunContext,
  { files = false }: InspectFlags,
  folder = ".",
): Promise<void> {
  const bundle = await openCarryFolder(context, folder);
  if (context.json) {
    const { manifest, manifestSha256: id, signer = null, carryFolder } = bundle;
    const parts = carryFolder.parts.map(({ name, sizeBytes }) => ({ name, sizeBytes }));
    context.stdout.write(
      `${JSON.stringify({ id, signer, sizeBytes: tarSizeBytes(bundle), parts, manifest })}\n`,
    );
    return;
  }
  const lines = [...head(bundle), "", ...imageTree(bundle.manifest, context.unicode)];
  if (files) lines.push("", ...fileList(bundle.manifest));
  context.stdout.write(`${lines.join("\n")}\n`);
}

function head(bundle: OpenedBundle): string[] {
  const { manifest, manifestSha256, signer, carryFolder } = bundle;
  const { platform, requires, generator, settings, services } = manifest;
  const variant = platform.variant ? `/${platform.variant}` : "";
  const count = carryFolder.parts.length;
  const asked = settings.filter((setting) => setting.required).map((setting) => setting.name);
  return [
    `${manifest.name} ${manifest.version} for ${platform.os}/${platform.architecture}${variant}`,
    `  id        ${manifestSha256}`,
    `  signed    ${signer ? `by ${signer.fingerprint} (${signer.keyType})` : "no"}`,
    `  size      ${formatBytes(tarSizeBytes(bundle))} in ${count} ${count === 1 ? "file" : "files"}`,
    `  needs     Docker Engine ${requires.engine}, Compose ${requires.compose}`,
    `  made by   ${generator.name} ${generator.version}`,
    `  services  ${services.map((service) => service.name).join(", ")}`,
    ...(settings.length > 0 ? [`  settings  ${settings.map((setting) => setting.name).join(", ")}`] : []),
    ...(asked.length > 0 ? [`  asks for  ${asked.join(", ")}`] : []),
  ];
}

/** Images, and below each its layers, base first. A layer that several images share is counted with the first of them. */
function imageTree(manifest: Manifest, unicode: boolean): string[] {
  const [branch, corner, line] = unicode ? ["├─ ", "└─ ", "│  "] : ["|- ", "`- ", "|  "];
  const layers = new Map(manifest.layers.map((layer) => [layer.diffId, layer]));
  const firstImage = new Map<string, string>();
  const lines = [`images (${manifest.images.length}), layers (${manifest.layers.length})`];
  for (const [index, image] of manifest.images.entries()) {
    const isLast = index === manifest.images.length - 1;
    lines.push(
      `${isLast ? corner : branch}${image.tag}  ${formatBytes(image.sizeBytes)} unpacked  ${shortDigest(image.configDigest)}`,
    );
    for (const [at, diffId] of image.diffIds.entries()) {
      const layer = layers.get(diffId);
      if (layer === undefined) continue;
      const owner = firstImage.get(diffId);
      if (owner === undefined) firstImage.set(diffId, image.tag);
      const size =
        owner === undefined
          ? `${formatBytes(layer.sizeBytes)} (${formatBytes(layer.uncompressedSizeBytes)} unpacked)`
          : `shared with ${owner}`;
      const stem = isLast ? "   " : line;
      lines.push(
        `${stem}${at === image.diffIds.length - 1 ? corner : branch}${shortDigest(diffId)}  ${size}`,
      );
    }
  }
  return lines;
}

function fileList({ entries }: Manifest): string[] {
  const carried = entries.filter((entry) => !entry.path.startsWith("blobs/"));
  const sizes = carried.map((entry) => (entry.type === "file" ? String(entry.sizeBytes) : ""));
  const width = Math.max(...sizes.map((size) => size.length));
  return [
    `files (${carried.length})`,
    ...carried.map(
      (entry, index) =>
        `  ${entry.mode.toString(8)}  ${(sizes[index] ?? "").padStart(width)}  ${
          entry.type === "file" ? entry.sha256.slice(0, 12) : " ".repeat(12)
        }  ${entry.path}`,
    ),
  ];
}
