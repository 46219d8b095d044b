import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { DrybagError } from "@drybag/errors";
import { isAlive, ownIdentity, type ProcessIdentity } from "./process-identity.ts";

export interface SiteLock extends AsyncDisposable {
  release(): Promise<void>;
}

/**
 * One command at a time may change a stack. The lock names its process, so that one left behind by a killed process is
 * taken over. Throws `already-running`.
 */
export async function lockSite(path: string): Promise<SiteLock> {
  await mkdir(dirname(path), { recursive: true });
  const identity = await ownIdentity();
  const own = `${path}.${identity.pid}`;
  await writeFile(own, `${JSON.stringify(identity)}\n`, { mode: 0o600 });
  try {
    await acquire(path, own);
  } finally {
    await rm(own, { force: true });
  }
  const release = () => rm(path, { force: true });
  return { release, [Symbol.asyncDispose]: release };
}

/** A link is made whole or not at all: nobody ever reads a lock that is half written. */
async function acquire(path: string, own: string): Promise<void> {
  while (!(await linked(own, path))) {
    const holder = await readHolder(path);
    if (holder && (await isAlive(holder))) throw alreadyRunning(holder.pid);
    await removeStale(path, holder, `${own}.stale`);
  }
}

async function linked(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Taken aside first: another process may have removed the stale one and locked since we read it. */
async function removeStale(path: string, stale: ProcessIdentity | undefined, aside: string): Promise<void> {
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  const taken = await readHolder(aside);
  const isTheStaleOne = taken?.pid === stale?.pid && taken?.startTime === stale?.startTime;
  if (!isTheStaleOne) await linked(aside, path);
  await rm(aside, { force: true });
}

async function readHolder(path: string): Promise<ProcessIdentity | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as ProcessIdentity;
  } catch {
    return undefined;
  }
}

function alreadyRunning(pid: number): DrybagError {
  return new DrybagError(
    "already-running",
    `Another drybag-site (process ${pid}) is at work on this stack.`,
    {
      hint: "Wait until it has ended, then run the same command again.",
    },
  );
}
