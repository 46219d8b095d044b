import { mkdir, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { execa } from "execa";
import { LabError } from "./lab-error.ts";

export interface LabLock extends AsyncDisposable {
  /** Deletes the lock's file; whoever waits for it makes a new one. */
  discard(): Promise<void>;
}

// The kernel's lock belongs to this child and ends with it, and it ends when our end of its stdin closes: even
// kill -9 of the lab leaves no stale lock. A lock on a file that was deleted meanwhile (75) counts for nothing.
const holdLock = `
exec 9>>"$1" || exit 1
flock -x 9 || exit 1
[ "$(stat -L -c %d:%i /proc/self/fd/9)" = "$(stat -c %d:%i "$1" 2>/dev/null)" ] || exit 75
echo locked
exec cat >/dev/null`;

/** Waits for its turn. Two labs at once take turns instead of breaking each other's work. */
export async function takeLock(file: string, signal?: AbortSignal): Promise<LabLock> {
  for (;;) {
    await mkdir(dirname(file), { recursive: true });
    const holder = execa("sh", ["-c", holdLock, "sh", file], {
      stdin: "pipe",
      reject: false,
      // A lock is let go by us, not by the Ctrl-C that reaches every process of the terminal.
      detached: true,
    });
    const giveUp = () => killGroup(holder.pid);
    signal?.addEventListener("abort", giveUp);
    if (signal?.aborted) giveUp();
    const locked = await Promise.race([
      new Promise<boolean>((resolve) => holder.stdout.once("data", () => resolve(true))),
      holder.then(() => false),
    ]);
    signal?.removeEventListener("abort", giveUp);
    if (locked) return heldLock(file, holder);
    signal?.throwIfAborted();
    const { exitCode, stderr } = await holder;
    if (exitCode !== 75) throw new LabError("lab-start", `cannot lock ${file}: ${stderr}`);
  }
}

/** The shell and the flock it waits for. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function heldLock(file: string, holder: { stdin: NodeJS.WritableStream } & PromiseLike<unknown>): LabLock {
  return {
    discard: () => rm(file, { force: true }),
    async [Symbol.asyncDispose]() {
      holder.stdin.end();
      await holder;
    },
  };
}
