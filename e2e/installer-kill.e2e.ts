import { readdir, readFile, readlink } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { Engine } from "@drybag/lab";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Gap } from "./support/gap.ts";
import { type InstallerProcess, imagesOf, startInstaller } from "./support/installer.ts";

const STAGES = ["open", "preflight", "load", "place", "health"];
const RANDOM_MOMENTS = 15;
/** 25 upgrades on each of two engines: far beyond what they take, a busy machine must not decide. */
const TEST_TIMEOUT_MS = 2_400_000;
/** DRYBAG_KILL_SEED=N repeats a run. */
const SEED = Number(process.env.DRYBAG_KILL_SEED ?? Date.now() % 1_000_000);

/** Both versions have other images under the same tags: what a load that was cut off leaves would be seen. */
const COMPOSE = `
x-quick: &quick
  stop_grace_period: 0s
services:
  prepare:
    <<: *quick
    image: kill/job:1
    entrypoint: ["sh", "-c", "cat /version >>/data/log"]
    restart: "no"
    volumes: ["data:/data"]
  app:
    <<: *quick
    image: kill/app:1
    entrypoint: ["sleep", "1000000"]
    restart: unless-stopped
    environment: { GREETING: "\${GREETING:?}" }
    healthcheck: { test: [CMD, "true"], interval: 1s, start_period: 5s, start_interval: 200ms }
    depends_on: { prepare: { condition: service_completed_successfully } }
    volumes: ["data:/data"]
volumes:
  data:
`;

let gap: Gap;
let work: string;
const folders: Record<"1" | "2", string> = { "1": "", "2": "" };

beforeAll(async () => {
  gap = await Gap.open("instkill", {
    site: { imageStore: "classic" },
    sites: [{ name: "modern", imageStore: "containerd" }],
  });
  ({ work } = gap);
  for (const version of ["1", "2"] as const) {
    for (const name of ["job", "app"]) {
      const big = name === "app" ? " && dd if=/dev/urandom of=/big bs=1M count=24" : "";
      await gap.build(
        `kill/${name}:1`,
        `FROM drybag/hello-task:1.0.0\nRUN echo ${version} >/version${big}\n`,
      );
    }
    folders[version] = await gap.pack("stack", version, { "compose.yaml": COMPOSE });
  }
});

afterAll(() => gap?.[Symbol.asyncDispose]());

type Version = keyof typeof folders;
const other = (version: Version): Version => (version === "1" ? "2" : "1");

class Site {
  readonly engine: Engine;
  readonly dir: string;
  /** What runs. */
  version: Version = "1";
  /** IDs of both versions' images. */
  ids = new Set<string>();

  constructor(engine: Engine) {
    this.engine = engine;
    this.dir = path.join(work, `opt-${engine.name}`);
  }

  start(version: Version): InstallerProcess {
    return startInstaller(this.engine, [
      ...["install", folders[version], "--json", "--yes", "--dir", this.dir, "--set", "GREETING=hello"],
    ]);
  }

  /** To the end, and then as it should be. Gives how long it took, in milliseconds. */
  async install(version: Version): Promise<number> {
    const startedMs = performance.now();
    const { exitCode, stdout, stderr } = await this.start(version);
    expect(exitCode, stdout + stderr).toBe(0);
    const { images } = JSON.parse(stdout) as { images: { id: string }[] };
    for (const { id } of images) this.ids.add(id);
    this.version = version;
    return performance.now() - startedMs;
  }

  /** Begins the other version, kills it, and runs the same command again. */
  async killed(when: (run: InstallerProcess) => Promise<void>): Promise<void> {
    const next = other(this.version);
    const run = this.start(next);
    await when(run);
    try {
      process.kill(-(run.pid as number), "SIGKILL");
    } catch {
      // It had ended before.
    }
    await run;
    await this.install(next);
    await this.isAsItShouldBe();
  }

  async isAsItShouldBe(): Promise<void> {
    const doctor = await startInstaller(this.engine, ["doctor", "--json", "--dir", this.dir]);
    expect(JSON.parse(doctor.stdout)).toMatchObject({ stacks: [{ ok: true, findings: [] }] });
    const stack = path.join(this.dir, "stack");
    expect((await readdir(stack)).filter(isHalf)).toEqual([]);
    expect(await readlink(path.join(stack, "current"))).toMatch(new RegExp(`^releases/${this.version}-`));
    const releases = (await readdir(path.join(stack, "releases"))).sort();
    expect(releases.map((name) => name.split("-")[0])).toEqual(["1", "2"]);
    for (const release of releases) {
      const files = await readdir(path.join(stack, "releases", release), { recursive: true });
      expect(files.filter(isHalf)).toEqual([]);
      JSON.parse(await readFile(path.join(stack, "releases", release, "report.json"), "utf8"));
    }
    const { stdout } = await this.engine.docker(["ps", "--all", "--format", "{{.Names}}"]);
    expect(String(stdout).split("\n").sort()).toEqual(["stack-app-1", "stack-prepare-1"]);
    const unknown = (await imagesOf(this.engine)).filter((line) => !this.ids.has(line.split(" ")[1] ?? ""));
    expect(unknown).toEqual([]);
    const seen = await this.engine.docker(["exec", "stack-app-1", "cat", "/version"]);
    expect(seen.stdout).toBe(this.version);
  }
}

/** Names that only what is being written has, and locks. */
function isHalf(name: string): boolean {
  return /(?:^|\/)\.(?!env$)|\.partial$|\.new$|\.takeover$/.test(name);
}

/** When a program that runs with --json says that a stage begins or ends; also when it ends without saying so. */
async function untilEvent(run: InstallerProcess, type: string, stage: string): Promise<void> {
  for await (const line of createInterface({ input: run.stderr })) {
    const event = JSON.parse(line) as { type: string; stage?: string };
    if (event.type === type && event.stage === stage) return;
  }
}

/** mulberry32: the same moments for the same seed. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe("kill -9 of an upgrade: the same command again ends in the new release, healthy, and nothing else", () => {
  test.concurrent.each(["site", "modern"] as const)(
    "on the engine '%s'",
    async (name) => {
      const site = new Site(gap.siteNamed(name));
      await site.install("1");
      const tookMs = await site.install("2");
      await site.isAsItShouldBe();
      for (const stage of STAGES) {
        for (const type of ["stage-started", "stage-finished"]) {
          try {
            await site.killed((run) => untilEvent(run, type, stage));
          } catch (error) {
            throw new Error(`${name}: killed at ${type} of ${stage}`, { cause: error });
          }
        }
      }
      const random = randomNumbers(SEED + name.length);
      for (let moment = 0; moment < RANDOM_MOMENTS; moment += 1) {
        const afterMs = Math.round(random() * tookMs);
        try {
          await site.killed(() => sleep(afterMs));
        } catch (error) {
          throw new Error(`${name}: killed after ${afterMs} ms (DRYBAG_KILL_SEED=${SEED})`, { cause: error });
        }
      }
      console.log(`${name}: ${STAGES.length * 2} boundaries and ${RANDOM_MOMENTS} moments, seed ${SEED}`);
    },
    TEST_TIMEOUT_MS,
  );
});
