import { readdir, stat } from "node:fs/promises";
import { runCommand } from "../run-command.ts";

const folder = "/var/run/netns";

export function namespaceFile(name: string): string {
  return `${folder}/${name}`;
}

/**
 * A network namespace with nothing but loopback.
 * @throws LabError `lab-requirement` when the kernel cannot do what Docker's bridge networks need.
 */
export async function createNamespace(name: string, ip: string, signal?: AbortSignal): Promise<void> {
  await runCommand(ip, ["netns", "add", name], {
    doing: "create a network namespace",
    code: "lab-requirement",
    hint: "the lab needs CAP_SYS_ADMIN: a real or virtual machine, or a privileged container",
    signal,
  });
  await runCommand(ip, ["-n", name, "link", "set", "lo", "up"], {
    doing: "set loopback up",
    code: "lab-start",
    signal,
  });
  for (const kind of ["bridge", "veth"]) {
    await runCommand(ip, ["-n", name, "link", "add", "lab-probe", "type", kind], {
      doing: `create a ${kind} device`,
      code: "lab-requirement",
      hint: `the kernel needs the module ${kind}`,
      signal,
    });
    await runCommand(ip, ["-n", name, "link", "delete", "lab-probe"], {
      doing: `delete a ${kind} device`,
      code: "lab-start",
      signal,
    });
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
