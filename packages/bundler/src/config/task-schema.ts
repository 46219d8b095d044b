import { TASK_TIMES } from "@drybag/format";
import * as z from "zod";

/** The keys `tasks`, `checks` and `backup` of drybag.yaml. */

const line = z.string().min(1, "must not be empty");
const plainText = z.union([z.string(), z.number(), z.boolean()]);
const variable = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be the name of a variable: letters, digits and '_'");
const taskName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9-]{0,62}$/,
    "must be lower-case letters, digits and '-', beginning with a letter or digit",
  );
const user = z
  .union([
    z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.:$-]{0,254}$/, "must be a user, or user:group"),
    z.int(),
  ])
  .describe("User that it runs as, or user:group. Default: the container's.")
  .optional();
const command = z.union([line, z.array(plainText).min(1, "must not be empty")]);
const duration = z.union([
  z.string().regex(/^[1-9][0-9]{0,5}[smh]?$/, "must be like 90s, 30m or 2h"),
  z.int().min(1, "must be at least 1"),
]);
const port = z.int().min(1, "must be a port from 1 to 65535").max(65_535, "must be a port from 1 to 65535");
const service = line.describe("Service of the Compose files.");
const time = z.enum(TASK_TIMES, `must be one of ${TASK_TIMES.join(", ")}`);
const pattern = (what: string) => line.describe(what).meta({ format: "regex" });

const task = z.strictObject({
  description: z.string().describe("Shown in lists.").optional(),
  when: z
    .union([time, z.array(time).min(1, "must not be empty")])
    .describe("When it runs by itself. Default: on-demand, when somebody runs it.")
    .optional(),
  service,
  mode: z
    .enum(["exec", "run"], "must be exec or run")
    .describe("In the running container (exec), or in a new one of that service (run). Default: exec.")
    .optional(),
  command: command.describe("Program and arguments as a list, or one text for the shell 'sh -c'."),
  user,
  workingDirectory: z
    .string()
    .regex(/^\//, "must be an absolute path")
    .describe("Folder in the container that it runs in.")
    .optional(),
  environment: z.record(variable, plainText).describe("Variables with fixed values.").optional(),
  settings: z
    .array(variable)
    .describe("Settings of the site that it is given, as variables of the same name.")
    .optional(),
  arguments: z
    .array(variable)
    .describe("Variables that whoever runs it gives a value: drybag-site run TASK NAME=value.")
    .optional(),
  timeout: duration.describe("How long it may take, e.g. 30m. Default: 30m.").optional(),
  once: z.boolean().describe("Not again after it succeeded, until the site's data is removed.").optional(),
  unless: command
    .describe("Run first, in the same place: where it ends with exit code 0, there is nothing to do.")
    .optional(),
  before: z.array(taskName).describe("Tasks that run first, in this order.").optional(),
});

const http = z
  .strictObject({
    service,
    port: port.describe("Port inside the container."),
    path: z
      .string()
      .regex(/^\/[\x21-\x7e]*$/, "must begin with '/' and have no spaces")
      .describe("Path with its query. ${NAME} stands for a setting. Default: /.")
      .optional(),
    status: z
      .int()
      .min(100, "must be a status from 100 to 599")
      .max(599, "must be a status from 100 to 599")
      .describe("Status that is expected. Default: 200.")
      .optional(),
    headers: z
      .record(
        z.string().regex(/^[A-Za-z][A-Za-z0-9-]{0,62}$/, "must be the name of a header"),
        z.string().regex(/^[\x20-\x7e]+$/, "must be printable ASCII"),
      )
      .describe("Headers to send. ${NAME} stands for a setting.")
      .optional(),
    body: pattern("Regular expression (ECMAScript) that the body has to hold.").optional(),
    host: z
      .string()
      .regex(/^[\x20-\x7e]+$/, "must be printable ASCII")
      .describe("Host header to send. ${NAME} stands for a setting.")
      .optional(),
  })
  .describe("A request over HTTP, and what its answer has to be.");

const check = z.strictObject({
  http: http.optional(),
  tcp: z
    .strictObject({ service, port: port.describe("Port inside the container.") })
    .describe("A port that takes connections.")
    .optional(),
  exec: z
    .strictObject({
      service,
      command: command.describe(
        "Program and arguments, or one text for 'sh -c', that ends with exit code 0.",
      ),
      user,
    })
    .describe("A command in the service's container.")
    .optional(),
  log: z
    .strictObject({
      service,
      pattern: pattern("Regular expression (ECMAScript) that a line of the log has to hold."),
    })
    .describe("A line in the service's log.")
    .optional(),
  timeout: duration.describe("How long it is tried again, e.g. 5m. Default: 2m.").optional(),
});

const backup = z.strictObject({
  volumes: z
    .array(line)
    .min(1, "must not be empty")
    .describe("Volumes of the Compose files that a backup holds. Default: all of them.")
    .optional(),
  exclude: z.array(line).describe("Volumes that it does not hold.").optional(),
  dumpTask: taskName
    .describe(
      "Task that writes a dump into a volume; the stack keeps running. Default: it is stopped for the time.",
    )
    .optional(),
  keep: z.int().min(1, "must be at least 1").describe("How many backups are kept. Default: 3.").optional(),
});

export const taskKeys = {
  tasks: z
    .record(taskName, task)
    .describe("Commands in services, by name: run when the site is installed or upgraded, or on demand.")
    .nullish(),
  checks: z
    .record(taskName, check)
    .describe("What must be so for the stack to count as healthy, by name: one of http, tcp, exec, log.")
    .nullish(),
  backup: backup.describe("What 'drybag-site backup' and upgrades keep safe.").nullish(),
};

export type TaskInFile = z.infer<typeof task>;
export type CheckInFile = z.infer<typeof check>;
