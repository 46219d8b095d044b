import { expect, test } from "vitest";
import { refuseUnknownService } from "./logs-command.ts";

test("a service that the stack does not have is refused, with what was meant", () => {
  const services = ["backend", "frontend", "db"];
  expect(() => refuseUnknownService("erp", ["db", "backend"], services)).not.toThrow();
  expect(() => refuseUnknownService("erp", ["db", "backnd"], services)).toThrow(
    expect.objectContaining({ code: "service-not-found", hint: "Did you mean backend?" }),
  );
  expect(() => refuseUnknownService("erp", ["x"], services)).toThrow(
    expect.objectContaining({ hint: "It has: backend, frontend, db." }),
  );
});
