import { readFile, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { execa } from "execa";
import { LabError } from "../lab-error.ts";

/** @throws LabError `lab-requirement` with the first thing that keeps a lab from running here. */
export async function checkRequirements(stateRoot: string, signal?: AbortSignal): Promise<void> {
  requireRoot();
  await requireProgram("apt-get", "a Debian machine");
  await requireProgram("dpkg", "a Debian machine");
  await requireProgram("flock", "the package util-linux");
  await requireCgroups();
  await requireFileSystem("overlay", signal);
  await requirePlaceForOverlays(stateRoot);
}

/** What `down` needs too. */
export function requireRoot(): void {
  if (process.platform !== "linux") {
    throw new LabError("lab-requirement", `needs Linux, this is ${process.platform}`, {
      hint: "run it in a Debian virtual machine",
    });
  }
  if (process.getuid?.() !== 0) throw new LabError("lab-requirement", "needs root: run it with sudo");
}

async function requireProgram(name: string, source: string): Promise<void> {
  const { exitCode } = await execa("sh", ["-c", 'command -v "$1"', "sh", name], { reject: false });
  if (exitCode !== 0) throw new LabError("lab-requirement", `needs ${name}: use ${source}`);
}

async function requireCgroups(): Promise<void> {
  const mounts = await readFile("/proc/self/mounts", "utf8");
  if (/^\S+ \S+ cgroup2? /m.test(mounts)) return;
  throw new LabError("lab-requirement", "needs control groups, and none are mounted at /sys/fs/cgroup", {
    hint: "mount them: mount -t cgroup2 none /sys/fs/cgroup",
  });
}

async function requireFileSystem(name: string, signal?: AbortSignal): Promise<void> {
  const known = async () => new RegExp(`\\b${name}$`, "m").test(await readFile("/proc/filesystems", "utf8"));
  if (await known()) return;
  await execa("modprobe", [name], {
    reject: false,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  if (await known()) return;
  throw new LabError("lab-requirement", `needs a kernel with the ${name} file system`, {
    hint: "use another kernel or machine",
  });
}

// From linux/magic.h.
const overlayMagic = 0x794c7630;

/** In a container the root file system is an overlay, and no overlay can be written on top of another. */
async function requirePlaceForOverlays(folder: string): Promise<void> {
  const found = await statfs(folder).catch(() => undefined);
  if (found === undefined && folder !== dirname(folder)) return requirePlaceForOverlays(dirname(folder));
  if (found?.type !== overlayMagic) return;
  throw new LabError("lab-requirement", `cannot keep engines in ${folder}: it is on an overlay file system`, {
    hint: "set DRYBAG_LAB_DIR to a folder on a volume or a tmpfs",
  });
}
