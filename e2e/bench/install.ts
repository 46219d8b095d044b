/**
 * `pnpm bench install [--rounds N] [--stack packages|erp] [--store classic|containerd] [--lab NAME] [--keep]`: what bringing a stack into an engine costs beside what people do
 * by hand, on the same images, on both image stores. Medians of N rounds (3), each round all lines once, the engine emptied before each and the
 * disk at rest, and another line first each time: an engine that has never held anything is faster than one that has removed a hundred
 * thousand files. Ratios are medians of the rounds' ratios.
 * Needs root, as the lab does.
 */
import { createReadStream } from "node:fs";
import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { homedir, loadavg } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pipeline } from "node:stream/promises";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Engine, labUp, readLabEnvironment } from "@drybag/lab";
import { execa } from "execa";
import { watchPeakMemory } from "../support/peak-memory.ts";
import { buildImages, DEFAULT_STACK } from "./build-images.ts";
import { median } from "./median.ts";

const STORES = ["classic", "containerd"] as const;
const ZSTD = "sha256sum -c; zstd -dc | docker load";
const BARE = "docker load of the uncompressed archive";
const OURS_LOADED = "docker load of our tar";
const INSTALL = "drybag-site install, up to loaded";
const AGAIN = "drybag-site install, all loaded";

/** A disk to which much was written is slower for a while: each line gets it after the same rest. */
const REST_MS = 15_000;

interface Measured {
  seconds: number;
  /** Of our program; the engine's own memory is its own business. */
  peakBytes: number;
  /** Written beside what the engine holds at the end. */
  extraBytes: number;
}

interface Line {
  name: string;
  run(site: Engine): Promise<Measured>;
  /** Needs what the line before left in the engine. */
  keepsEngine?: boolean;
}

const { values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "3" },
    stack: { type: "string", default: DEFAULT_STACK },
    store: { type: "string" },
    lab: { type: "string", default: "bench-install" },
    keep: { type: "boolean", default: false },
  },
});

const root = join(import.meta.dirname, "../..");
const drybag = join(root, "packages/bundler/dist/drybag.js");
const drybagSite = join(root, "packages/installer/dist/drybag-site-linux-amd64");
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "drybag", "bench");
const work = join(cache, `install-${process.pid}`);
const dir = join(work, "opt");

const lab = await labUp({
  name: values.lab,
  environment: readLabEnvironment(process.env),
  site: { imageStore: "classic" },
  sites: [{ name: "containerd", imageStore: "containerd" }],
});
const sites = { classic: lab.site, containerd: lab.sites.containerd as Engine };
const tags = await buildImages(lab.connected, { stack: values.stack, cache });
try {
  await prepareArchives();
  await measureAll();
} finally {
  await rm(work, { recursive: true, force: true });
  if (!values.keep) await lab[Symbol.asyncDispose]();
}

/** The same images three ways: as Docker saves them, the same compressed with checksums, and a carry folder. */
async function prepareArchives(): Promise<void> {
  const stack = join(work, "stack");
  await mkdir(stack, { recursive: true });
  const services = tags.map(
    (tag, index) => `  s${index}: {image: '${tag}', entrypoint: [sleep, "1000000"], stop_grace_period: 0s}\n`,
  );
  await writeFile(join(stack, "compose.yaml"), `services:\n${services.join("")}`);
  const env = { ...lab.connected.env, XDG_CACHE_HOME: join(work, "cache") };
  await execa(process.execPath, [drybag, "pack", "-o", work, "--bundle-version", "1"], {
    cwd: stack,
    env,
    stdout: 2,
    stderr: 2,
  });
  await execa("sh", ["-euc", `docker save -o all.tar ${tags.join(" ")}`], { cwd: work, env });
  await execa("sh", ["-euc", "zstd -q -3 -T0 --long=27 all.tar; sha256sum all.tar.zst >SUMS"], { cwd: work });
  const sizes = await Promise.all(
    ["all.tar", "all.tar.zst", "stack-1/stack-1.tar"].map((name) => stat(join(work, name))),
  );
  console.log(
    `${tags.length} images; ${sizes.map(({ size }) => `${(size / 1e6).toFixed(0)} MB`).join(", ")}`,
  );
}

async function measureAll(): Promise<void> {
  console.log(`load before: ${loads()}`);
  for (const store of STORES.filter((each) => values.store === undefined || values.store === each)) {
    const site = sites[store];
    const results = new Map<string, Measured[]>();
    await site.docker(["load", "--quiet", "--input", join(work, "all.tar")]);
    for (let round = 0; round < Number(values.rounds); round += 1) {
      for (const line of inTurn(planLines(), round)) {
        if (!line.keepsEngine) {
          await empty(site);
          await setTimeout(REST_MS);
        }
        await warm();
        const measured = await line.run(site);
        results.set(line.name, [...(results.get(line.name) ?? []), measured]);
        console.error(`  ${store}: ${line.name}: ${measured.seconds.toFixed(1)} s`);
      }
    }
    await empty(site);
    report(store, results);
  }
  console.log(`load after: ${loads()}`);
}

/** Begins with another line each time; what needs the line before stays behind it. */
function inTurn(lines: readonly Line[], round: number): Line[] {
  const steps: Line[][] = [];
  for (const line of lines) {
    if (line.keepsEngine) steps.at(-1)?.push(line);
    else steps.push([line]);
  }
  const first = round % steps.length;
  return [...steps.slice(first), ...steps.slice(0, first)].flat();
}

function planLines(): Line[] {
  const shell = (script: string) => async (site: Engine) => {
    const startedMs = performance.now();
    await execa("sh", ["-euc", script], { cwd: work, env: site.env });
    return { seconds: secondsSince(startedMs), peakBytes: 0, extraBytes: 0 };
  };
  return [
    {
      name: ZSTD,
      run: shell("sha256sum -c --quiet SUMS; zstd -q -dc --long=27 all.tar.zst | docker load -q"),
    },
    { name: BARE, run: shell("docker load -q -i all.tar") },
    { name: OURS_LOADED, run: shell("docker load -q -i stack-1/stack-1.tar") },
    { name: INSTALL, run: (site) => runInstall(site, true) },
    { name: AGAIN, run: (site) => runInstall(site, false), keepsEngine: true },
  ];
}

/** Installs to the end; `toLoaded` counts the time until the images are loaded and seen to be right. */
async function runInstall(site: Engine, toLoaded: boolean): Promise<Measured> {
  const temporary = join(work, "tmp");
  await mkdir(temporary, { recursive: true });
  const [file, ...argv] = site.argv([drybagSite, "install", "stack-1", "--json", "--yes", "--dir", dir]);
  const startedMs = performance.now();
  const child = execa(file, [...argv, "--no-self-install"], {
    cwd: work,
    env: { ...site.env, TMPDIR: temporary },
    stdin: "ignore",
  });
  const memory = watchPeakMemory(child.pid as number);
  let extraBytes = 0;
  const timer = setInterval(async () => {
    extraBytes = Math.max(extraBytes, (await sizeOf(dir)) + (await sizeOf(temporary)));
  }, 100);
  let loadedMs = 0;
  for await (const line of createInterface({ input: child.stderr })) {
    const event = JSON.parse(line) as { type: string; stage?: string };
    if (event.type === "stage-finished" && event.stage === "load") loadedMs = performance.now();
  }
  await child;
  const seconds = toLoaded ? (loadedMs - startedMs) / 1000 : secondsSince(startedMs);
  clearInterval(timer);
  const peaks = memory.stop();
  const peakBytes = Math.max(
    ...[...peaks].filter(([name]) => !/^docker/.test(name)).map(([, bytes]) => bytes),
  );
  return { seconds, peakBytes, extraBytes };
}

/** As if nothing had ever been loaded. */
async function empty(site: Engine): Promise<void> {
  const containers = await site.docker(["ps", "--all", "--quiet"]);
  const ids = String(containers.stdout).split("\n").filter(Boolean);
  if (ids.length > 0) await site.docker(["rm", "--force", "--volumes", ...ids]);
  await site.docker(["system", "prune", "--all", "--force", "--volumes"]);
  await rm(dir, { recursive: true, force: true });
  // What is deleted is still being written off otherwise.
  await execa("sync");
}

/** All archives in the kernel's memory, for every line alike. */
async function warm(): Promise<void> {
  for (const name of ["all.tar", "all.tar.zst", "stack-1/stack-1.tar"]) {
    await pipeline(createReadStream(join(work, name), { highWaterMark: 1024 ** 2 }), async (chunks) => {
      for await (const _ of chunks);
    });
  }
}

async function sizeOf(folder: string): Promise<number> {
  let sizeBytes = 0;
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    sizeBytes += await stat(join(entry.parentPath, entry.name)).then(
      ({ size }) => size,
      () => 0,
    );
  }
  return sizeBytes;
}

function report(store: string, results: ReadonlyMap<string, Measured[]>): void {
  const heads = ["wall", "of zstd", "of bare", "memory", "disk"].map((head) => head.padStart(9));
  console.log(`\n${store.padEnd(42)} ${heads.join(" ")}`);
  for (const { name } of planLines()) {
    const all = results.get(name) as Measured[];
    const ratio = (base: string) =>
      median(all.map(({ seconds }, round) => seconds / (results.get(base)?.[round]?.seconds ?? Number.NaN)));
    const most = (of: "peakBytes" | "extraBytes") => {
      const bytes = Math.max(...all.map((one) => one[of]));
      return bytes === 0 ? "" : `${(bytes / 1024 ** 2).toFixed(0)} MiB`;
    };
    const wall = `${median(all.map(({ seconds }) => seconds)).toFixed(1)} s`;
    const cells = [
      wall,
      ratio(ZSTD).toFixed(2),
      ratio(BARE).toFixed(2),
      most("peakBytes"),
      most("extraBytes"),
    ];
    console.log(`${name.padEnd(42)} ${cells.map((cell) => cell.padStart(9)).join(" ")}`);
  }
}

function secondsSince(startedMs: number): number {
  return (performance.now() - startedMs) / 1000;
}

function loads(): string {
  return loadavg()
    .map((load) => load.toFixed(1))
    .join(" ");
}
