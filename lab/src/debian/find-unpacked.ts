import { lstat, readdir, readlink } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";

const programFolders = ["usr/sbin", "usr/bin", "sbin", "bin"];
const maxLinks = 8;

/** Name of every program in an unpacked root, and its path below it. */
export async function findPrograms(root: string): Promise<Map<string, string>> {
  const programs = new Map<string, string>();
  for (const folder of programFolders) {
    for (const name of await list(join(root, folder))) {
      if (!programs.has(name)) programs.set(name, await followAbsoluteLinks(root, `${folder}/${name}`));
    }
  }
  return programs;
}

/** Folders of shared libraries below an unpacked root. */
export async function findLibraryFolders(root: string): Promise<string[]> {
  const folders: string[] = [];
  for (const lib of ["usr/lib", "lib"]) {
    for (const name of await list(join(root, lib))) {
      if (name.includes("-linux-gnu")) folders.push(`${lib}/${name}`);
    }
  }
  return folders;
}

/** Folders of Perl modules: of packages, and of Perl itself in its versioned ones. */
export async function findPerlFolders(root: string): Promise<string[]> {
  const folders = ["usr/share/perl5"];
  for (const place of ["usr/share", ...(await findLibraryFolders(root))]) {
    folders.push(`${place}/perl5`);
    for (const kind of ["perl", "perl5"]) {
      const versions = (await list(join(root, place, kind))).filter((name) => /^\d/.test(name));
      folders.push(...versions.map((version) => `${place}/${kind}/${version}`));
    }
  }
  const there = await Promise.all(folders.map((folder) => exists(join(root, folder))));
  return [...new Set(folders.filter((_, index) => there[index]))];
}

/**
 * Inside the root an absolute link (/sbin/ip to /bin/ip) means a path below the root, not one of this machine. Relative
 * links are kept: xtables-nft-multi looks at the name it is called by.
 */
async function followAbsoluteLinks(root: string, path: string): Promise<string> {
  let last = path;
  let kept = path;
  for (let links = 0; links < maxLinks; links++) {
    const target = await readlink(join(root, last)).catch(() => undefined);
    if (target === undefined) break;
    last = target.startsWith("/") ? target.slice(1) : normalize(join(dirname(last), target));
    if (target.startsWith("/")) kept = last;
  }
  return kept;
}

async function list(folder: string): Promise<string[]> {
  return await readdir(folder).catch(() => []);
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}
