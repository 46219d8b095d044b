import { join } from "node:path";
import { formatDuration, servicesTable } from "@drybag/terminal";
import { DEFAULT_DIR } from "../commands/site-flags.ts";
import { REPORT_PAGE_FILE } from "../site/site-paths.ts";
import type { InstallReport } from "./install-report.ts";

/** The report for people: what runs, where it is, and how to look again: `program` is how drybag-site is started here. */
export function describeReport(
  report: InstallReport,
  { unicode, dir, program }: { unicode: boolean; dir: string; program: string },
): string {
  const { name, release, folder, images, services, durationsMs, started } = report;
  const loaded = images.filter((image) => image.loaded).length;
  const totalMs = Object.values(durationsMs).reduce((total, each) => total + each, 0);
  const dirFlag = dir === DEFAULT_DIR ? "" : ` --dir ${dir}`;
  const lines = servicesTable(
    services.map((service) => ({ ...service, ok: true, detail: service.ports.join(", ") || undefined })),
    { unicode },
  );
  return [
    `${name} ${release} ${started ? "is installed and healthy" : "runs already as it should"}.`,
    "",
    lines,
    "",
    ...describeChecks(report),
    `${images.length} images verified, ${loaded} loaded; took ${formatDuration(totalMs)}.`,
    `Signed by:   ${report.signer ?? "nobody"}`,
    `Files:       ${folder}`,
    `Report:      ${join(folder, REPORT_PAGE_FILE)}`,
    `Look again:  ${program} status ${name}${dirFlag}`,
    "",
  ].join("\n");
}

function describeChecks({ tasks, checks, backup }: InstallReport): string[] {
  const run = tasks.filter(({ outcome }) => outcome === "done").map(({ name }) => name);
  return [
    ...(backup === null ? [] : [`Backup:      ${backup}, of the release before`]),
    ...(run.length === 0 ? [] : [`Tasks run:   ${run.join(", ")}`]),
    ...(checks.length === 0
      ? []
      : [`Checks:      ${checks.map((each) => `${each.name} (${each.state})`).join(", ")}`]),
  ];
}
