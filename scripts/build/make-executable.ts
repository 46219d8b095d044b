import { execFile } from "node:child_process";
import { chmod, copyFile, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Where Node looks for the program in itself: https://nodejs.org/docs/latest-v24.x/api/single-executable-applications.html */
const RESOURCE = "NODE_SEA_BLOB";
const POSTJECT = createRequire(import.meta.url).resolve("postject/dist/cli.js");
const FUSE = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

export type Architecture = "amd64" | "arm64";
const NODE_ARCHITECTURES = { amd64: "x64", arm64: "arm64" } as const;

/** The file of the `node-linux-…` package that is a devDependency of the package in this folder. */
export function nodeBinary(packageFolder: string, architecture: Architecture): string {
  const require = createRequire(resolve(packageFolder, "package.json"));
  return join(
    dirname(require.resolve(`node-linux-${NODE_ARCHITECTURES[architecture]}/package.json`)),
    "bin/node",
  );
}

/** The version of that package, which is Node's. */
export async function nodeVersion(binary: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(dirname(binary), "../package.json"), "utf8"));
  return manifest.version;
}

/**
 * The program as Node carries it. With compiled code in it, it starts in 40 ms instead of 55, but only on the architecture that
 * it was made on.
 */
export async function prepareBlob(
  program: string,
  node: string,
  blob: string,
  { withCompiledCode }: { withCompiledCode: boolean },
): Promise<void> {
  const work = await mkdtemp(join(dirname(blob), ".sea-"));
  try {
    // Names without folders: the blob records the program's name as it is given here.
    await copyFile(program, join(work, "drybag-site.cjs"));
    const config = {
      main: "drybag-site.cjs",
      output: "drybag-site.blob",
      disableExperimentalSEAWarning: true,
      useSnapshot: false,
      useCodeCache: withCompiledCode,
      // Otherwise NODE_OPTIONS could put code into the installer.
      execArgvExtension: "none",
    };
    await writeFile(join(work, "sea.json"), JSON.stringify(config));
    // The seed makes the compiled code the same every time. (A --hash-seed would, too, but Node would refuse that code.)
    await run(node, ["--random-seed=1", "--experimental-sea-config", "sea.json"], { cwd: work });
    await rename(join(work, "drybag-site.blob"), blob);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Writes a copy of a Node binary that runs the program in the blob and nothing else. Never strip it: it would lose the blob. */
export async function makeExecutable(node: string, blob: string, outfile: string): Promise<void> {
  const temporary = `${outfile}.${process.pid}.new`;
  await copyFile(node, temporary);
  await chmod(temporary, 0o755);
  // A process of its own, for a second core and because it warns about section names that do no harm.
  await run(process.execPath, [POSTJECT, temporary, RESOURCE, blob, "--sentinel-fuse", FUSE]);
  await rename(temporary, outfile);
}
