import type { Position } from "../compose/compose-document.ts";
import { positionOf } from "../compose/look-up.ts";
import type { LintProject } from "./lint-project.ts";
import type { LintService } from "./lint-service.ts";
import { entriesOf } from "./places.ts";

/** A text that a service is given, and where it is written. */
export interface GivenText {
  kind: "command" | "environment" | "label" | "image" | "healthcheck" | "hook";
  /** Name of a variable or label; empty otherwise. */
  name: string;
  text: string;
  position(): Position | undefined;
}

/** Everything that a service is told: its commands, variables, labels and hooks. */
export function textsOf(project: LintProject, name: string, service: LintService): GivenText[] {
  const inService =
    (keys: readonly string[], fits: (entry: { name: string; text?: string | undefined }) => boolean) =>
    () => {
      const entry = keys.flatMap((key) => entriesOf(project.graph, "services", name, key)).find(fits);
      return entry && positionOf(entry.place);
    };
  const words = (
    list: readonly string[] | null | undefined,
    kind: GivenText["kind"],
    key: string,
  ): GivenText[] => {
    const text = (list ?? []).join(" ");
    if (text === "") return [];
    return [{ kind, name: "", text, position: inService([key], () => true) }];
  };
  const pairs = (key: "environment" | "labels", kind: GivenText["kind"]): GivenText[] =>
    Object.entries(service[key] ?? {}).map(([variable, value]) => ({
      kind,
      name: variable,
      text: value ?? "",
      position: () =>
        inService(
          [key],
          (entry) => entry.name === variable || entry.text === `${variable}=${value ?? ""}`,
        )() ??
        project.serviceEnvFiles.findLast((file) => file.values[variable] === value)?.positionOf(variable),
    }));
  const hooks = [service.pre_start, service.post_start, service.pre_stop].flatMap((list) => list ?? []);
  return [
    { kind: "image", name: "", text: service.image ?? "", position: inService(["image"], () => true) },
    ...words(service.entrypoint, "command", "entrypoint"),
    ...words(service.command, "command", "command"),
    ...words(
      hooks.flatMap(({ command }) => command ?? []),
      "hook",
      "post_start",
    ),
    ...words(service.healthcheck?.test, "healthcheck", "healthcheck"),
    ...pairs("environment", "environment"),
    ...pairs("labels", "label"),
  ];
}

/** Where a pattern stands in what a service is told by its command: the item of the list, if it is one. */
export function commandPosition(
  project: LintProject,
  service: string,
  pattern: RegExp,
): Position | undefined {
  const entry = ["command", "entrypoint"]
    .flatMap((key) => entriesOf(project.graph, "services", service, key))
    .find(({ text }) => pattern.test(text ?? ""));
  return entry && positionOf(entry.place);
}

/** Whether a host can only be one of the internet: a name with a public ending, not reserved, and none of the stack's own. */
export function isPublicHost(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, "");
  if (/^\d+\.\d+\.\d+\.\d+$/.test(name)) return isPublicAddress(name);
  if (!/^(?:[a-z0-9-]+\.)+[a-z]{2,}$/.test(name)) return false;
  // RFC 2606, RFC 6761, RFC 8375, RFC 9476, and what people use at home and at work.
  return !/(?:^|\.)(?:local|localhost|localdomain|internal|intranet|lan|home|corp|private|test|example|invalid|alt|onion|home\.arpa|example\.(?:com|net|org)|docker|svc|consul)$/.test(
    name,
  );
}

/** IPv4 addresses that only the internet has (RFC 6890 lists the others). */
export function isPublicAddress(address: string): boolean {
  const parts = address.split(".").map(Number);
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255))
    return false;
  const [a = 0, b = 0, c = 0] = parts;
  const isReserved =
    a === 0 ||
    a === 10 ||
    a === 127 ||
    a >= 224 ||
    (a === 100 && b >= 64 && b < 128) ||
    (a === 169 && b === 254) ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 192 && b === 0) ||
    (a === 198 && (b === 18 || b === 19)) ||
    (a === 198 && b === 51 && c === 100) ||
    (a === 203 && b === 0 && c === 113);
  return !isReserved;
}
