import type { SettingType } from "@drybag/format";
import type { Position } from "../compose/compose-document.ts";
import type { DeclaredBuild, DeclaredFrappe } from "./declared-builds.ts";
import type { DeclaredTasks } from "./declared-tasks.ts";
import type { DeclaredUpdate } from "./declared-updates.ts";

/** A text of drybag.yaml and its place. */
export interface Placed {
  text: string;
  position: Position;
}

/** What drybag.yaml says about a variable. */
export interface DeclaredSetting {
  name: string;
  position: Position;
  description?: string;
  default?: string;
  required?: boolean;
  secret?: boolean;
  type?: SettingType;
  choices?: string[];
  pattern?: string;
  minimum?: number;
  maximum?: number;
}

/** What drybag.yaml adds to a project beside the flags of docker compose. */
export interface ProjectConfig extends DeclaredTasks {
  file: string;
  /** Folder of drybag.yaml: what patterns are relative to. */
  folder: string;
  extraImages: Placed[];
  include: Placed[];
  exclude: Placed[];
  settings: DeclaredSetting[];
  oneShots: Placed[];
  /** `carry`, `none`, or the absolute path of a Compose binary. */
  compose: string | undefined;
  builds: DeclaredBuild[];
  /** The recipe frappe, if it is chosen. */
  frappe: DeclaredFrappe | undefined;
  /** Values of other files that name what is built. */
  updates: DeclaredUpdate[];
}
