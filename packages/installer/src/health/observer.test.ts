import type { ContainerFacts } from "@drybag/docker";
import { expect, test } from "vitest";
import { glance, Observer } from "./observer.ts";

const running = {
  id: "1",
  state: "running",
  startedAt: "2025-01-01T00:00:00Z",
  restartCount: 5,
  health: "none",
} as ContainerFacts;

test("a run is steady from when it was first seen, and anew after each change", () => {
  let nowMs = 0;
  const observer = new Observer({ sharesClock: false, now: () => nowMs });
  expect(observer.observe(running)).toEqual({ steadyMs: 0, restarts: 0 });
  nowMs = 4000;
  expect(observer.observe(running)).toEqual({ steadyMs: 4000, restarts: 0 });
  nowMs = 5000;
  const again = { ...running, startedAt: "2025-01-01T00:00:05Z", restartCount: 6 };
  expect(observer.observe(again)).toEqual({ steadyMs: 0, restarts: 1 });
});

test("a change of health is a change", () => {
  let nowMs = 0;
  const observer = new Observer({ sharesClock: false, now: () => nowMs });
  observer.observe({ ...running, health: "starting" });
  nowMs = 9000;
  expect(observer.observe({ ...running, health: "unhealthy" }).steadyMs).toBe(0);
});

test("where the clock is the engine's, what ran before the first look counts, but not for how long it is unhealthy", () => {
  const now = () => Date.parse("2025-01-01T00:00:30Z");
  const observer = new Observer({ sharesClock: true, now });
  expect(observer.observe(running).steadyMs).toBe(30_000);
  expect(observer.observe({ ...running, id: "2", health: "unhealthy" }).steadyMs).toBe(0);
});

test("a single look takes the engine's word for how long it runs", () => {
  const nowMs = Date.parse("2025-01-01T00:00:30Z");
  expect(glance(running, nowMs).steadyMs).toBe(30_000);
  expect(glance({ ...running, state: "exited" }, nowMs).steadyMs).toBe(Number.POSITIVE_INFINITY);
});
