import type { Finding } from "@drybag/errors";
import { positionAt } from "../places.ts";
import { at, quoted, type Rule, servicesNamed, sharing } from "../rule.ts";

/** Services for several kinds of machine, where there is one server. */
export const platforms: Rule = {
  codes: ["platform-differs", "platform-unfit"],
  check(project) {
    const written = sharing(
      project.services.flatMap(([name, { platform }]) =>
        platform
          ? [{ name, platform, position: positionAt(project.graph, "services", name, "platform") }]
          : [],
      ),
      ({ platform }) => platform,
    );
    if (project.platform !== undefined) {
      const { os, architecture } = project.platform;
      return written
        .filter(({ platform }) => !isFor(platform, os, architecture))
        .map((each) => unfit(each, `${os}/${architecture}`));
    }
    return differing(written);
  },
};

interface Written {
  platform: string;
  names: string[];
  position: Finding["position"];
}

function isFor(platform: string, os: string, architecture: string): boolean {
  const [itsOs, itsArchitecture] = machineOf(platform).split("/");
  return itsOs === os && (itsArchitecture === undefined || itsArchitecture === architecture);
}

function unfit({ platform, names, position }: Written, wanted: string): Finding {
  return {
    code: "platform-unfit",
    severity: "error",
    message: `${capital(servicesNamed(names))} ${names.length === 1 ? "asks" : "ask"} for ${platform}, but the bundle is for ${wanted}.`,
    remedy: "Take 'platform' out of it, or pack for that platform.",
    ...at(position),
  };
}

/** The first platform that is written is taken for the one that is meant, the others for the odd ones. */
function differing(written: readonly Written[]): Finding[] {
  const byMachine = Map.groupBy(written, ({ platform }) => machineOf(platform));
  const [most, ...others] = [...byMachine].sort(([, a], [, b]) => count(b) - count(a));
  return others.flatMap(([machine, group]) =>
    group.map((each) => ({
      code: "platform-differs",
      severity: "warning",
      message: `${capital(servicesNamed(each.names))} ${each.names.length === 1 ? "asks" : "ask"} for ${machine}, while ${quoted(most?.[1].flatMap(({ names }) => names) ?? [])} ${most && count(most[1]) === 1 ? "asks" : "ask"} for ${most?.[0]}.`,
      remedy: "A bundle is for one platform: name the same one everywhere, or none.",
      ...at(each.position),
    })),
  );
}

function count(group: readonly Written[]): number {
  return group.reduce((sum, { names }) => sum + names.length, 0);
}

/** The variant is left out: linux/arm64 and linux/arm64/v8 are the same machine. */
function machineOf(platform: string): string {
  const [os = "", architecture] = platform.toLowerCase().split("/");
  const names: Record<string, string> = { x86_64: "amd64", "x86-64": "amd64", aarch64: "arm64" };
  if (architecture !== undefined) return `${os}/${names[architecture] ?? architecture}`;
  return /^(?:linux|windows|darwin)$/.test(os) ? os : `linux/${names[os] ?? os}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
