import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { createProgress } from "./progress.ts";
import { assumeSize } from "./terminal-size.ts";
import { FakeStream } from "./testing/fake-stream.ts";

function serialLine(): FakeStream {
  const stream = new FakeStream(true);
  stream.columns = 0;
  stream.rows = 0;
  assumeSize(stream.asStream());
  return stream;
}

test("a terminal without a size is one of 80 by 24, also after it was read again", () => {
  const stream = serialLine();
  expect([stream.columns, stream.rows]).toEqual([80, 24]);
  stream.columns = 0;
  stream.emit("resize");
  expect(stream.columns).toBe(80);
  stream.columns = 132;
  stream.emit("resize");
  expect(stream.columns).toBe(132);
});

test("what is no terminal has no size", () => {
  const stream = new FakeStream(false);
  stream.columns = 0;
  assumeSize(stream.asStream());
  expect(stream.columns).toBe(0);
});

test("progress on a terminal without a size stands on whole lines", async () => {
  const stream = serialLine();
  const progress = createProgress({ mode: "terminal", stream: stream.asStream(), stages: [] });
  await progress.stage("load", "Load the images", async (report) => {
    report.bytes(1024, 4096);
    await stream.until(/KiB of/);
  });
  await progress.close();
  const shown = stripVTControlCharacters(stream.text).split("\n");
  expect(shown).toContainEqual(expect.stringMatching(/^\+ Load the images \(/));
  expect(shown).toContainEqual(expect.stringMatching(/1\.00? KiB of 4\.00? KiB, 25 %/));
});
