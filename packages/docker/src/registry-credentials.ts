import { readFile } from "node:fs/promises";
import path from "node:path";
import { DrybagError } from "@drybag/errors";
import { execa } from "execa";
import type { DockerContext, RunOptions } from "./run-docker.ts";
import { spawnOptions } from "./run-docker.ts";

/** What `docker login` left for a registry. Holds secrets: never to be shown or written down. */
export type RegistryCredentials = { username: string; password: string } | { identityToken: string };

/** Under this key `docker login` keeps what is for Docker Hub. */
const HUB_KEY = "https://index.docker.io/v1/";
/** A keychain may have to be unlocked by hand, which nobody does for a program that only looks; in milliseconds. */
const HELPER_TIMEOUT_MS = 20_000;

/**
 * Credentials for a registry (`docker.io`, `host:port`) as the docker client finds them: in `$DOCKER_AUTH_CONFIG`, then through
 * `credHelpers`, `credsStore` and `auths` of its config.json. undefined where there are none: the registry is asked as anybody.
 * Source: https://docs.docker.com/reference/cli/docker/login/ (credential stores, credential helpers).
 * Throws `file-unreadable` for a config.json that is no JSON.
 */
export async function readRegistryCredentials(
  context: DockerContext,
  registry: string,
  options: RunOptions = {},
): Promise<RegistryCredentials | undefined> {
  const key = registry === "docker.io" ? HUB_KEY : registry;
  const given = parseConfig(context.env.DOCKER_AUTH_CONFIG, "DOCKER_AUTH_CONFIG");
  const inEnvironment = given && fromAuths(given, key);
  if (inEnvironment) return inEnvironment;
  const folder = context.env.DOCKER_CONFIG || path.join(context.env.HOME ?? "/", ".docker");
  const file = path.join(folder, "config.json");
  const config = parseConfig(await readFile(file, "utf8").catch(() => undefined), file);
  if (config === undefined) return undefined;
  const helper = config.credHelpers?.[key] ?? config.credsStore;
  const kept = helper === undefined ? undefined : await askHelper(context, helper, key, options);
  return kept ?? fromAuths(config, key);
}

interface ClientConfig {
  auths?: Record<string, StoredAuth | null> | null;
  credHelpers?: Record<string, string> | null;
  credsStore?: string;
}

interface StoredAuth {
  auth?: string;
  username?: string;
  password?: string;
  identitytoken?: string;
}

function parseConfig(text: string | undefined, shownAs: string): ClientConfig | undefined {
  if (!text?.trim()) return undefined;
  try {
    return JSON.parse(text) as ClientConfig;
  } catch {
    throw new DrybagError("file-unreadable", `${shownAs} is no JSON, so nothing can be logged in to.`, {
      hint: "Mend it, or run 'docker login' again.",
    });
  }
}

function fromAuths({ auths }: ClientConfig, key: string): RegistryCredentials | undefined {
  const found = Object.entries(auths ?? {}).find(([name]) => hostOf(name) === hostOf(key))?.[1];
  if (!found) return undefined;
  if (found.identitytoken) return { identityToken: found.identitytoken };
  const [, username = found.username, password = found.password] =
    /^([^:]*):([\s\S]*)$/.exec(Buffer.from(found.auth ?? "", "base64").toString()) ?? [];
  return username && password ? { username, password: password.replace(/\0+$/, "") } : undefined;
}

/** Keys are hosts, or addresses from the time of registry API v1. */
function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
}

/**
 * `docker-credential-NAME get`, as https://github.com/docker/docker-credential-helpers describes it: the server on stdin, JSON on
 * stdout. One that is missing or that knows nothing is no error: the docker client goes on without, too.
 */
async function askHelper(
  context: DockerContext,
  helper: string,
  server: string,
  options: RunOptions,
): Promise<RegistryCredentials | undefined> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(helper)) return undefined;
  const limit = AbortSignal.timeout(HELPER_TIMEOUT_MS);
  const signal = options.signal === undefined ? limit : AbortSignal.any([options.signal, limit]);
  const { exitCode, stdout } = await execa(`docker-credential-${helper}`, ["get"], {
    ...spawnOptions(context, { ...options, signal }),
    input: server,
  });
  options.signal?.throwIfAborted();
  if (exitCode !== 0) return undefined;
  try {
    const { Username: username, Secret: secret } = JSON.parse(String(stdout)) as Record<string, string>;
    if (!username || !secret) return undefined;
    return username === "<token>" ? { identityToken: secret } : { username, password: secret };
  } catch {
    return undefined;
  }
}
