import type { Finding } from "@drybag/errors";
import type { AppProvenance, Check, Task } from "@drybag/format";

/** What a recipe adds to its build, found before anything is built. */
export interface PreparedRecipe {
  recipe: string;
  /** Build arguments that may be seen. */
  args: Record<string, string>;
  /** Build arguments whose values must not be on a command line. */
  hiddenArgs: Record<string, string>;
  /** BuildKit secrets. */
  secrets: { id: string; value: string }[];
  /** Stages whose cache cannot tell that its secrets are others; undefined stands for one without a name. */
  uncachedStages: (string | undefined)[];
  labels: Record<string, string>;
  /** What must be found nowhere. */
  tokens: string[];
  apps: AppProvenance[];
  /** Whether the image holds what was pinned. Throws `commit-mismatch`. */
  verify(reference: string, signal: AbortSignal): Promise<Finding[]>;
}

/** What a recipe knows of running its stack; what drybag.yaml says by the same name wins. */
export interface RecipeOnSite {
  tasks: Task[];
  checks: Check[];
}
