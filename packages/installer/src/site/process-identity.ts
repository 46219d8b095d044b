import { readFile } from "node:fs/promises";

/** A process as one machine start knows it: a number alone is given again to others. */
export interface ProcessIdentity {
  pid: number;
  /** Clock ticks between the machine's start and the process's; empty where /proc does not tell. */
  startTime: string;
  bootId: string;
}

export async function ownIdentity(): Promise<ProcessIdentity> {
  return {
    pid: process.pid,
    startTime: (await readStartTime(process.pid)) ?? "",
    bootId: await readBootId(),
  };
}

/** Whether that very process still runs. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  if (identity.bootId !== (await readBootId())) return false;
  return (await readStartTime(identity.pid)) === identity.startTime;
}

/** Field 22 of /proc/<pid>/stat (proc(5)); the second field may hold spaces and brackets. */
async function readStartTime(pid: number): Promise<string | undefined> {
  const stat = await readOptional(`/proc/${pid}/stat`);
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  // A zombie holds nothing any more; it only waits for its parent.
  return fields?.[0] === "Z" ? undefined : fields?.[19];
}

async function readBootId(): Promise<string> {
  return (await readOptional("/proc/sys/kernel/random/boot_id"))?.trim() ?? "";
}

async function readOptional(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}
