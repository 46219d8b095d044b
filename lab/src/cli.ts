import { parseArguments } from "./cli/parse-arguments.ts";
import { runCommandLine } from "./cli/run-command-line.ts";
import { readLabEnvironment } from "./lab-environment.ts";
import { LabError } from "./lab-error.ts";

// The one file that knows of this process: arguments, environment, signals, exit code.
const stopped = new AbortController();
process.once("SIGINT", () => stopped.abort());
process.once("SIGTERM", () => stopped.abort());

try {
  const environment = readLabEnvironment(process.env);
  process.exitCode = await runCommandLine(parseArguments(process.argv.slice(2)), {
    environment,
    signal: stopped.signal,
    print: (text) => process.stdout.write(`${text}\n`),
    progress: (line) => process.stderr.write(`lab: ${line}\n`),
    become(argv, env) {
      // Node ignores SIGPIPE, and what it becomes would inherit that.
      const file = "/usr/bin/env";
      process.execve?.(file, [file, "--default-signal", "--", ...argv], { ...process.env, ...env });
      throw new Error("this Node cannot start a program in its place");
    },
  });
} catch (error) {
  if (stopped.signal.aborted) {
    process.stderr.write("lab: stopped; `scripts/lab up` goes on, `scripts/lab down` cleans up\n");
    process.exitCode = 130;
  } else if (error instanceof LabError) {
    process.stderr.write(`lab: ${error.message}${error.hint === undefined ? "" : `\n     ${error.hint}`}\n`);
    process.exitCode = error.code === "lab-usage" ? 2 : 1;
  } else {
    throw error;
  }
}
