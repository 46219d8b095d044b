import { readdirSync, readFileSync } from "node:fs";

const INTERVAL_MS = 25;

/**
 * Watches a process and all below it, and keeps the highest resident memory of each program, in bytes, by its name. The kernel
 * keeps the high-water mark itself (VmHWM in proc(5)), so that looking now and then misses only the last moment.
 */
export function watchPeakMemory(pid: number): { stop(): Map<string, number> } {
  const peaks = new Map<string, number>();
  const look = () => {
    for (const each of processTree(pid)) {
      const status = readText(`/proc/${each}/status`);
      const name = /^Name:\s*(.+)$/m.exec(status)?.[1];
      const kib = Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1]);
      if (name !== undefined && kib > 0) peaks.set(name, Math.max(peaks.get(name) ?? 0, kib * 1024));
    }
  };
  const timer = setInterval(look, INTERVAL_MS);
  look();
  return {
    stop() {
      clearInterval(timer);
      return peaks;
    },
  };
}

/** The process and its descendants that are there now. */
export function processTree(pid: number): number[] {
  const tasks = listNames(`/proc/${pid}/task`);
  const children = tasks.flatMap((task) =>
    readText(`/proc/${pid}/task/${task}/children`).split(" ").filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(processTree)];
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function listNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
