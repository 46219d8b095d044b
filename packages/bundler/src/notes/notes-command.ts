import type { RunContext } from "@drybag/terminal";
import { openCarryFolder } from "../bundle/open-carry-folder.ts";
import { findConfig } from "../config/find-config.ts";
import { type ProjectCommandFlags, projectFlags } from "../project-options.ts";
import { bundleSide } from "./bundle-side.ts";
import { notesMarkdown } from "./notes-markdown.ts";
import { projectSide } from "./project-side.ts";
import { releaseNotes } from "./release-notes.ts";

/** `drybag notes A [B]`: what changes from a bundle to another one, or to the project in this folder. */
export async function notesCommand(
  context: RunContext,
  flags: ProjectCommandFlags,
  before: string,
  after?: string,
): Promise<void> {
  const old = await bundleSide(await openCarryFolder(context, before), context.signal);
  const notes = releaseNotes(old, await sideAfter(context, flags, after));
  context.stdout.write(context.json ? `${JSON.stringify(notes)}\n` : notesMarkdown(notes));
}

async function sideAfter(context: RunContext, flags: ProjectCommandFlags, after: string | undefined) {
  if (after !== undefined) return bundleSide(await openCarryFolder(context, after), context.signal);
  const config = await findConfig(flags, context.cwd);
  return context.wait("reading the project", () =>
    projectSide({ env: context.env }, projectFlags(flags, context.cwd, config), config, context.signal),
  );
}
