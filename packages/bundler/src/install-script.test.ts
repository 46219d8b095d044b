import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const SCRIPT = join(import.meta.dirname, "../assets/install.sh");
/** A stand-in for the installer that tells what it was given. */
const INSTALLER = `#!/bin/sh
[ "$1" != --version ] || exit 0
for word in "$@"; do printf '<%s>' "$word"; done
printf ' umask %s\\n' "$(umask)"
cat
exit 7
`;

let folder: string;
let carry: string;
let temporary: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "install script "));
  carry = join(folder, "my stick");
  temporary = join(folder, "tmp");
  mkdirSync(carry);
  mkdirSync(temporary);
  writeCarryFolder(INSTALLER);
});
afterEach(() => rmSync(folder, { recursive: true }));

describe.each(shells())("install.sh in %s", (_name, shell) => {
  test("runs `install` with the folder it lies in, with our stdin, umask and exit code", () => {
    const { status, stdout } = start(shell, ["--yes", "--set", "A=b c"], { input: "an answer\n" });
    expect(stdout).toBe(`<install><${carry}><--yes><--set><A=b c> umask 0027\nan answer\n`);
    expect(status).toBe(7);
    expect(readdirSync(temporary)).toEqual([]);
  });

  test("tells the installer what to call it in its hints", () => {
    writeCarryFolder('#!/bin/sh\n[ "$1" = --version ] || echo "$DRYBAG_CALLED_AS"\n');
    expect(start(shell, []).stdout).toBe(`sh '${carry}/install.sh'\n`);
    expect(start(shell, [], { cwd: carry, script: "install.sh" }).stdout).toBe("sh install.sh\n");
  });

  test("runs without arguments, and from its own folder", () => {
    const { stdout } = start(shell, [], { cwd: carry, script: "install.sh" });
    expect(stdout).toBe(`<install><${carry}> umask 0027\n`);
  });

  test.each([
    [["verify", "--json"], () => `<verify><${carry}><--json>`],
    [["status", "--json"], () => "<status><--json>"],
    [["--help"], () => "<--help>"],
  ])("passes %j on", (words, expected) => {
    expect(start(shell, words).stdout).toBe(`${expected()} umask 0027\n`);
  });

  test("takes an installer that is not compressed, and SHA256SUMS as Windows writes it", () => {
    const name = `drybag-site-linux-${architecture()}`;
    rmSync(join(carry, `${name}.gz`));
    writeFileSync(join(carry, name), INSTALLER);
    const sums = [name, "install.sh"].map((file) => `${sha256(join(carry, file))} *${file}\r\n`).join("");
    writeFileSync(join(carry, "SHA256SUMS"), sums);
    expect(start(shell, []).status).toBe(7);
  });

  test.each([
    ["a flipped bit in the installer", `drybag-site-linux-${architecture()}.gz`],
    ["a changed script", "install.sh"],
  ])("refuses %s, by name", (_case, file) => {
    const path = join(carry, file);
    const bytes = readFileSync(path);
    const last = bytes.length - 1;
    bytes[last] = (bytes[last] ?? 0) ^ 0x01;
    // The script itself has to be runnable, so its copy elsewhere is what runs: a comment is what changes in it.
    writeFileSync(path, file === "install.sh" ? `${readFileSync(SCRIPT, "utf8")}# changed\n` : bytes);
    const { status, stdout, stderr } = start(shell, []);
    expect(stderr).toBe(
      `install.sh: ${file} is damaged: wrong checksum\n  -> copy it again from where it was packed\n`,
    );
    expect({ status, stdout, left: readdirSync(temporary) }).toEqual({ status: 5, stdout: "", left: [] });
  });

  describe.skipIf(spawnSync("ssh-keygen", ["-?"]).error !== undefined)("with DRYBAG_KEY", () => {
    const run = (key: string) => start(shell, [], { env: { DRYBAG_KEY: join(folder, key) } });
    const sign = (key: string, namespace = "drybag") => {
      const file = join(carry, "SHA256SUMS");
      rmSync(`${file}.sig`, { force: true });
      execFileSync("ssh-keygen", ["-q", "-Y", "sign", "-f", join(folder, key), "-n", namespace, file]);
    };
    beforeEach(() => {
      for (const key of ["jane", "mallory"]) {
        execFileSync("ssh-keygen", [
          "-q",
          "-t",
          "ed25519",
          "-N",
          "",
          "-C",
          "some comment",
          "-f",
          join(folder, key),
        ]);
      }
    });

    test("runs what that key signed", () => {
      sign("jane");
      expect(run("jane.pub")).toMatchObject({ status: 7, stderr: "" });
    });

    test.each([
      ["is not signed", () => {}, 5, "the bundle is not signed"],
      ["another key signed", () => sign("mallory"), 5, "is not signed by the key in"],
      ["was signed for something else", () => sign("jane", "git"), 5, "is not signed by the key in"],
      [
        "was changed after signing",
        () => {
          sign("jane");
          writeFileSync(join(carry, "SHA256SUMS"), "\n", { flag: "a" });
        },
        5,
        "is not signed by the key in",
      ],
    ])("refuses what %s, and runs nothing", (_case, prepare, status, message) => {
      prepare();
      const found = run("jane.pub");
      expect(found).toMatchObject({ status, stdout: "", stderr: expect.stringContaining(message) });
      expect(readdirSync(temporary)).toEqual([]);
    });

    test("says so where the key is none", () => {
      sign("jane");
      expect(run("nobody.pub")).toMatchObject({
        status: 6,
        stderr: expect.stringContaining("cannot be read"),
      });
      expect(run("jane")).toMatchObject({
        status: 6,
        stderr: expect.stringContaining("holds no public key"),
      });
    });
  });

  test("refuses an installer that SHA256SUMS does not name", () => {
    writeFileSync(join(carry, "SHA256SUMS"), `${sha256(SCRIPT)}  install.sh\n`);
    const { status, stderr } = start(shell, []);
    expect(stderr).toContain(`SHA256SUMS is missing or lacks drybag-site-linux-${architecture()}.gz`);
    expect(status).toBe(5);
  });

  test("says so where the carry folder has no installer", () => {
    rmSync(join(carry, `drybag-site-linux-${architecture()}.gz`));
    expect(start(shell, [])).toMatchObject({
      status: 5,
      stderr: expect.stringContaining("there is no installer"),
    });
    writeFileSync(join(carry, "drybag-site-linux-mips.gz"), "");
    expect(start(shell, [])).toMatchObject({
      status: 6,
      stderr: `install.sh: this server is ${architecture()}, the bundle is for mips\n  -> pack it with --platform linux/${architecture()}\n`,
    });
  });

  test("says why an installer does not start", () => {
    writeCarryFolder("#!/bin/sh\necho 'version GLIBC_2.28 not found' >&2; exit 1\n");
    const { status, stderr } = start(shell, []);
    expect(stderr).toContain("does not start on this server:\n  version GLIBC_2.28 not found\n");
    expect({ status, left: readdirSync(temporary) }).toEqual({ status: 6, left: [] });
  });

  test("says which folder cannot take the installer", () => {
    const { status, stderr } = start(shell, [], { env: { DRYBAG_TMP: "/nowhere" } });
    expect(stderr).toBe(
      "install.sh: DRYBAG_TMP cannot be used:\n  /nowhere is no folder\n  -> name another folder\n",
    );
    expect(status).toBe(6);
  });

  test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
    "passes %s on and waits for the installer",
    async (signal) => {
      // In Node, as the real one: a shell cannot catch SIGINT where its parent started it in the background.
      writeCarryFolder(
        `#!${process.execPath}
if (process.argv[2] === "--version") process.exit();
process.on("${signal}", () => { console.log("cleaning"); setTimeout(() => process.exit(42), 100); });
setInterval(() => {}, 1000);
console.log("ready");
`,
      );
      const child = spawn(shell[0] ?? "", [...shell.slice(1), join(carry, "install.sh")], options({}));
      let stdout = "";
      child.stdout?.on("data", (chunk) => {
        stdout += chunk;
        if (stdout === "ready\n") child.kill(signal);
      });
      const code = await new Promise((resolve) => child.on("close", resolve));
      expect({ stdout, code, left: readdirSync(temporary) }).toEqual({
        stdout: "ready\ncleaning\n",
        code: 42,
        left: [],
      });
    },
  );
});

test.each(["sha256sum", "gzip", "mktemp"])("install.sh says so where %s is missing", (tool) => {
  const programs = join(folder, "programs");
  mkdirSync(programs);
  for (const name of ["sh", "sha256sum", "gzip", "mktemp", "cat", "chmod", "rm", "uname", "ls", "df"]) {
    if (name !== tool)
      symlinkSync(
        execFileSync("/bin/sh", ["-c", `command -v ${name}`])
          .toString()
          .trim(),
        join(programs, name),
      );
  }
  const { status, stderr } = start(["/bin/sh"], [], { env: { PATH: programs } });
  expect(stderr).toContain(`the program ${tool} is missing\n  -> install the package `);
  expect(status).toBe(6);
});

test("a copy of install.sh that was cut short does nothing", () => {
  const whole = readFileSync(SCRIPT);
  for (const part of [0.2, 0.5, 0.8, 0.99]) {
    writeFileSync(join(carry, "install.sh"), whole.subarray(0, Math.floor(whole.length * part)));
    expect(start(["/bin/sh"], []).stdout).toBe("");
  }
});

function writeCarryFolder(installer: string): void {
  const name = `drybag-site-linux-${architecture()}.gz`;
  writeFileSync(join(carry, name), gzipSync(installer));
  writeFileSync(join(carry, "install.sh"), readFileSync(SCRIPT));
  const sums = [name, "install.sh"].map((file) => `${sha256(join(carry, file))}  ${file}\n`).join("");
  writeFileSync(join(carry, "SHA256SUMS"), `${"0".repeat(64)}  erp.tar\n${sums}`);
}

interface Start {
  input?: string;
  cwd?: string;
  script?: string;
  env?: Record<string, string>;
}

function start(shell: string[], words: string[], { input = "", script, ...rest }: Start = {}) {
  const line = `umask 027; exec "$@"`;
  const command = [...shell, script ?? join(carry, "install.sh"), ...words];
  const { status, stdout, stderr } = spawnSync("/bin/sh", ["-c", line, "sh", ...command], {
    ...options(rest),
    input,
  });
  return { status, stdout: stdout.toString(), stderr: stderr.toString() };
}

function options({ cwd = "/", env = {} }: { cwd?: string; env?: Record<string, string> }) {
  return { cwd, env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", DRYBAG_TMP: temporary, ...env } };
}

/** The shells of Debian, of those who made sh a bash, and of small systems, as far as they are here. */
function shells(): [string, string[]][] {
  const known: [string, string[]][] = [
    ["sh", ["/bin/sh"]],
    ["dash", ["/bin/dash"]],
    ["bash --posix", ["/bin/bash", "--posix"]],
    ["busybox ash", ["/bin/busybox", "ash"]],
  ];
  return known.filter(
    ([, [program, ...words]]) => spawnSync(program ?? "", [...words, "-c", ":"]).status === 0,
  );
}

function architecture(): string {
  return process.arch === "arm64" ? "arm64" : "amd64";
}

function sha256(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}
