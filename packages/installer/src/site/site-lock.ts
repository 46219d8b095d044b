import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
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
  // Linked from a file that is complete: nobody ever reads a lock that is half written.
  const own = `${path}.${randomUUID()}`;
  await writeFile(own, `${JSON.stringify(await ownIdentity())}\n`, { mode: 0o600 });
  try {
    while (!(await linked(own, path))) {
      const holder = await readHolder(path);
      if (await holds(holder)) throw alreadyRunning((holder as ProcessIdentity).pid);
      if (holder !== "nobody") await removeStale(path, own);
    }
  } finally {
    await rm(own, { force: true });
  }
  const release = () => rm(path, { force: true });
  return { release, [Symbol.asyncDispose]: release };
}

/** What file systems say that have no links: those of sticks, mostly. */
const NO_LINKS = new Set(["EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"]);

function withoutLinks(path: string, cause: unknown): DrybagError {
  return new DrybagError("not-writable", `The file system of ${dirname(path)} has no links (FAT, exFAT?).`, {
    cause,
    hint: "A stack and its releases need a disk of this server, not a stick: choose another folder with --dir.",
  });
}

async function linked(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    if (NO_LINKS.has(code ?? "")) throw withoutLinks(path, error);
    throw error;
  }
}

/**
 * Under a lock of its own, which is held for an instant: without it, one of two that both found the lock stale could remove the
 * other's new one. Whoever comes second looks again.
 */
async function removeStale(path: string, own: string): Promise<void> {
  const takeover = `${path}.takeover`;
  if (!(await linked(own, takeover))) {
    const taker = await readHolder(takeover);
    if (taker !== "nobody" && !(await holds(taker))) await rm(takeover, { force: true });
    return;
  }
  try {
    const holder = await readHolder(path);
    if (holder !== "nobody" && !(await holds(holder))) await rm(path, { force: true });
  } finally {
    await rm(takeover, { force: true });
  }
}

/** `nobody` where there is no lock; undefined where it cannot be understood, which counts as stale. */
async function readHolder(path: string): Promise<ProcessIdentity | "nobody" | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "nobody";
    throw error;
  }
  try {
    return JSON.parse(text) as ProcessIdentity;
  } catch {
    return undefined;
  }
}

async function holds(holder: ProcessIdentity | "nobody" | undefined): Promise<boolean> {
  return holder !== undefined && holder !== "nobody" && (await isAlive(holder));
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
