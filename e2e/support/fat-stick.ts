import { mkdir, mkdtemp, readdir, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type LabEnvironment, tool } from "@drybag/lab";
import { execa } from "execa";

/** A FAT32 stick, plugged in: mounted read-only and noexec. Disposing of it pulls it out. */
export interface FatStick extends AsyncDisposable {
  /** Where it is mounted. */
  directory: string;
  /** Pulls it out in the middle: whoever reads from it gets errors. */
  pull(): Promise<void>;
}

/** Room for the file system's own tables. */
const SPARE_BYTES = 64 * 1024 * 1024;

/** Writes a folder to the root of a FAT32 image file and mounts that. */
export async function plugInFatStick(folder: string, environment: LabEnvironment): Promise<FatStick> {
  const [mkfs, mcopy, fusefat] = await Promise.all(
    ["mkfs.vfat", "mcopy", "fusefat"].map((name) => tool(name, { environment })),
  );
  const work = await mkdtemp(path.join(tmpdir(), "drybag-stick-"));
  const image = path.join(work, "stick.img");
  await writeFile(image, "");
  await truncate(image, (await folderSizeBytes(folder)) + SPARE_BYTES);
  await execa(mkfs as string, ["-F", "32", image]);
  await execa(mcopy as string, ["-s", "-i", image, folder, "::/"], { env: { MTOOLS_SKIP_CHECK: "1" } });

  const raw = path.join(work, "fuse");
  const directory = path.join(work, "usb");
  await mkdir(raw);
  await mkdir(directory);
  await execa(fusefat as string, ["-o", "ro", image, raw]);
  await execa("mount", ["--bind", raw, directory]);
  await execa("mount", ["-o", "remount,bind,ro,noexec,nosuid,nodev", directory]);
  return {
    directory,
    async pull() {
      // Forced, the kernel breaks off with the file system's program even where files are open; it says "busy" all the same.
      await execa("umount", ["--force", raw], { reject: false });
    },
    async [Symbol.asyncDispose]() {
      await execa("umount", [directory], { reject: false });
      await execa("umount", [raw], { reject: false });
      await rm(work, { recursive: true, force: true });
    },
  };
}

/** An empty one that can be written to. */
export async function plugInEmptyStick(
  environment: LabEnvironment,
): Promise<Pick<FatStick, "directory"> & AsyncDisposable> {
  const [mkfs, fusefat] = await Promise.all(
    ["mkfs.vfat", "fusefat"].map((name) => tool(name, { environment })),
  );
  const work = await mkdtemp(path.join(tmpdir(), "drybag-stick-"));
  const image = path.join(work, "stick.img");
  const directory = path.join(work, "usb");
  await writeFile(image, "");
  await truncate(image, SPARE_BYTES);
  await execa(mkfs as string, ["-F", "32", image]);
  await mkdir(directory);
  await execa(fusefat as string, ["-o", "rw+", image, directory]);
  return {
    directory,
    async [Symbol.asyncDispose]() {
      await execa("umount", [directory], { reject: false });
      await rm(work, { recursive: true, force: true });
    },
  };
}

async function folderSizeBytes(folder: string): Promise<number> {
  let sizeBytes = 0;
  for (const name of await readdir(folder)) sizeBytes += (await stat(path.join(folder, name))).size;
  return sizeBytes;
}
