import type { Setting } from "@drybag/format";
import { ask, printableLine, type Questions } from "@drybag/terminal";
import { generateSecret } from "./generate-secret.ts";
import { settingProblem } from "./setting-problem.ts";

export { confirm, type Questions } from "@drybag/terminal";

/** Asks for each setting until it has a value that can be kept. Secrets are not shown while they are typed. */
export async function askSettings(
  missing: readonly Setting[],
  questions: Questions,
): Promise<Map<string, string>> {
  const answers = new Map<string, string>();
  for (const setting of missing) answers.set(setting.name, await askSetting(setting, questions));
  return answers;
}

/** Asks for one setting. Enter keeps the value that it has, or makes up a secret that has none. */
export async function askSetting(setting: Setting, questions: Questions, present?: string): Promise<string> {
  const { name, description, choices, secret } = setting;
  if (description) questions.stderr.write(`${description}\n`);
  if (choices) questions.stderr.write(`One of: ${choices.join(", ")}\n`);
  const canMakeUp = !present && generateSecret(setting) !== undefined;
  const onEnter = present
    ? secret
      ? "Enter keeps it"
      : printableLine(present)
    : canMakeUp
      ? "Enter makes one up"
      : undefined;
  const prompt = onEnter === undefined ? `${name}: ` : `${name} (${onEnter}): `;
  for (;;) {
    const typed = await ask(prompt, questions, secret);
    const value = typed || present || (generateSecret(setting) ?? "");
    const problem = value.trim() === "" && setting.required ? "is needed" : settingProblem(setting, value);
    if (problem === undefined) return value;
    questions.stderr.write(`${name} ${problem}.\n`);
  }
}
