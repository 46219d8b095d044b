import { createHash } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/**
 * Deletes the sockets of killed shims. containerd puts them into one folder for the whole machine, whatever its own
 * state folder is, and only a shim that ends by itself deletes its socket.
 */
export async function removeShimSockets(execRoot: string): Promise<void> {
  const tasks = join(execRoot, "containerd/daemon/io.containerd.runtime.v2.task");
  for (const namespace of await readdir(tasks).catch(() => [])) {
    for (const id of await readdir(join(tasks, namespace)).catch(() => [])) {
      await rm(planShimSocket(execRoot, namespace, id), { force: true });
    }
  }
}

/** See `SocketAddress` in containerd's pkg/shim (runtime/v2/shim before 2.0), the same from 1.6 to 2.1. */
export function planShimSocket(execRoot: string, namespace: string, id: string): string {
  const address = join(execRoot, "containerd/containerd.sock", namespace, id);
  return join("/run/containerd/s", createHash("sha256").update(address).digest("hex"));
}
