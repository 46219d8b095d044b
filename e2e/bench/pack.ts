/**
 * `pnpm bench pack [--rounds N] [--stack NAME] [--scale N] [--compression LEVEL] [--drybag-only] [--lab NAME] [--keep]`: what packing costs beside what
 * people do by hand, on the same images of the same engine, which has saved them once before. Medians of N rounds (3), each round all lines once; ratios are medians of the
 * rounds' ratios, so that what else the machine does counts little. A stack of about 2.2 GB of unpacked Debian packages, or an ERP of
 * that size (`erp`); --scale makes it that many times as large, for the memory. Needs root, as the lab does.
 */
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { homedir, loadavg } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { labUp, readLabEnvironment, tool } from "@drybag/lab";
import { execa } from "execa";
import { watchPeakMemory } from "../support/peak-memory.ts";
import { buildImages, DEFAULT_STACK } from "./build-images.ts";
import { median } from "./median.ts";

const ZSTD = "docker save | zstd -3 -T0 --long=27, sha256sum";
const GZIP = "docker save | gzip";
const COLD = "drybag pack, cold";
const WARM = "drybag pack, warm";

/** What is wanted of us: a line of the report, a column, and the most that it may be. */
const WANTED = [
  [COLD, "wall of zstd", 1.1],
  [WARM, "wall of zstd", 0.1],
  [COLD, "bytes of gzip", 0.8],
  [COLD, "bytes of best other", 1.05],
  [COLD, "peak memory, MiB", 300],
] as const;

interface Measured {
  seconds: number;
  /** Processor time of the programs that were started and of the engine. */
  cpuSeconds: number;
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
    stack: { type: "string", default: DEFAULT_STACK },
    scale: { type: "string", default: "1" },
    compression: { type: "string", default: "default" },
    "drybag-only": { type: "boolean", default: false },
    lab: { type: "string", default: "bench" },
    keep: { type: "boolean", default: false },
  },
});
if (positionals[0] !== "pack")
  throw new Error(
    "usage: pnpm bench pack [--rounds N] [--stack NAME] [--scale N] [--compression LEVEL] [--drybag-only] [--keep]",
  );

const root = join(import.meta.dirname, "../..");
const drybag = join(root, "packages/bundler/dist/drybag.js");
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "drybag", "bench");
const work = join(cache, `work-${process.pid}`);

const lab = await labUp({ name: values.lab, environment: readLabEnvironment(process.env) });
const engine = lab.connected;
const tags = await buildImages(engine, { stack: values.stack, cache, scale: Number(values.scale) });
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
  console.log(`load before: ${loads()}`);
  // The first one finds no file of the images in the kernel's memory.
  await execa("sh", ["-euc", `docker save ${tags.join(" ")} >/dev/null`], { env: engine.env });
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
  report(results);
}

async function planLines(): Promise<Line[]> {
  const skopeo = await tool("skopeo", { environment: readLabEnvironment(process.env) });
  const pack = (folder: string) => [
    process.execPath,
    drybag,
    "pack",
    "--compression",
    values.compression,
    "-o",
    folder,
  ];
  const ours: Line[] = [
    { name: COLD, run: (folder) => run(pack(folder), folder) },
    { name: WARM, run: (folder) => run(pack(folder), folder) },
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
  const startedMs = performance.now();
  const engineBefore = await engineSeconds();
  // The shell tells what its children took.
  const child = execa("sh", ["-c", '"$@" >&2; code=$?; times; exit $code', "sh", ...argv], {
    cwd: join(work, "stack"),
    env: { ...engine.env, XDG_CACHE_HOME: join(work, "cache") },
    stdin: "ignore",
  });
  const memory = watchPeakMemory(child.pid as number);
  const { stdout } = await child;
  const seconds = (performance.now() - startedMs) / 1000;
  const cpuSeconds = childrenSeconds(stdout) + (await engineSeconds()) - engineBefore;
  // The largest program of each line: what it is that needs the memory.
  const peakBytes = Math.max(...memory.stop().values());
  return { seconds, cpuSeconds, sizeBytes: await sizeOf(folder), peakBytes };
}

/** The second line of `times`: user and system time of the children, as `1m2.34s 0m5.67s`. */
function childrenSeconds(times: string): number {
  const fields = times.trim().split("\n").at(-1)?.split(" ") ?? [];
  return fields
    .map((field) => /^(\d+)m([\d.]+)s$/.exec(field))
    .reduce((sum, parts) => sum + Number(parts?.[1]) * 60 + Number(parts?.[2]), 0);
}

/** utime and stime of proc(5), in clock ticks, of which every Linux has a hundred a second. */
async function engineSeconds(): Promise<number> {
  const pid = (await readFile(join(dirname(engine.socket), "docker.pid"), "utf8")).trim();
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
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

function report(results: Map<string, Measured[]>): void {
  const others = [...results.keys()].filter((name) => name !== COLD && name !== WARM);
  const rows = [...results].map(([name, all]) => {
    const middle = (of: keyof Measured) => median(all.map((one) => one[of]));
    const ratio = (base: string, of: keyof Measured) =>
      median(all.map((one, round) => one[of] / (results.get(base)?.[round]?.[of] ?? Number.NaN)));
    return {
      "": name,
      "wall, s": middle("seconds").toFixed(1),
      "wall of zstd": ratio(ZSTD, "seconds").toFixed(2),
      "processor, s": middle("cpuSeconds").toFixed(1),
      "bytes, MB": (middle("sizeBytes") / 1e6).toFixed(0),
      "bytes of gzip": ratio(GZIP, "sizeBytes").toFixed(2),
      "bytes of best other": Math.max(...others.map((other) => ratio(other, "sizeBytes"))).toFixed(2),
      "peak memory, MiB": (Math.max(...all.map((one) => one.peakBytes)) / 1024 ** 2).toFixed(0),
    };
  });
  printTable(rows);
  for (const [name, column, most] of WANTED) {
    const found = Number(rows.find((row) => row[""] === name)?.[column]);
    if (!Number.isFinite(found)) continue;
    console.log(`${name}: ${column} ${found}, wanted at most ${most}: ${found <= most ? "met" : "not met"}`);
  }
  console.log(`load after: ${loads()}`);
}

function printTable(rows: readonly Record<string, string>[]): void {
  const columns = Object.keys(rows[0] ?? {});
  const shown = (cell = "") => (/NaN|Infinity/.test(cell) ? "" : cell);
  const widths = columns.map((column) =>
    Math.max(column.length, ...rows.map((row) => shown(row[column]).length)),
  );
  const print = (cells: readonly string[]) =>
    console.log(
      cells
        .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
        .join("  "),
    );
  print(columns);
  for (const row of rows) print(columns.map((column) => shown(row[column])));
}

function loads(): string {
  return loadavg()
    .map((load) => load.toFixed(1))
    .join(" ");
}
