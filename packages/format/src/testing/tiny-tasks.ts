import type { Manifest } from "../manifest.ts";

/** Tasks, checks and backup rules for the tiny bundle, with every field that there is. */
export function tinyTasks(): Pick<Manifest, "critical" | "tasks" | "checks" | "backup"> {
  return {
    critical: ["tasks"],
    tasks: [
      {
        name: "dump",
        description: "Writes a dump",
        when: ["on-demand"],
        service: "cache",
        mode: "run",
        command: ["dump", ""],
        user: "1000:1000",
        workingDirectory: "/data",
        environment: { A: "1", B: "" },
        settings: ["PORT"],
        arguments: ["APP"],
        timeoutSeconds: 600,
      },
      {
        name: "migrate",
        when: ["first-install", "after-upgrade"],
        service: "web",
        mode: "exec",
        command: ["migrate"],
        environment: {},
        settings: [],
        timeoutSeconds: 1,
        once: true,
        unless: ["test", "-e", "/done"],
        before: ["dump"],
      },
    ],
    checks: [
      {
        name: "ping",
        timeoutSeconds: 60,
        kind: "http",
        service: "web",
        port: 8080,
        path: "/ping?port=${PORT}",
        status: 200,
        headers: { Accept: "*/*", "X-Port": "${PORT}" },
        body: "po+ng",
        host: "${PORT}.example",
      },
      { name: "open", timeoutSeconds: 1, kind: "tcp", service: "cache", port: 6379 },
      { name: "asks", timeoutSeconds: 1, kind: "exec", service: "cache", command: ["ping"], user: "redis" },
      { name: "says", timeoutSeconds: 1, kind: "log", service: "web", pattern: "ready" },
    ],
    backup: { volumes: ["db"], exclude: ["cache"], dumpTask: "dump", keep: 3 },
  };
}
