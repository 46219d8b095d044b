import { readFile, statfs } from "node:fs/promises";
import { arch, cpus, freemem, hostname, release, totalmem, uptime, version } from "node:os";
import { type DockerContext, runDocker } from "@drybag/docker";

/** Questions to Docker, with the file that each answer goes to. */
const QUESTIONS: [file: string, args: string[]][] = [
  ["docker/version.json", ["version", "--format", "{{json .}}"]],
  ["docker/info.json", ["info", "--format", "{{json .}}"]],
  ["docker/compose-version.txt", ["compose", "version"]],
  ["docker/disk.txt", ["system", "df"]],
  ["docker/containers.txt", ["ps", "--all", "--no-trunc"]],
  ["docker/images.txt", ["image", "ls", "--all", "--digests", "--no-trunc"]],
  ["docker/networks.txt", ["network", "ls"]],
  ["docker/volumes.txt", ["volume", "ls"]],
];
/** `docker system df` counts every file of every volume. */
const ANSWER_TIMEOUT_MS = 60_000;

/** What this machine is. `program` is the version of drybag-site. */
export async function hostFacts(program: string, dir: string): Promise<string> {
  const facts = {
    program,
    time: new Date().toISOString(),
    host: hostname(),
    kernel: `${release()} ${version()}`,
    architecture: arch(),
    cpus: cpus().length,
    memoryBytes: totalmem(),
    memoryFreeBytes: freemem(),
    uptimeSeconds: Math.round(uptime()),
    user: process.getuid?.(),
    groups: process.getgroups?.(),
    dir,
    dirFreeBytes: await statfs(dir).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => null,
    ),
    osRelease: await readFile("/etc/os-release", "utf8").catch(() => null),
    memory: await readFile("/proc/meminfo", "utf8").catch(() => null),
    mounts: await readFile("/proc/mounts", "utf8").catch(() => null),
  };
  return JSON.stringify(facts, undefined, 2).replaceAll("\\n", "\n    ");
}

/** What Docker says of itself, one answer after the other; what it refuses to say is told in its place. */
export async function* dockerFacts(
  docker: DockerContext,
  signal: AbortSignal,
): AsyncGenerator<{ file: string; text: string }> {
  for (const [file, args] of QUESTIONS) {
    try {
      const { stdout } = await runDocker(docker, args, { signal, timeoutMs: ANSWER_TIMEOUT_MS });
      yield {
        file,
        text: file.endsWith(".json") ? JSON.stringify(JSON.parse(stdout), undefined, 2) : stdout,
      };
    } catch (error) {
      signal.throwIfAborted();
      yield { file, text: `could not be asked: ${describeError(error)}` };
    }
  }
}

export function describeError(error: unknown): string {
  const { message, detail } = error as Error & { detail?: string };
  return [message, detail].filter(Boolean).join("\n");
}
