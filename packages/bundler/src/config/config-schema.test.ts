import { readFileSync } from "node:fs";
import path from "node:path";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { configSchema, jsonSchema } from "./config-schema.ts";

const PUBLISHED = path.join(import.meta.dirname, "../../../../docs/drybag.schema.json");
const MANUAL = path.join(import.meta.dirname, "../../../../docs/configuration.md");

test("golden: docs/drybag.schema.json is what `drybag schema` prints", () => {
  expect(JSON.parse(readFileSync(PUBLISHED, "utf8"))).toEqual(jsonSchema());
});

test("every key has a description in the schema and a place in docs/configuration.md", () => {
  const manual = readFileSync(MANUAL, "utf8");
  const keys = keysOf(jsonSchema() as Node);
  expect(keys.length).toBeGreaterThan(20);
  for (const { name, node } of keys) {
    expect(node.description, name).toMatch(/\w/);
    expect(manual, name).toContain(`\`${name}\``);
  }
});

interface Node {
  description?: string;
  properties?: Record<string, Node>;
  additionalProperties?: Node | boolean;
  anyOf?: Node[];
}

function keysOf(node: Node, prefix = ""): { name: string; node: Node }[] {
  const parts = [node, ...(node.anyOf ?? [])];
  return parts.flatMap((part) => {
    const { properties = {}, additionalProperties: rest } = part;
    const own = Object.entries(properties).flatMap(([key, value]) => {
      const described = value.description === undefined ? (value.anyOf?.[0] ?? value) : value;
      return [{ name: prefix + key, node: described }, ...keysOf(value, `${prefix}${key}.`)];
    });
    return typeof rest === "object" ? [...own, ...keysOf(rest, `${prefix}NAME.`)] : own;
  });
}

/** The validator that editors use, on the published schema. */
const publishedSchemaTakes = new Ajv({
  allErrors: true,
  validateFormats: false,
  allowUnionTypes: true,
}).compile(JSON.parse(readFileSync(PUBLISHED, "utf8")));

const GOOD = [
  "{}",
  "name: erp",
  "settings: {WORKERS: {type: integer, minimum: -1, maximum: 64}}",
  "version: 1.10",
  "version: '2025-11-18'",
  "version: 7",
  "project:",
  "settings:",
  "images: {extra: [redis:8, 'ghcr.io/a/b@sha256:aa']}",
  "project: {files: [compose.yaml, ../shared.yaml], envFiles: [], profiles: [debug], name: x, directory: deploy}",
  "files: {include: [docs, '**/*.md'], exclude: [data/tmp]}",
  "settings: {PORT: , A_1: {}}",
  "settings: {PORT: {type: port, default: 8080, required: true, description: 'The port'}}",
  "settings: {S: {secret: true, pattern: '[a-z]+'}, C: {choices: [on, 'off', 1, true]}, T: {type: choice, choices: [a]}}",
  "oneShots: [migrate]",
  "builds:",
  "builds: {base: {}, web: {context: web, file: D, args: {A: 1.10}, needs: [base], secrets: {id: {env: T}}}}",
  "builds: {web: {image: r.example/web, tags: ['{date}-{commit}'], environments: {dev: {args: {A: b}}, live: }}}",
  "recipe: frappe",
  "recipe: frappe\nfrappe: {version: v15.0.0, apps: apps.json}",
  "frappe: {version: v15.0.0, apps: [{url: 'https://x/y', tag: v1}, {url: u, branch: b, commit: '0123456789012345678901234567890123456789'}]}",
  "tasks: {a: {service: s, command: make it}, b-1: {service: s, command: [make, 1, true], when: [first-install, after-upgrade]}}",
  "tasks: {a: {service: s, command: x, when: on-demand, mode: run, user: 1000, workingDirectory: /w, timeout: 90, once: true}}",
  "tasks: {a: {service: s, command: x, environment: {A: 1}, settings: [B], arguments: [C], timeout: 2h, unless: y, before: [b]}}",
  "checks: {a: {http: {service: s, port: 80}, timeout: 5m}, b: {tcp: {service: s, port: 1}}}",
  "checks: {a: {http: {service: s, port: 80, path: '/?a=b', status: 302, headers: {A: b}, body: 'p+', host: '${X}'}}}",
  "checks: {a: {exec: {service: s, command: [x], user: 'a:b'}}, b: {log: {service: s, pattern: ready}}}",
  "backup: {volumes: [db], exclude: [], dumpTask: dump, keep: 1}",
  "{tasks: , checks: , backup: }",
  "platform: linux/arm64/v8",
  "partSize: none",
  "partSize: 3.9GiB",
];

const BAD = [
  "tasks: [a]",
  "tasks: {A: {service: s, command: x}}",
  "tasks: {a: }",
  "tasks: {a: {command: x}}",
  "tasks: {a: {service: s}}",
  "tasks: {a: {service: s, command: ''}}",
  "tasks: {a: {service: s, command: []}}",
  "tasks: {a: {service: s, command: x, when: never}}",
  "tasks: {a: {service: s, command: x, when: []}}",
  "tasks: {a: {service: s, command: x, mode: attach}}",
  "tasks: {a: {service: s, command: x, timeout: soon}}",
  "tasks: {a: {service: s, command: x, timeout: 0}}",
  "tasks: {a: {service: s, command: x, user: '-u'}}",
  "tasks: {a: {service: s, command: x, workingDirectory: here}}",
  "tasks: {a: {service: s, command: x, settings: [a-b]}}",
  "tasks: {a: {service: s, command: x, once: sometimes}}",
  "tasks: {a: {service: s, command: x, env: {}}}",
  "checks: {a: {http: {service: s}}}",
  "checks: {a: {http: {service: s, port: 0}}}",
  "checks: {a: {http: {service: s, port: 80, path: x}}}",
  "checks: {a: {http: {service: s, port: 80, status: 600}}}",
  "checks: {a: {udp: {service: s, port: 80}}}",
  "checks: {a: {log: {service: s}}}",
  "backup: {keep: 0}",
  "backup: {volumes: []}",
  "backup: {dumpTask: Dump}",
  "[]",
  "text",
  "3",
  "imges: {}",
  "Name: erp",
  "name: ERP",
  "name: 1",
  "name: ''",
  "version: ''",
  "version: a/b",
  "version: [1]",
  "version: true",
  "project: [compose.yaml]",
  "project: {file: compose.yaml}",
  "project: {files: compose.yaml}",
  "project: {files: []}",
  "project: {files: [{}]}",
  "project: {files: ['']}",
  "project: {files: }",
  "project: {profiles: true}",
  "project: {name: A}",
  "images: []",
  "images: {extra: redis}",
  "images: {extra: [1]}",
  "files: {include: [/etc/passwd]}",
  "files: {exclude: ['']}",
  "files: [a]",
  "settings: [PORT]",
  "settings: {1A: {}}",
  "settings: {A-B: {}}",
  "settings: {'': {}}",
  "settings: {A: 1}",
  "settings: {A: {typ: port}}",
  "settings: {A: {type: number}}",
  "settings: {A: {default: [1]}}",
  "settings: {A: {default: }}",
  "settings: {A: {required: 'yes'}}",
  "settings: {A: {required: 1}}",
  "settings: {A: {secret: }}",
  "settings: {A: {choices: []}}",
  "settings: {A: {choices: a}}",
  "settings: {A: {choices: [{}]}}",
  "settings: {A: {pattern: ''}}",
  "settings: {A: {description: 5}}",
  "oneShots: migrate",
  "oneShots: {migrate: true}",
  "platform: windows/amd64",
  "platform: linux",
  "partSize: big",
  "partSize: 5",
  "recipe: rails",
  "frappe: {apps: apps.json}",
  "frappe: {version: 15}",
  "frappe: {version: v15.0.0, apps: [{tag: v1}]}",
  "frappe: {version: v15.0.0, apps: [{url: u, refs: v1}]}",
  "frappe: {version: v15.0.0, commit: abc}",
  "builds: {Web: {}}",
  "builds: {web: }",
  "builds: {web: {args: [a]}}",
  "builds: {web: {network: bridge}}",
  "builds: {web: {tags: []}}",
];

describe("the validator and the published schema agree that", () => {
  test.each(GOOD)("%s is good", (text) => expectBoth(text, true));
  test.each(BAD)("%s is bad", (text) => expectBoth(text, false));
});

function expectBoth(text: string, isGood: boolean): void {
  const value: unknown = parse(text);
  expect(publishedSchemaTakes(value), "published schema").toBe(isGood);
  expect(configSchema.safeParse(value).success, "validator").toBe(isGood);
}
