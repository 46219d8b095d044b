/**
 * `pnpm bench images [--rounds N]`: what `drybag images` takes beyond `docker compose config` on a project of 200 services in 20 files.
 * Medians of N rounds (7), each round both lines once. Needs root, as the lab does.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { labUp, readLabEnvironment } from "@drybag/lab";
import { execa } from "execa";
import { median } from "./median.ts";

const FILES = 20;
const SERVICES_PER_FILE = 10;

const { values } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "7" } },
});
const drybag = join(import.meta.dirname, "../../packages/bundler/dist/drybag.js");
const work = await mkdtemp(join(tmpdir(), "drybag-bench-images-"));
await using lab = await labUp({ name: "bench-images", environment: readLabEnvironment(process.env) });
try {
  await writeProject();
  const lines: Record<string, () => Promise<unknown>> = {
    "docker compose config": () =>
      lab.connected.docker(["compose", "config", "--format", "json"], { cwd: work }),
    "drybag images": () =>
      execa(process.execPath, [drybag, "images", "--json"], { cwd: work, env: lab.connected.env }),
  };
  const seconds = new Map<string, number[]>();
  console.log(`load before: ${loadavg()[0]?.toFixed(1)}`);
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const [name, run] of Object.entries(lines)) {
      const startedMs = performance.now();
      await run();
      seconds.set(name, [...(seconds.get(name) ?? []), (performance.now() - startedMs) / 1000]);
    }
  }
  for (const [name, all] of seconds) console.log(`${name.padEnd(24)} ${median(all).toFixed(2)} s`);
  const [config = [], images = []] = seconds.values();
  const beyond = median(images) - median(config);
  console.log(`beyond Compose itself    ${beyond.toFixed(2)} s (wanted: below 1.50 s)`);
} finally {
  await rm(work, { recursive: true, force: true });
}

async function writeProject(): Promise<void> {
  await mkdir(work, { recursive: true });
  const names = Array.from({ length: FILES }, (_, index) => `compose.${index}.yaml`);
  const versions = names.map((_, index) => `TAG${index}=2.${index}`);
  await writeFile(join(work, ".env"), [`COMPOSE_FILE=${names.join(":")}`, ...versions, ""].join("\n"));
  for (const [index, name] of names.entries()) await writeFile(join(work, name), composeFile(index));
}

function composeFile(file: number): string {
  const numbers = Array.from({ length: SERVICES_PER_FILE }, (_, index) => file * SERVICES_PER_FILE + index);
  const services = numbers.map((number) =>
    [
      `  service${number}:`,
      "    <<: *base",
      `    command: run --id ${number} --level \${LEVEL:-info}`,
      `    environment: {DATABASE: "postgres://db:5432/app${number}", THREADS: "\${THREADS:-4}"}`,
      `    ports: ["${20_000 + number}:8080"]`,
      `    volumes: ["data${number}:/data"]`,
      ...(number > 0 ? [`    depends_on: [service${number - 1}]`] : []),
    ].join("\n"),
  );
  return [
    `x-base: &base\n  image: team/app${file}:\${TAG${file}:-1}\n  restart: unless-stopped`,
    `services:\n${services.join("\n")}`,
    `volumes:\n${numbers.map((number) => `  data${number}:`).join("\n")}\n`,
  ].join("\n");
}
