import { readdir } from "node:fs/promises";
import path from "node:path";
import type { Manifest } from "@drybag/format";
import type { Engine } from "@drybag/lab";
import { execa } from "execa";
import { expect } from "vitest";
import { Gap } from "./gap.ts";
import { FIXTURES } from "./paths.ts";
import { type ProgramRun, runDrybag } from "./run-programs.ts";

/** A carry folder that was packed from the fixture `hello`. */
export interface Packed {
  directory: string;
  /** The tar, or its first part. */
  tar: string;
  id: string;
  manifest: Manifest;
}

interface Settings {
  cwd?: string;
  env?: Record<string, string>;
}

/** A gap whose connected side packs the fixture `hello`. */
export class HelloGap extends Gap {
  /** Runs `drybag` in the fixture, with a cache in `work`. */
  drybag(args: readonly string[], settings: Settings = {}): Promise<ProgramRun> {
    return runDrybag(this.connected, args, {
      cwd: path.join(FIXTURES, "hello"),
      ...settings,
      env: { XDG_CACHE_HOME: path.join(this.work, "cache"), ...settings.env },
    });
  }

  /** Packs it as version 1.0 into a folder of that name in `work`. */
  async packHello(name: string, args: readonly string[] = [], settings: Settings = {}): Promise<Packed> {
    const run = await this.drybag(
      ["pack", "--json", "--bundle-version", "1.0", "-o", path.join(this.work, name), ...args],
      settings,
    );
    expect(run).toMatchObject({ exitCode: 0 });
    const { directory, id } = JSON.parse(run.stdout) as { directory: string; id: string };
    const parts = (await readdir(directory)).filter((file) => /\.tar(\.\d+)?$/.test(file)).sort();
    const bytes = await execa("sh", ["-c", 'cat "$@" | tar -xO drybag.json', "sh", ...parts], {
      cwd: directory,
    });
    return {
      directory,
      tar: path.join(directory, parts[0] ?? ""),
      id,
      manifest: JSON.parse(bytes.stdout) as Manifest,
    };
  }
}

/** The engine has every image of the bundle, and they are those that were packed. */
export async function expectImages(site: Engine, manifest: Manifest): Promise<void> {
  for (const image of manifest.images) {
    const { stdout } = await site.docker(["image", "inspect", "--format", "{{.Id}}", image.tag]);
    expect(stdout).toBe(site.imageStore === "classic" ? image.configDigest : image.manifestDigest);
  }
}
