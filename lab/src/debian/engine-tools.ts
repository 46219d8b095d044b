import { existsSync } from "node:fs";
import { mkdir, readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { EngineMajor } from "../lab-plan.ts";
import { provideToolSet, type Suite, type ToolSet, type ToolSetOptions } from "./tool-set.ts";

/** Where the programs of one engine version are. */
export interface EngineTools {
  /** dockerd, docker, containerd, its shim, runc, docker-proxy, docker-init. */
  bin: string;
  /** docker-compose and docker-buildx, as the docker command looks for them. */
  cliPlugins: string;
  /** Libraries that this machine lacks; undefined when there are none. */
  libraryPath: string | undefined;
}

interface EnginePackages {
  suite: Suite;
  packages: readonly string[];
  compose?: { suite: Suite; packages: readonly string[] };
}

const enginePackages: Record<EngineMajor, EnginePackages> = {
  28: {
    suite: "forky",
    packages: ["docker.io", "docker-cli", "docker-compose", "docker-buildx", "containerd", "tini-static"],
  },
  26: {
    suite: "trixie",
    packages: ["docker.io", "docker-cli", "docker-compose", "docker-buildx", "containerd", "tini"],
  },
  // Debian 12 has no Compose v2; servers that still run 20.10 have it from elsewhere.
  20: {
    suite: "bookworm",
    packages: ["docker.io", "containerd", "tini"],
    compose: { suite: "trixie", packages: ["docker-compose"] },
  },
};

/** Docker Engine, its client, Compose and buildx of one version, unpacked side by side with the others. */
export async function provideEngineTools(engine: EngineMajor, options: ToolSetOptions): Promise<EngineTools> {
  const folder = await provideToolSet(planEngineSet(engine), options);
  const libraries = join(folder, "libraries");
  return {
    bin: join(folder, "bin"),
    cliPlugins: join(folder, "root/usr/libexec/docker/cli-plugins"),
    libraryPath: existsSync(libraries) ? libraries : undefined,
  };
}

function planEngineSet(engine: EngineMajor): ToolSet {
  const { suite, packages, compose } = enginePackages[engine];
  return {
    name: `engine-${engine}`,
    from: [
      { suite, packages, dependencies: false },
      ...(compose === undefined ? [] : [{ ...compose, dependencies: false }]),
      // One runc for all engines, that of Debian 12: it is the one that runs on every glibc the lab supports.
      { suite: "bookworm", packages: ["runc"], dependencies: false },
      { suite: "host", packages: ["libseccomp2", "libsystemd0", "libdevmapper1.02.1"], dependencies: true },
    ],
    finish: linkPrograms,
  };
}

/** Links instead of wrappers: dockerd and the shim start each other by name and must stay what they are. */
async function linkPrograms(folder: string, finalFolder: string): Promise<void> {
  await mkdir(join(folder, "bin"));
  for (const programs of ["usr/bin", "usr/sbin"]) {
    for (const name of await readdir(join(folder, "root", programs)).catch(() => [])) {
      if (name === "docker-compose") continue; // a link, or version 1 in Python
      await symlink(join(finalFolder, "root", programs, name), join(folder, "bin", name)).catch(
        ignoreExisting,
      );
    }
  }
  const libraries = (await readdir(join(folder, "root/usr/lib")).catch(() => [])).find((name) =>
    name.includes("-linux-gnu"),
  );
  if (libraries !== undefined) {
    await symlink(join(finalFolder, "root/usr/lib", libraries), join(folder, "libraries"));
  }
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST") throw error;
}
