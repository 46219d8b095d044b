import type { Finding } from "@drybag/errors";
import type { Position } from "../../compose/compose-document.ts";
import { positionOf } from "../../compose/look-up.ts";
import type { LintProject } from "../lint-project.ts";
import { type LintService, wordsOf } from "../lint-service.ts";
import { entriesOf } from "../places.ts";
import { at, quoted, type Rule } from "../rule.ts";

/** Services that name another as host, but may be started before it: nginx's "host not found in upstream", for one. */
export const hostNames: Rule = {
  codes: ["depends-on-missing"],
  check(project) {
    const after = dependencies(project);
    return project.services.flatMap(([name, service]) => {
      const mentions = project.services.flatMap(([other, target]) => {
        if (other === name || after.get(name)?.has(other) || after.get(other)?.has(name)) return [];
        if (target.provider || project.oneShots.has(other) || !canReach(service, target)) return [];
        const mention = findMention(project, name, service, hostsOf(other, target));
        return mention ? [{ ...mention, other }] : [];
      });
      return mentions.length === 0 ? [] : [finding(name, mentions)];
    });
  },
};

interface Mention {
  position: Position | undefined;
  /** A proxy resolves names once, when it starts, and ends when it cannot. */
  isProxy: boolean;
}

function finding(name: string, mentions: (Mention & { other: string })[]): Finding {
  const others = quoted(mentions.map(({ other }) => other));
  const isProxy = mentions.some((mention) => mention.isProxy);
  return {
    code: "depends-on-missing",
    severity: isProxy ? "warning" : "info",
    message: `'${name}' names ${others} as host, but does not depend on ${mentions.length === 1 ? "it" : "them"}${isProxy ? ": it ends if it starts first" : ""}.`,
    remedy: `Add ${others} to 'depends_on' of '${name}'.`,
    ...at(mentions[0]?.position),
  };
}

/** What each service waits for, directly or through others. */
function dependencies(project: LintProject): Map<string, Set<string>> {
  const direct = new Map(
    project.services.map(([name, service]) => [name, Object.keys(service.depends_on ?? {})] as const),
  );
  const follow = (name: string, seen: Set<string>): Set<string> => {
    for (const other of direct.get(name) ?? []) {
      if (seen.has(other)) continue;
      seen.add(other);
      follow(other, seen);
    }
    return seen;
  };
  return new Map(project.services.map(([name]) => [name, follow(name, new Set())]));
}

function hostsOf(name: string, service: LintService): Set<string> {
  const aliases = Object.values(service.networks ?? {}).flatMap((network) => network?.aliases ?? []);
  const names = [name, service.container_name, service.hostname, ...aliases];
  return new Set(names.filter((host) => host !== undefined).map((host) => host.toLowerCase()));
}

function canReach(a: LintService, b: LintService): boolean {
  if (a.network_mode || b.network_mode) return false;
  return Object.keys(a.networks ?? { default: null }).some(
    (network) => network in (b.networks ?? { default: null }),
  );
}

/** Names of variables whose whole value is a host. */
const NAMES_HOST =
  /(?:^|[_.-])(?:HOST(?:NAME|S)?|SERVERS?|ADDR(?:ESS)?|ENDPOINT|UPSTREAM|BACKEND|BROKERS?|URL|URI|DSN|NODES?|DATABASE_HOST)\d*$|HOST$/i;

function findMention(
  project: LintProject,
  name: string,
  service: LintService,
  hosts: ReadonlySet<string>,
): Mention | undefined {
  const isProxy = /(?:^|\/)(?:nginx|openresty|haproxy)(?:[:@/-]|$)/.test(service.image ?? "");
  for (const [key, value] of Object.entries(service.environment ?? {})) {
    const isHost = hosts.has((value ?? "").toLowerCase()) && NAMES_HOST.test(key);
    if (!isHost && !mentions(value ?? "", hosts)) continue;
    const entry = entriesOf(project.graph, "services", name, "environment").find((each) => each.name === key);
    if (entry === undefined && isShared(project, key, value)) continue;
    const file = project.serviceEnvFiles.findLast((each) => each.values[key] === value);
    return { isProxy, position: entry ? positionOf(entry.place) : file?.positionOf(key) };
  }
  if (wordsOf(service).some((word) => mentions(word, hosts))) {
    const entry = ["command", "entrypoint"]
      .flatMap((key) => entriesOf(project.graph, "services", name, key))
      .find(({ text }) => mentions(text ?? "", hosts));
    return { isProxy, position: entry && positionOf(entry.place) };
  }
  return inMountedFiles(project, service, hosts);
}

/** An env file that several services read says little about each of them. */
function isShared(project: LintProject, key: string, value: string | null): boolean {
  return project.services.filter(([, { environment }]) => environment?.[key] === value).length > 1;
}

/** `upstream`, `proxy_pass` and the like in bind-mounted configuration. */
function inMountedFiles(
  project: LintProject,
  service: LintService,
  hosts: ReadonlySet<string>,
): Mention | undefined {
  for (const { type, source } of service.volumes ?? []) {
    const text = type === "bind" && source ? project.texts.get(source) : undefined;
    if (!source || text === undefined) continue;
    for (const [index, line] of text.split("\n").entries()) {
      const match =
        /^\s*(?:proxy_pass|fastcgi_pass|uwsgi_pass|grpc_pass|server|reverse_proxy)\s+(?:https?:\/\/|\w+\s+(?=[\w.-]+:\d))?([\w.-]+)/i.exec(
          line,
        );
      if (!match?.[1] || !hosts.has(match[1].toLowerCase())) continue;
      const column = match[0].length - match[1].length + 1;
      return { isProxy: true, position: { file: source, line: index + 1, column } };
    }
  }
  return undefined;
}

/** `//host`, `@host` or `host:port` in a text. */
function mentions(text: string, hosts: ReadonlySet<string>): boolean {
  for (const match of text.matchAll(
    /(?:\/\/(?:[^\s/@]*@)?|@|(?<![\w.:/@-]))([A-Za-z][\w.-]*)(?::(\d{2,5})(?![\d.])|(?=[/\s"',;?]|$))/g,
  )) {
    const isAddress = match[2] !== undefined || /^(?:\/\/|@)/.test(match[0]);
    if (isAddress && hosts.has((match[1] ?? "").toLowerCase())) return true;
  }
  return false;
}
