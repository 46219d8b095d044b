import { createWriteStream } from "node:fs";
import { writeFile } from "node:fs/promises";
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
      const { archive, done } = await saveImages(docker, [tag], { signal });
      // Each piece is written before the next one is asked for.
      await writeFile(file, archive, { flag: "wx", signal });
      await done;
    },
  }));
}
