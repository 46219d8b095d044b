/** A program for run-main.test.ts. */
import { setTimeout as sleep } from "node:timers/promises";
import { DrybagError } from "@drybag/errors";
import { Command } from "commander";
import { run, runMain } from "../index.ts";

const program = new Command();
program
  .command("echo")
  .argument("[words...]")
  .option("--loud")
  .action(
    run<{ loud?: boolean }, [words: string[]]>(async (context, { loud }, words) => {
      context.stdout.write(
        `${JSON.stringify({ words, loud, json: context.json, canAsk: context.canAsk })}\n`,
      );
      return words.includes("5") ? 5 : undefined;
    }),
  );
program.command("fail").action(
  run(async () => {
    throw new DrybagError("unhealthy", "web is not healthy", { hint: "look at its log" });
  }),
);
program.command("defect").action(run(async () => JSON.parse("{")));
program.command("lose").action(run(() => new Promise(() => {})));
program.command("throw-later").action(
  run(async () => {
    setTimeout(() => JSON.parse("{"), 1);
    await sleep(10_000);
  }),
);
program.command("much").action(
  run(async ({ stdout }) => {
    for (let line = 0; line < 100_000; line += 1) stdout.write(`line ${line}\n`);
  }),
);
program
  .command("work")
  .option("--stubborn")
  .action(
    run<{ stubborn?: boolean }>(async ({ signal, stdout, progress }, { stubborn }) => {
      await progress().stage("work", "Work", async () => {
        stdout.write("working\n");
        await sleep(10_000, undefined, { signal }).catch(() => {});
        stdout.write("cleaning up\n");
        await sleep(stubborn ? 10_000 : 50);
        signal.throwIfAborted();
      });
    }),
  );

const calledAs = process.env.CALLED_AS;
void runMain(program, { argv: process.argv, name: "drybag", version: "1.2.3", calledAs });
