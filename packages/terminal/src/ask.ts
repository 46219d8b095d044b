import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { DrybagError } from "@drybag/errors";

export interface Questions {
  stdin: NodeJS.ReadStream;
  /** Where questions are written. */
  stderr: NodeJS.WriteStream;
  signal: AbortSignal;
}

/** Asks for a yes; Enter alone is one. */
export async function confirm(question: string, questions: Questions): Promise<boolean> {
  const answer = await ask(`${question} [Y/n] `, questions);
  return /^(y|yes|)$/i.test(answer.trim());
}

/** Asks for one line. A secret is not shown while it is typed. Throws `interrupted` where stdin ends without an answer. */
export async function ask(
  prompt: string,
  { stdin, stderr, signal }: Questions,
  secret = false,
): Promise<string> {
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
