import { homedir } from "node:os";
import { join } from "node:path";

/** What the lab needs to know of the process it runs in. */
export interface LabEnvironment {
  /** Holds one folder for each lab; deleted by `down`. */
  stateRoot: string;
  /** Holds unpacked engines, tools and published images; survives `down`. */
  cacheRoot: string;
  /** PATH of the commands run for the user; the lab's own programs come before it. */
  path: string;
}

export const defaultStateRoot = "/var/tmp/drybag-lab";
const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Pure, so that only CLI and test files name `process.env`: `readLabEnvironment(process.env)`. */
export function readLabEnvironment(env: Readonly<Record<string, string | undefined>>): LabEnvironment {
  const home = env.HOME || homedir();
  const cache = env.XDG_CACHE_HOME || join(home, ".cache");
  return {
    stateRoot: env.DRYBAG_LAB_DIR || defaultStateRoot,
    cacheRoot: join(cache, "drybag", "lab"),
    // A user's PATH may lack sbin, where iptables, ip and mkfs live.
    path: env.PATH ? `${env.PATH}:${systemPath}` : systemPath,
  };
}
