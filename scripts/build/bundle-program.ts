import { chmod, readFile, rename } from "node:fs/promises";
import { type BuildOptions, build } from "esbuild";

export interface Program {
  entry: string;
  outfile: string;
  format: "esm" | "cjs";
}

/** tar-stream and others are CommonJS and ask for Node's own modules by `require`, which an ES module does not have. */
const ESM_REQUIRE =
  'import { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);';
/**
 * To a shell the second line starts Node, to Node it is a string and a comment. The `--` keeps Node from taking our `--env-file` for
 * its own, which it does even behind the script's name (nodejs/node#54232), and not every env(1) can pass it in a `#!` line.
 */
const SHEBANG = `#!/bin/sh\n":" //; exec node -- "$0" "$@"`;

/** Bundles a program and all it imports into one file that Node 24 runs as it is. */
export async function bundleProgram({ entry, outfile, format }: Program, version: string): Promise<void> {
  const temporary = `${outfile}.${process.pid}.new`;
  const options: BuildOptions = {
    entryPoints: [entry],
    outfile: temporary,
    bundle: true,
    platform: "node",
    target: "node24",
    format,
    define: { DRYBAG_VERSION: JSON.stringify(version) },
    banner: { js: await banner(entry, format) },
    // Paths in the output stay those of the repository, whatever folder it lies in.
    absWorkingDir: process.cwd(),
    legalComments: "none",
    logLevel: "warning",
  };
  await build(options);
  await chmod(temporary, 0o755);
  await rename(temporary, outfile);
}

async function banner(entry: string, format: Program["format"]): Promise<string> {
  const source = await readFile(entry, "utf8");
  const lines = source.startsWith("#!") ? [] : [SHEBANG];
  if (format === "esm") lines.push(ESM_REQUIRE);
  return lines.join("\n");
}
