import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { type DockerContext, saveImages } from "@drybag/docker";
import type { OpenedBundle } from "@drybag/format";
import { exportArchive } from "../bundle/docker-archive.ts";
import type { ImageToScan } from "./scan-images.ts";

/** The images of a bundle; each is verified while it is taken out. */
export function bundledImages(bundle: OpenedBundle): ImageToScan[] {
  return bundle.manifest.images.map((image) => ({
    tag: image.tag,
    writeArchive: (file, signal) =>
      exportArchive(
        bundle,
        createWriteStream(file, { flags: "wx" }),
        { signal, images: [image] },
        { end: true },
      ),
  }));
}

/** Images of the engine. */
export function engineImages(docker: DockerContext, tags: readonly string[]): ImageToScan[] {
  return tags.map((tag) => ({
    tag,
    async writeArchive(file, signal) {
      const { archive, done } = saveImages(docker, [tag], { signal });
      await pipeline(archive, createWriteStream(file, { flags: "wx" }), { signal });
      await done;
    },
  }));
}
