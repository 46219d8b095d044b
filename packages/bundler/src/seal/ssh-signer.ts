import { once } from "node:events";
import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DrybagError } from "@drybag/errors";
import { SIGNATURE_NAMESPACE, verifySshSignature } from "@drybag/format";
import { execa } from "execa";

/** Signs with an SSH key, through `ssh-keygen`: keys in files, in an agent, on a security key. */
export interface SshSigner extends AsyncDisposable {
  /** The armored signature. Throws `signing-failed`. */
  sign(content: Uint8Array, what: string): Promise<Buffer>;
}

export interface SshSignerOptions {
  env: Record<string, string | undefined>;
  /** Whether there is somebody at a terminal who can be asked for a passphrase and told to touch a key. */
  canAsk: boolean;
  signal: AbortSignal;
}

/**
 * Makes ready to sign. A passphrase is asked for now, once, and not again after minutes of work: the key is then held by an agent
 * of our own, which ends with this. Throws `file-missing`, `signing-failed`.
 */
export async function openSshSigner(keyFile: string, options: SshSignerOptions): Promise<SshSigner> {
  await access(keyFile).catch((cause) => {
    throw new DrybagError("file-missing", `There is no key ${keyFile}.`, {
      hint: "Give --sign a private key, or the .pub of one that an agent holds.",
      cause,
    });
  });
  const folder = await mkdtemp(path.join(tmpdir(), "drybag-sign-"));
  const agent = new AbortController();
  const dispose = async () => {
    agent.abort();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const env = (await needsPassphrase(keyFile, options))
      ? { ...options.env, SSH_AUTH_SOCK: await holdInAgent(keyFile, folder, agent.signal, options) }
      : options.env;
    return {
      sign: (content, what) => sign(keyFile, content, what, folder, { ...options, env }),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function sign(
  keyFile: string,
  content: Uint8Array,
  what: string,
  folder: string,
  options: SshSignerOptions,
): Promise<Buffer> {
  const file = path.join(folder, what);
  await writeFile(file, content);
  await run("ssh-keygen", ["-q", "-Y", "sign", "-f", keyFile, "-n", SIGNATURE_NAMESPACE, file], options);
  const signature = await readFile(`${file}.sig`);
  // What a reader would refuse, such as a key of a type that it does not know, is found here and not on site.
  verifySshSignature(content, signature, `The signature by ${keyFile}`);
  return signature;
}

/** A public key stands for one in an agent or on a token, and a key that an agent holds needs nothing either. */
async function needsPassphrase(keyFile: string, { env, signal }: SshSignerOptions): Promise<boolean> {
  const settings = { env, extendEnv: false, reject: false, stdin: "ignore", cancelSignal: signal } as const;
  const open = await execa("ssh-keygen", ["-y", "-P", "", "-f", keyFile], settings);
  signal.throwIfAborted();
  if (open.exitCode === undefined) throw missing("ssh-keygen", open);
  if (open.exitCode === 0) return false;
  const key = await execa("ssh-keygen", ["-l", "-f", keyFile], settings);
  const fingerprint = key.stdout.split(" ")[1];
  const isPublic = (await readFile(keyFile, "utf8")).match(/^(sk-)?(ssh|ecdsa)-/) !== null;
  if (key.exitCode !== 0 || fingerprint === undefined) {
    throw new DrybagError("signing-failed", `${keyFile} is no SSH key that can be used.`, {
      detail: open.stderr.trim(),
      hint: "Make one with: ssh-keygen -t ed25519",
    });
  }
  const held = await execa("ssh-add", ["-l"], settings);
  const isHeld = held.exitCode === 0 && held.stdout.includes(fingerprint);
  if (isPublic && !isHeld) {
    const secret = keyFile.replace(/\.pub$/, "");
    throw new DrybagError(
      "signing-failed",
      `${keyFile} is a public key, and no agent holds its secret half.`,
      {
        hint:
          secret === keyFile
            ? "Add it to the agent: ssh-add"
            : `Sign with ${secret}, or add it to the agent: ssh-add ${secret}`,
      },
    );
  }
  return !isHeld;
}

/** Starts an agent and lets it ask for the passphrase. Returns its socket. */
async function holdInAgent(
  keyFile: string,
  folder: string,
  ended: AbortSignal,
  options: SshSignerOptions,
): Promise<string> {
  if (!options.canAsk) {
    throw new DrybagError(
      "signing-failed",
      `${keyFile} has a passphrase, and there is nobody to ask for it.`,
      {
        hint: `Add it to an agent first: ssh-add ${keyFile}`,
      },
    );
  }
  const socket = path.join(folder, "agent");
  const agent = execa("ssh-agent", ["-D", "-a", socket], {
    env: options.env,
    extendEnv: false,
    reject: false,
    stdin: "ignore",
    stderr: "ignore",
    cancelSignal: ended,
    // Ctrl-C is for us: the agent ends when we say so.
    detached: true,
  });
  // It tells its socket when it listens.
  await Promise.race([
    once(agent.stdout, "data"),
    agent.then((result) => Promise.reject(missing("ssh-agent", result))),
  ]);
  await run("ssh-add", ["-q", keyFile], { ...options, env: { ...options.env, SSH_AUTH_SOCK: socket } });
  return socket;
}

/** Runs a program that may talk to the person at the terminal. */
async function run(program: string, args: readonly string[], options: SshSignerOptions): Promise<void> {
  const { env, signal, canAsk } = options;
  const result = await execa(program, args, {
    env,
    extendEnv: false,
    reject: false,
    stdin: canAsk ? "inherit" : "ignore",
    stderr: canAsk ? "inherit" : "pipe",
    cancelSignal: signal,
  });
  signal.throwIfAborted();
  if (result.exitCode === undefined) throw missing(program, result);
  if (result.exitCode === 0) return;
  const detail = String(result.stderr ?? "").trim();
  throw new DrybagError("signing-failed", `${program} failed with exit code ${result.exitCode}.`, {
    ...(detail !== "" && { detail }),
    hint: "What was compressed so far is kept: the same command goes on from there.",
  });
}

function missing(program: string, cause: unknown): DrybagError {
  return new DrybagError("signing-failed", `The program ${program} could not be started.`, {
    hint: "Install OpenSSH 8.1 or later (Debian: openssh-client).",
    cause,
  });
}
