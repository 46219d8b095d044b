import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { EngineMajor } from "../lab-plan.ts";
import { findLibraryFolders, findPrograms } from "./find-unpacked.ts";
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
  const root = join(folder, "root");
  const libraries = (await findLibraryFolders(root)).map((path) => join(root, path));
  return {
    bin: join(folder, "bin"),
    cliPlugins: join(root, "usr/libexec/docker/cli-plugins"),
    libraryPath: libraries.length === 0 ? undefined : libraries.join(":"),
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
  for (const [name, path] of await findPrograms(join(folder, "root"))) {
    if (name === "docker-compose") continue; // a link to the plugin, or version 1 in Python
    await symlink(join(finalFolder, "root", path), join(folder, "bin", name));
  }
}
