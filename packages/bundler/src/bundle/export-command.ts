import { createWriteStream } from "node:fs";
import { access, mkdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { DrybagError } from "@drybag/errors";
import {
  BLOB_PREFIX,
  OCI_INDEX_ENTRY,
  OCI_LAYOUT_ENTRY,
  type OpenedBundle,
  readBundle,
} from "@drybag/format";
import type { RunContext } from "@drybag/terminal";
import { exportArchive, type Run } from "./docker-archive.ts";
import { openCarryFolder, tarSizeBytes } from "./open-carry-folder.ts";

export interface ExportFlags {
  dockerArchive?: string;
  oci?: string;
}

/** `drybag export`: the images, for programs that do not take the bundle's tar as it is. Everything is verified on the way. */
export async function exportCommand(context: RunContext, flags: ExportFlags, folder = "."): Promise<void> {
  const { dockerArchive, oci } = flags;
  if ((dockerArchive === undefined) === (oci === undefined)) {
    throw new DrybagError("usage", "Say in which form, and where to.", {
      hint: "--docker-archive FILE (or - for stdout), or --oci FOLDER.",
    });
  }
  const bundle = await openCarryFolder(context, folder);
  const progress = context.progress(["export"]);
  await progress.stage("export", "Export the images", async (report) => {
    let doneBytes = 0;
    const onBytes = (bytes: number) => {
      doneBytes += bytes;
      report.bytes(doneBytes, tarSizeBytes(bundle));
    };
    const run = { signal: context.signal, onBytes };
    if (oci !== undefined) await exportLayout(bundle, path.resolve(context.cwd, oci), run);
    else if (dockerArchive === "-") await exportArchive(bundle, context.stdout, run, { end: false });
    else await exportArchiveFile(bundle, path.resolve(context.cwd, dockerArchive as string), run);
  });
  await progress.close();
}

/** An OCI image layout as a folder. It gets its name when all of it was verified. */
async function exportLayout(bundle: OpenedBundle, directory: string, run: Run): Promise<void> {
  const temporary = `${directory}.partial-${process.pid}`;
  try {
    await mkdir(path.join(temporary, BLOB_PREFIX), { recursive: true });
    for await (const { entry, body } of readBundle(bundle, run)) {
      const isLayout = [OCI_LAYOUT_ENTRY, OCI_INDEX_ENTRY].includes(entry.path);
      if (!isLayout && !entry.path.startsWith(BLOB_PREFIX)) body.destroy();
      else await pipeline(body, createWriteStream(path.join(temporary, entry.path)), { signal: run.signal });
    }
    await rename(temporary, directory).catch((cause) => {
      throw new DrybagError("output-exists", `${directory} exists already.`, {
        hint: "Remove it, or name another folder.",
        cause,
      });
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function exportArchiveFile(bundle: OpenedBundle, file: string, run: Run): Promise<void> {
  const temporary = `${file}.partial-${process.pid}`;
  const exists = await access(file).then(
    () => true,
    () => false,
  );
  if (exists)
    throw new DrybagError("output-exists", `${file} exists already.`, {
      hint: "Remove it, or name another file.",
    });
  try {
    await exportArchive(bundle, createWriteStream(temporary, { flags: "wx" }), run, { end: true });
    await rename(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
}
