import path from "node:path";

export interface SourceFile {
  /** From the root of the repository, with slashes. */
  path: string;
  text: string;
}

/** docs/adr/0001-packages.md: who may import whom. */
const MAY_IMPORT: Record<string, string[]> = {
  errors: [],
  terminal: ["errors"],
  docker: ["errors"],
  format: ["errors"],
  bundler: ["terminal", "docker", "format", "errors"],
  installer: ["terminal", "docker", "format", "errors"],
};

/** Only packages/docker runs docker, and nothing else in the programs runs anything, but for git and ssh-keygen (docs/adr/0004). */
const MAY_START_PROGRAMS = [
  ...["packages/docker/", "lab/", "e2e/", "fixtures/", "scripts/", "bench/"],
  "packages/bundler/src/scan/run-scanner.ts",
  "packages/bundler/src/seal/bundle-version.ts",
  "packages/bundler/src/seal/ssh-signer.ts",
  "packages/bundler/src/git/run-git.ts",
];

/** The files that are told how the program was started, and tell the others what they need of it. */
const READS_PROCESS = /\/src\/main\.ts$|^packages\/terminal\/src\/run-main[./]/;

const IS_TEST = /\.(?:test|fuzz)\.ts$|\/src\/(?:.*\/)?testing\//;

/** What the files do against the rules of the architecture, one sentence each. */
export function findViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const code = withoutComments(file.text);
    const specifiers = importsOf(code);
    return [
      ...specifiers.flatMap((specifier) => direction(file.path, specifier)),
      ...specifiers.flatMap((specifier) => depth(file.path, specifier)),
      ...specifiers.flatMap((specifier) => programs(file.path, specifier)),
      ...surroundings(file.path, code, specifiers),
    ];
  });
}

function direction(file: string, specifier: string): string[] {
  const own = /^packages\/([^/]+)\//.exec(file)?.[1];
  const other = /^@drybag\/([^/]+)/.exec(specifier)?.[1];
  if (!own || !other || own === other) return [];
  if (MAY_IMPORT[own]?.includes(other)) return [];
  return [`${file} imports @drybag/${other}, which ${own} may not know`];
}

function depth(file: string, specifier: string): string[] {
  if (/^@drybag\/[^/]+\/./.test(specifier)) return [`${file} imports ${specifier} past that package's index`];
  if (!specifier.startsWith(".")) return [];
  const target = path.posix.join(path.posix.dirname(file), specifier);
  if (home(target) === home(file)) return [];
  return [`${file} imports ${target}, a file of another package`];
}

function home(file: string): string {
  return /^packages\/[^/]+\/|^[^/]+\//.exec(file)?.[0] ?? "";
}

function programs(file: string, specifier: string): string[] {
  if (!/^(execa|(node:)?child_process)$/.test(specifier)) return [];
  if (IS_TEST.test(file) || MAY_START_PROGRAMS.some((place) => file.startsWith(place))) return [];
  return [`${file} imports ${specifier}: only packages/docker starts programs`];
}

function surroundings(file: string, code: string, specifiers: string[]): string[] {
  if (!file.startsWith("packages/") || READS_PROCESS.test(file) || IS_TEST.test(file)) return [];
  const found = [
    ...code.matchAll(/\bprocess\??\.\s*(env|argv|cwd)\b|\bprocess\[|\}\s*=\s*process\b(?!\.)/g),
    ...specifiers.filter((specifier) => /^(node:)?process$/.test(specifier)).map((specifier) => [specifier]),
  ];
  return found.map(([what]) => `${file} reads ${what}: only the command line files do`);
}

/** Module specifiers of a file: types too, since knowing a type is knowing the package. */
function importsOf(code: string): string[] {
  const patterns = [
    /^\s*(?:import|export)\b[^;"'`]*?\bfrom\s*["']([^"']+)["']/gm,
    /^\s*import\s*["']([^"']+)["']/gm,
    /\b(?:import|require)\s*\(\s*["']([^"']+)["']/g,
  ];
  return patterns.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1] as string));
}

/** Good enough for formatted code: a `//` inside a string follows a colon, as in an address. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[^:"'`])\/\/.*$/gm, "$1");
}
