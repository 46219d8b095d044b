import type { ComposeModel } from "@drybag/docker";
import { expect, test } from "vitest";
import { inDependencyOrder } from "./stop-stack.ts";

const needs = (...names: string[]) => ({
  depends_on: Object.fromEntries(names.map((name) => [name, { condition: "service_healthy" }])),
});
const model: ComposeModel = {
  name: "s",
  services: { web: needs("app"), app: needs("db", "gone"), db: {}, a: needs("b"), b: needs("a") },
};

test("what others depend on starts first; rings and strangers are no trouble", () => {
  const containers = ["web", "stranger", "app", "db", "a", "b"].map((service) => ({ service }));
  const names = (found: { service: string }[]) => found.map(({ service }) => service).join(" ");
  expect(names(inDependencyOrder(containers, model))).toBe("db app web stranger b a");
  expect(names(inDependencyOrder(containers, undefined))).toBe("web stranger app db a b");
});
