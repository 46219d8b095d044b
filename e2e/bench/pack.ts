/**
 * `pnpm bench pack [--rounds N] [--scale N] [--drybag-only] [--lab NAME] [--keep]`: what packing costs beside what people do by hand, on the same images of
 * the same engine. Medians of N rounds (3), each round all lines once. A stack of about 2.2 GB of unpacked Debian packages;
 * --scale makes it that many times as large, for the memory. Needs root, as the lab does.
 */
import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { homedir, loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { labUp, readLabEnvironment, tool } from "@drybag/lab";
import { execa } from "execa";
import { watchPeakMemory } from "../support/peak-memory.ts";
import { buildImages } from "./build-images.ts";

const ZSTD = "docker save | zstd -3 -T0 --long=27, sha256sum";
const GZIP = "docker save | gzip";

interface Measured {
  seconds: number;
  sizeBytes: number;
  /** Of the programs that were started here; the engine's own is the same for all. */
  peakBytes: number;
}

interface Line {
  name: string;
  run(folder: string): Promise<Measured>;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "3" },
    scale: { type: "string", default: "1" },
    "drybag-only": { type: "boolean", default: false },
    lab: { type: "string", default: "bench" },
    keep: { type: "boolean", default: false },
  },
});
if (positionals[0] !== "pack")
  throw new Error("usage: pnpm bench pack [--rounds N] [--scale N] [--drybag-only] [--keep]");

const root = join(import.meta.dirname, "../..");
const drybag = join(root, "packages/bundler/dist/drybag.js");
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "drybag", "bench");
const scale = Number(values.scale);
const layers = join(cache, "layers");
const work = join(cache, `work-${process.pid}`);

const lab = await labUp({ name: values.lab, environment: readLabEnvironment(process.env) });
const engine = lab.connected;
const tags = await buildImages(engine, layers, scale);
await mkdir(join(work, "stack"), { recursive: true });
await writeFile(
  join(work, "stack", "compose.yaml"),
  `services:\n${tags.map((tag, index) => `  s${index}: {image: '${tag}'}\n`).join("")}`,
);
try {
  await measureAll();
} finally {
  await rm(work, { recursive: true, force: true });
  if (!values.keep) await lab[Symbol.asyncDispose]();
}

async function measureAll(): Promise<void> {
  const lines = await planLines();
  const results = new Map<string, Measured[]>();
  console.log(
    `load before: ${loadavg()
      .map((load) => load.toFixed(1))
      .join(" ")}`,
  );
  for (let round = 0; round < Number(values.rounds); round++) {
    await rm(join(work, "cache"), { recursive: true, force: true });
    for (const line of lines) {
      const folder = join(work, "out");
      await mkdir(folder, { recursive: true });
      const measured = await line.run(folder);
      await rm(folder, { recursive: true, force: true });
      results.set(line.name, [...(results.get(line.name) ?? []), measured]);
      console.error(`  ${line.name}: ${measured.seconds.toFixed(1)} s`);
    }
  }
  report(new Map([...results].map(([name, all]) => [name, medians(all)])));
}

async function planLines(): Promise<Line[]> {
  const skopeo = await tool("skopeo", { environment: readLabEnvironment(process.env) });
  const pack = (folder: string) => [process.execPath, drybag, "pack", "-o", folder];
  const ours: Line[] = [
    { name: "drybag pack, cold", run: (folder) => run(pack(folder), folder) },
    { name: "drybag pack, warm", run: (folder) => run(pack(folder), folder) },
  ];
  if (values["drybag-only"]) return ours;
  const save = `docker save ${tags.join(" ")}`;
  const shell = (script: string) => (folder: string) => run(["sh", "-euc", script, folder], folder);
  return [
    {
      name: ZSTD,
      run: shell(
        `${save} | zstd -q -3 -T0 --long=27 >"$0/all.tar.zst"; cd "$0"; sha256sum all.tar.zst >SUMS`,
      ),
    },
    { name: GZIP, run: shell(`${save} | gzip >"$0/all.tar.gz"`) },
    ...ours,
    {
      // By way of an archive: not every skopeo can talk to every engine.
      name: "skopeo copy to OCI, tar",
      run: shell(
        `${save} >"$0/save.tar"; for tag in ${tags.join(" ")}; do ${skopeo} copy -q --insecure-policy ` +
          '"docker-archive:$0/save.tar:$tag" "oci:$0/oci:$tag"; done; rm "$0/save.tar"; tar -cf "$0/oci.tar" -C "$0/oci" .; rm -r "$0/oci"',
      ),
    },
  ];
}

async function run(argv: readonly string[], folder: string): Promise<Measured> {
  const [file = "", ...args] = argv;
  const startedMs = performance.now();
  const child = execa(file, args, {
    cwd: join(work, "stack"),
    env: { ...engine.env, XDG_CACHE_HOME: join(work, "cache") },
    stdin: "ignore",
  });
  const memory = watchPeakMemory(child.pid as number);
  await child;
  const seconds = (performance.now() - startedMs) / 1000;
  // The largest program of each line: what it is that needs the memory.
  const peakBytes = Math.max(...memory.stop().values());
  return { seconds, sizeBytes: await sizeOf(folder), peakBytes };
}

/** Without the installer, which the others do not carry. */
async function sizeOf(folder: string): Promise<number> {
  let sizeBytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.startsWith("drybag-site-")) continue;
    sizeBytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return sizeBytes;
}

function medians(all: readonly Measured[]): Measured {
  const middle = (numbers: number[]) => numbers.sort((a, b) => a - b)[numbers.length >> 1] ?? 0;
  return {
    seconds: middle(all.map((one) => one.seconds)),
    sizeBytes: middle(all.map((one) => one.sizeBytes)),
    peakBytes: Math.max(...all.map((one) => one.peakBytes)),
  };
}

function report(results: Map<string, Measured>): void {
  const zstd = results.get(ZSTD);
  const gzip = results.get(GZIP);
  const of = (value: number, base: number | undefined) => (base ? `${(value / base).toFixed(2)} x` : "");
  const rows = [...results].map(([name, { seconds, sizeBytes, peakBytes }]) => [
    name,
    `${seconds.toFixed(1)} s`,
    of(seconds, zstd?.seconds),
    `${(sizeBytes / 1e6).toFixed(0)} MB`,
    of(sizeBytes, gzip?.sizeBytes),
    `${Math.round(peakBytes / 1024 ** 2)} MiB`,
  ]);
  const table = [["", "wall", "of zstd", "bytes", "of gzip", "peak memory"], ...rows];
  const widths =
    table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of table) {
    console.log(
      row
        .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
        .join("  "),
    );
  }
  console.log(
    `load after: ${loadavg()
      .map((load) => load.toFixed(1))
      .join(" ")}`,
  );
}
