import { spawn } from "node:child_process";
import { open } from "node:fs/promises";
import { LabError } from "../lab-error.ts";
import { writeJsonFile } from "../lab-record.ts";
import { identifyProcess, type ProcessIdentity } from "./process-identity.ts";

/** Starts a program that outlives us, in a session of its own, and writes down who it is. */
export async function startDetached(
  argv: readonly [string, ...string[]],
  options: { logFile: string; processFile: string; env: Record<string, string> },
): Promise<ProcessIdentity> {
  const log = await open(options.logFile, "a");
  try {
    const [file, ...args] = argv;
    const child = spawn(file, args, {
      detached: true,
      cwd: "/",
      env: options.env,
      stdio: ["ignore", log.fd, log.fd],
    });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", (cause) => {
        reject(new LabError("lab-start", `cannot start ${file}: ${cause.message}`, { cause }));
      });
    });
    child.unref();
    const identity = await identifyProcess(child.pid ?? 0);
    if (identity === undefined)
      throw new LabError("lab-start", `${file} ended at once; see ${options.logFile}`);
    await writeJsonFile(options.processFile, identity);
    return identity;
  } finally {
    await log.close();
  }
}
