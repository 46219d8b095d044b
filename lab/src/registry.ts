import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LabError } from "./lab-error.ts";
import { readJsonFile } from "./lab-record.ts";
import { isRunning, type ProcessIdentity } from "./process/process-identity.ts";
import { startDetached } from "./process/start-detached.ts";
import { namespaceFile } from "./system/network-namespace.ts";
import { waitFor } from "./wait-for.ts";

/** Inside the connected engine's namespace, where it is the only one: every lab can use the same address. */
export const registryAddress = "127.0.0.1:5000";

const startTimeoutMs = 20_000;

export interface RegistryStart {
  program: string;
  nsenter: string;
  namespace: string;
  /** Configuration, log and process record; deleted by `down`. */
  folder: string;
  /** Published images; they survive `down`. */
  storage: string;
  signal?: AbortSignal | undefined;
}

export async function isRegistryRunning(folder: string): Promise<boolean> {
  const process = await readJsonFile<ProcessIdentity>(join(folder, "registry.json"));
  return process !== undefined && (await isRunning(process));
}

/** Starts docker-registry in the namespace and waits until it listens. */
export async function startRegistry(start: RegistryStart): Promise<void> {
  const { program, nsenter, namespace, folder, storage, signal } = start;
  const logFile = join(folder, "registry.log");
  const configFile = join(folder, "registry.yml");
  await mkdir(storage, { recursive: true });
  await mkdir(folder, { recursive: true });
  await writeFile(configFile, planRegistryConfig(storage));
  const registry = await startDetached(
    [nsenter, `--net=${namespaceFile(namespace)}`, program, "serve", configFile],
    { logFile, processFile: join(folder, "registry.json"), env: { PATH: "/usr/bin:/bin" } },
  );
  const listening = await waitFor(
    async () => {
      if (!(await isRunning(registry)))
        throw new LabError("lab-start", "the registry ended", { hint: `read ${logFile}` });
      return (await isListening(registry.pid)) ? true : undefined;
    },
    { timeoutMs: startTimeoutMs, signal },
  );
  if (!listening)
    throw new LabError("lab-start", "the registry does not listen", { hint: `read ${logFile}` });
}

function planRegistryConfig(storage: string): string {
  // JSON is YAML. Uploads are never purged in the background: another lab may share the storage.
  return JSON.stringify({
    version: 0.1,
    log: { level: "warn" },
    storage: {
      filesystem: { rootdirectory: storage },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: { addr: registryAddress },
  });
}

async function isListening(pid: number): Promise<boolean> {
  return hasListener(await readFile(`/proc/${pid}/net/tcp`, "utf8").catch(() => ""), 5000);
}

/** See proc(5), /proc/net/tcp: addresses are in hexadecimal, state 0A is LISTEN. */
export function hasListener(text: string, port: number): boolean {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return text.split("\n").some((line) => {
    const [, address, , state] = line.trim().split(/\s+/);
    return address?.endsWith(local) === true && state === "0A";
  });
}
