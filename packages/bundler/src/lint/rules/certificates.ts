import type { Finding } from "@drybag/errors";
import type { Position } from "../../compose/compose-document.ts";
import { commandPosition, type GivenText, textsOf } from "../egress.ts";
import type { LintProject } from "../lint-project.ts";
import type { LintService } from "../lint-service.ts";
import { entryPosition } from "../places.ts";
import { at, type Rule } from "../rule.ts";

/** Certificates that Let's Encrypt or another authority would have to issue over the internet. One finding a service. */
export const certificates: Rule = {
  codes: ["certificate-from-internet"],
  check: (project) => project.services.flatMap(([name, service]) => judge(project, name, service)),
};

const IN_COMMAND =
  /certificatesresolvers|\bcertbot\b|\bacme\.sh\b|\bletsencrypt\b(?!\/)|--acme|\blego\s+(?:run|renew|--)/i;
const IN_IMAGE =
  /(?:^|\/)(?:certbot|dns-\w+:|acme-companion|docker-letsencrypt-nginx-proxy-companion|letsencrypt[\w-]*|acme\.sh|lego)(?:[:@/]|$)/i;
const IN_LABEL = /tls\.certresolver$|^letsencrypt|^com\.github\.[\w.-]*letsencrypt/i;
const IN_VARIABLE = /^(?:LETSENCRYPT_|ACME_|CERTBOT_|LE_EMAIL|TRAEFIK_CERTIFICATESRESOLVERS_)/i;

function judge(project: LintProject, name: string, service: LintService): Finding[] {
  const found = textsOf(project, name, service).find(asksForCertificate);
  if (found === undefined) return [];
  const position =
    found.kind === "command"
      ? commandPosition(project, name, IN_COMMAND)
      : (found.position() ?? labelPosition(project, name));
  return [
    {
      code: "certificate-from-internet",
      severity: "warning",
      message: `'${name}' gets its certificates over the internet (ACME, Let's Encrypt): on site there will be none.`,
      remedy: "Serve plain HTTP, or mount a certificate of the site's own authority.",
      ...at(position ?? found.position()),
    },
  ];
}

function asksForCertificate({ kind, name, text }: GivenText): boolean {
  if (kind === "command" || kind === "hook") return IN_COMMAND.test(text);
  if (kind === "image") return IN_IMAGE.test(text);
  if (kind === "label") return IN_LABEL.test(name) && text !== "";
  return kind === "environment" && IN_VARIABLE.test(name) && !/^(?:|false|0|no|off)$/i.test(text);
}

/** The name of a label may hold a variable that only the site knows. */
function labelPosition(project: LintProject, name: string): Position | undefined {
  return entryPosition(project.graph, ["services", name, "labels"], (entry) => IN_LABEL.test(entry.name));
}
