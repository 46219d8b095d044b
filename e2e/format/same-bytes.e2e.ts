import { cp, readdir, utimes } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HelloGap, type Packed } from "../support/pack-hello.ts";
import { DRYBAG, FIXTURES } from "../support/paths.ts";

let gap: HelloGap;
let work: string;
let key: string;
/** Signed, in one file. */
let whole: Packed;

beforeAll(async () => {
  gap = await HelloGap.open("same-bytes");
  ({ work } = gap);
  key = await gap.makeKey("jane");
  whole = await gap.packHello("whole", ["--sign", key]);
});

afterAll(() => gap?.[Symbol.asyncDispose]());

describe("the same stack gives the same bytes", () => {
  test("from another folder, with another umask, other times, another cache and another day", async () => {
    const copy = path.join(work, "elsewhere", "deep", "hello");
    await cp(path.join(FIXTURES, "hello"), copy, { recursive: true });
    for (const entry of await readdir(copy, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) await utimes(path.join(entry.parentPath, entry.name), 1, 86_400);
    }
    const output = path.join(work, "out-again");
    const command = 'umask 077; exec "$0" "$@"';
    const args = [DRYBAG, "pack", "-p", "hello", "--bundle-version", "1.0", "--sign", key, "-o", output];
    await execa("sh", ["-c", command, process.execPath, ...args], {
      cwd: copy,
      env: {
        ...gap.connected.env,
        XDG_CACHE_HOME: path.join(work, "cache-2"),
        TZ: "Pacific/Kiritimati",
        LC_ALL: "C",
      },
    });
    const again = path.join(output, path.basename(whole.directory));
    await execa("cmp", [whole.tar, path.join(again, path.basename(whole.tar))]);
    await execa("diff", ["-r", whole.directory, again]);
  });

  test("as another user", async () => {
    const copy = path.join(work, "nobody");
    await cp(path.join(FIXTURES, "hello"), path.join(copy, "hello"), { recursive: true });
    await execa("chown", ["-R", "65534:65534", copy]);
    await execa("chmod", ["755", work]);
    const args = [DRYBAG, "pack", "--bundle-version", "1.0", "-o", path.join(copy, "out")];
    // The lab's sockets and plugins lie where only root may go: this user may too, and is another one all the same.
    const caps = "+dac_override,+dac_read_search";
    const user = [
      "--reuid=65534",
      "--regid=65534",
      "--clear-groups",
      `--inh-caps=${caps}`,
      `--ambient-caps=${caps}`,
    ];
    const run = await execa("setpriv", [...user, process.execPath, ...args], {
      cwd: path.join(copy, "hello"),
      env: { ...gap.connected.env, HOME: copy, XDG_CACHE_HOME: path.join(copy, "cache") },
      reject: false,
    });
    expect(run.exitCode, run.stderr).toBe(0);
    const plain = await gap.packHello("plain");
    await execa("cmp", [
      plain.tar,
      path.join(copy, "out", path.basename(plain.directory), path.basename(plain.tar)),
    ]);
  });
});
