import { readFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildFixture } from "@drybag/fixtures";
import { type Lab, labUp, readLabEnvironment } from "@drybag/lab";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DRYBAG, FIXTURES } from "./support/paths.ts";
import { processTree } from "./support/peak-memory.ts";

/** How long stopping may take, in milliseconds. */
const STOP_LIMIT_MS = 20_000;

let lab: Lab;
let work: string;

beforeAll(async () => {
  lab = await labUp({ name: "interrupt", environment: readLabEnvironment(process.env) });
  work = await mkdtemp(path.join(tmpdir(), "drybag-interrupt-"));
  await buildFixture("erp", { engineEnv: lab.connected.env });
});
afterAll(async () => {
  await rm(work, { recursive: true, force: true });
  await lab?.[Symbol.asyncDispose]();
});

function startPack() {
  return execa(process.execPath, ["--", DRYBAG, "pack", "--json", "-o", path.join(work, "out")], {
    cwd: path.join(FIXTURES, "erp"),
    env: { ...lab.connected.env, XDG_CACHE_HOME: path.join(work, "cache") },
    reject: false,
    stdin: "ignore",
    // A process group of its own, so that the signal reaches all of it, as Ctrl-C in a terminal does.
    detached: true,
  });
}

type PackProcess = ReturnType<typeof startPack>;

interface StageEvent {
  type: string;
  stage?: string;
  doneBytes?: number;
}

/** Resolves once the program has told of an event. */
function untilEvent(run: PackProcess, matches: (event: StageEvent) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let rest = "";
    run.stderr.on("data", (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines)
        if (line.startsWith("{") && matches(JSON.parse(line) as StageEvent)) resolve();
    });
    run.then(() => reject(new Error("the program ended before the event")), reject);
  });
}

async function expectNothingHalf(): Promise<void> {
  expect(await readdir(path.join(work, "out")).catch(() => [])).toEqual([]);
  const partial = path.join(work, "cache", "drybag", "store", "partial");
  expect(await readdir(partial).catch(() => [])).toEqual([]);
}

// In the order in which they come: what an interrupted run has staged, the next one finds.
test.each([
  ["reading the project", (event: StageEvent) => event.stage === "project"],
  ["saving the layers", (event: StageEvent) => event.stage === "stage" && (event.doneBytes ?? 0) > 0],
  ["writing the bundle", (event: StageEvent) => event.stage === "write"],
  ["reading it back", (event: StageEvent) => event.stage === "verify"],
] as const)("Ctrl-C while %s stops at once and leaves nothing half", async (_moment, matches) => {
  const run = startPack();
  await untilEvent(run, matches);
  const tree = processTree(run.pid as number);
  const interruptedMs = performance.now();
  process.kill(-(run.pid as number), "SIGINT");
  const { exitCode } = await run;
  const tookMs = performance.now() - interruptedMs;
  console.log(`stopped after ${Math.round(tookMs)} ms`);
  expect(exitCode).toBe(130);
  expect(tookMs).toBeLessThan(STOP_LIMIT_MS);
  await expectNothingHalf();
  expect(tree.filter(isAlive)).toEqual([]);
});

test("kill -9 leaves no final name, and the next run cleans up and succeeds", async () => {
  const killed = startPack();
  await untilEvent(killed, (event) => event.stage === "write");
  process.kill(-(killed.pid as number), "SIGKILL");
  await killed;
  expect((await readdir(path.join(work, "out"))).filter((name) => !name.startsWith("."))).toEqual([]);

  const { exitCode, stdout } = await startPack();
  expect(exitCode).toBe(0);
  const { directory } = JSON.parse(stdout) as { directory: string };
  expect(await readdir(path.join(work, "out"))).toEqual([path.basename(directory)]);
});

/** Whether a process runs. One that has ended, and that nobody has asked about yet, does not. */
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3) !== "Z";
  } catch {
    return false;
  }
}
