import { stripVTControlCharacters } from "node:util";
import { DrybagError } from "@drybag/errors";
import { beforeEach, expect, test, vi } from "vitest";
import { announce } from "../announce.ts";
import { createProgress, type Progress, type ProgressMode } from "../progress.ts";
import { FakeStream } from "../testing/fake-stream.ts";

const MIB = 1024 ** 2;
let timeMs: number;

beforeEach(() => {
  timeMs = 0;
  vi.useFakeTimers({ toFake: ["Date"], now: new Date("2025-11-18T10:00:00Z") });
  return () => vi.useRealTimers();
});

function open(mode: ProgressMode): { progress: Progress; stream: FakeStream } {
  const stream = new FakeStream(mode === "terminal");
  const options = {
    mode,
    stream: stream.asStream(),
    stages: ["verify", "load", "health"],
    now: () => timeMs,
  };
  return { progress: createProgress(options), stream };
}

/** One install as the listeners see it: a good stage with bytes, a warning, a stage that fails. */
async function play(progress: Progress): Promise<void> {
  await progress.stage(
    "load",
    "Load images",
    async (report) => {
      report.message("redis:8");
      for (let second = 0; second <= 12; second += 1) {
        timeMs = second * 1000;
        report.bytes(second * 10 * MIB, 120 * MIB);
        report.bytes(second * 10 * MIB);
      }
      return 3;
    },
    (count) => `${count} images`,
  );
  progress.emit({ type: "warning", code: "clock-wrong", message: "the clock is off", remedy: "set it" });
  const services = [{ name: "web", state: "restarting", expected: "healthy", ok: false }];
  const failing = progress.stage("health", "Wait for the services", async () => {
    progress.emit({ type: "services", services });
    progress.emit({ type: "services", services });
    throw new DrybagError("unhealthy", "web is not healthy");
  });
  await expect(failing).rejects.toThrow("web is not healthy");
  await progress.close();
}

test("plain lines: start and end of every stage, and little in between", async () => {
  const { progress, stream } = open("plain");
  await play(progress);
  expect(stream.lines).toEqual([
    "2/3 Load images",
    "2/3 Load images: 50.0 MiB of 120 MiB, 41 %, 10.0 MiB/s, 7 s left; redis:8",
    "2/3 Load images: 100 MiB of 120 MiB, 83 %, 10.0 MiB/s, 2 s left; redis:8",
    "2/3 Load images: 3 images (12 s)",
    "warning: the clock is off [clock-wrong]",
    "-> set it",
    "3/3 Wait for the services",
    "0 of 1 services as expected; web: restarting, want healthy",
    "3/3 Wait for the services: failed: web is not healthy",
  ]);
});

test("NDJSON: every event but repetitions, bytes at most once a second", async () => {
  const { progress, stream } = open("json");
  await play(progress);
  const events = stream.lines.map((line) => JSON.parse(line));
  expect(events.filter(({ type }) => type === "stage-progress")).toHaveLength(13);
  expect(
    events.filter(({ doneBytes }) => doneBytes === undefined || doneBytes === 120 * MIB),
  ).toMatchInlineSnapshot(`
    [
      {
        "stage": "load",
        "time": "2025-11-18T10:00:00.000Z",
        "title": "Load images",
        "type": "stage-started",
      },
      {
        "message": "redis:8",
        "stage": "load",
        "time": "2025-11-18T10:00:00.000Z",
        "type": "stage-progress",
      },
      {
        "doneBytes": 125829120,
        "message": "redis:8",
        "stage": "load",
        "time": "2025-11-18T10:00:00.000Z",
        "totalBytes": 125829120,
        "type": "stage-progress",
      },
      {
        "durationMs": 12000,
        "message": "3 images",
        "stage": "load",
        "time": "2025-11-18T10:00:00.000Z",
        "type": "stage-finished",
      },
      {
        "code": "clock-wrong",
        "message": "the clock is off",
        "remedy": "set it",
        "time": "2025-11-18T10:00:00.000Z",
        "type": "warning",
      },
      {
        "stage": "health",
        "time": "2025-11-18T10:00:00.000Z",
        "title": "Wait for the services",
        "type": "stage-started",
      },
      {
        "services": [
          {
            "expected": "healthy",
            "name": "web",
            "ok": false,
            "state": "restarting",
          },
        ],
        "time": "2025-11-18T10:00:00.000Z",
        "type": "services",
      },
      {
        "message": "web is not healthy",
        "stage": "health",
        "time": "2025-11-18T10:00:00.000Z",
        "type": "stage-failed",
      },
    ]
  `);
});

test("NDJSON: the last byte count comes before the end of its stage", async () => {
  const { progress, stream } = open("json");
  await progress.stage("load", "Load", async (report) => {
    for (let done = 1; done <= 1000; done += 1) report.bytes(done, 1000);
  });
  const events = stream.lines.map((line) => JSON.parse(line));
  expect(events.map(({ type, doneBytes }) => doneBytes ?? type)).toEqual([
    "stage-started",
    1,
    1000,
    "stage-finished",
  ]);
});

test("terminal: what is left on the screen, and a stream that is free again", async () => {
  const { progress, stream } = open("terminal");
  const { write } = stream;
  await play(progress);
  expect(stream.write).toBe(write);
  const shown = stripVTControlCharacters(stream.text).split("\n");
  expect(shown).toContain("+ 2/3 Load images: 3 images (12 s)");
  expect(shown.slice(-4)).toEqual([
    "x 3/3 Wait for the services: web is not healthy",
    "  SERVICE  STATE       EXPECTED",
    "x web      restarting  healthy",
    "",
  ]);
  expect(stream.text).toContain("\u001b[?25h");
});

test("terminal: in 24 rows of 80 columns, with bytes, rate and remaining time", async () => {
  const { progress, stream } = open("terminal");
  await progress.stage("load", "Load images", async (report) => {
    timeMs = 0;
    report.bytes(0, 100 * MIB);
    timeMs = 4000;
    report.bytes(40 * MIB);
    report.message(`layer ${"x".repeat(200)}`);
    const services = Array.from({ length: 60 }, (_, index) => ({
      name: `service-${index}`,
      state: "starting",
      expected: "healthy",
      ok: undefined,
      detail: "y".repeat(200),
    }));
    progress.emit({ type: "services", services });
    announce(stream.asStream(), "stopping cleanly");
    await stream.until(/and \d+ more/);
    announce(stream.asStream(), "stopping cleanly");
    await stream.until(/stopping cleanly/, 2);
  });
  await progress.close();
  const frames = stripVTControlCharacters(stream.text).split("\n");
  expect(frames).toContainEqual(
    expect.stringMatching(/\[======>\s+\] 40\.0 MiB of 100 MiB, 40 %, 10\.0 MiB\/s, 6 s left$/),
  );
  expect(frames).toContain("stopping cleanly");
  expect(Math.max(...frames.map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(frames).toContainEqual(expect.stringMatching(/^ +\.\.\. and \d+ more$/));
});

test("terminal: stages side by side, and one after the other", async () => {
  const { progress, stream } = open("terminal");
  await Promise.all([
    progress.stage("a", "First", () => new Promise((resolve) => setTimeout(resolve, 50))),
    progress.stage("b", "Second", () => Promise.reject(new Error("bad"))).catch(() => {}),
    progress.stage("c", "Third", async () => {}),
  ]);
  for (const title of ["Fourth", "Fifth"]) await progress.stage(title, title, async () => {});
  await progress.close();
  const shown = stripVTControlCharacters(stream.text);
  for (const line of ["+ First (", "x Second: bad", "+ Third (", "+ Fourth (", "+ Fifth ("])
    expect(shown).toContain(line);
});

test.each(["terminal", "plain"] as const)(
  "%s: a stage that is open at the end was interrupted",
  async (mode) => {
    const { progress, stream } = open(mode);
    progress.emit({ type: "stage-started", stage: "load", title: "Load images" });
    await progress.close();
    await progress.close();
    expect(stripVTControlCharacters(stream.text)).toContain("2/3 Load images: interrupted");
  },
);

test("an abort is told as an interruption", async () => {
  const { progress, stream } = open("plain");
  const stage = progress.stage("load", "Load", async () => AbortSignal.abort().throwIfAborted());
  await expect(stage).rejects.toThrow();
  expect(stream.lines.at(-1)).toBe("2/3 Load: failed: interrupted");
});
