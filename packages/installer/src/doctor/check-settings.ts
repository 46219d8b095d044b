import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Finding } from "@drybag/errors";
import { renderReleaseEnv } from "../release/release-env.ts";
import { readAnswers } from "../settings/answers-file.ts";
import { settingProblem } from "../settings/setting-problem.ts";
import type { InstalledStack } from "../site/installed-stacks.ts";
import { RELEASE_ENV_FILE } from "../site/site-paths.ts";

/** Whether the answers fit their settings, and the release runs with them. Never names a value. Throws `setting-invalid`, `file-unreadable`. */
export async function checkSettings({ name, paths, current }: InstalledStack): Promise<Finding[]> {
  const { manifest, folder } = current;
  const answers = await readAnswers(paths.answers);
  const findings: Finding[] = [];
  for (const setting of manifest.settings) {
    const value = answers.get(setting.name);
    const problem =
      value !== undefined
        ? settingProblem(setting, value)
        : setting.required && !setting.default
          ? "is needed and not there"
          : undefined;
    if (problem === undefined) continue;
    findings.push({
      code: "setting-unfit",
      severity: "error",
      message: `The value of ${setting.name} in ${paths.answers} ${problem}.`,
      remedy: `Install the bundle again with --set ${setting.name}=...`,
    });
  }
  const path = join(folder, RELEASE_ENV_FILE);
  const wanted = await renderReleaseEnv({
    manifest,
    folder,
    finalFolder: folder,
    projectName: name,
    answers,
  });
  if ((await readFile(path, "utf8").catch(() => undefined)) !== wanted) {
    findings.push({
      code: "settings-not-applied",
      severity: "warning",
      message: `${path} is not what the answers in ${paths.answers} give.`,
      remedy: "One of the two was changed by hand. Install the bundle again: it applies the answers.",
    });
  }
  return findings;
}
