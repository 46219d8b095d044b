import { ask, type Questions } from "@drybag/terminal";

/** Asks for one of several; Enter takes the first. Asks again until the answer is one. */
export async function chooseOne(
  question: string,
  options: readonly string[],
  questions: Questions,
): Promise<number> {
  const { stderr } = questions;
  stderr.write(`${question}:\n${numbered(options)}\n`);
  for (;;) {
    const answer = (await ask("  which [1]: ", questions)).trim();
    const index = answer === "" ? 0 : Number(answer) - 1;
    if (Number.isInteger(index) && index >= 0 && index < options.length) return index;
    stderr.write(`  Answer with a number from 1 to ${options.length}; Enter alone is 1.\n`);
  }
}

/** Asks for any of several; Enter takes none. Gives their indexes in the order of the list. */
export async function chooseSome(
  question: string,
  options: readonly string[],
  questions: Questions,
): Promise<number[]> {
  const { stderr } = questions;
  stderr.write(`${question}:\n${numbered(options)}\n`);
  for (;;) {
    const answer = (await ask("  which, such as 1 3 [none]: ", questions)).trim();
    const indexes =
      answer === "" || /^none$/i.test(answer) ? [] : answer.split(/[\s,]+/).map((word) => Number(word) - 1);
    if (indexes.every((index) => Number.isInteger(index) && index >= 0 && index < options.length)) {
      return [...new Set(indexes)].sort((a, b) => a - b);
    }
    stderr.write(`  Answer with numbers from 1 to ${options.length}; Enter alone is none.\n`);
  }
}

/** Asks for a text; Enter takes the one that is offered. `problem` says what is wrong with an answer. */
export async function askText(
  question: string,
  offered: string,
  problem: (text: string) => string | undefined,
  questions: Questions,
): Promise<string> {
  for (;;) {
    const answer = (await ask(`${question} [${offered}]: `, questions)).trim() || offered;
    const wrong = problem(answer);
    if (wrong === undefined) return answer;
    questions.stderr.write(`  It ${wrong}.\n`);
  }
}

function numbered(options: readonly string[]): string {
  const width = String(options.length).length;
  return options.map((option, index) => `  ${String(index + 1).padStart(width)}  ${option}`).join("\n");
}
