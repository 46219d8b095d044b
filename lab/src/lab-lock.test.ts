import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { takeLock } from "./lab-lock.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lab-lock-"));
});
afterEach(() => rm(folder, { recursive: true }));

// flock comes with Linux; the lab runs nowhere else.
describe.runIf(process.platform === "linux")("takeLock", () => {
  it("gives a lock to one at a time, in turn, though each deletes its file", async () => {
    const file = join(folder, "lock");
    let inside = 0;
    let turns = 0;
    const turn = async () => {
      await using lock = await takeLock(file);
      inside += 1;
      expect(inside).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
      turns += 1;
      await lock.discard();
    };
    await Promise.all([turn(), turn(), turn(), turn()]);
    expect(turns).toBe(4);
    expect(existsSync(file)).toBe(false);
  });

  it("is free again when its holder is killed", async () => {
    const file = join(folder, "lock");
    const source = new URL("./lab-lock.ts", import.meta.url).href;
    const script = `await (await import(${JSON.stringify(source)})).takeLock(process.argv[1]); console.log("held"); setInterval(() => {}, 1e6)`;
    const holder = execa(process.execPath, ["--input-type=module", "--eval", script, file], {
      reject: false,
    });
    await new Promise((resolve) => holder.stdout.once("data", resolve));
    const mine = takeLock(file);
    const state = await Promise.race([mine.then(() => "taken"), probe(file)]);
    expect(state).toBe("busy");
    holder.kill("SIGKILL");
    await (await mine)[Symbol.asyncDispose]();
  });

  it("stops waiting when it is told to", async () => {
    const file = join(folder, "lock");
    await using _lock = await takeLock(file);
    const stop = new AbortController();
    const waiting = takeLock(file, stop.signal);
    stop.abort();
    await expect(waiting).rejects.toThrow("aborted");
  });
});

async function probe(file: string): Promise<string> {
  const { exitCode } = await execa("flock", ["--nonblock", file, "true"], { reject: false });
  return exitCode === 0 ? "free" : "busy";
}
