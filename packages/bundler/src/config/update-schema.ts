import * as z from "zod";
import { BUILD_NAME_PATTERN } from "./build-schema.ts";

/** `update` of drybag.yaml: which values of other files name the images that are built. */

const line = z.string().min(1, "must not be empty");

const entry = z.strictObject({
  file: line
    .regex(/^[^/]/, "must be relative to the folder of drybag.yaml")
    .describe("YAML or JSON file, relative to this one."),
  path: line.describe("Keys that lead to the value: image.tag, containers[0].image; a dot in a key is \\."),
  value: line.describe("What is written: {image}, {tag} and {reference} (both) are replaced."),
  build: z
    .string()
    .regex(
      BUILD_NAME_PATTERN,
      "must be lower-case letters, digits, '-' and '_', beginning with a letter or digit",
    )
    .describe("The build that is meant, where there are several: of 'builds', or frappe.")
    .optional(),
});

export const update = z
  .array(entry)
  .describe("Values of other files that name what is built, for other deployers: written by --update-files.");

export type UpdateInFile = z.infer<typeof entry>;
