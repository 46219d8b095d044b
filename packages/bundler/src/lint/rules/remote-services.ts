import type { Finding } from "@drybag/errors";
import { isPublicAddress, isPublicHost, textsOf } from "../egress.ts";
import type { LintProject } from "../lint-project.ts";
import type { LintService } from "../lint-service.ts";
import { entriesOf, entryPosition } from "../places.ts";
import { at, type Rule } from "../rule.ts";

/** Services of the internet that the stack is told to use, and images that are of no use without it. */
export const remoteServices: Rule = {
  codes: ["reaches-outside", "needs-internet", "public-address"],
  check: (project) =>
    project.services.flatMap(([name, service]) => [
      ...imageOfTheInternet(project, name, service),
      ...remoteHosts(project, name, service),
      ...publicAddresses(project, name, service),
    ]),
};

const USELESS_OFFLINE: [RegExp, string][] = [
  [/(?:^|\/)(?:watchtower|ouroboros|diun|wud|whats-up-docker)(?:[:@]|$)/, "looks for newer images"],
  [/(?:^|\/)(?:cloudflared|ngrok|tailscale|newt)(?:[:@]|$)/, "makes the stack reachable over the internet"],
  [
    /(?:^|\/)(?:duckdns|ddclient|cloudflare-ddns|ddns-updater|inadyn)(?:[:@]|$)/,
    "tells the internet this server's address",
  ],
];

function imageOfTheInternet(project: LintProject, name: string, service: LintService): Finding[] {
  const use = USELESS_OFFLINE.find(([pattern]) => pattern.test(service.image ?? ""))?.[1];
  if (use === undefined) return [];
  return [
    {
      code: "needs-internet",
      severity: "warning",
      message: `'${name}' ${use}, and is of no use without a network.`,
      remedy: "Leave it out on site: put it into a profile.",
      ...at(entryPosition(project.graph, ["services", name, "image"], () => true)),
    },
  ];
}

/** Hosts that nobody runs on their own. */
const KNOWN_HOST =
  /(?:^|\.)(?:github\.com|githubusercontent\.com|gitlab\.com|bitbucket\.org|sentry\.io|amazonaws\.com|googleapis\.com|gmail\.com|google\.com|googlemail\.com|office365\.com|outlook\.com|azure\.com|windows\.net|microsoftonline\.com|cloudflare\.com|cloudflarestorage\.com|digitaloceanspaces\.com|backblazeb2\.com|wasabisys\.com|docker\.io|docker\.com|ghcr\.io|quay\.io|pypi\.org|pythonhosted\.org|npmjs\.org|npmjs\.com|slack\.com|discord\.com|telegram\.org|openai\.com|anthropic\.com|huggingface\.co|mistral\.ai|stripe\.com|paypal\.com|twilio\.com|sendgrid\.net|mailgun\.(?:org|net)|mailgun\.com|postmarkapp\.com|sendinblue\.com|brevo\.com|mailtrap\.io|datadoghq\.(?:com|eu)|newrelic\.com|grafana\.net|honeycomb\.io|logdna\.com|papertrailapp\.com|loggly\.com|auth0\.com|okta\.com|mongodb\.net|upstash\.io|supabase\.co|neon\.tech|planetscale\.com|pusher\.com|algolia\.net|mapbox\.com|letsencrypt\.org|frappe\.cloud|frappecloud\.com)$/i;

/** Variables that name a service of somebody else, whatever its host. */
const NAMES_REMOTE =
  /(?:^|_)(?:SENTRY_DSN|SMTP_(?:HOST|SERVER|ADDRESS)|MAIL_(?:HOST|SERVER)|EMAIL_HOST|S3_ENDPOINT|WEBHOOK_URL|SLACK_\w*URL|HTTPS?_PROXY|TELEMETRY_\w*(?:URL|ENDPOINT)|OTEL_EXPORTER_OTLP_ENDPOINT)$/i;

/** One finding a variable. */
function remoteHosts(project: LintProject, name: string, service: LintService): Finding[] {
  return textsOf(project, name, service).flatMap(({ kind, name: variable, text, position }): Finding[] => {
    if (kind !== "environment" || text === "") return [];
    const host = hostsIn(text).find(
      (each) => KNOWN_HOST.test(each) || (NAMES_REMOTE.test(variable) && isPublicHost(each)),
    );
    if (host === undefined) return [];
    return [
      {
        code: "reaches-outside",
        severity: "info",
        message: `${variable} of '${name}' names ${host}, which is not there without a network.`,
        remedy: "See that the service can do without, or name a host of the site.",
        ...at(position()),
      },
    ];
  });
}

function hostsIn(text: string): string[] {
  const urls = [...text.matchAll(/:\/\/(?:[^\s/@]*@)?([a-z0-9.-]+)/gi)].map((match) => match[1] ?? "");
  const bare = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?$/i.test(text) ? [text.replace(/:\d+$/, "")] : [];
  return [...urls, ...bare];
}

/** Name servers and fixed addresses of the internet. */
function publicAddresses(project: LintProject, name: string, service: LintService): Finding[] {
  const servers = [service.dns ?? []].flat().filter(isPublicAddress);
  const hosts = Array.isArray(service.extra_hosts)
    ? service.extra_hosts.map((each) => each.split(/[=:]/)[1] ?? "")
    : Object.values(service.extra_hosts ?? {});
  const found = [
    ...servers.slice(0, 1).map((address) => ({ address, key: "dns" })),
    ...hosts
      .filter(isPublicAddress)
      .slice(0, 1)
      .map((address) => ({ address, key: "extra_hosts" })),
  ];
  return found.map(({ address, key }) => {
    const entry = entriesOf(project.graph, "services", name, key).find(({ text }) => text?.includes(address));
    return {
      code: "public-address",
      severity: "warning",
      message:
        key === "dns"
          ? `'${name}' asks the name server ${address}, which is not there without a network: each name takes seconds to fail.`
          : `'${name}' is told that a host has the address ${address}, which is not there without a network.`,
      remedy: "Leave it out, or name one of the site.",
      ...at(entry?.place.document.positionOf(entry.place.node)),
    };
  });
}
