import type { Setting } from "@drybag/format";
import { ask, type Questions } from "@drybag/terminal";
import { generateSecret } from "./generate-secret.ts";
import { settingProblem } from "./setting-problem.ts";

export { confirm, type Questions } from "@drybag/terminal";

/** Asks for each setting until it has a value that can be kept. Secrets are not shown while they are typed. */
export async function askSettings(
  missing: readonly Setting[],
  questions: Questions,
): Promise<Map<string, string>> {
  const answers = new Map<string, string>();
  for (const setting of missing) {
    if (setting.description) questions.stderr.write(`${setting.description}\n`);
    if (setting.choices) questions.stderr.write(`One of: ${setting.choices.join(", ")}\n`);
    for (;;) {
      const canMakeUp = generateSecret(setting) !== undefined;
      const prompt = canMakeUp ? `${setting.name} (Enter makes one up): ` : `${setting.name}: `;
      const value = (await ask(prompt, questions, setting.secret)) || (generateSecret(setting) ?? "");
      const problem = value === "" ? "is needed" : settingProblem(setting, value);
      if (problem === undefined) {
        answers.set(setting.name, value);
        break;
      }
      questions.stderr.write(`${setting.name} ${problem}.\n`);
    }
  }
  return answers;
}
