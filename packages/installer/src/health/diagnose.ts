/** What a log or an engine's message gives away about a failure. */
export interface Diagnosis {
  cause: string;
  remedy: string;
}

interface Pattern extends Diagnosis {
  pattern: RegExp;
}

/** The more certain ones first. For people to read: nothing is decided from them. */
const PATTERNS: readonly Pattern[] = [
  {
    pattern: /no such image|unable to find image|image .* not found|pull access denied/i,
    cause: "an image is not on this server, and it may not be pulled",
    remedy:
      "Install again: that loads what is missing. If it stays, the bundle lacks the image: pack it again.",
  },
  {
    pattern: /port is already allocated|address already in use|bind: address in use/i,
    cause: "a port is taken by another program",
    remedy: "Find it with 'ss -ltnp', stop it, or give this stack another port with --set.",
  },
  {
    pattern: /exec format error/i,
    cause: "a program in the image is made for another processor",
    remedy: "Pack again with --platform set to this server's.",
  },
  {
    pattern: /no space left on device|disk quota exceeded/i,
    cause: "the disk is full",
    remedy: "Make room where the engine keeps its data ('docker system df' shows what is in use).",
  },
  {
    pattern: /out of memory|oom-?kill|cannot allocate memory/i,
    cause: "there is not enough memory",
    remedy: "Give the server or the service more memory, or stop something else.",
  },
  {
    pattern: /the container name .* is already in use/i,
    cause: "another container has the name that this stack wants",
    remedy: "Remove or rename it: 'docker ps -a' shows it.",
  },
  {
    pattern:
      /temporary failure in name resolution|name or service not known|could not resolve host|no such host|bad address '/i,
    cause: "a name could not be resolved",
    remedy:
      "If the name is another service's, that one was not up yet; if it lies outside, the stack wants a network that is not here.",
  },
  {
    pattern: /permission denied|operation not permitted|read-only file system/i,
    cause: "the program may not read or write something it needs",
    remedy:
      "Look at owner and mode of the files that the service mounts; with SELinux, mounts may need ':z' in the Compose file.",
  },
  {
    pattern: /executable file not found|no such file or directory|: not found$/im,
    cause: "a file or program that it needs is not there",
    remedy: "See whether the file is in the bundle, or mounted from a folder that this server does not have.",
  },
  {
    pattern: /connection refused|can't connect to|could not connect to/i,
    cause: "another service did not answer",
    remedy: "It may still have been starting; the same command again carries on from here.",
  },
];

/** The likely cause, where the text has a pattern that is known. */
export function diagnose(text: string): Diagnosis | undefined {
  const found = PATTERNS.find(({ pattern }) => pattern.test(text));
  return found && { cause: found.cause, remedy: found.remedy };
}
