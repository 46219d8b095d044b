import { DrybagError } from "@drybag/errors";

/** The name of an image, taken apart and filled in as Docker does it. */
export interface ImageReference {
  /** Registry, with its port if given: `docker.io`, `localhost:5000`. */
  domain: string;
  /** Repository within the registry: `library/redis`. */
  path: string;
  tag?: string;
  /** `sha256:…` */
  digest?: string;
  /** As people and `docker images` write it: `redis:8.6-alpine`. */
  familiar: string;
  /** Fully qualified, as containerd writes it: `docker.io/library/redis:8.6-alpine`. */
  qualified: string;
}

/**
 * Takes an image reference apart and fills in registry, `library/` and, where neither tag nor digest is given, `latest`.
 * Grammar: https://github.com/distribution/reference (reference.go, regexp.go, normalize.go).
 * Throws reference-invalid.
 */
export function normalizeReference(reference: string): ImageReference {
  const problem = (reason: string) =>
    new DrybagError("reference-invalid", `"${printable(reference)}" is not an image reference: ${reason}`);

  if (reference.length > 1024) throw problem("it is too long");
  if (/^[a-f0-9]{64}$/.test(reference)) throw problem("it is an image ID");
  const { domain, remainder } = splitDomain(reference);
  const match = REMAINDER.exec(remainder);
  if (match === null || !DOMAIN.test(domain)) {
    throw problem(
      remainder === remainder.toLowerCase() ? "invalid format" : "repository names are lower case",
    );
  }
  const [, path = "", givenTag, digest] = match;
  if (domain.length + 1 + path.length > 255) throw problem("the name is longer than 255 characters");
  if (digest?.startsWith("sha256:") && !/^sha256:[a-f0-9]{64}$/.test(digest)) throw problem("invalid digest");

  const tag = givenTag ?? (digest === undefined ? "latest" : undefined);
  const suffix = (tag === undefined ? "" : `:${tag}`) + (digest === undefined ? "" : `@${digest}`);
  return {
    domain,
    path,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
    familiar: familiarName(domain, path) + suffix,
    qualified: `${domain}/${path}${suffix}`,
  };
}

const DEFAULT_DOMAIN = "docker.io";

const LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const DOMAIN = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const REMAINDER = new RegExp(
  `^(${COMPONENT}(?:/${COMPONENT})*)` +
    "(?::([\\w][\\w.-]{0,127}))?" +
    "(?:@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?$",
);

/** The first component is a registry only if it could not be a user name on Docker Hub. */
function splitDomain(reference: string): { domain: string; remainder: string } {
  const slash = reference.indexOf("/");
  const first = slash === -1 ? "" : reference.slice(0, slash);
  const isDomain = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  const given = isDomain ? first : DEFAULT_DOMAIN;
  const remainder = isDomain ? reference.slice(slash + 1) : reference;
  if (given !== DEFAULT_DOMAIN && given !== "index.docker.io") return { domain: given, remainder };
  return { domain: DEFAULT_DOMAIN, remainder: remainder.includes("/") ? remainder : `library/${remainder}` };
}

function familiarName(domain: string, path: string): string {
  if (domain !== DEFAULT_DOMAIN) return `${domain}/${path}`;
  return /^library\/[^/]+$/.test(path) ? path.slice("library/".length) : path;
}

function printable(text: string): string {
  return text.slice(0, 300).replace(/[^\x20-\x7e]/g, "?");
}
