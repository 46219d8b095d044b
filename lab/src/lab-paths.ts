import { createHash } from "node:crypto";
import { isAbsolute, join } from "node:path";
import { defaultStateRoot, type LabEnvironment } from "./lab-environment.ts";
import { LabError } from "./lab-error.ts";

/** Every name and path of a lab, derived from its own name alone, so that labs never meet. */
export interface LabPaths {
  name: string;
  /** Deleted by `down`. */
  folder: string;
  recordFile: string;
  lockFile: string;
  /** Of all labs below the state root: folders that the machine did not have before them. */
  machineFoldersFile: string;
  /** For what all labs below the state root do to the machine. */
  machineLockFile: string;
  /** Prefix of the names of the network namespaces; no two labs share one. */
  namespacePrefix: string;
  /** Parent of the control groups of all containers, relative to the root of each hierarchy. */
  cgroup: string;
  toolsFolder: string;
  registryRoot: string;
}

export interface EnginePaths {
  folder: string;
  socket: string;
  dataRoot: string;
  /** File system image behind `dataRoot` when its size is limited. */
  dataImage: string;
  execRoot: string;
  pidFile: string;
  processFile: string;
  configFile: string;
  dockerConfig: string;
  logFile: string;
  namespace: string;
  cgroup: string;
}

const nameShape = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
// sockaddr_un holds 108 bytes including the final zero.
const longestSocketPath = 107;
const longestSocketBelowExecRoot = "containerd/containerd.sock.ttrpc";

/** @throws LabError `lab-usage` for a name that cannot be part of a path and a namespace. */
export function planLabPaths(name: string, environment: LabEnvironment): LabPaths {
  requireName(name, "lab");
  if (!isAbsolute(environment.stateRoot)) {
    throw new LabError("lab-usage", `the state folder must be an absolute path: ${environment.stateRoot}`, {
      hint: "set DRYBAG_LAB_DIR to an absolute path",
    });
  }
  const folder = join(environment.stateRoot, name);
  const id = `${name}${rootMark(environment.stateRoot)}`;
  return {
    name,
    folder,
    recordFile: join(folder, "lab.json"),
    lockFile: join(environment.stateRoot, `${name}.lock`),
    machineLockFile: join(environment.stateRoot, ".machine.lock"),
    machineFoldersFile: join(environment.stateRoot, "machine-folders.json"),
    // Names hold no dot: lab `a` can never take the namespaces of lab `a-b` for its own.
    namespacePrefix: `drybag.${id}.`,
    // Not the bare name: every control group has a file called `tasks`.
    cgroup: `/drybag-lab/lab-${id}`,
    toolsFolder: join(environment.cacheRoot, `tools-${process.arch}`),
    registryRoot: join(environment.cacheRoot, "registry"),
  };
}

/** @throws LabError `lab-usage` when a socket below the folder could not be opened. */
export function planEnginePaths(lab: LabPaths, engine: string): EnginePaths {
  requireName(engine, "site");
  const folder = join(lab.folder, engine);
  const execRoot = join(folder, "run");
  const longest = join(execRoot, longestSocketBelowExecRoot);
  if (longest.length > longestSocketPath) {
    throw new LabError("lab-usage", `the path of a Unix socket would be too long: ${longest}`, {
      hint: "choose a shorter lab name or DRYBAG_LAB_DIR",
    });
  }
  return {
    folder,
    socket: join(folder, "docker.sock"),
    dataRoot: join(folder, "data"),
    dataImage: join(folder, "data.img"),
    execRoot,
    pidFile: join(folder, "docker.pid"),
    processFile: join(folder, "dockerd.json"),
    configFile: join(folder, "daemon.json"),
    dockerConfig: join(folder, "docker-config"),
    logFile: join(folder, "dockerd.log"),
    namespace: `${lab.namespacePrefix}${engine}`,
    cgroup: `${lab.cgroup}/engine-${engine}`,
  };
}

function requireName(name: string, what: string): void {
  if (nameShape.test(name)) return;
  throw new LabError("lab-usage", `not a ${what} name: "${name}"`, {
    hint: "use 1 to 32 lower-case letters, digits and inner hyphens",
  });
}

/** Namespaces and control groups are global: labs of one name under two state roots must not share them. */
function rootMark(stateRoot: string): string {
  if (stateRoot === defaultStateRoot) return "";
  return `@${createHash("sha256").update(stateRoot).digest("hex").slice(0, 8)}`;
}
