import { styleText } from "node:util";
import { glyphs } from "./glyphs.ts";
import { printableLine } from "./printable.ts";
import type { ServiceLine } from "./progress.ts";
import { table } from "./table.ts";

export interface ServicesTableOptions {
  width?: number | undefined;
  /** Rows to show at most, the header and the line that counts the rest included. What is not well comes first then. */
  maxRows?: number | undefined;
  unicode?: boolean;
  /** The stream it is for, if it may be coloured. */
  colorFor?: NodeJS.WriteStream;
}

/** The health table, live and in reports: one line a service, with a sign in front. */
export function servicesTable(services: readonly ServiceLine[], options: ServicesTableOptions = {}): string {
  const { width, maxRows = Number.POSITIVE_INFINITY, unicode = false, colorFor } = options;
  const signs = glyphs(unicode);
  const shown =
    services.length + 1 <= maxRows ? services : worstFirst(services).slice(0, Math.max(1, maxRows - 2));
  const rows = shown.map((service) => [
    `${sign(service, signs)} ${service.name}`,
    service.state,
    service.expected,
    printableLine(service.detail ?? ""),
  ]);
  const text = table([["  SERVICE", "STATE", "EXPECTED", ""], ...rows], {
    width,
    ellipsis: signs.ellipsis,
  });
  const rest = services.length - shown.length;
  const lines = text.split("\n").map((line, index) => colour(line, shown[index - 1], colorFor));
  if (rest > 0) lines.push(`  ${signs.ellipsis} and ${rest} more`);
  return lines.join("\n");
}

function sign({ ok }: ServiceLine, signs: ReturnType<typeof glyphs>): string {
  if (ok === undefined) return signs.waiting;
  return ok ? signs.done : signs.failed;
}

function worstFirst(services: readonly ServiceLine[]): ServiceLine[] {
  const rank = ({ ok }: ServiceLine) => (ok === false ? 0 : ok === undefined ? 1 : 2);
  return [...services].sort((a, b) => rank(a) - rank(b));
}

/** Colours the sign only, so that a line that was cut stays as wide as it is. */
function colour(
  line: string,
  service: ServiceLine | undefined,
  stream: NodeJS.WriteStream | undefined,
): string {
  if (!stream || !service) return line;
  const format = service.ok === undefined ? "yellow" : service.ok ? "green" : "red";
  return styleText(format, line.slice(0, 1), { stream }) + line.slice(1);
}
