import { DrybagError, isDrybagError } from "@drybag/errors";
import type { Setting } from "@drybag/format";
import { ask, nearestName } from "@drybag/terminal";
import { askSetting, confirm, type Questions } from "../settings/ask-settings.ts";
import { describePlan, type InstallPlan } from "./describe-plan.ts";
import type { InstallOptions, InstallSurroundings } from "./install-options.ts";
import type { Prepared } from "./prepare.ts";

type Settled = Pick<Prepared, "answers" | "model" | "findings">;

/**
 * Shows what will be done and asks, unless that was answered on the command line. The name of a setting for an answer changes that one
 * first; the server is looked at again with the new value, and one that cannot be is told and not taken.
 */
export async function agree(
  plan: InstallPlan,
  prepared: Prepared,
  { yes }: InstallOptions,
  { questions }: InstallSurroundings,
): Promise<Settled> {
  let settled: Settled = prepared;
  if (yes || !questions) return settled;
  const { settings } = plan.manifest;
  for (;;) {
    const { stderr } = questions;
    stderr.write(describePlan({ ...plan, answers: settled.answers }, stderr.columns));
    const setting = await askWhatToDo(settings, questions);
    if (setting === undefined) return settled;
    const value = await askSetting(setting, questions, settled.answers.get(setting.name) ?? setting.default);
    try {
      settled = await prepared.reconsider(new Map(settled.answers).set(setting.name, value));
    } catch (error) {
      if (!isDrybagError(error, "preflight-failed", "project-invalid")) throw error;
      stderr.write(
        `\n${[error.message, error.detail].filter(Boolean).join("\n")}\n${setting.name} stays as it was.\n`,
      );
      // The staged project is written for the answers: back to those that hold.
      settled = await prepared.reconsider(settled.answers);
    }
  }
}

/** The setting to change, or undefined to go ahead. Throws `interrupted` for a no. */
async function askWhatToDo(settings: readonly Setting[], questions: Questions): Promise<Setting | undefined> {
  const refused = () => new DrybagError("interrupted", "nothing was installed");
  if (settings.length === 0) {
    if (await confirm("Install it?", questions)) return undefined;
    throw refused();
  }
  for (;;) {
    const answer = (await ask("Install it? [Y/n, or a SETTING to change] ", questions)).trim();
    if (/^(y|yes|)$/i.test(answer)) return undefined;
    if (/^(n|no)$/i.test(answer)) throw refused();
    const setting = settings.find(({ name }) => name.toLowerCase() === answer.toLowerCase());
    if (setting !== undefined) return setting;
    const meant = nearestName(
      answer.toUpperCase(),
      settings.map(({ name }) => name),
    );
    questions.stderr.write(
      `There is no setting ${answer}.${meant === undefined ? "" : ` Did you mean ${meant}?`}\n`,
    );
  }
}
