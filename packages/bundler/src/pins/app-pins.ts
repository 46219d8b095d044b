import { DrybagError } from "@drybag/errors";
import type { DeclaredFrappe } from "../config/declared-builds.ts";
import type { Placed } from "../config/project-config.ts";
import { appName } from "../recipes/frappe/pinned-app.ts";
import { readPinnedApps } from "../recipes/frappe/read-apps.ts";
import { type TextPlace, wholeValue } from "./text-place.ts";

/** Frappe or an app, pinned to a tag, or to a commit of a branch. */
export interface AppPin {
  kind: "frappe" | "app";
  /** Last part of its address. */
  name: string;
  /** Address with `${NAME}` for tokens. */
  url: string;
  /** The tag, or the branch that the commit is of. */
  ref: TextPlace | undefined;
  commit: TextPlace | undefined;
}

/** What the recipe frappe pins, frappe first. Throws `file-missing`, `file-unreadable`, `apps-invalid` for an apps.json with mistakes. */
export async function appPins(frappe: DeclaredFrappe): Promise<AppPin[]> {
  const { apps, findings } = await readPinnedApps(frappe);
  const mistakes = findings.filter(({ severity }) => severity === "error");
  if (mistakes.length > 0) {
    const lines = mistakes.map(({ position: at, message }) =>
      at === undefined ? message : `${at.file}:${at.line}:${at.column}: ${message}`,
    );
    throw new DrybagError("apps-invalid", lines.join("\n"), { hint: "Mend the file there." });
  }
  const place = (placed: Placed | undefined) => placed && wholeValue(placed.position, placed.text);
  return [
    {
      kind: "frappe",
      name: "frappe",
      url: frappe.repo.text,
      ref: place(frappe.version),
      commit: place(frappe.commit),
    },
    ...apps.map(
      (app): AppPin => ({
        kind: "app",
        name: appName(app),
        url: app.url.text,
        ref: place(app.refs[0]),
        commit: place(app.commit),
      }),
    ),
  ];
}
