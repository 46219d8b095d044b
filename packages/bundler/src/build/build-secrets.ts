import type { DockerContext } from "@drybag/docker";
import { DrybagError } from "@drybag/errors";
import { readNamedFile } from "../read-named-file.ts";
import type { PreparedRecipe } from "../recipes/recipe.ts";
import type { PlannedBuild } from "./plan-builds.ts";

/** A BuildKit secret with its value. */
export interface ReadSecret {
  id: string;
  /** Variable of the client's environment that holds it. */
  variable: string;
  value: string;
  /** What is looked for in the image: of one line, since lists and certificates are no tokens. */
  token: string | undefined;
}

/** Reads the secrets of a build. Throws `token-missing`, `file-missing`, `file-unreadable`. */
export async function readSecrets(
  { declared, name }: PlannedBuild,
  recipe: PreparedRecipe | undefined,
  env: DockerContext["env"],
): Promise<ReadSecret[]> {
  const own = await Promise.all(
    declared.secrets.map(async ({ id, env: variable, file }) => {
      const value =
        variable === undefined
          ? await readNamedFile(
              file as string,
              `The secret '${id}' cannot be read:`,
              "Check 'secrets' of the build in drybag.yaml.",
            )
          : env[variable];
      if (value !== undefined && value !== "") return { id, value, token: oneLine(value) };
      throw new DrybagError(
        "token-missing",
        `${variable} must have a value: it is the secret '${id}' of ${name}.`,
        {
          hint: "Set it in the environment of this command.",
        },
      );
    }),
  );
  const ofRecipe = (recipe?.secrets ?? []).map((secret) => ({ ...secret, token: undefined }));
  return [...own, ...ofRecipe].map((secret, index) => ({
    ...secret,
    variable: `DRYBAG_BUILD_SECRET_${index}`,
  }));
}

function oneLine(value: string): string | undefined {
  const line = value.trim();
  return line === "" || line.includes("\n") ? undefined : line;
}
