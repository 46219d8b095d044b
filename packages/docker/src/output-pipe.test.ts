import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { expect, test } from "vitest";
import { openOutputPipe } from "./output-pipe.ts";

async function start(script: string) {
  const pipe = await openOutputPipe();
  const child = spawn("sh", ["-c", script], { stdio: ["ignore", pipe.writeEnd, "inherit"] });
  const ended = once(child, "exit");
  pipe.writeEnd.destroy();
  return { pipe, ended };
}

test("all that a child writes comes, in order, however slowly it is read", async () => {
  const { pipe, ended } = await start("seq 200000");
  const hash = createHash("sha256");
  let pieces = 0;
  for await (const piece of pipe.chunks) {
    const before = createHash("sha256").update(piece).digest("hex");
    if (pieces++ % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
    // Nothing else has been read to the same memory meanwhile.
    expect(createHash("sha256").update(piece).digest("hex")).toBe(before);
    hash.update(piece);
  }
  await ended;
  const expected = Array.from({ length: 200_000 }, (_, index) => `${index + 1}\n`).join("");
  expect(hash.digest("hex")).toBe(createHash("sha256").update(expected).digest("hex"));
});

test("a child that writes nothing gives nothing", async () => {
  const { pipe } = await start("exit 3");
  expect((await pipe.chunks.next()).done).toBe(true);
});

test("who reads no more ends the child", async () => {
  const { pipe, ended } = await start("exec yes 2>/dev/null");
  for await (const _ of pipe.chunks) break;
  expect(await ended).not.toEqual([0, null]);
});
