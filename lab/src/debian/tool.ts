import { existsSync } from "node:fs";
import { join } from "node:path";
import type { LabEnvironment } from "../lab-environment.ts";
import { LabError } from "../lab-error.ts";
import { planLabPaths } from "../lab-paths.ts";
import { provideToolSet, type ToolSet } from "./tool-set.ts";
import { wrapPrograms } from "./wrap-programs.ts";

interface ToolPackage {
  package: string;
  programs: readonly string[];
  /** Runs with nothing but libc: always ours, the same on every machine. Else the machine's own comes first. */
  standsAlone?: boolean;
  aliases?: Record<string, string>;
}

const toolPackages: readonly ToolPackage[] = [
  { package: "docker-registry", programs: ["docker-registry"], standsAlone: true },
  { package: "busybox-static", programs: ["busybox"], standsAlone: true },
  {
    package: "dosfstools",
    programs: ["mkfs.vfat", "mkfs.fat", "fsck.fat", "fsck.vfat", "fatlabel"],
    standsAlone: true,
  },
  {
    package: "mtools",
    programs: ["mtools", "mcopy", "mdir", "mmd", "mdel", "mtype", "minfo"],
    standsAlone: true,
  },
  { package: "fusefat", programs: ["fusefat"] },
  { package: "exfat-fuse", programs: ["mount.exfat-fuse", "mount.exfat"] },
  { package: "exfatprogs", programs: ["mkfs.exfat", "fsck.exfat"] },
  { package: "skopeo", programs: ["skopeo"] },
  { package: "mmdebstrap", programs: ["mmdebstrap"] },
  { package: "iproute2", programs: ["ip"] },
  { package: "util-linux", programs: ["nsenter"] },
  { package: "mount", programs: ["mount", "umount", "losetup"] },
  { package: "e2fsprogs", programs: ["mkfs.ext4"] },
  { package: "zsh", programs: ["zsh"] },
  { package: "fish", programs: ["fish"] },
  {
    package: "iptables",
    programs: ["iptables", "ip6tables"],
    aliases: {
      iptables: "iptables-nft",
      "iptables-save": "iptables-nft-save",
      "iptables-restore": "iptables-nft-restore",
      ip6tables: "ip6tables-nft",
      "ip6tables-save": "ip6tables-nft-save",
      "ip6tables-restore": "ip6tables-nft-restore",
    },
  },
];

export interface ToolOptions {
  environment: LabEnvironment;
  signal?: AbortSignal | undefined;
  onProgress?: ((line: string) => void) | undefined;
}

/**
 * Absolute path of a program that tests and demos need; unpacked privately from Debian's package when it is not there.
 * `busybox` is the static one, fit for an image `FROM scratch`.
 * @throws LabError `lab-usage` for a program the lab does not know, `lab-packages` when it cannot be had.
 */
export async function tool(name: string, options: ToolOptions): Promise<string> {
  const wanted = toolPackages.find(({ programs }) => programs.includes(name));
  if (wanted === undefined) {
    const known = toolPackages.flatMap(({ programs }) => programs).join(", ");
    throw new LabError("lab-usage", `no such tool: ${name}`, { hint: `the lab has ${known}` });
  }
  const own = wanted.standsAlone ? undefined : findInPath(name, options.environment.path);
  if (own !== undefined) return own;
  const { toolsFolder } = planLabPaths("default", options.environment);
  const folder = await provideToolSet(planToolSet(wanted), { ...options, toolsFolder });
  const places = wanted.standsAlone
    ? ["usr/bin", "bin", "usr/sbin", "sbin"].map((place) => join(folder, "root", place, name))
    : [join(folder, "bin", name)];
  const path = places.find((place) => existsSync(place));
  if (path === undefined) {
    throw new LabError("lab-packages", `Debian's package ${wanted.package} holds no ${name}`, {
      hint: `install it: apt-get install ${wanted.package}`,
    });
  }
  return path;
}

function planToolSet(wanted: ToolPackage): ToolSet {
  const { aliases = {} } = wanted;
  return {
    name: wanted.package,
    from: [{ suite: "host", packages: [wanted.package], dependencies: !wanted.standsAlone }],
    async finish(folder, finalFolder) {
      if (wanted.standsAlone) return;
      const policy = join(finalFolder, "root/etc/containers/policy.json");
      // skopeo has no variable for the policy's place, and without a policy it copies nothing.
      const firstArguments = existsSync(join(folder, "root/etc/containers/policy.json"))
        ? { skopeo: `--policy '${policy}'` }
        : {};
      await wrapPrograms(folder, finalFolder, { aliases, arguments: firstArguments });
    },
  };
}

function findInPath(name: string, path: string): string | undefined {
  return path
    .split(":")
    .filter((folder) => folder.startsWith("/"))
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file));
}
