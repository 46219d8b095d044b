import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadImages, saveImages } from "./archive-streams.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "drybag-docker-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function client(script: string): Promise<string> {
  const command = path.join(folder, "docker");
  await writeFile(command, `#!/bin/sh\n${script}\n`);
  await chmod(command, 0o755);
  return command;
}

const endless = () =>
  new Readable({
    read() {
      this.push(Buffer.alloc(65536));
    },
  });

test("a client that takes no more input is heard before it is ended", async () => {
  const command = await client("exec 0<&-; sleep 0.3; echo 'no space left on device' >&2; exit 1");
  const load = loadImages({ env: process.env, command });
  await expect(pipeline(endless(), load.input)).rejects.toMatchObject({ code: "EPIPE" });
  load.abort();
  await expect(load.done).rejects.toMatchObject({
    code: "load-failed",
    detail: "no space left on device",
  });
});

test("a load that is given up ends the client at once", async () => {
  const command = await client("exec sleep 60");
  const load = loadImages({ env: process.env, command });
  load.input.destroy();
  await expect(load.done).rejects.toMatchObject({ code: "load-failed" });
});

test("a save of which no more is taken ends the client at once, whatever it waits for", async () => {
  const save = await saveImages({ env: process.env, command: await client("echo begun; exec sleep 60") }, [
    "a:1",
  ]);
  const pieces = save.archive[Symbol.asyncIterator]();
  expect(String((await pieces.next()).value)).toBe("begun\n");
  const next = pieces.next();
  save.close();
  expect((await next).done).toBe(true);
  await expect(save.done).rejects.toThrow();
});

test("no client is said as such", async () => {
  const load = loadImages({ env: process.env, command: path.join(folder, "absent") });
  await expect(load.done).rejects.toMatchObject({ code: "docker-missing" });
});
