import * as z from "zod";

/** `builds`, `recipe` and `frappe` of drybag.yaml: what is built before packing. */

const line = z.string().min(1, "must not be empty");
const lines = z.array(line);
const plainText = z.union([z.string(), z.number(), z.boolean()]);
const variable = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be the name of a variable: letters, digits and '_'");
const commit = z.string().regex(/^[0-9a-f]{40}$/, "must be a whole commit: 40 digits 0-9a-f");

export const BUILD_NAME_PATTERN = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const BUILD_NAME_FORM = "must be lower-case letters, digits, '-' and '_', beginning with a letter or digit";

const args = z.record(variable, plainText);

const secret = z.strictObject({
  env: variable.describe("Variable of the environment that holds it.").optional(),
  file: line.describe("File that holds it.").optional(),
});

const environment = z.strictObject({
  args: args.describe("Build arguments beside, and in place of, the build's own.").nullish(),
  tags: lines.describe("Tags in place of the build's own.").nullish(),
});

/** What every build may say, that of a recipe too. */
const shared = {
  target: line.describe("Stage of the Dockerfile to build. Default: the last one.").optional(),
  image: line
    .describe("Name of the image without a tag, with the registry if it is pushed: registry.example/erp.")
    .optional(),
  tags: lines
    .min(1, "must not be empty")
    .describe(
      "Tags; {date}, {commit}, {branch}, {version}, {environment} are replaced. The first is the one that is packed. Default: {date}-{commit}.",
    )
    .optional(),
  platforms: lines
    .describe("Platforms to build for, e.g. linux/amd64. Several only with --push. Default: the server's.")
    .optional(),
  secrets: z
    .record(line, secret)
    .describe("BuildKit secrets by id, from a variable or a file. They are in no layer and no history.")
    .nullish(),
  needs: z
    .array(z.string().regex(BUILD_NAME_PATTERN, BUILD_NAME_FORM))
    .describe(
      "Builds that come first. The Dockerfile names their images as FROM <name>; {image:<name>} in an argument is name and tag.",
    )
    .optional(),
  cacheFrom: lines.describe("As --cache-from of docker buildx build.").optional(),
  cacheTo: lines.describe("As --cache-to of docker buildx build.").optional(),
  network: z
    .enum(["default", "host", "none"])
    .describe("Network of RUN steps: default, host, none.")
    .optional(),
  environments: z
    .record(z.string().regex(BUILD_NAME_PATTERN, BUILD_NAME_FORM), environment.nullable())
    .describe("What differs by --environment: arguments and tags, by the environment's name.")
    .nullish(),
  env: z
    .record(variable, line)
    .describe(
      "Variables of the Compose files that this build sets, with {image}, {tag}, {policy} replaced. They are bundled.",
    )
    .nullish(),
};

const build = z.strictObject({
  context: line.describe("Folder with what the build needs. Default: the folder of drybag.yaml.").optional(),
  file: line.describe("Dockerfile or Containerfile. Default: Dockerfile in the context.").optional(),
  args: args.describe("Build arguments. Never for secrets: they stay readable in the image.").nullish(),
  ...shared,
});

export const builds = z
  .record(z.string().regex(BUILD_NAME_PATTERN, BUILD_NAME_FORM), build)
  .describe("Images to build before packing, by name; `build:` of Compose files needs nothing here.");

export const recipe = z
  .enum(["frappe"])
  .describe("Ecosystem that drybag knows: frappe, told about by 'frappe'.");

const app = z.strictObject({
  url: line.describe("Address of the git repository; ${NAME} in it is a token of the environment."),
  tag: line.describe("Tag that is built.").optional(),
  branch: line
    .describe("As in frappe_docker's apps.json: a tag, or a branch with a commit beside it.")
    .optional(),
  commit: commit.describe("Commit that is built: 40 digits.").optional(),
});

export const frappe = z
  .strictObject({
    repo: line
      .describe("Address of frappe's git repository. Default: https://github.com/frappe/frappe.")
      .optional(),
    version: line.describe("Tag of frappe, e.g. v15.88.1; a branch only with 'commit'."),
    commit: commit.describe("Commit of frappe that is built: 40 digits.").optional(),
    apps: z
      .union([line, z.array(app)])
      .describe("The apps beside frappe: path of an apps.json, or a list of {url, tag, commit}.")
      .optional(),
    containerfile: line
      .describe("Containerfile, e.g. images/layered/Containerfile. Default: Containerfile in the context.")
      .optional(),
    context: line
      .describe("Folder with what the build needs. Default: the folder of drybag.yaml.")
      .optional(),
    pythonVersion: plainText.describe("Build argument PYTHON_VERSION.").optional(),
    nodeVersion: plainText.describe("Build argument NODE_VERSION.").optional(),
    buildArgs: args.describe("Further build arguments. Never for secrets.").nullish(),
    site: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$/, "must be a host name")
      .describe(
        "Name of the site unless the server's says otherwise (setting SITE_NAME). Default: it is asked for.",
      )
      .optional(),
    tasks: z
      .boolean()
      .describe("false: without the recipe's tasks, checks and settings on site. Default: true.")
      .optional(),
    tokenFile: line
      .describe(
        "Env file with the tokens that addresses name as ${NAME} and the environment lacks. Not carried.",
      )
      .optional(),
    ...shared,
  })
  .describe("The recipe frappe: an image of Frappe and apps, each pinned to a tag or commit.");

export type BuildInFile = z.infer<typeof build>;
export type FrappeInFile = z.infer<typeof frappe>;
