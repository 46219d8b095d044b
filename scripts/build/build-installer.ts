import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { access, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import {
  type Architecture,
  makeExecutable,
  nodeBinary,
  nodeVersion,
  prepareBlob,
} from "./make-executable.ts";

const ARCHITECTURES: Architecture[] = ["amd64", "arm64"];

/**
 * Makes `drybag-site-linux-<architecture>` and its `.gz` from the bundled program, where the program, the Node version or this
 * recipe have changed since the last time. Gives the architectures that were made.
 */
export async function buildInstaller(packageFolder: string, program: string): Promise<Architecture[]> {
  const dist = join(packageFolder, "dist");
  const here: Architecture = process.arch === "arm64" ? "arm64" : "amd64";
  const preparing = nodeBinary(packageFolder, here);
  const recipe = await recipeDigest(program);
  const stale: Architecture[] = [];
  for (const architecture of ARCHITECTURES) {
    if (!(await isFresh(dist, architecture, await stampOf(recipe, packageFolder, architecture))))
      stale.push(architecture);
  }
  if (stale.length === 0) return [];
  await requireOneVersion(packageFolder, preparing);
  await Promise.all(
    stale.map(async (architecture) => {
      const executable = join(dist, executableName(architecture));
      const blob = `${executable}.${process.pid}.blob`;
      const stampFile = join(dist, stampName(architecture));
      await rm(stampFile, { force: true });
      await prepareBlob(program, preparing, blob, { withCompiledCode: architecture === here });
      await makeExecutable(nodeBinary(packageFolder, architecture), blob, executable);
      await rm(blob);
      await compress(executable, `${executable}.gz`);
      await writeFile(stampFile, await stampOf(recipe, packageFolder, architecture));
    }),
  );
  return stale;
}

function executableName(architecture: Architecture): string {
  return `drybag-site-linux-${architecture}`;
}

function stampName(architecture: Architecture): string {
  return `.${executableName(architecture)}.stamp`;
}

/** Everything that decides what the executables hold, but for the Node binaries. */
async function recipeDigest(program: string): Promise<string> {
  const hash = createHash("sha256");
  for (const name of ["build-installer.ts", "make-executable.ts"]) {
    hash.update(await readFile(new URL(name, import.meta.url)));
  }
  return hash.update(await readFile(program)).digest("hex");
}

async function stampOf(recipe: string, packageFolder: string, architecture: Architecture): Promise<string> {
  return `${recipe} node ${await nodeVersion(nodeBinary(packageFolder, architecture))}\n`;
}

/** The stamp is written last and removed first: where it is right, so are the files. */
async function isFresh(dist: string, architecture: Architecture, stamp: string): Promise<boolean> {
  try {
    await access(join(dist, executableName(architecture)));
    await access(join(dist, `${executableName(architecture)}.gz`));
    return (await readFile(join(dist, stampName(architecture)), "utf8")) === stamp;
  } catch {
    return false;
  }
}

/** A blob runs only in the version of Node that made it. */
async function requireOneVersion(packageFolder: string, preparing: string): Promise<void> {
  const expected = await nodeVersion(preparing);
  for (const architecture of ARCHITECTURES) {
    const found = await nodeVersion(nodeBinary(packageFolder, architecture));
    if (found !== expected)
      throw new Error(`Node for ${architecture} is ${found}, the blob is made by ${expected}`);
  }
}

/** zlib writes neither a name nor a time into the header: the same bytes give the same bytes. */
async function compress(file: string, outfile: string): Promise<void> {
  const temporary = `${outfile}.${process.pid}.new`;
  await pipeline(createReadStream(file), createGzip({ level: 6 }), createWriteStream(temporary));
  await rename(temporary, outfile);
}
