import type { Finding } from "@drybag/errors";
import type { LintProject } from "../lint-project.ts";
import { type LintService, runTogether } from "../lint-service.ts";
import { entryPosition, fieldOf } from "../places.ts";
import { at, type Rule } from "../rule.ts";

/** Ports of the server that two containers want. */
export const ports: Rule = {
  codes: ["port-published-twice"],
  check(project) {
    const published = project.services.flatMap(([name, service]) => publishedBy(name, service));
    return [...clashes(project, published), ...manyReplicas(project, published)];
  },
};

interface Published {
  name: string;
  service: LintService;
  first: number;
  last: number;
  protocol: string;
  hostIp: string;
  target: number;
}

function publishedBy(name: string, service: LintService): Published[] {
  if (service.network_mode === "host") return [];
  return (service.ports ?? []).flatMap((port) => {
    const [, from, to] = /^(\d+)(?:-(\d+))?$/.exec(String(port.published ?? "")) ?? [];
    // Port 0 and no port are whatever is free.
    if (from === undefined || from === "0") return [];
    return [
      {
        name,
        service,
        first: Number(from),
        last: Number(to ?? from),
        protocol: port.protocol ?? "tcp",
        hostIp: port.host_ip ?? "",
        target: port.target,
      },
    ];
  });
}

/** Sorted, so that each port meets only its neighbours; one finding for two services. */
function clashes(project: LintProject, published: readonly Published[]): Finding[] {
  const sorted = published.toSorted((a, b) => a.first - b.first);
  const found = new Map<string, Finding>();
  for (const [index, a] of sorted.entries()) {
    for (let next = index + 1; next < sorted.length; next += 1) {
      const b = sorted[next] as Published;
      if (b.first > a.last) break;
      const pair = JSON.stringify([a.name, b.name].sort());
      if (found.has(pair) || !overlaps(a, b)) continue;
      const finding = judge(project, a, b);
      if (finding !== undefined) found.set(pair, finding);
    }
  }
  return [...found.values()];
}

function overlaps(a: Published, b: Published): boolean {
  return a.protocol === b.protocol && sameAddress(a.hostIp, b.hostIp);
}

function judge(project: LintProject, a: Published, b: Published): Finding | undefined {
  const { profiles } = project.sources;
  const allChosen = profiles.length > 0 && !profiles.includes("*");
  const together = a.name === b.name ? "always" : runTogether(a.service, b.service, allChosen);
  if (together === "never") return undefined;
  // Of a range Docker takes any port that is free.
  const isCertain = together === "always" && a.first === a.last && b.first === b.last;
  const port = `${b.first}/${b.protocol}`;
  return {
    code: "port-published-twice",
    severity: isCertain ? "error" : "warning",
    message:
      a.name === b.name
        ? `'${a.name}' publishes port ${port} twice: it will not start.`
        : `'${a.name}' and '${b.name}' both publish port ${port}: only one of them can start.`,
    remedy: "Give one of them another port of the server.",
    ...at(positionOfPort(project, b)),
  };
}

function manyReplicas(project: LintProject, published: readonly Published[]): Finding[] {
  const byService = Map.groupBy(published, ({ name, target, protocol }) => `${name} ${target}/${protocol}`);
  return [...byService.values()].flatMap(([port]): Finding[] => {
    if (port === undefined) return [];
    const replicas = port.service.scale ?? port.service.deploy?.replicas ?? 1;
    const places = port.last - port.first + 1;
    if (replicas <= places) return [];
    return [
      {
        code: "port-published-twice",
        severity: "error",
        message: `'${port.name}' runs ${replicas} times, but publishes ${places === 1 ? `port ${port.first}` : `${places} ports`}: only ${places} of them can start.`,
        remedy: "Publish the port of a proxy before it instead, or a range of ports.",
        ...at(positionOfPort(project, port)),
      },
    ];
  });
}

/** An address that is not given is every one, of both families. */
function sameAddress(a: string, b: string): boolean {
  if (a === b || a === "" || b === "") return true;
  const isV6 = (address: string) => address.includes(":");
  if (isV6(a) !== isV6(b)) return false;
  return [a, b].some((address) => address === "0.0.0.0" || address === "::" || address === "[::]");
}

function positionOfPort(project: LintProject, port: Published): Finding["position"] {
  return entryPosition(project.graph, ["services", port.name, "ports"], (entry) => {
    if (entry.text !== undefined) return covers(entry.text, port);
    const published = /^\d+/.exec(fieldOf(entry, "published") ?? "")?.[0];
    return Number(published) === port.first && Number(fieldOf(entry, "target")) === port.target;
  });
}

/** Whether the short form of a port is where it comes from. */
function covers(text: string, port: Published): boolean {
  const [, from, to, target, protocol = "tcp"] =
    /^(?:.*:)?(\d+)(?:-(\d+))?:(\d+)(?:-\d+)?(?:\/(\w+))?$/.exec(text) ?? [];
  if (from === undefined || protocol !== port.protocol) return false;
  const isWithin = Number(from) <= port.first && port.first <= Number(to ?? from);
  return isWithin && (to !== undefined || Number(target) === port.target);
}
