/**
 * `pnpm build`: the two programs as people get them.
 *
 *     packages/bundler/dist/drybag.js                           one file, run by Node 24
 *     packages/installer/dist/drybag-site.cjs                   one file, run by Node 24
 *     packages/installer/dist/drybag-site-linux-<arch>[.gz]     one executable that needs no Node
 */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { buildInstaller } from "./build/build-installer.ts";
import { bundleProgram } from "./build/bundle-program.ts";

const root = join(import.meta.dirname, "..");
process.chdir(root);

const startedMs = performance.now();
const { version } = JSON.parse(await readFile("package.json", "utf8"));
for (const name of ["bundler", "installer"]) await mkdir(`packages/${name}/dist`, { recursive: true });

const drybag = "packages/bundler/dist/drybag.js";
const drybagSite = "packages/installer/dist/drybag-site.cjs";
await Promise.all([
  bundleProgram({ entry: "packages/bundler/src/main.ts", outfile: drybag, format: "esm" }, version),
  bundleProgram({ entry: "packages/installer/src/main.ts", outfile: drybagSite, format: "cjs" }, version),
]);
const made = await buildInstaller("packages/installer", drybagSite);

const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
const executables = made.length === 0 ? "executables unchanged" : `executables for ${made.join(", ")}`;
console.log(`built drybag ${version}: ${drybag}, ${drybagSite}, ${executables} (${seconds} s)`);
