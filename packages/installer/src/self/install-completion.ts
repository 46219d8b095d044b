import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "@drybag/format";
import type { CommandTree } from "../completion/command-tree.ts";
import { completionScript, type Shell } from "../completion/completion-script.ts";

/** Where each shell looks for completions that came with programs; the first that is there is taken. */
const PLACES: { shell: Shell; file: string; folders: string[] }[] = [
  { shell: "bash", file: "drybag-site", folders: ["usr/share/bash-completion/completions"] },
  {
    shell: "zsh",
    file: "_drybag-site",
    folders: ["usr/share/zsh/vendor-completions", "usr/share/zsh/site-functions"],
  },
  { shell: "fish", file: "drybag-site.fish", folders: ["usr/share/fish/vendor_completions.d"] },
];

/** Gives the shells of this server their completion, where they are here and it can be written. Never fails. Gives what was written. */
export async function installCompletion(tree: CommandTree, dir: string, root = "/"): Promise<string[]> {
  const written: string[] = [];
  for (const { shell, file, folders } of PLACES) {
    for (const folder of folders) {
      const path = join(root, folder);
      if (!(await isWritable(path))) continue;
      try {
        await writeFileAtomically(join(path, file), completionScript(shell, tree, dir), { mode: 0o644 });
        written.push(join(path, file));
      } catch {
        // Completion is a convenience: the stack is installed without it.
      }
      break;
    }
  }
  return written;
}

async function isWritable(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
}
