import { chmod, readdir } from "node:fs/promises";
import path from "node:path";
import type { Engine } from "@drybag/lab";
import { expect } from "vitest";
import { Gap } from "../support/gap.ts";
import { imagesOf, startInstaller } from "../support/installer.ts";

export const MIB = 1024 ** 2;
/** Larger than the buffers on the way to an engine. */
export const BIG_LAYER_MIB = 64;
/** Long enough for FAT to keep the case of the name, which fusefat does not do for short ones. */
export const VERSION = "20260101";

export const COMPOSE = `
services:
  app:
    image: refuse/app:1
    entrypoint: ["sleep", "1000000"]
    stop_grace_period: 0s
    healthcheck: { test: [CMD, "true"], interval: 1s }
`;

type Run = ReturnType<typeof startInstaller>;

/** A gap with a bundle, `whole`, that would be installed if nothing were in its way. */
export class Refusals extends Gap {
  whole = "";

  /** Packs it. */
  async packWhole(): Promise<void> {
    // Other users are to find the bundle.
    await chmod(this.work, 0o755);
    await this.build(
      "refuse/app:1",
      `FROM drybag/hello-task:1.0.0\nRUN dd if=/dev/urandom of=/big bs=1M count=${BIG_LAYER_MIB}\n`,
    );
    this.whole = await this.pack("app", VERSION, { "compose.yaml": COMPOSE });
  }

  dirOf(site: Engine): string {
    return path.join(this.work, `opt-${site.name}`);
  }

  start(
    site: Engine,
    folder = this.whole,
    { env, user }: { env?: Record<string, string>; user?: readonly string[] } = {},
  ): Run {
    return startInstaller(site, ["install", folder, "--yes", "--dir", this.dirOf(site)], env, user);
  }

  /** Runs an install that must be refused, as a person sees it: what it says, after seeing that the server is as it was. */
  async refused(site: Engine, run: Run, expected: { exitCode: number; before: string[] }): Promise<string> {
    const { exitCode, stdout, stderr } = await run;
    expect(exitCode, stderr).toBe(expected.exitCode);
    expect(stdout).toBe("");
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stderr.match(/^error: /gm)).toHaveLength(1);
    expect(await imagesOf(site)).toEqual(expected.before);
    expect((await site.docker(["ps", "--all", "--quiet"])).stdout).toBe("");
    expect(await readdir(path.join(this.dirOf(site), "app", "releases")).catch(() => [])).toEqual([]);
    return stderr.slice(stderr.indexOf("error: "));
  }
}
