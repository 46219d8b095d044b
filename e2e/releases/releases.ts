import { readlink } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { expect } from "vitest";
import { Gap, type Outcome } from "../support/gap.ts";

/** What no command may show. */
export const SECRET = "not-to-be-seen-7c1";

const COMPOSE = `
services:
  app:
    image: rel/app:\${REL_TAG:-1}
    entrypoint: ["sh", "-c", "echo started $$(cat /version); sleep 1000000"]
    environment: { API_KEY: "\${API_KEY:?}", GREETING: "\${GREETING:-hello}" }
    stop_grace_period: 0s
    healthcheck: { test: [CMD, "true"], interval: 1s }
    volumes: ["./kept:/kept", "things:/things", "/unnamed"]
volumes:
  things:
`;

/** A gap with releases of a stack `stack`, each with another image under the same tag. */
export class Releases extends Gap {
  readonly #folders = new Map<string, string>();

  /** Packs a release, signed with a key of makeSigner. */
  async packRelease(version: string, key?: string): Promise<void> {
    await this.buildVersion("rel/app:1", version);
    const args = key === undefined ? [] : ["--sign", path.join(this.work, key)];
    const files = { "compose.yaml": COMPOSE, "kept/": "" };
    this.#folders.set(version, await this.pack("stack", version, files, args));
  }

  folder(version: string): string {
    return this.#folders.get(version) as string;
  }

  /** Makes a key for packRelease, and gives its fingerprint. */
  async makeSigner(key: string): Promise<string> {
    const { stdout } = await execa("ssh-keygen", ["-l", "-f", `${await this.makeKey(key)}.pub`]);
    return stdout.split(" ")[1] as string;
  }

  /** What a command gives with --json; never with the secret in it. */
  async run<Result = object>(...args: string[]): Promise<Outcome<Result>> {
    const outcome = await this.drybagSite<Result>(args);
    expect(outcome.stdout + outcome.stderr).not.toContain(SECRET);
    return outcome;
  }

  install(version: string, ...args: string[]) {
    return this.run<{ trust: string }>("install", this.folder(version), "--yes", ...args);
  }

  /** Installs a release where none is, with the answers that it asks for. */
  async installFirst(version: string) {
    const outcome = await this.install(version, "--set", `API_KEY=${SECRET}`);
    expect(outcome.exitCode, JSON.stringify(outcome.error)).toBe(0);
    return outcome;
  }

  /** The folder of the release that runs. */
  async current(): Promise<string> {
    return (await readlink(path.join(this.dir, "stack", "current"))).replace(/^releases\//, "");
  }

  async inApp(script: string): Promise<string> {
    return String((await this.site.docker(["exec", "stack-app-1", "sh", "-c", script])).stdout);
  }
}
