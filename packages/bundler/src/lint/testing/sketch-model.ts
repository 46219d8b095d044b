import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { parseEnv } from "node:util";
import type { ComposeModel } from "@drybag/docker";
import { parseAllDocuments } from "yaml";
import { interpolate } from "../../compose/interpolate.ts";

type Data = Record<string, unknown>;

/**
 * Stands in for `docker compose config --format json` in tests of rules: long forms of short ones, variables replaced, paths made
 * absolute, files merged key by key. What it leaves out (extends, include, merging of lists) is tested against Compose in e2e/.
 */
export async function sketchModel(
  files: readonly string[],
  folder: string,
  environment: Record<string, string>,
  profiles: readonly string[] = [],
): Promise<ComposeModel> {
  const model: Data = { name: "test" };
  for (const file of files) {
    for (const document of parseAllDocuments(await readFile(file, "utf8"), {
      merge: true,
      logLevel: "silent",
    })) {
      const data = replaceVariables(document.toJS() ?? {}, environment) as Data;
      for (const [section, objects] of Object.entries(data)) {
        model[section] = isData(objects) ? mergeEach(model[section], objects) : objects;
      }
    }
  }
  const services = Object.entries((model.services ?? {}) as Record<string, Data>).filter(([, service]) => {
    const own = (service.profiles ?? []) as string[];
    return profiles.length === 0 || own.length === 0 || own.some((profile) => profiles.includes(profile));
  });
  const long = await Promise.all(
    services.map(async ([name, service]) => [name, await longForms(service, folder)] as const),
  );
  model.services = Object.fromEntries(long);
  for (const kind of ["configs", "secrets"] as const) {
    for (const object of Object.values((model[kind] ?? {}) as Record<string, Data>)) {
      if (typeof object.file === "string") object.file = absolute(object.file, folder);
    }
  }
  return JSON.parse(JSON.stringify(model).replaceAll("$", () => "$$")) as ComposeModel;
}

function isData(value: unknown): value is Data {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function mergeEach(base: unknown, objects: Data): Data {
  const merged: Data = { ...((base ?? {}) as Data) };
  for (const [name, object] of Object.entries(objects)) {
    merged[name] = isData(merged[name]) && isData(object) ? { ...merged[name], ...object } : object;
  }
  return merged;
}

function replaceVariables(value: unknown, environment: Record<string, string>): unknown {
  if (typeof value === "string") return interpolate(value, environment);
  if (Array.isArray(value)) return value.map((each) => replaceVariables(each, environment));
  if (!isData(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, replaceVariables(each, environment)]),
  );
}

async function longForms(service: Data, folder: string): Promise<Data> {
  const { build, command, entrypoint, healthcheck, env_file: envFile, ...rest } = service;
  const long: Data = { ...rest };
  const fromFiles: Data = {};
  for (const file of [envFile ?? []].flat()) {
    Object.assign(fromFiles, parseEnv(await readFile(path.join(folder, String(file)), "utf8")));
  }
  if (service.environment !== undefined || envFile !== undefined) {
    long.environment = { ...fromFiles, ...pairs(service.environment, "=") };
  }
  if (service.labels !== undefined) long.labels = pairs(service.labels, "=");
  if (command !== undefined) long.command = words(command);
  if (entrypoint !== undefined) long.entrypoint = words(entrypoint);
  if (isData(healthcheck)) {
    const { test } = healthcheck;
    long.healthcheck = typeof test === "string" ? { ...healthcheck, test: ["CMD-SHELL", test] } : healthcheck;
  }
  if (Array.isArray(service.depends_on)) {
    long.depends_on = byName(service.depends_on, () => ({ condition: "service_started", required: true }));
  }
  if (Array.isArray(service.networks)) long.networks = byName(service.networks, () => null);
  for (const key of ["secrets", "configs"]) {
    if (Array.isArray(service[key])) {
      long[key] = service[key].map((each) => (typeof each === "string" ? { source: each } : each));
    }
  }
  if (Array.isArray(service.volumes)) long.volumes = service.volumes.map((each) => mount(each, folder));
  if (Array.isArray(service.ports)) long.ports = service.ports.flatMap(published);
  if (build !== undefined) {
    const object: Data = isData(build) ? build : { context: build };
    long.build = { ...object, context: absolute(String(object.context ?? "."), folder) };
  }
  return long;
}

function words(value: unknown): unknown {
  return typeof value === "string" ? value.trim().split(/\s+/) : value;
}

function pairs(value: unknown, separator: string): Data {
  if (!Array.isArray(value)) {
    return Object.fromEntries(
      Object.entries((value ?? {}) as Data).map(([key, each]) => [key, each === null ? null : String(each)]),
    );
  }
  return Object.fromEntries(
    value.map((each) => {
      const [, key, text] = new RegExp(`^([^${separator}]*)${separator}([^]*)$`).exec(each) ?? [];
      return key === undefined ? [each, null] : [key, text];
    }),
  );
}

function byName(names: string[], make: () => unknown): Data {
  return Object.fromEntries(names.map((name) => [name, make()]));
}

function mount(value: unknown, folder: string): unknown {
  if (isData(value)) {
    return value.type === "bind" ? { ...value, source: absolute(String(value.source), folder) } : value;
  }
  const [first = "", target, options] = String(value).split(":");
  if (target === undefined) return { type: "volume", target: first };
  const isPath = /^[./~]/.test(first);
  return {
    type: isPath ? "bind" : "volume",
    source: isPath ? absolute(first, folder) : first,
    target,
    ...(options?.split(",").includes("ro") ? { read_only: true } : {}),
  };
}

function absolute(file: string, folder: string): string {
  return /^[a-z]+:\/\//.test(file) ? file : path.resolve(folder, file.replace(/^~/, homedir()));
}

function published(value: unknown): unknown[] {
  if (isData(value)) return [{ protocol: "tcp", ...value, published: String(value.published ?? "") }];
  const [, ip, from, to, target, last, protocol = "tcp"] =
    /^(?:([^:]*\.[^:]*|\[.*\]):)?(?:(\d+)(?:-(\d+))?:)?(\d+)(?:-(\d+))?(?:\/(\w+))?$/.exec(String(value)) ??
    [];
  const port = { protocol, ...(ip ? { host_ip: ip } : {}) };
  if (from === undefined) return [{ ...port, target: Number(target) }];
  if (to === undefined || last === undefined) {
    return [{ ...port, target: Number(target), published: to ? `${from}-${to}` : from }];
  }
  return Array.from({ length: Number(to) - Number(from) + 1 }, (_, index) => ({
    ...port,
    target: Number(target) + index,
    published: String(Number(from) + index),
  }));
}
