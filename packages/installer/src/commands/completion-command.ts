import { DrybagError } from "@drybag/errors";
import { nearestName, type RunContext } from "@drybag/terminal";
import type { Command } from "commander";
import { commandTree } from "../completion/command-tree.ts";
import { completionScript, SHELLS, type Shell } from "../completion/completion-script.ts";
import { DEFAULT_DIR } from "./site-flags.ts";

/** Prints the completion of the program for a shell. */
export async function completionCommand(context: RunContext, program: Command, shell: string): Promise<void> {
  context.stdout.write(completionScript(knownShell(shell), commandTree(program), DEFAULT_DIR));
}

function knownShell(shell: string): Shell {
  const found = SHELLS.find((each) => each === shell);
  if (found) return found;
  throw new DrybagError("usage", `there is no completion for '${shell}'`, {
    hint: `did you mean ${nearestName(shell, [...SHELLS]) ?? SHELLS.join(", ")}?`,
  });
}
