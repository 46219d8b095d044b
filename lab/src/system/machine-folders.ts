import { existsSync } from "node:fs";
import { rmdir } from "node:fs/promises";
import { execa } from "execa";
import { mountsBelow } from "./mounts.ts";

const namespaceFolder = "/run/netns";

// Made by containerd, dockerd and ip on their way, outside any folder they were given. Innermost first.
const candidates = [
  "/opt/containerd/bin",
  "/opt/containerd/lib",
  "/opt/containerd",
  "/run/containerd/s",
  "/run/containerd",
  "/run/docker/plugins",
  "/run/docker",
  "/run/runc",
  namespaceFolder,
];

/** Folders of the machine that are not there yet, so that `down` knows which ones the lab brought. */
export function listAbsentFolders(): string[] {
  return candidates.filter((folder) => !existsSync(folder));
}

/** Deletes those of them that are empty; another engine may use one by now. */
export async function removeEmptyFolders(
  folders: readonly string[],
  findUmount: () => Promise<string>,
): Promise<void> {
  for (const folder of candidates.filter((candidate) => folders.includes(candidate))) {
    if (folder === namespaceFolder) await unmountEmpty(folder, findUmount);
    await rmdir(folder).catch(() => {});
  }
}

/** `ip netns` mounts this folder onto itself, sometimes twice. As long as a namespace is in it, it is busy. */
async function unmountEmpty(folder: string, findUmount: () => Promise<string>): Promise<void> {
  while ((await mountsBelow(folder)).length > 0) {
    const { exitCode } = await execa(await findUmount(), [folder], { reject: false });
    if (exitCode !== 0) return;
  }
}
