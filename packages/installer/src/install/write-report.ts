import { join } from "node:path";
import { writeFileAtomically } from "@drybag/format";
import { REPORT_FILE, REPORT_PAGE_FILE } from "../site/site-paths.ts";
import type { InstallReport } from "./install-report.ts";
import { reportPage } from "./report-page.ts";

/** Keeps the report in its release's folder: once for programs, once for people. */
export async function writeReport(folder: string, report: InstallReport): Promise<void> {
  await writeFileAtomically(join(folder, REPORT_PAGE_FILE), reportPage(report));
  await writeFileAtomically(join(folder, REPORT_FILE), `${JSON.stringify(report, undefined, 2)}\n`);
}
