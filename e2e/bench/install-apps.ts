/**
 * `node install-apps.ts FOLDER`: what the apps of erp-apps.json ask npm for, each in a folder of its own, as bench installs them. The same
 * packages whenever it runs: none that came later than the date below.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";

const BEFORE = "2025-11-01";

const [folder = ""] = process.argv.slice(2);
const apps = JSON.parse(await readFile(join(import.meta.dirname, "erp-apps.json"), "utf8")) as Record<
  string,
  string[]
>;
for (const [app, packages] of Object.entries(apps)) {
  const cwd = join(folder, app);
  await mkdir(cwd, { recursive: true });
  await writeFile(join(cwd, "package.json"), JSON.stringify({ name: "bench-app", private: true }));
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"];
  await execa("npm", ["install", `--before=${BEFORE}`, "--legacy-peer-deps", ...quiet, ...packages], {
    cwd,
    stdio: ["ignore", 2, 2],
  });
}
