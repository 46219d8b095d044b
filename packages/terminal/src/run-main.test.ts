import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";

const PROGRAM = join(import.meta.dirname, "testing/program.ts");

function drybag(...words: string[]) {
  const options = { encoding: "utf8", env: {}, maxBuffer: 16 * 1024 ** 2 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...words], options);
  return { status, stdout, stderr };
}

describe("what was asked for", () => {
  test("an action gets operands, options and surroundings", () => {
    expect(drybag("echo", "--loud", "a b", "c").stdout).toBe(
      '{"words":["a b","c"],"loud":true,"json":false,"canAsk":false}\n',
    );
    expect(drybag("--json", "echo")).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('"json":true'),
    });
  });

  test("an action may choose its exit code", () => {
    expect(drybag("echo", "5").status).toBe(5);
  });

  test("help and version go to stdout", () => {
    expect(drybag("--version")).toEqual({ status: 0, stdout: "drybag 1.2.3\n", stderr: "" });
    expect(drybag("echo", "--help")).toMatchObject({ status: 0, stderr: "" });
    expect(drybag("echo", "--help").stdout).toContain("Global Options:");
  });
});

describe("what was not understood: one line, the help page to look at, exit code 2", () => {
  test.each([
    [["--foo"], "unknown option '--foo'", "drybag --help"],
    [["ehco"], "unknown command 'ehco' (did you mean echo?)", "drybag --help"],
    [["echo", "--luod"], "unknown option '--luod' (did you mean --loud?)", "drybag echo --help"],
    [
      ["fail", "x"],
      "too many arguments for 'fail'. Expected 0 arguments but got 1: x.",
      "drybag fail --help",
    ],
  ])("%j", (words, message, help) => {
    expect(drybag(...words)).toEqual({ status: 2, stdout: "", stderr: `drybag: ${message}\nsee ${help}\n` });
  });

  test("the help page is named as the program was called", () => {
    const { stderr } = spawnSync(process.execPath, [PROGRAM, "echo", "--foo"], {
      encoding: "utf8",
      env: { CALLED_AS: "sh '/media/my stick/install.sh'" },
    });
    expect(stderr).toContain("\nsee sh '/media/my stick/install.sh' echo --help\n");
  });

  test("no command at all shows the help on stderr", () => {
    expect(drybag()).toMatchObject({
      status: 2,
      stdout: "",
      stderr: expect.stringContaining("Usage: drybag"),
    });
  });
});

describe("errors", () => {
  test("go to stderr, with code, hint and exit code", () => {
    expect(drybag("fail")).toEqual({
      status: 7,
      stdout: "",
      stderr: "error: web is not healthy [unhealthy]\n-> look at its log\n",
    });
  });

  test.each([
    [["fail", "--json"], 7, { code: "unhealthy", message: "web is not healthy", hint: "look at its log" }],
    [["--json", "--foo"], 2, { code: "usage", message: "unknown option '--foo'", hint: "see drybag --help" }],
  ])("are one JSON object on stdout: %j", (words, status, error) => {
    const result = drybag(...words);
    expect({ ...result, stdout: JSON.parse(result.stdout) }).toEqual({
      status,
      stdout: { error },
      stderr: "",
    });
  });

  test.each(["defect", "throw-later"])("show no trace without --debug: %s", (command) => {
    const { status, stderr } = drybag(command);
    expect(stderr).toMatch(/^drybag: SyntaxError: .*\nthis is a defect; run with --debug for the trace\n$/);
    expect(status).toBe(1);
    expect(drybag(command, "--debug").stderr).toMatch(/\n {4}at .*program\.ts/);
  });

  test("an action that is lost does not pass for success", () => {
    expect(drybag("lose")).toEqual({
      status: 1,
      stdout: "",
      stderr: "drybag: stopped before its end\nthis is a defect\n",
    });
  });
});

describe("output", () => {
  test("is whole, however much it is", () => {
    expect(drybag("much").stdout).toHaveLength(1_088_890);
  });

  test("may have a reader that stops early", () => {
    const command = `"$0" "$1" much | head -n 1; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = spawnSync("bash", ["-c", command, process.execPath, PROGRAM], {
      encoding: "utf8",
    });
    expect({ stdout, stderr }).toEqual({ stdout: "line 0\n0\n", stderr: "" });
  });
});

describe("signals", () => {
  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("the first %s stops cleanly", async (signal) => {
    const child = await startWorking();
    child.kill(signal);
    expect(await ended(child)).toEqual({
      code: 130,
      stdout: "working\ncleaning up\n",
      stderr:
        "Work\ndrybag: stopping cleanly; press Ctrl-C again to kill\nWork: failed: interrupted\ndrybag: interrupted\n",
    });
  });

  test("the second one kills", async () => {
    const child = await startWorking("--stubborn");
    child.kill("SIGINT");
    while (!outputs.get(child)?.stderr.includes("stopping cleanly")) {
      await once(child.stderr as NodeJS.ReadableStream, "data");
    }
    // One that comes sooner is taken for the first again.
    await sleep(600);
    child.kill("SIGINT");
    expect(await ended(child)).toMatchObject({ code: 130, stdout: "working\ncleaning up\n" });
  });

  test("one Ctrl-C that arrives twice is one", async () => {
    const child = await startWorking();
    child.kill("SIGINT");
    child.kill("SIGTERM");
    expect(await ended(child)).toMatchObject({ stderr: expect.stringContaining("drybag: interrupted\n") });
  });
});

async function startWorking(...words: string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, [PROGRAM, "work", ...words], { env: {} });
  outputs.set(child, { stdout: "", stderr: "" });
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      const output = outputs.get(child);
      if (output) output[name] += text;
    });
  }
  await once(child.stdout as NodeJS.ReadableStream, "data");
  return child;
}

const outputs = new WeakMap<ChildProcess, { stdout: string; stderr: string }>();

async function ended(child: ChildProcess) {
  const [code] = await once(child, "close");
  return { code, ...outputs.get(child) };
}
