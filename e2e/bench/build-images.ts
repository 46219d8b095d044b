import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Engine } from "@drybag/lab";
import { execa } from "execa";

/** Which layers stand on the base, by image. */
const IMAGES: Record<string, string[]> = {
  python: ["python"],
  app: ["python", "node"],
  java: ["java"],
  office: ["office"],
  browser: ["browser", "node"],
  build: ["build", "golang"],
  database: ["database"],
};

/**
 * Builds the benchmarks' stack, where it is not there yet: about 2.2 GB of unpacked Debian packages, `scale` times. `layers` keeps what the
 * images are made of. Gives their tags.
 */
export async function buildImages(engine: Engine, layers: string, scale: number): Promise<string[]> {
  if (!existsSync(join(layers, "complete"))) {
    await rm(layers, { recursive: true, force: true });
    await mkdir(layers, { recursive: true });
    const make = [
      "--mount",
      "--pid",
      "--fork",
      "--kill-child",
      join(import.meta.dirname, "make-layers.sh"),
      layers,
    ];
    await execa("unshare", make, { stdio: ["ignore", 2, 2] });
    await writeFile(join(layers, "complete"), "");
  }
  const tags: string[] = [];
  for (let copy = 0; copy < scale; copy++) {
    for (const [name, adds] of Object.entries(IMAGES)) {
      const tag = `bench/${name}:${copy}`;
      const there = await engine.docker(["image", "inspect", tag], { reject: false });
      if (there.exitCode !== 0) {
        const target = copy === 0 ? "/" : `/copy-${copy}/`;
        const lines = [
          "FROM scratch",
          ...["base", ...adds].map((layer) => `ADD ${layer}.tar ${target}`),
          'CMD ["sh"]',
        ];
        const dockerfile = join(layers, "Dockerfile");
        await writeFile(dockerfile, `${lines.join("\n")}\n`);
        await engine.docker([
          "build",
          "--quiet",
          "--network=none",
          "--provenance=false",
          "--tag",
          tag,
          layers,
        ]);
      }
      tags.push(tag);
    }
  }
  return tags;
}
