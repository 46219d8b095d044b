/** A cause that is known by what a failing step wrote. */
export interface BuildDiagnosis {
  cause: string;
  remedy: string;
}

interface Pattern {
  pattern: RegExp;
  explain(match: RegExpExecArray): BuildDiagnosis;
}

/** Words of git, bench, pip, npm, yarn and BuildKit; they only choose a remedy. The first one that fits counts. */
const PATTERNS: Pattern[] = [
  {
    pattern: /Remote branch (\S+) not found in upstream|pathspec '([^']+)' did not match/,
    explain: ([, branch, path]) => ({
      cause: `The tag or branch ${branch ?? path} does not exist in the app's repository.`,
      remedy: "Name a tag that exists: 'git ls-remote --tags <url>' lists them.",
    }),
  },
  {
    pattern: /could not read (?:Username|Password) for '([^']+)'|Authentication failed for '([^']+)'/,
    explain: ([, asked, refused]) => ({
      cause: `The repository ${shown(asked ?? refused)} is private, and no token that it takes was given.`,
      remedy: "Write the address as https://${TOKEN}@… and set TOKEN, or renew it if it has expired.",
    }),
  },
  {
    pattern: /[Rr]epository '([^']+)' not found/,
    explain: ([, url]) => notFound(` ${shown(url)}`),
  },
  {
    pattern:
      /ERROR: Repository not found|remote: (?:Repository|The project).*not found|requested URL returned error: (?:403|404)/,
    explain: () => notFound(""),
  },
  {
    pattern: /Host key verification failed|Permission denied \(publickey/,
    explain: () => ({
      cause: "An app is asked for over SSH, and the build has no key that the server takes.",
      remedy: "Write its address as https://${TOKEN}@…, or give the build a key as a secret.",
    }),
  },
  {
    pattern:
      /The engine "node" is incompatible.*?Expected version "([^"]+)"(?:\. Got "([^"]+)")?|Unsupported engine|EBADENGINE|requires? Node(?:\.js)? (?:version )?(\S+)/is,
    explain: ([, expected, got, required]) => ({
      cause: `The Node version${got === undefined ? "" : ` ${got}`} does not suit an app${(expected ?? required) === undefined ? "" : `, which wants ${expected ?? required}`}.`,
      remedy: "Set frappe.nodeVersion in drybag.yaml, or build on an image with that version.",
    }),
  },
  {
    pattern:
      /requires a different Python: (\S+) not in '([^']+)'|python_requires|No matching distribution found for (\S+)/,
    explain: ([, got, wanted, distribution]) => ({
      cause:
        distribution === undefined
          ? `The Python version${got === undefined ? "" : ` ${got}`} does not suit an app${wanted === undefined ? "" : `, which wants ${wanted}`}.`
          : `There is no release of ${distribution} for this Python version.`,
      remedy: "Set frappe.pythonVersion in drybag.yaml, or build on an image with that version.",
    }),
  },
  {
    pattern:
      /ModuleNotFoundError: No module named '([^']+)'|Cannot find module '([^']+)'|Could not resolve "([^"]+)"/,
    explain: ([, python, node, bundled]) => ({
      cause: `The module ${python ?? node ?? bundled} is missing.`,
      remedy:
        "An app needs another that is not in the list, or its versions do not go together: add it, or choose versions that do.",
    }),
  },
  {
    pattern: /No space left on device/i,
    explain: () => ({
      cause: "The disk is full.",
      remedy: "'docker system df' shows what takes it; 'docker builder prune' frees the build cache.",
    }),
  },
  {
    pattern:
      /Could not resolve host:? (\S+)|Temporary failure in name resolution|Temporary failure resolving '([^']+)'|getaddrinfo (?:EAI_AGAIN|ENOTFOUND) (\S+)/,
    explain: ([, ...hosts]) => ({
      cause: `The build cannot reach ${hosts.find((host) => host !== undefined) ?? "the network"}.`,
      remedy:
        "Check the network and DNS of this machine; 'network: host' of the build takes the machine's own.",
    }),
  },
  {
    pattern: /Failed to connect to (\S+) port (\d+)|Connection refused|Connection timed out/,
    explain: ([, host, port]) => ({
      cause: `${host === undefined ? "A server" : `${host} port ${port}`} does not answer the build.`,
      remedy: "Check the address and the network; 'network: host' of the build takes the machine's own.",
    }),
  },
  {
    pattern: /failed to resolve source metadata for (\S+?):? |pull access denied for (\S+?),/,
    explain: ([, image, denied]) => ({
      cause: `The image ${denied ?? image} that the build begins with cannot be had.`,
      remedy: "Check its name and tag, the network, and whether the registry wants 'docker login'.",
    }),
  },
  {
    pattern: /"?(\/[^\s":]+)"?: not found/,
    explain: ([, file]) => ({
      cause: `The file ${file} is not in the build's context.`,
      remedy: "Check 'context', and whether .dockerignore leaves it out.",
    }),
  },
];

function notFound(app: string): BuildDiagnosis {
  return {
    cause: `The app${app} was not found: its address is wrong, or it is private.`,
    remedy: "Check the address; a private one needs a token, https://${TOKEN}@….",
  };
}

/** The cause of a failed build, if it is a known one. */
export function diagnoseBuild(text: string): BuildDiagnosis | undefined {
  for (const { pattern, explain } of PATTERNS) {
    const match = pattern.exec(text);
    if (match !== null) return explain(match);
  }
  return undefined;
}

function shown(url: string | undefined): string {
  return (url ?? "").replace(/\/\/[^/]*@/, "//").replace(/\/$/, "");
}
