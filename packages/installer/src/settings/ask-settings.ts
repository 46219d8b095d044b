import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { DrybagError } from "@drybag/errors";
import type { Setting } from "@drybag/format";
import { envValueProblem } from "./env-lines.ts";

export interface Questions {
  stdin: NodeJS.ReadStream;
  /** Where questions are written. */
  stderr: NodeJS.WriteStream;
  signal: AbortSignal;
}

/** Asks for each setting until it has a value that can be kept. Secrets are not shown while they are typed. */
export async function askSettings(
  missing: readonly Setting[],
  questions: Questions,
): Promise<Map<string, string>> {
  const answers = new Map<string, string>();
  for (const setting of missing) {
    if (setting.description) questions.stderr.write(`${setting.description}\n`);
    for (;;) {
      const value = await ask(`${setting.name}: `, questions, setting.secret);
      const problem = value === "" ? "is needed" : envValueProblem(value);
      if (problem === undefined) {
        answers.set(setting.name, value);
        break;
      }
      questions.stderr.write(`${setting.name} ${problem}.\n`);
    }
  }
  return answers;
}

/** Asks for a yes; Enter alone is one. */
export async function confirm(question: string, questions: Questions): Promise<boolean> {
  const answer = await ask(`${question} [Y/n] `, questions, false);
  return /^(y|yes|)$/i.test(answer.trim());
}

async function ask(prompt: string, { stdin, stderr, signal }: Questions, secret: boolean): Promise<string> {
  // readline echoes what it reads: a secret's echo goes nowhere.
  const output = secret ? new Writable({ write: (_chunk, _encoding, done) => done() }) : stderr;
  if (secret) stderr.write(prompt);
  const lines = createInterface({ input: stdin, output, terminal: true });
  try {
    // In raw mode Ctrl-C is a byte: hand it on as the signal that it would have been.
    lines.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
    const closed = new Promise<never>((_, reject) => {
      lines.once("close", () => reject(new DrybagError("interrupted", "no answer was given")));
    });
    closed.catch(() => undefined);
    return await Promise.race([lines.question(secret ? "" : prompt, { signal }), closed]);
  } finally {
    lines.close();
    if (secret) stderr.write("\n");
  }
}
