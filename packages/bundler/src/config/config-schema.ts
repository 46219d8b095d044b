import { SETTING_TYPES } from "@drybag/format";
import * as z from "zod";
import { builds, frappe, recipe } from "./build-schema.ts";
import { taskKeys } from "./task-schema.ts";
import { update } from "./update-schema.ts";

/**
 * What drybag.yaml may hold: the one source of the validator, of the types and of docs/drybag.schema.json. What a JSON Schema
 * cannot say is in config-rules.ts.
 */

const line = z.string().min(1, "must not be empty");
const lines = z.array(line);
/** Text that people write without quotes although YAML takes it for something else: `1.10`, `8080`, `true`. */
const plainText = z.union([z.string(), z.number(), z.boolean()]);
const relativePath = line.regex(/^[^/]/, "must be relative to the folder of drybag.yaml");

export const NAME_PATTERN = /^[a-z0-9][a-z0-9_-]{0,62}$/;
export const VERSION_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const VERSION_FORM = "must be letters, digits, '.', '-' and '_', beginning with a letter or digit";
const VARIABLE_PATTERN = /^[A-Za-z_][A-Za-z0-9_]*$/;

const project = z
  .strictObject({
    files: lines
      .min(1, "must not be empty")
      .describe("Compose files, as -f of docker compose: later ones override earlier ones.")
      .optional(),
    envFiles: lines
      .describe("Env files, as --env-file of docker compose: later ones override earlier ones.")
      .optional(),
    profiles: lines
      .describe("Profiles to pack and enable, as --profile. Default: the images of all profiles are packed.")
      .optional(),
    name: z
      .string()
      .regex(
        NAME_PATTERN,
        "must be lower-case letters, digits, '-' and '_', beginning with a letter or digit",
      )
      .describe("Name of the Compose project, as --project-name.")
      .optional(),
    directory: line.describe("Project directory, as --project-directory.").optional(),
  })
  .describe("Which Compose project: as the flags of docker compose, paths relative to this file.");

const images = z
  .strictObject({
    extra: lines
      .describe("Images that no service names, but that are needed on site: of tasks, of tools, of jobs.")
      .optional(),
  })
  .describe("Images beside those that drybag finds in the Compose files.");

const files = z
  .strictObject({
    include: z
      .array(relativePath)
      .describe("Files, folders and glob patterns to carry although the Compose files do not name them.")
      .optional(),
    exclude: z
      .array(relativePath)
      .describe("Files, folders and glob patterns to leave out. '**/*.log' is every log at any depth.")
      .optional(),
  })
  .describe("Files beside those that drybag finds in the Compose files, relative to this file.");

const setting = z.strictObject({
  description: z
    .string()
    .describe("Shown when it is asked for. Default: the comment above it in the env file.")
    .optional(),
  default: plainText
    .describe(
      "Value that it has unless the site says otherwise. Overrides env files and Compose files. Not for secrets.",
    )
    .optional(),
  required: z
    .boolean()
    .describe("The site must give it a value. Default: as the Compose files say.")
    .optional(),
  secret: z
    .boolean()
    .describe("Never shown, logged or carried: the site has to say it. Default: guessed from the name.")
    .optional(),
  type: z.enum(SETTING_TYPES).describe("What a value has to be. Default: any text.").optional(),
  choices: z
    .array(plainText)
    .min(1, "must not be empty")
    .describe("The values to choose from; makes the type 'choice'.")
    .optional(),
  pattern: line
    .describe("Regular expression (ECMAScript) that a value has to match as a whole.")
    .meta({ format: "regex" })
    .optional(),
  minimum: z.int().describe("Smallest value, of an integer or a port.").optional(),
  maximum: z.int().describe("Largest value, of an integer or a port.").optional(),
});

export const configSchema = z
  .strictObject({
    name: z
      .string()
      .regex(
        NAME_PATTERN,
        "must be lower-case letters, digits, '-' and '_', beginning with a letter or digit",
      )
      .describe("Name of the stack, and of its folder on the server. Default: the Compose project's.")
      .optional(),
    version: z
      .union([z.string().regex(VERSION_PATTERN, VERSION_FORM), z.number()])
      .describe("Version of the bundle. Default: date and commit of the git work tree.")
      .optional(),
    project: project.nullish(),
    images: images.nullish(),
    files: files.nullish(),
    settings: z
      .record(
        z.string().regex(VARIABLE_PATTERN, "must be the name of a variable: letters, digits and '_'"),
        setting.nullable(),
      )
      .describe("Variables of the Compose files, by name: what the site is asked for, and how.")
      .nullish(),
    builds: builds.nullish(),
    recipe: recipe.optional(),
    frappe: frappe.nullish(),
    update: update.nullish(),
    oneShots: lines
      .describe("Services that run once and end with exit code 0, where the Compose files do not show it.")
      .nullish(),
    compose: line
      .describe(
        "Carry Compose for servers that lack it: 'carry', 'none', or the path of a Compose binary. Default: carry this machine's, if it is for the server's platform and linked statically.",
      )
      .optional(),
    ...taskKeys,
    platform: z
      .string()
      .regex(
        /^linux\/[a-z0-9][a-z0-9._-]*(\/[a-z0-9][a-z0-9._-]*)?$/,
        "must be like linux/amd64 or linux/arm64",
      )
      .describe("Platform of the server, e.g. linux/arm64. Default: that of the engine that packs.")
      .optional(),
    partSize: z
      .string()
      .regex(/^(none|[0-9]+(\.[0-9]+)?[kKmMgG]?([iI]?[bB])?)$/, "must be like 3900M or 3.9G, or none")
      .describe(
        "Largest file of the bundle, e.g. 3900M; 'none' for one file. Default: 3.9G, which FAT32 takes.",
      )
      .optional(),
  })
  .meta({
    title: "drybag.yaml",
    description: "What drybag packs, and how. Every key may be left out.",
  });

/** drybag.yaml as it is written. */
export type ConfigFile = z.infer<typeof configSchema>;
export type SettingInFile = z.infer<typeof setting>;

/** Where editors find the schema. */
export const SCHEMA_ADDRESS = "https://json.schemastore.org/drybag.json";

/** The published schema. Draft 7 is what editors know best. */
export function jsonSchema(): Record<string, unknown> {
  const { $schema, ...rest } = z.toJSONSchema(configSchema, { target: "draft-7" });
  return { $schema, $id: SCHEMA_ADDRESS, ...rest };
}
