import { mkdir, readdir, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { runCommand } from "../run-command.ts";
import type { AptView } from "./apt-view.ts";

export interface PackageChoice {
  packages: readonly string[];
  /** Also whatever of their dependencies this machine lacks; else the packages alone. */
  dependencies: boolean;
}

/** Downloads, has apt check signatures and sums, and unpacks into `folder/root`. Nothing is installed. */
export async function unpackPackages(
  folder: string,
  choices: readonly (PackageChoice & { view: AptView })[],
  signal?: AbortSignal,
): Promise<void> {
  const archives = join(folder, "archives");
  const root = join(folder, "root");
  await mkdir(join(archives, "partial"), { recursive: true });
  await mkdir(root, { recursive: true });
  for (const choice of choices) await downloadPackages(archives, choice, signal);
  const files = (await readdir(archives)).filter((name) => name.endsWith(".deb"));
  await inParallel(files, async (file) => {
    await runCommand("dpkg", ["-x", join(archives, file), root], {
      doing: `unpack ${file}`,
      code: "lab-packages",
      signal,
    });
  });
  await writeFile(join(folder, "packages.txt"), files.map((file) => `${file}\n`).join(""));
}

async function downloadPackages(
  archives: string,
  choice: PackageChoice & { view: AptView },
  signal?: AbortSignal,
): Promise<void> {
  const emptyStatus = join(archives, "no-packages-installed");
  await writeFile(emptyStatus, "");
  const args = choice.dependencies
    ? // What the machine has stays in use even when there is a newer one: no second systemd, no second libc.
      [
        "-y",
        "--no-install-recommends",
        "--no-upgrade",
        "--download-only",
        `-oDir::Cache::archives=${archives}`,
        "install",
      ]
    : // Without the machine's own packages in sight: the one installed is not the candidate of another release.
      [`-oDir::State::status=${emptyStatus}`, "download"];
  await runCommand("apt-get", ["-q", ...choice.view.options, ...args, ...choice.packages], {
    doing: `download ${choice.packages.join(", ")}`,
    code: "lab-packages",
    hint: "check the mirror with: apt-get update",
    cwd: archives,
    env: { DEBIAN_FRONTEND: "noninteractive" },
    signal,
  });
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const workers = Array.from({ length: availableParallelism() }, async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  });
  await Promise.all(workers);
}
