import type { ComposeModel } from "@drybag/docker";
import { expect, test } from "vitest";
import { expectedServices } from "./expected-state.ts";

function states(services: ComposeModel["services"]): Record<string, string> {
  const expected = expectedServices({ name: "x", ...(services && { services }) }, []);
  return Object.fromEntries(expected.map(({ name, state }) => [name, state]));
}

test("a service stays up unless something says that it ends", () => {
  expect(states({ web: {}, worker: { restart: "always" }, job: { restart: "on-failure:3" } })).toEqual({
    web: "up",
    worker: "up",
    job: "up",
  });
});

test("a one-shot is one that another waits to see completed, whatever its restart policy", () => {
  const depends_on = {
    migrate: { condition: "service_completed_successfully" },
    db: { condition: "service_healthy" },
    cache: { condition: "service_started" },
  };
  expect(states({ web: { depends_on }, migrate: { restart: "on-failure" }, db: {}, cache: {} })).toEqual({
    web: "up",
    migrate: "done",
    db: "up",
    cache: "up",
  });
});

test("or one that is never restarted, where that is written out", () => {
  expect(
    states({
      seed: { restart: "no" },
      create: { deploy: { restart_policy: { condition: "none" } } },
      again: { deploy: { restart_policy: { condition: "on-failure" } } },
    }),
  ).toEqual({ again: "up", create: "done", seed: "done" });
});

test("replicas come from deploy, else from scale, else it is one", () => {
  const expected = expectedServices(
    {
      name: "x",
      services: { a: {}, b: { scale: 2 }, c: { deploy: { replicas: 3 } }, d: { deploy: { replicas: 0 } } },
    },
    [],
  );
  expect(expected.map(({ replicas }) => replicas)).toEqual([1, 2, 3, 0]);
});

test("what another program provides has no containers", () => {
  expect(expectedServices({ name: "x", services: { model: { provider: { type: "model" } } } }, [])).toEqual(
    [],
  );
});

test("or one that the bundle declares", () => {
  const declared = [{ name: "once", image: "a:1", profiles: [], oneShot: true as const }];
  expect(expectedServices({ name: "x", services: { once: {} } }, declared)[0]?.state).toBe("done");
});
