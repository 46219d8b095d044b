import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DRYBAG_SITE, imagesOf } from "../support/installer.ts";
import { Releases, SECRET } from "./releases.ts";

let releases: Releases;
let signer: string;

beforeAll(async () => {
  releases = await Releases.open("rel-wizard", { site: { imageStore: "containerd" } });
  signer = await releases.makeSigner("ours");
  await releases.packRelease("1", "ours");
});

afterAll(() => releases?.[Symbol.asyncDispose]());

/** Runs a program in a terminal, answers its questions as they come, and gives what was to be seen. */
async function answer(
  command: readonly string[],
  replies: [question: string, reply: string][],
): Promise<string> {
  // Without a terminal of its own, script(1) gives the program one of 0 columns and 0 rows.
  const run = releases.site.exec(["script", "-qec", command.join(" "), "/dev/null"], {
    stdin: "pipe",
    reject: false,
  });
  let shown = "";
  let answered = 0;
  run.stdout?.on("data", (chunk: Buffer) => {
    shown += stripVTControlCharacters(chunk.toString());
    const [question = "", reply = ""] = replies[0] ?? [];
    const asked = shown.indexOf(question, answered);
    if (replies.length === 0 || asked === -1) return;
    answered = asked + question.length;
    replies.shift();
    run.stdin?.write(`${reply}\n`);
  });
  const { exitCode } = await run;
  expect(exitCode, shown).toBe(0);
  return shown;
}

test("a dry run plans, writes the answers for elsewhere, and changes nothing", async () => {
  const before = await imagesOf(releases.site);
  const answers = path.join(releases.work, "answers.env");
  const { exitCode, plan } = await releases.run<{ plan: object }>(
    ...["install", releases.folder("1"), "--dry-run", "--set", `API_KEY=${SECRET}`, "--answers-out", answers],
  );
  expect(exitCode).toBe(0);
  expect(plan).toMatchObject({
    name: "stack",
    version: "1",
    previousRelease: null,
    signer,
    trust: "first",
    images: [{ tag: "rel/app:1", load: true }],
    settings: [
      { name: "API_KEY", value: "(hidden)", from: "this site" },
      { name: "GREETING", value: "hello", from: "default" },
      { name: "REL_TAG", value: "1", from: "default" },
    ],
  });
  expect(await readFile(answers, "utf8")).toBe(`API_KEY="${SECRET}"\n`);
  expect((await stat(answers)).mode & 0o777).toBe(0o600);
  expect(await imagesOf(releases.site)).toEqual(before);
  expect(await readdir(releases.dir)).toEqual([]);
});

test("the answers are taken from that file", async () => {
  const answers = path.join(releases.work, "answers.env");
  const { exitCode, error } = await releases.install("1", "--values", answers);
  expect(exitCode, JSON.stringify(error)).toBe(0);
  expect(await readFile(path.join(releases.dir, "stack", "site.env"), "utf8")).toContain(SECRET);
  await releases.run("uninstall", "stack", "--yes", "--volumes", "--confirm", "stack");
});

test("a setting that would change an image is refused, with the value that it has", async () => {
  const refused = await releases.install("1", "--set", `API_KEY=${SECRET}`, "--set", "REL_TAG=2");
  expect(refused.exitCode).toBe(6);
  expect(refused.error).toMatchObject({
    message: "REL_TAG would make app run rel/app:2, which is not in this bundle; it has rel/app:1.",
    hint: expect.stringContaining("--set REL_TAG=1"),
  });
  expect(await readdir(releases.dir).catch(() => [])).toEqual([]);
});

const INSTALL_IT = "Install it? [Y/n, or a SETTING to change] ";

test("answered in a terminal that reports no size, a secret is made up and never shown", async () => {
  const command = [
    process.execPath,
    DRYBAG_SITE,
    "install",
    releases.folder("1"),
    "--name",
    "asked",
    "--dir",
    releases.dir,
  ];
  const shown = await answer(command, [
    ["API_KEY (Enter makes one up): ", ""],
    [INSTALL_IT, "greetings"],
    [INSTALL_IT, "rel_tag"],
    ["REL_TAG (1): ", "2"],
    [INSTALL_IT, "GREETING"],
    ["GREETING (hello): ", "moin"],
    [INSTALL_IT, "y"],
  ]);
  const answers = await readFile(path.join(releases.dir, "asked", "site.env"), "utf8");
  const secret = /^API_KEY="([A-Za-z0-9]{32})"$/m.exec(answers)?.[1] ?? "none";
  expect(shown).toMatch(/API_KEY +this site +\(hidden\)/);
  expect(shown).toContain("There is no setting greetings. Did you mean GREETING?");
  expect(shown).toContain(
    "REL_TAG would make app run rel/app:2, which is not in this bundle; it has rel/app:1.",
  );
  expect(shown).toContain("REL_TAG stays as it was.");
  expect(shown).toMatch(/GREETING +this site +moin/);
  expect(answers).toMatch(/^GREETING="moin"$/m);
  expect(answers).not.toContain("REL_TAG");
  expect(shown).toContain("is installed and healthy");
  expect(shown).not.toContain(secret);
  expect(shown).toMatch(/^. 5\/5 Start the stack and wait until it is healthy: 1 services/m);
  await releases.run("uninstall", "asked", "--yes", "--volumes", "--confirm", "asked");
});
