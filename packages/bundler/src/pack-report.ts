import path from "node:path";
import { formatBytes, formatDuration, table } from "@drybag/terminal";
import { count } from "./count.ts";
import type { PackResult } from "./pack.ts";

/** What `drybag pack` says at the end. */
export function packReport(result: PackResult, cwd: string): string {
  const { manifest, parts, directory } = result;
  const folder = path.relative(cwd, directory) || ".";
  const shown = folder.startsWith("..") ? directory : folder;
  const uncompressed = manifest.layers.reduce((sum, layer) => sum + layer.uncompressedSizeBytes, 0);
  const projectFiles = manifest.entries.filter((entry) => entry.path.startsWith("project/"));
  const projectBytes = projectFiles.reduce(
    (sum, entry) => sum + (entry.type === "file" ? entry.sizeBytes : 0),
    0,
  );
  const required = manifest.settings.filter((setting) => setting.required).map((setting) => setting.name);
  const images = table([
    ["IMAGE", "SIZE", "SERVICES"],
    ...manifest.images.map((image) => [
      image.tag,
      formatBytes(image.sizeBytes),
      manifest.services
        .filter((service) => service.image === image.tag)
        .map((service) => service.name)
        .join(", "),
    ]),
  ]);
  return `${images}

${result.wasThere ? "Unchanged, and whole:" : "Packed:"} ${shown}
  for      ${manifest.platform.os}/${manifest.platform.architecture}
  holds    ${count(manifest.images, "image")}, ${count(manifest.layers, "layer")} (${formatBytes(uncompressed)} unpacked), ${count(projectFiles, "project file")} (${formatBytes(projectBytes)})
  size     ${formatBytes(result.sizeBytes)} in ${parts.length} ${parts.length === 1 ? "file" : "files"}, verified by reading it back
  id       ${result.id}
  signed   ${result.signer ? `by ${result.signer.fingerprint} (${result.signer.keyType})` : "no (--sign KEY)"}
  time     ${formatDuration(result.durationMs)}, ${result.cachedLayers} of ${result.layers} layers from the cache
${result.updatedFiles.length === 0 ? "" : `  updated  ${result.updatedFiles.map((file) => path.relative(cwd, file)).join(", ")}\n`}${required.length === 0 ? "" : `  on site  asks for ${required.join(", ")}\n`}
Next:
  cp -r ${shellQuote(shown)} <stick>
  sh <stick>/${path.basename(directory)}/install.sh        (on the server, as root)
`;
}

export function packReportJson(result: PackResult): string {
  const { manifest, durationMs, ...rest } = result;
  const report = {
    ...rest,
    durationMs: Math.round(durationMs),
    name: manifest.name,
    version: manifest.version,
    platform: manifest.platform,
    images: manifest.images.map(({ tag, configDigest, manifestDigest, sizeBytes }) => ({
      tag,
      configDigest,
      manifestDigest,
      sizeBytes,
      services: manifest.services.filter((service) => service.image === tag).map((service) => service.name),
    })),
    settings: manifest.settings,
  };
  return `${JSON.stringify(report)}\n`;
}

function shellQuote(text: string): string {
  return /^[A-Za-z0-9._/:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
