import { open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { UnnamedVolume } from "@drybag/docker";
import { fsyncDirectory } from "@drybag/format";

/** What an install did, one line a step, each with what undoing it needs. */
export type JournalStep =
  | { step: "install-started"; release: string; manifestSha256: string; previousRelease: string | null }
  /** Before the engine is given anything. Undo: each tag back to that image, or away; and `absent`, IDs of images, away. */
  | { step: "tags-recorded"; tags: RecordedTag[]; absent?: string[] }
  | { step: "tags-restored" }
  /** The images are there and were inspected: nothing to undo. */
  | { step: "images-loaded"; tags: string[] }
  | { step: "release-placed"; release: string }
  | { step: "up-started"; release: string }
  | { step: "committed"; release: string }
  | { step: "rollback-started"; release: string; previousRelease: string }
  /** A process in a running container, by its number there; or a container of its own. Undo: end it. */
  | { step: "task-started"; task: string; release: string; id: string; container: string; pid: number | null }
  | { step: "task-done"; task: string; release: string }
  | { step: "task-failed"; task: string; release: string; message: string }
  /** Undo: start them again. */
  | { step: "stack-stopped"; containers: string[] }
  | { step: "stack-started" }
  /** Their containers are about to go, and nobody else knows where they belong. Undo: give them to the next containers. */
  | { step: "volumes-detached"; volumes: UnnamedVolume[]; toRemove?: UnnamedVolume[] }
  | { step: "volumes-attached" }
  | { step: "backup-made"; backup: string; release: string; reason: string }
  | { step: "restore-started"; backup: string; aside: string | null }
  | { step: "restored"; backup: string }
  /** From here on the data may become the new release's. Undo: that backup. */
  | { step: "upgrade-started"; release: string; previousRelease: string; backup: string | null }
  | { step: "upgrade-undone"; release: string; backup: string | null }
  /** The containers are gone, and the releases with them. */
  | { step: "uninstalled"; volumes: boolean }
  | { step: "pruned"; releases: string[] }
  | { step: "install-failed"; release: string; code: string; message: string };

export interface RecordedTag {
  tag: string;
  /** ID of the image that had the tag; null where none had. */
  imageId: string | null;
}

export type JournalLine = JournalStep & { time: string };

/** Adds a line, which is on the disk when this returns. */
export async function appendToJournal(path: string, step: JournalStep): Promise<void> {
  const file = await open(path, "a", 0o600);
  try {
    const { size } = await file.stat();
    // A line cut off by a crash must not swallow the next one.
    const separator = size > 0 && !(await endsWithNewline(path, size)) ? "\n" : "";
    await file.appendFile(`${separator}${JSON.stringify({ time: new Date().toISOString(), ...step })}\n`);
    await file.sync();
    if (size === 0) await fsyncDirectory(dirname(path));
  } finally {
    await file.close();
  }
}

async function endsWithNewline(path: string, size: number): Promise<boolean> {
  const file = await open(path, "r");
  try {
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
    return buffer.toString() === "\n";
  } finally {
    await file.close();
  }
}

/** All whole lines, oldest first; none where there is no journal yet. */
export async function readJournal(path: string): Promise<JournalLine[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  return text.split("\n").flatMap(parseLine);
}

function parseLine(line: string): JournalLine[] {
  try {
    return line === "" ? [] : [JSON.parse(line) as JournalLine];
  } catch {
    return [];
  }
}

/** Whether Drybag has started the stack before, successfully or not: its containers are then ours. */
export function wasStarted(lines: readonly JournalLine[]): boolean {
  return sinceInstalled(lines).some(({ step }) => step === "up-started");
}

/** Releases in the order in which they became the current one, oldest first; one that was returned to stands there again. */
export function committedReleases(lines: readonly JournalLine[]): string[] {
  return sinceInstalled(lines).flatMap((line) => (line.step === "committed" ? [line.release] : []));
}

/** Tasks that were started and that nobody has seen end. */
export function unendedTasks(lines: readonly JournalLine[]): (JournalLine & { step: "task-started" })[] {
  let open: (JournalLine & { step: "task-started" })[] = [];
  for (const line of sinceInstalled(lines)) {
    if (line.step === "task-started") open.push(line);
    if (line.step === "task-done" || line.step === "task-failed")
      open = open.filter(({ task }) => task !== line.task);
  }
  return open;
}

/** Containers that were stopped for a while and that nobody has started since, or replaced by starting a release. */
export function stoppedContainers(lines: readonly JournalLine[]): string[] {
  const settles = new Set(["stack-started", "up-started", "committed"]);
  const last = sinceInstalled(lines).findLast(({ step }) => step === "stack-stopped" || settles.has(step));
  return last?.step === "stack-stopped" ? last.containers : [];
}

/** Volumes without a name that no container has. */
export interface VolumesOnTheirOwn {
  /** For the next containers; an uninstall leaves such too. */
  volumes: UnnamedVolume[];
  /** Those that a restore was about to remove. */
  toRemove: UnnamedVolume[];
}

export function detachedVolumes(lines: readonly JournalLine[]): VolumesOnTheirOwn {
  const last = lines.findLast(({ step }) => step === "volumes-detached" || step === "volumes-attached");
  if (last?.step !== "volumes-detached") return { volumes: [], toRemove: [] };
  return { volumes: last.volumes, toRemove: last.toRemove ?? [] };
}

/** What came after the stack was last taken away. */
function sinceInstalled(lines: readonly JournalLine[]): readonly JournalLine[] {
  return lines.slice(lines.findLastIndex(({ step }) => step === "uninstalled") + 1);
}

/** What a load may have changed that nobody has put back or confirmed since: tags, and images that were not there before. */
export function unsettledLoad(lines: readonly JournalLine[]): { tags: RecordedTag[]; absent: string[] } {
  const last = lines.findLast(({ step }) => LOAD_STEPS.has(step));
  return last?.step === "tags-recorded"
    ? { tags: last.tags, absent: last.absent ?? [] }
    : { tags: [], absent: [] };
}

const LOAD_STEPS = new Set<JournalStep["step"]>(["tags-recorded", "tags-restored", "images-loaded"]);
