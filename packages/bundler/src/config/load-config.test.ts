import { isDrybagError } from "@drybag/errors";
import { describe, expect, test } from "vitest";
import { parseConfigDocument } from "./config-document.ts";
import { configOf } from "./load-config.ts";

function load(text: string) {
  return configOf(parseConfigDocument("/p/drybag.yaml", text, "drybag.yaml"));
}

function mistakes(text: string): string[] {
  try {
    load(text);
  } catch (error) {
    if (!isDrybagError(error, "config-invalid")) throw error;
    return error.message.split("\n");
  }
  return [];
}

test("everything that can be said, with absolute paths and places", () => {
  const config = load(`
name: erp
version: 1.10
project:
  files: [compose.yaml, overrides/db.yaml]
  envFiles: [../common.env]
  profiles: [debug]
  name: bench
  directory: deploy
images: { extra: [busybox:1.36] }
files:
  include: [docs]
  exclude: ["**/*.log"]
settings:
  PORT: { default: 0100, type: integer }
  MODE: { choices: [on, 1.0] }
  PASSWORD:
oneShots: [migrate]
platform: linux/arm64
partSize: 100M
`);
  expect(config).toMatchObject({
    name: "erp",
    version: "1.10",
    platform: "linux/arm64",
    partSize: "100M",
    compose: {
      files: ["/p/compose.yaml", "/p/overrides/db.yaml"],
      envFiles: ["/common.env"],
      profiles: ["debug"],
      projectName: "bench",
      projectDirectory: "/p/deploy",
    },
    project: {
      folder: "/p",
      extraImages: [{ text: "busybox:1.36", position: { file: "/p/drybag.yaml", line: 10, column: 19 } }],
      include: [{ text: "docs" }],
      exclude: [{ text: "**/*.log", position: { line: 13 } }],
      settings: [
        { name: "PORT", default: "0100", type: "integer", position: { line: 15, column: 3 } },
        { name: "MODE", type: "choice", choices: ["on", "1.0"] },
        { name: "PASSWORD", position: { line: 17, column: 3 } },
      ],
      oneShots: [{ text: "migrate" }],
    },
  });
});

test("tasks, checks and backup, with what is left out filled in", () => {
  const { project } = load(`
tasks:
  create:
    when: first-install
    service: web
    command: make "$SITE"
    settings: [SITE]
    environment: { PORT: 0100 }
    timeout: 2h
    once: true
  migrate: { when: [after-upgrade], service: web, command: [migrate, 1.0], mode: run, user: 1000, before: [dump] }
  dump: { service: db, command: [dump], arguments: [APP], unless: "test -e /dump" }
checks:
  ping: { http: { service: web, port: 80, host: "\${SITE}" }, timeout: 90 }
  open: { tcp: { service: db, port: 5432 } }
  asks: { exec: { service: db, command: ping, user: 70 } }
  says: { log: { service: db, pattern: ready } }
backup: { exclude: [cache] }
`);
  expect(project.tasks.map(({ value }) => value)).toEqual([
    {
      name: "create",
      when: ["first-install"],
      service: "web",
      mode: "exec",
      command: ["sh", "-c", 'make "$SITE"'],
      environment: { PORT: "0100" },
      settings: ["SITE"],
      timeoutSeconds: 7200,
      once: true,
    },
    {
      name: "migrate",
      when: ["after-upgrade"],
      service: "web",
      mode: "run",
      command: ["migrate", "1.0"],
      user: "1000",
      environment: {},
      settings: [],
      timeoutSeconds: 1800,
      before: ["dump"],
    },
    {
      name: "dump",
      when: ["on-demand"],
      service: "db",
      mode: "exec",
      command: ["dump"],
      environment: {},
      settings: [],
      arguments: ["APP"],
      timeoutSeconds: 1800,
      unless: ["sh", "-c", "test -e /dump"],
    },
  ]);
  const http = { kind: "http", service: "web", port: 80, path: "/", status: 200, host: "${SITE}" };
  expect(project.checks.map(({ value }) => value)).toEqual([
    { name: "ping", timeoutSeconds: 90, ...http },
    { name: "open", timeoutSeconds: 120, kind: "tcp", service: "db", port: 5432 },
    {
      name: "asks",
      timeoutSeconds: 120,
      kind: "exec",
      service: "db",
      command: ["sh", "-c", "ping"],
      user: "70",
    },
    { name: "says", timeoutSeconds: 120, kind: "log", service: "db", pattern: "ready" },
  ]);
  expect(project.backup?.value).toEqual({ exclude: ["cache"], keep: 3 });
  expect(project.tasks[1]?.positionOf("before", 0)).toMatchObject({ line: 11 });
  expect(project.checks[1]?.positionOf()).toMatchObject({ line: 15, column: 3 });
});

test.each([
  ["checks: {a: {}}", "1:13: checks.a must have one of http, tcp, exec, log"],
  [
    "checks: {a: {tcp: {service: s, port: 1}, log: {service: s, pattern: x}}}",
    "checks.a has tcp and log; a check has one of them",
  ],
  ["checks: {a: {log: {service: s, pattern: '('}}}", "checks.a.log.pattern is not a regular expression"],
  ["checks: {a: {tcp: {service: s, port: 1}, timeout: 200h}}", "checks.a.timeout is more than a week"],
  ["tasks: {a: {service: s, command: [x], timeout: 999999m}}", "tasks.a.timeout is more than a week"],
  ["tasks: {a: {service: s, command: [''] }}", "tasks.a.command[0] must be a program"],
  ["tasks: {a: {service: s, command: {} }}", "tasks.a.command must be text or a list"],
  ["tasks: {a: {service: s, command: x, settings: [DOCKER_HOST]}}", "'DOCKER_HOST' steers Docker itself"],
  ["tasks: {a: {service: s, command: x, settings: [A], arguments: [A]}}", "arguments[0] 'A' is given twice"],
  [
    "tasks: {a: {service: s, command: x, when: after-upgrade, arguments: [A]}}",
    "tasks.a.arguments cannot be there: nobody gives them at after-upgrade",
  ],
  ["tasks: {a: {service: s, comand: x}}", "did you mean 'command'?"],
  ["tasks: {a: {service: s, command: x, when: never}}", "tasks.a.when must be one of first-install,"],
])("a task or check that cannot be: %s", (text, message) => {
  expect(mistakes(text).join("\n")).toContain(message);
});

test.each(["", "# nothing yet\n", "---\n", "{}", "settings:\nfiles:\n"])(
  "%j is a configuration that says nothing",
  (text) => {
    expect(load(text)).toMatchObject({ name: undefined, compose: { files: [] }, project: { settings: [] } });
  },
);

test("anchors, aliases and merges are understood, and places are where the value is written", () => {
  const config = load("settings:\n  A: &port { type: port }\n  B: *port\n  C: { <<: *port, default: 80 }\n");
  expect(config.project.settings).toMatchObject([
    { name: "A", type: "port" },
    { name: "B", type: "port", position: { line: 3, column: 3 } },
    { name: "C", type: "port", default: "80" },
  ]);
  expect(mistakes("settings:\n  A: &port { type: prt }\n  B: { <<: *port, default: 80 }\n")).toEqual([
    expect.stringMatching(/^drybag.yaml:2:20: settings.A.type must be one of /),
    expect.stringMatching(/^drybag.yaml:2:20: settings.B.type must be one of /),
  ]);
});

describe("mistakes, each with its place:", () => {
  test.each([
    ["imges: {extra: []}", "1:1: unknown key 'imges'; did you mean 'images'?"],
    ["project:\n  fils: [a]", "2:3: unknown key 'fils' in project; did you mean 'files'?"],
    ["images: {zzzzzz: 1}", "1:10: unknown key 'zzzzzz' in images; there are extra"],
    ["settings:\n  A:\n    typ: port", "3:5: unknown key 'typ' in settings.A; did you mean 'type'?"],
    ["settings: {A-B: {}}", "1:12: 'A-B' must be the name of a variable: letters, digits and '_'"],
    [
      "settings: {A: {type: prot}}",
      /^1:22: settings.A.type must be one of string, port, .*; did you mean 'port'\?$/,
    ],
    ["project: {files: compose.yaml}", "1:18: project.files must be a list"],
    ["project: {files: [a, {}]}", "1:22: project.files[1] must be text"],
    ["images: {extra: [1.10]}", '1:18: images.extra[0] must be text: write it in quotes, "1.10"'],
    ["project: a", "1:10: project must be a mapping"],
    [
      "builds: {a: {}}\nupdate: [{file: v, path: p, value: '{tga}'}]",
      "2:36: update[0].value has {tga}; there are {image}, {tag} and {reference}",
    ],
    [
      "builds: {a: {}}\nupdate: [{file: /v, path: p, value: x}]",
      "2:17: update[0].file must be relative to the folder of drybag.yaml",
    ],
    [
      "builds: {a: {}}\nupdate: [{file: v, path: p, value: x, build: b}]",
      "2:46: update[0].build 'b' is no build; there are a",
    ],
    [
      "builds: {a: {}, b: {}}\nupdate: [{file: v, path: p, value: x}]",
      "2:10: update[0] must say which 'build'; there are a, b",
    ],
    ["update: [{file: v, path: p, value: x}]", "1:10: update[0] must say which 'build'; there are none"],
    ["name: My Stack", /^1:7: name must be lower-case letters/],
    ["version: a/b", /^1:10: version must be letters/],
    ["version: [1]", "1:10: version must be text"],
    ["version: +5", "1:10: version '+5' cannot be a version"],
    ["partSize: 5k", "1:11: partSize is too small: a part has at least 1M"],
    ["images: {extra: ['Not A Ref']}", /^1:18: images.extra\[0\] 'Not A Ref' is no image name/],
    ["files: {include: [../x]}", /^1:19: files.include\[0\] '..\/x' leads out of the folder/],
    ["settings: {COMPOSE_FILE: {default: a}}", /^1:\d+: settings.COMPOSE_FILE steers Docker itself/],
    ["settings: {A: {type: choice}}", "1:22: settings.A.type is choice: 'choices' must say which"],
    ["settings: {A: {type: port, choices: [1]}}", "1:37: settings.A.choices cannot go with the type port"],
    ["settings: {A: {minimum: 1}}", "1:25: settings.A.minimum can only go with the type integer or port"],
    [
      "settings: {A: {type: port, minimum: 9, maximum: 1}}",
      "1:37: settings.A.minimum is larger than the maximum",
    ],
    ["settings: {A: {choices: [x, y, x]}}", "1:32: settings.A.choices[2] is there twice"],
    ["settings: {A: {choices: [x], default: y}}", "1:39: settings.A.default must be one of x"],
    [
      "settings: {A: {type: port, default: 99999}}",
      "1:37: settings.A.default must be a port from 1 to 65535",
    ],
    ["settings: {A: {pattern: '(', default: x}}", "1:25: settings.A.pattern is not a regular expression"],
    ["settings: {A: {secret: true, default: hunter2}}", /^1:39: settings.A.default would carry a secret/],
    ["recipe: frappe", "1:9: recipe is frappe: 'frappe' must say which version"],
    ["frappe: {version: v15.0.0}", "1:9: frappe is for 'recipe: frappe', which is not there"],
    ["builds: {a: {image: 'x:1'}}", "1:21: builds.a.image 'x:1' is no name of an image without a tag"],
    ["builds: {a: {needs: [b]}}", "1:22: builds.a.needs[0] 'b' is no build; there are a"],
    ["builds: {a: {secrets: {t: {}}}}", "1:27: builds.a.secrets.t needs either 'env' or 'file'"],
    [
      "recipe: frappe\nfrappe: {version: v1, apps: [{url: u, refs: v1}]}",
      "2:39: unknown key 'refs' in frappe.apps[0]; there are url, tag, branch, commit",
    ],
    ["a: 1\na: 2", "2:1: the key 'a' stands here twice"],
    ["- a", "1:1: drybag.yaml is a mapping with keys such as 'project'"],
    ["name: a\n---\nname: b", /^2:1: /],
    ["name: !secret a", /^1:7: .*!secret/],
    ["name: *nobody", /^1:7: .*nobody/],
  ])("%j", (text, expected) => {
    const [first, ...more] = mistakes(text);
    expect(more).toEqual([]);
    const shown = first?.replace(/^drybag\.yaml:/, "");
    if (typeof expected === "string") expect(shown).toBe(expected);
    else expect(shown).toMatch(expected);
  });

  test("builds that need each other", () => {
    expect(mistakes("builds:\n  a: {needs: [b]}\n  b: {needs: [a]}\n")).toEqual([
      "drybag.yaml:2:14: builds.a.needs leads back to this build itself",
      "drybag.yaml:3:14: builds.b.needs leads back to this build itself",
    ]);
  });

  test("all at once, in the order of the file", () => {
    expect(
      mistakes("zzz: 1\nname: 5\nsettings:\n  A: {type: prot, secert: true}\nproject: {fils: []}\n"),
    ).toEqual([
      expect.stringMatching(/^drybag.yaml:1:1: unknown key 'zzz'; there are name, /),
      expect.stringMatching(/^drybag.yaml:2:7: name must be text/),
      expect.stringMatching(/^drybag.yaml:4:13: settings.A.type /),
      expect.stringMatching(/^drybag.yaml:4:19: unknown key 'secert' in settings.A; did you mean 'secret'\?/),
      expect.stringMatching(/^drybag.yaml:5:11: unknown key 'fils'/),
    ]);
    expect(mistakes(Array.from({ length: 50 }, (_, index) => `k${index}x: 1`).join("\n"))).toHaveLength(21);
  });
});

test("a secret's value is in no message", () => {
  const text = "settings: {A: {secret: true, default: hunter2}, B: {type: port, default: hunter2}}";
  expect(mistakes(text).join("\n")).not.toContain("hunter2");
});

describe("hostile files end in a mistake, soon:", () => {
  const bomb = ["a: &a [x,x,x,x,x,x,x,x,x,x]"];
  for (let level = 1; level < 12; level += 1) {
    const [before, here] = [String.fromCharCode(96 + level), String.fromCharCode(97 + level)];
    bomb.push(`${here}: &${here} [${Array(10).fill(`*${before}`).join(",")}]`);
  }
  const merges = ["a: &a {x: 1}"];
  for (let level = 1; level < 20; level += 1) {
    merges.push(
      `k${level}: &k${level} {<<: [${Array(9)
        .fill(level === 1 ? "*a" : `*k${level - 1}`)
        .join(",")}]}`,
    );
  }
  test.each<[string, string]>([
    ["an alias bomb", bomb.join("\n")],
    ["a merge bomb", merges.join("\n")],
    ["deep flow lists", "[".repeat(256_000)],
    ["deep flow maps", `a: ${"{b: ".repeat(64_000)}`],
    ["deep block lists", `a:\n${"- ".repeat(128_000)}`],
    ["very many keys", Array.from({ length: 30_000 }, (_, index) => `k${index}:`).join("\n")],
    ["one key very often", "a:\n".repeat(85_000)],
    [
      "very many settings",
      `settings:\n${Array.from({ length: 26_000 }, (_, index) => ` A${index}: 1`).join("\n")}`,
    ],
    ["an alias of itself", "a: &a [*a]\nb: *a"],
    ["an open quote", `a: "${"x".repeat(250_000)}`],
    ["very many errors", "}: {\n".repeat(50_000)],
    ["very many anchors", "&a ".repeat(80_000)],
    ["a key named __proto__", "__proto__: {name: x}"],
  ])("%s", (_, text) => {
    const started = performance.now();
    expect(mistakes(text).length).toBeGreaterThan(0);
    expect(performance.now() - started).toBeLessThan(30_000);
  });

  test("and very many good settings are read as soon", () => {
    const text = `settings:\n${Array.from({ length: 20_000 }, (_, index) => ` A${index}: {}`).join("\n")}`;
    const started = performance.now();
    expect(load(text).project.settings).toHaveLength(20_000);
    expect(performance.now() - started).toBeLessThan(30_000);
  });
});
