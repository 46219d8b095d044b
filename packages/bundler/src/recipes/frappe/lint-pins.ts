import { type Finding, isDrybagError } from "@drybag/errors";
import type { ProjectConfig } from "../../config/project-config.ts";
import { checkApps } from "./check-apps.ts";
import { readPinnedApps } from "./read-apps.ts";

/** What is wrong with the pins of the recipe, without asking any repository. */
export async function lintPins(config: ProjectConfig | undefined): Promise<Finding[]> {
  if (config?.frappe === undefined) return [];
  const { frappe } = config;
  try {
    const { apps, findings } = await readPinnedApps(frappe);
    return [...findings, ...checkApps(frappe, apps)];
  } catch (error) {
    if (!isDrybagError(error, "file-missing", "file-unreadable")) throw error;
    const { code, message, hint } = error;
    const position = "file" in frappe.apps ? frappe.apps.position : frappe.build.position;
    return [{ code, severity: "error", message, ...(hint !== undefined && { remedy: hint }), position }];
  }
}
