import type { Finding } from "@drybag/errors";
import { commandPosition, isPublicHost, textsOf } from "../egress.ts";
import type { LintProject } from "../lint-project.ts";
import type { LintService } from "../lint-service.ts";
import { at, type Rule } from "../rule.ts";

/** Commands that fetch something from the internet whenever the container starts. */
export const startCommands: Rule = {
  codes: ["network-at-start"],
  check: (project) => project.services.flatMap(([name, service]) => judge(project, name, service)),
};

const BEGIN = String.raw`(?:^|[\s;&|("'])`;

/** Package managers, as they are called to fetch something. */
const FETCHES: RegExp[] = [
  /(?:apt-get|apt|aptitude)\s+(?:-\S+\s+)*(?:update|install|upgrade|dist-upgrade)\b/,
  /apk\s+(?:-\S+\s+)*(?:add|update|upgrade)\b(?!.*--no-network)/,
  /(?:yum|dnf|microdnf|zypper)\s+(?:-\S+\s+)*(?:install|update|upgrade)\b/,
  /(?:pip3?|python3?\s+-m\s+pip|uv\s+pip)\s+(?:-\S+\s+)*(?:install|download)\b(?![^;&|]*--no-index)/,
  /(?:uv|poetry|pdm|pipenv)\s+(?:sync|install)\b(?![^;&|]*--offline)/,
  /(?:npm|pnpm)\s+(?:-\S+\s+)*(?:install|i|ci|add|update)\b(?![^;&|]*--offline)/,
  /yarn(?:\s+install|\s+add)?(?=\s*(?:$|[;&|"']))(?![^;&|]*--offline)/,
  /(?:npx|pnpx|bunx|pnpm\s+dlx|yarn\s+dlx)\s+(?:-y|--yes)\b/,
  /(?:bundle|gem)\s+install\b(?![^;&|]*--local)/,
  /composer\s+(?:-\S+\s+)*(?:install|update|require)\b/,
  /go\s+(?:get|install|mod\s+download)\b/,
  /cargo\s+(?:install|fetch|update)\b/,
  /git\s+(?:-\S+\s+)*(?:clone|fetch|pull|submodule\s+update)\b/,
  /bench\s+(?:get-app|init|update)\b/,
  /ollama\s+pull\b/,
].map((pattern) => new RegExp(BEGIN + pattern.source, "m"));

const DOWNLOAD = new RegExp(
  String.raw`${BEGIN}(?:curl|wget|fetch|aria2c)\s[^;&|\n]*?https?://(?:[^\s/@"']*@)?([^\s/:"'?#]+)`,
  "gm",
);

function judge(project: LintProject, name: string, service: LintService): Finding[] {
  for (const { kind, text, position } of textsOf(project, name, service)) {
    if (kind !== "command" && kind !== "hook" && kind !== "healthcheck") continue;
    const fetched = kind === "healthcheck" ? undefined : fetches(text);
    const host = downloads(text);
    if (fetched === undefined && host === undefined) continue;
    const pattern = new RegExp((fetched ?? host ?? "").replace(/[^\w\s]/g, "."));
    const exact = kind === "command" ? commandPosition(project, name, pattern) : undefined;
    return [
      {
        code: "network-at-start",
        severity: "warning",
        message:
          kind === "healthcheck"
            ? `The healthcheck of '${name}' asks ${host}: without a network it is never healthy.`
            : `'${name}' fetches something whenever it starts (${fetched ?? host}), which fails without a network.`,
        remedy:
          kind === "healthcheck"
            ? "Let it ask the service itself."
            : "Build an image that has it already ('build:' with a Dockerfile).",
        ...at(exact ?? position()),
      },
    ];
  }
  return [];
}

function fetches(text: string): string | undefined {
  for (const pattern of FETCHES) {
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) return found.replace(/^[\s;&|("']+/, "").replace(/\s+/g, " ");
  }
  return undefined;
}

function downloads(text: string): string | undefined {
  const hosts = [...text.matchAll(DOWNLOAD)].map((match) => match[1] ?? "");
  return hosts.find(isPublicHost);
}
