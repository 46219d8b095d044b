import type { Finding } from "@drybag/errors";
import type { LintProject } from "../lint-project.ts";
import { type LintService, wordsOf } from "../lint-service.ts";
import { isBelow, mountPosition } from "../mounts.ts";
import { keyPosition, positionAt } from "../places.ts";
import { at, type Rule } from "../rule.ts";

/** Data that is lost, or left behind unseen, when a container is made anew. */
export const state: Rule = {
  codes: ["state-without-volume", "anonymous-volume"],
  check: (project) =>
    project.services.flatMap(([name, service]) => [
      ...unkeptState(project, name, service),
      ...anonymousVolumes(project, name, service),
    ]),
};

/** Images by the last part of their name, and where each keeps its data; the first path that fits a mount will do. */
const STATEFUL: [name: RegExp, paths: string[]][] = [
  [
    /^(?:mariadb|mysql|percona|mysql-server|percona-server)$/,
    ["/var/lib/mysql", "/bitnami/mysql", "/bitnami/mariadb"],
  ],
  [/^mariadb-galera$/, ["/bitnami/mariadb"]],
  [
    /^(?:postgres|postgresql|postgis|pgvector|pgvecto-rs|timescaledb|timescaledb-ha)$/,
    ["/var/lib/postgresql", "/bitnami/postgresql", "/home/postgres/pgdata"],
  ],
  [/^(?:mongo|mongodb|mongodb-community-server)$/, ["/data/db", "/bitnami/mongodb"]],
  [/^(?:elasticsearch|elasticsearch-oss)$/, ["/usr/share/elasticsearch/data", "/bitnami/elasticsearch"]],
  [/^opensearch$/, ["/usr/share/opensearch/data"]],
  [/^rabbitmq$/, ["/var/lib/rabbitmq", "/bitnami/rabbitmq"]],
  [/^influxdb$/, ["/var/lib/influxdb", "/var/lib/influxdb2", "/var/lib/influxdb3"]],
  [/^clickhouse(?:-server)?$/, ["/var/lib/clickhouse"]],
  [/^cassandra$/, ["/var/lib/cassandra"]],
  [/^couchdb$/, ["/opt/couchdb/data"]],
  [/^neo4j$/, ["/data"]],
  [/^grafana(?:-oss|-enterprise)?$/, ["/var/lib/grafana"]],
  [/^prometheus$/, ["/prometheus"]],
  [/^nextcloud$/, ["/var/www/html"]],
  [/^wordpress$/, ["/var/www/html"]],
  [/^(?:gitea|forgejo)$/, ["/data", "/var/lib/gitea"]],
  [/^(?:vaultwarden|bitwarden_rs)$/, ["/data"]],
  [/^qdrant$/, ["/qdrant/storage"]],
  [/^meilisearch$/, ["/meili_data"]],
];

const IN_MEMORY = /^(?:redis|redis-stack|redis-stack-server|valkey|keydb)$/;

function unkeptState(project: LintProject, name: string, service: LintService): Finding[] {
  const paths = dataPaths(service);
  if (paths.length === 0 || (service.volumes_from ?? []).length > 0) return [];
  const mounted = [
    ...(service.volumes ?? [])
      .filter((mount) => mount.type !== "volume" || mount.source)
      .map((mount) => mount.target),
    // Not kept, but said so in so many words.
    ...[service.tmpfs ?? []].flat().map((text) => text.split(":")[0] ?? ""),
  ];
  if (mounted.some((target) => paths.some((path) => isBelow(target, path) || isBelow(path, target))))
    return [];
  return [
    {
      code: "state-without-volume",
      severity: "warning",
      message: `'${name}' keeps its data in ${paths[0]}, where no volume of its own is mounted: it is lost when the container is made anew.`,
      remedy: `Mount a named volume at ${paths[0]}.`,
      ...at(
        positionAt(project.graph, "services", name, "image") ?? keyPosition(project.graph, "services", name),
      ),
    },
  ];
}

function dataPaths(service: LintService): string[] {
  const imageName = lastPart(service.image ?? "");
  // linuxserver.io repacks others' programs and keeps everything in /config.
  if (service.provider || imageName === "" || /(?:^|\/)linuxserver\//.test(service.image ?? "")) return [];
  const words = wordsOf(service);
  const ownPath = service.environment?.PGDATA ?? undefined;
  if (IN_MEMORY.test(imageName)) return keepsOnDisk(words) ? ["/data"] : [];
  if (imageName === "minio") {
    const folder = words
      .join(" ")
      .split(/\s+/)
      .find((_, index, all) => index > 0 && all[index - 1] === "server");
    return folder?.startsWith("/") ? [folder] : [];
  }
  const known = STATEFUL.find(([pattern]) => pattern.test(imageName))?.[1] ?? [];
  return ownPath?.startsWith("/") && known.includes("/var/lib/postgresql") ? [ownPath, ...known] : known;
}

function lastPart(image: string): string {
  return /([^/:@]+)(?::[^/]*)?(?:@.*)?$/.exec(image)?.[1] ?? "";
}

/** Redis and its kin keep data only when told to. */
function keepsOnDisk(words: readonly string[]): boolean {
  const text = words.join(" ");
  return /--appendonly[\s=]+["']?yes/.test(text) || /--save[\s=]+["']?\d/.test(text);
}

/** What a build or a package manager puts there holds nothing that anybody would miss. */
const REBUILT =
  /(?:^|\/)(?:node_modules|\.venv|venv|vendor|\.next|\.nuxt|\.cache|__pycache__|target|dist|build|tmp|run|cache)(?:\/|$)/;

function anonymousVolumes(project: LintProject, name: string, service: LintService): Finding[] {
  return (service.volumes ?? []).flatMap((mount): Finding[] => {
    if (mount.type !== "volume" || mount.source || REBUILT.test(mount.target)) return [];
    return [
      {
        code: "anonymous-volume",
        severity: "warning",
        message: `The volume of '${name}' at ${mount.target} has no name: 'docker compose down' leaves it behind, and the next containers begin with a new one.`,
        remedy: `Give it a name: 'data:${mount.target}', and 'data:' under the top-level 'volumes'.`,
        ...at(mountPosition(project, name, mount)),
      },
    ];
  });
}
