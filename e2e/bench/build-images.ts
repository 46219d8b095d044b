import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Engine } from "@drybag/lab";
import { execa } from "execa";

/** Which layers stand on the base, by image, for each stack: see make-layers.sh. */
const STACKS: Record<string, Record<string, string[]>> = {
  packages: {
    python: ["python"],
    app: ["python", "node"],
    java: ["java"],
    office: ["office"],
    browser: ["browser", "node"],
    build: ["build", "golang"],
    database: ["database"],
  },
  erp: { erp: ["runtime", "bench"], mariadb: ["mariadb"], redis: ["redis"] },
};

export const DEFAULT_STACK = "packages";

/**
 * Builds the images of one of the benchmarks' stacks, where they are not there yet, `scale` times: about 2.2 GB each time. `cache` keeps what
 * they are made of. Gives their tags.
 */
export async function buildImages(
  engine: Engine,
  { stack, cache, scale = 1 }: { stack: string; cache: string; scale?: number },
): Promise<string[]> {
  const images = STACKS[stack];
  if (images === undefined) throw new Error(`there is no stack ${stack}: ${Object.keys(STACKS).join(", ")}`);
  const layers = join(cache, `layers-${stack}`);
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
      stack,
    ];
    await execa("unshare", make, { stdio: ["ignore", 2, 2] });
    await writeFile(join(layers, "complete"), "");
  }
  const tags: string[] = [];
  for (let copy = 0; copy < scale; copy++) {
    for (const [name, adds] of Object.entries(images)) {
      const tag = `bench/${name}:${copy}`;
      tags.push(tag);
      // In another folder each time, which makes other layers.
      const target = copy === 0 ? "/" : `/copy-${copy}/`;
      const layerLines = ["base", ...adds].map((layer) => `ADD ${layer}.tar ${target}`);
      const recipe = layerLines.join(", ");
      const label = ["image", "inspect", "--format", `{{index .Config.Labels "${RECIPE}"}}`, tag];
      // An image of that name from another recipe would make the stack another one without a word.
      if ((await engine.docker(label, { reject: false })).stdout === recipe) continue;
      const lines = ["FROM scratch", ...layerLines, `LABEL ${RECIPE}="${recipe}"`, 'CMD ["sh"]', ""];
      await writeFile(join(layers, "Dockerfile"), lines.join("\n"));
      const build = ["build", "--quiet", "--network=none", "--provenance=false", "--tag", tag, layers];
      await engine.docker(build);
    }
  }
  await requireDistinctLayers(engine, tags, scale * new Set(["base", ...Object.values(images).flat()]).size);
  return tags;
}

const RECIPE = "drybag.bench.recipe";

/** Layers that are alike are carried once: a stack is larger only if it has more different ones. */
async function requireDistinctLayers(engine: Engine, tags: readonly string[], wanted: number): Promise<void> {
  const { stdout } = await engine.docker([
    "image",
    "inspect",
    "--format",
    "{{json .RootFS.Layers}}",
    ...tags,
  ]);
  const found = new Set(stdout.split("\n").flatMap((line) => JSON.parse(line) as string[])).size;
  if (found < wanted) throw new Error(`${tags.length} images have ${found} layers, not ${wanted}`);
}
