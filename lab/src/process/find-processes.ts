import { readdir, readFile, readlink } from "node:fs/promises";
import { basename } from "node:path";
import { identifyProcess, type ProcessIdentity, parseProcessStat } from "./process-identity.ts";

/** The marks by which a process is known to belong to an engine, or to a whole lab. */
export interface ProcessMarks {
  /** Inode numbers of network namespaces. */
  namespaces: ReadonlySet<number>;
  /** Path below which the control groups of containers are. */
  cgroup: string;
  /** State folder that a daemon's arguments name. */
  folder: string;
}

// Only these are recognised by their arguments: a `tail -f` of a log in the lab's folder is not ours to kill.
const daemons = new Set([
  "dockerd",
  "containerd",
  "containerd-shim-runc-v2",
  "docker-containerd",
  "docker-proxy",
  "docker-registry",
  "nsenter",
]);

/** Every process of the engine or lab, however it was orphaned; never ourselves or a process that started us. */
export async function findProcesses(marks: ProcessMarks): Promise<ProcessIdentity[]> {
  const ours = await ownProcesses();
  const found: ProcessIdentity[] = [];
  for (const entry of await readdir("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || ours.has(pid)) continue;
    // Identity first: a pid that is reused while we look is then not the process we kill.
    const identity = await identifyProcess(pid);
    if (identity !== undefined && (await hasMark(pid, marks))) found.push(identity);
  }
  return found;
}

async function hasMark(pid: number, marks: ProcessMarks): Promise<boolean> {
  try {
    const link = /^net:\[(\d+)\]$/.exec(await readlink(`/proc/${pid}/ns/net`));
    if (marks.namespaces.has(Number(link?.[1]))) return true;
    const cgroups = await readFile(`/proc/${pid}/cgroup`, "utf8");
    if (isInCgroup(cgroups, marks.cgroup)) return true;
    return isDaemonOf((await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0"), marks.folder);
  } catch {
    return false; // it ended meanwhile
  }
}

/** See cgroups(7): one `id:controllers:path` a line. */
export function isInCgroup(text: string, cgroup: string): boolean {
  return text.split("\n").some((line) => {
    const path = line.split(":").slice(2).join(":");
    return path === cgroup || path.startsWith(`${cgroup}/`);
  });
}

export function isDaemonOf(argv: readonly string[], folder: string): boolean {
  return daemons.has(basename(argv[0] ?? "")) && argv.some((argument) => argument.includes(`${folder}/`));
}

async function ownProcesses(): Promise<Set<number>> {
  const pids = new Set<number>();
  for (let pid = process.pid; pid > 0 && !pids.has(pid); ) {
    pids.add(pid);
    const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    pid = parseProcessStat(text)?.parent ?? 0;
  }
  return pids;
}
