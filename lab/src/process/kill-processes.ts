import { LabError } from "../lab-error.ts";
import { waitFor } from "../wait-for.ts";
import { isRunning, type ProcessIdentity } from "./process-identity.ts";

const timeoutMs = 15_000;

/**
 * Kills until nothing is left: processes that were started while we looked are found the next time.
 * Straight away with SIGKILL: a lab is thrown away, and a dockerd that was killed before cannot stop its containers.
 */
export async function killProcesses(
  find: () => Promise<ProcessIdentity[]>,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<void> {
  let left: ProcessIdentity[] = [];
  const gone = await waitFor(
    async () => {
      left = await find();
      for (const process of left) await killProcess(process);
      return left.length === 0 ? true : undefined;
    },
    { timeoutMs, signal: options.signal },
  );
  if (gone) return;
  const pids = left.map((process) => process.pid).join(", ");
  throw new LabError("lab-stop", `processes do not end after SIGKILL: ${pids}`, {
    hint: "they wait for the kernel; look at them with ps and take the lab down again",
  });
}

async function killProcess(identity: ProcessIdentity): Promise<void> {
  if (!(await isRunning(identity))) return;
  try {
    process.kill(identity.pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
