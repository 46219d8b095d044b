import type { Position } from "../../compose/compose-document.ts";
import type { Placed } from "../../config/project-config.ts";

/** An app as apps.json or drybag.yaml has it, every value with its place. */
export interface PinnedApp {
  /** Of the git repository, with `${NAME}` for tokens as written. */
  url: Placed;
  /** `tag` and `branch`; one of them at most in a list that is right. frappe_docker writes tags under `branch` too. */
  refs: (Placed & { key: "tag" | "branch" })[];
  commit: Placed | undefined;
  position: Position;
}

/** Last part of the address: `erpnext` of `https://github.com/frappe/erpnext.git`. */
export function repositoryName(url: string): string {
  const last =
    url
      .replace(/[?#].*$/s, "")
      .replace(/\/+$/, "")
      .split(/[/:]/)
      .at(-1) ?? "";
  return last.replace(/\.git$/, "");
}

/** What an app is called in messages: its repository. */
export function appName(app: PinnedApp): string {
  return repositoryName(app.url.text);
}
