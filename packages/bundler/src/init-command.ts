import path from "node:path";
import type { RunContext } from "@drybag/terminal";
import { type InitResult, init } from "./init/init.ts";

export interface InitFlags {
  file?: string[];
  envFile?: string[];
  profile?: string[];
  name?: string;
  force?: boolean;
  yes?: boolean;
}

/** `drybag init`: looks at the project, asks in a terminal, writes drybag.yaml. Needs no Docker. */
export async function initCommand(context: RunContext, flags: InitFlags): Promise<void> {
  const result = await init({
    cwd: context.cwd,
    env: context.env,
    files: flags.file,
    envFiles: flags.envFile,
    profiles: flags.profile ?? [],
    name: flags.name,
    force: flags.force ?? false,
    questions: context.canAsk && !flags.yes ? context : undefined,
  });
  context.stdout.write(
    context.json ? `${JSON.stringify(reportJson(result))}\n` : report(result, context.cwd),
  );
}

function reportJson({ file, plan, isFrappe, apart, alternatives, neededWhenPacking }: InitResult) {
  return {
    file,
    name: plan.name,
    composeFiles: plan.composeFiles,
    envFiles: plan.envFiles ?? [],
    profiles: plan.profiles,
    oneShots: plan.oneShots,
    recognised: isFrappe ? "frappe_docker" : null,
    asked: plan.asked.map(({ name }) => name),
    neededWhenPacking,
    leftOut: [...plan.otherFiles, ...apart, ...alternatives],
  };
}

function report(result: InitResult, cwd: string): string {
  const { plan, file, apart, alternatives, neededWhenPacking, problem } = result;
  const lines: [string, string[]][] = [
    ["stack", [plan.name]],
    ["recognised", result.isFrappe ? ["frappe_docker"] : []],
    ["Compose files", plan.composeFiles],
    ["env files", plan.envFiles ?? [plan.envFilesFrom]],
    ["profiles", plan.profiles],
    ["run once", plan.oneShots],
    ["asked on site", plan.asked.map(({ name }) => name)],
    ["left out", plan.otherFiles],
    ["stacks of their own", apart],
    ["also there", alternatives.filter((name) => !plan.composeFiles.includes(name))],
    ["not read", problem === undefined ? [] : [problem]],
  ];
  const shown = lines.filter(([, items]) => items.length > 0);
  const width = Math.max(...shown.map(([title]) => title.length));
  const needed =
    neededWhenPacking.length === 0
      ? ""
      : `\nBefore packing, give a value to ${neededWhenPacking.join(", ")}: it chooses an image or a file.\n`;
  return `Wrote ${path.relative(cwd, file)}
${shown.flatMap(([title, items]) => items.map((item, index) => `  ${(index === 0 ? title : "").padEnd(width)}  ${item}`)).join("\n")}
${needed}
Next:
  drybag lint      what would fail on site, and what should not travel
  drybag images    every image, and where it is written
  drybag pack      pull, save and check everything, into a folder for the stick
`;
}
