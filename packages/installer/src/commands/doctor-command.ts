import { resolve } from "node:path";
import { EXIT, type ExitCode } from "@drybag/errors";
import { printable, type RunContext } from "@drybag/terminal";
import { siteDocker } from "../docker-environment.ts";
import { type Examination, examine } from "../doctor/examine.ts";
import { installedStacks } from "../site/installed-stacks.ts";
import { optionalStackName, type SiteFlags } from "./site-flags.ts";

/** Compares what is here with what was installed. Exit code 7 where something is not as it should be; warnings alone do not count. */
export async function doctorCommand(context: RunContext, flags: SiteFlags, name?: string): Promise<ExitCode> {
  const docker = siteDocker(context.env, resolve(context.cwd, flags.dir));
  const stacks: Examination[] = [];
  for (const stack of await installedStacks(resolve(context.cwd, flags.dir), optionalStackName(name))) {
    const look = () => examine(docker, stack, context.signal);
    stacks.push(await context.wait(`Examining ${stack.name}`, look));
  }
  context.stdout.write(
    context.json ? `${JSON.stringify({ stacks })}\n` : stacks.map(describeExamination).join("\n"),
  );
  return stacks.every(({ ok }) => ok) ? EXIT.ok : EXIT.unhealthy;
}

export function describeExamination({ name, release, findings }: Examination): string {
  if (findings.length === 0) {
    return `${name}: release ${release}. Images, containers, files, settings and records are as they were installed.\n`;
  }
  const lines = findings.map(
    ({ severity, code, message, remedy }) =>
      `${severity}: ${printable(message)} [${code}]${remedy ? `\n  ${printable(remedy)}` : ""}`,
  );
  const errors = findings.filter(({ severity }) => severity === "error").length;
  const warnings = findings.length - errors;
  return [
    `${name}: release ${release}`,
    ...lines,
    `${count(errors, "error")}, ${count(warnings, "warning")}.`,
    "",
  ].join("\n");
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
