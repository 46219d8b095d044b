import { readdir, stat } from "node:fs/promises";
import { runCommand } from "../run-command.ts";

const folder = "/var/run/netns";

export function namespaceFile(name: string): string {
  return `${folder}/${name}`;
}

/**
 * A network namespace with nothing but loopback. One at a time on a machine: the first `ip netns add` mounts the folder
 * of all namespaces, and two first ones hide each other's.
 * @throws LabError `lab-requirement` when the kernel cannot do what Docker's bridge networks need.
 */
export async function createNamespace(
  name: string,
  tools: { ip: string; nsenter: string },
  signal?: AbortSignal,
): Promise<void> {
  await runCommand(tools.ip, ["netns", "add", name], {
    doing: "create a network namespace",
    code: "lab-requirement",
    hint: "the lab needs CAP_SYS_ADMIN: a real or virtual machine, or a privileged container",
    signal,
  });
  // Not `ip -n`, which also wants to mount a /sys of its own.
  const inside = (doing: string, hint: string, ...args: string[]) =>
    runCommand(tools.nsenter, [`--net=${namespaceFile(name)}`, "--", tools.ip, "link", ...args], {
      doing,
      hint,
      code: "lab-requirement",
      signal,
    });
  await inside("set loopback up", "the lab needs CAP_NET_ADMIN", "set", "lo", "up");
  for (const kind of ["bridge", "veth"]) {
    await inside(`create a ${kind} device`, `the kernel needs ${kind}`, "add", "lab-probe", "type", kind);
    await inside(`delete a ${kind} device`, "look at the kernel's log", "delete", "lab-probe");
  }
}

export async function deleteNamespace(name: string, ip: string): Promise<void> {
  if (!(await listNamespaces(name)).includes(name)) return;
  await runCommand(ip, ["netns", "delete", name], {
    doing: `delete the namespace ${name}`,
    code: "lab-stop",
  });
}

export async function listNamespaces(prefix: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => name.startsWith(prefix));
}

/** By which a process in the namespace is known; empty when there is no such namespace. */
export async function namespaceInodes(names: readonly string[]): Promise<Set<number>> {
  const inodes = new Set<number>();
  for (const name of names) {
    const found = await stat(namespaceFile(name)).catch(() => undefined);
    if (found !== undefined) inodes.add(found.ino);
  }
  return inodes;
}
