import type { ContainerFacts } from "@drybag/docker";
import { describe, expect, test } from "vitest";
import type { ExpectedService } from "./expected-state.ts";
import { judgeContainer } from "./judge-container.ts";

const UP: ExpectedService = { name: "s", state: "up", replicas: 1 };
const DONE: ExpectedService = { name: "s", state: "done", replicas: 1 };

/** Facts as the engine gives them for a service in each situation; what is not said does not matter to the judgement. */
function container(facts: Partial<ContainerFacts>): ContainerFacts {
  return {
    id: "1",
    name: "p-s-1",
    service: "s",
    state: "running",
    exitCode: 0,
    error: "",
    outOfMemory: false,
    health: "none",
    healthOutput: undefined,
    restartCount: 0,
    startedAt: "2025-01-01T00:00:00Z",
    imageId: "sha256:1",
    restartPolicy: "no",
    project: "p",
    configHash: "h",
    ports: [],
    addresses: [],
    ...facts,
  };
}

const NEW = { steadyMs: 0, restarts: 0 };
const SETTLED = { steadyMs: 10_000, restarts: 0 };

describe("a service that stays up", () => {
  test.each([
    ["has just started", {}, NEW, "waiting"],
    ["has settled", {}, SETTLED, "good"],
    ["is healthy, however short it runs", { health: "healthy" }, NEW, "good"],
    ["still starts, however long it runs", { health: "starting" }, SETTLED, "waiting"],
    ["is unhealthy for a moment", { health: "unhealthy" }, NEW, "waiting"],
    ["stays unhealthy", { health: "unhealthy" }, SETTLED, "failed"],
    ["waits for others to start", { state: "created" }, SETTLED, "waiting"],
    ["could not be started", { state: "created", error: "port is already allocated" }, NEW, "failed"],
    ["is between two runs", { state: "restarting", exitCode: 1 }, NEW, "waiting"],
    ["was restarted twice", {}, { steadyMs: 10_000, restarts: 2 }, "good"],
    ["was restarted three times", { state: "restarting" }, { steadyMs: 0, restarts: 3 }, "failed"],
    ["runs for the fourth time", {}, { steadyMs: 10_000, restarts: 3 }, "failed"],
    ["has failed for good", { state: "exited", exitCode: 1 }, NEW, "failed"],
    [
      "has failed and will be restarted",
      { state: "exited", exitCode: 1, restartPolicy: "always" },
      NEW,
      "waiting",
    ],
    [
      "has failed and was not restarted",
      { state: "exited", exitCode: 1, restartPolicy: "on-failure" },
      SETTLED,
      "failed",
    ],
    [
      "was stopped by hand",
      { state: "exited", exitCode: 0, restartPolicy: "unless-stopped" },
      SETTLED,
      "failed",
    ],
    ["is paused", { state: "paused" }, SETTLED, "waiting"],
  ] as const)("that %s", (_, facts, observation, outcome) => {
    expect(judgeContainer(UP, container(facts), observation).outcome).toBe(outcome);
  });

  test("that ended well is neither called healthy nor failed: it is told", () => {
    const ended = container({ state: "exited" });
    expect(judgeContainer(UP, ended, NEW)).toMatchObject({ outcome: "waiting" });
    expect(judgeContainer(UP, ended, SETTLED)).toEqual({
      outcome: "good",
      state: "exited 0",
      endedUnexpectedly: true,
    });
  });
});

describe("a one-shot", () => {
  test.each([
    ["still runs, however long", {}, SETTLED, "waiting"],
    ["has a healthcheck that passes, which does not count", { health: "healthy" }, SETTLED, "waiting"],
    ["has ended well", { state: "exited" }, NEW, "good"],
    ["has failed", { state: "exited", exitCode: 3 }, NEW, "failed"],
    [
      "has failed and may try again",
      { state: "exited", exitCode: 3, restartPolicy: "on-failure" },
      NEW,
      "waiting",
    ],
    ["tries again", { state: "restarting", exitCode: 3 }, { steadyMs: 0, restarts: 2 }, "waiting"],
    ["has ended well at the third attempt", { state: "exited" }, { steadyMs: 0, restarts: 2 }, "good"],
  ] as const)("that %s", (_, facts, observation, outcome) => {
    expect(judgeContainer(DONE, container(facts), observation).outcome).toBe(outcome);
  });
});

test("memory is named where it ran out", () => {
  const killed = container({ state: "exited", exitCode: 137, outOfMemory: true });
  expect(judgeContainer(UP, killed, NEW).detail).toBe("ran out of memory");
});

test("a failing healthcheck's last words are kept", () => {
  const sick = container({ health: "unhealthy", healthOutput: "wget: connecting\nconnection refused" });
  expect(judgeContainer(UP, sick, SETTLED).detail).toBe("connection refused");
});
