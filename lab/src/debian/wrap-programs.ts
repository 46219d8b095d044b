import { existsSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findLibraryFolders, findPerlFolders, findPrograms } from "./find-unpacked.ts";

/** What a program needs to find below the root it was unpacked into; empty where nothing was unpacked. */
export interface WrapperFolders {
  libraries: readonly string[];
  xtables: readonly string[];
  perl: readonly string[];
}

/**
 * Writes `folder/bin/NAME` for every program below `folder/root`: a script that starts it with the libraries and
 * Perl modules that were unpacked beside it. Only what the machine lacks is there, never libc, so nothing mixes.
 */
export async function wrapPrograms(
  folder: string,
  finalFolder: string,
  options: { aliases?: Readonly<Record<string, string>>; arguments?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  const root = join(folder, "root");
  const programs = await findPrograms(root);
  for (const [alias, target] of Object.entries(options.aliases ?? {})) {
    const path = programs.get(target);
    if (path !== undefined && !programs.has(alias)) programs.set(alias, path);
  }
  const folders = await findWrapperFolders(root);
  await mkdir(join(folder, "bin"), { recursive: true });
  for (const [name, path] of programs) {
    const wrapper = join(folder, "bin", name);
    await writeFile(
      wrapper,
      planWrapper(join(finalFolder, "root"), path, folders, options.arguments?.[name]),
    );
    await chmod(wrapper, 0o755);
  }
}

export function planWrapper(
  root: string,
  program: string,
  folders: WrapperFolders,
  firstArguments?: string,
): string {
  const variables = {
    LD_LIBRARY_PATH: folders.libraries,
    XTABLES_LIBDIR: folders.xtables,
    PERL5LIB: folders.perl,
  };
  const lines = ["#!/bin/sh", `root='${root.replaceAll("'", "'\\''")}'`];
  for (const [name, paths] of Object.entries(variables)) {
    if (paths.length === 0) continue;
    const value = paths.map((path) => `$root/${path}`).join(":");
    lines.push(`export ${name}="${value}\${${name}:+:$${name}}"`);
  }
  lines.push(`export PATH="\${root%/root}/bin:$PATH"`);
  lines.push(`exec "$root/${program}"${firstArguments === undefined ? "" : ` ${firstArguments}`} "$@"`, "");
  return lines.join("\n");
}

async function findWrapperFolders(root: string): Promise<WrapperFolders> {
  const libraries = await findLibraryFolders(root);
  return {
    libraries,
    xtables: libraries
      .map((folder) => `${folder}/xtables`)
      .filter((folder) => existsSync(join(root, folder))),
    perl: await findPerlFolders(root),
  };
}
