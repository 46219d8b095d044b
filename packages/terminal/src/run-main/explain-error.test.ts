import { DrybagError } from "@drybag/errors";
import { expect, test } from "vitest";
import { explainError } from "./explain-error.ts";

const SURROUNDINGS = { name: "drybag", aborted: false, debug: false, unicode: true };

test("an error of ours: message, code, detail, hint, exit code", () => {
  const error = new DrybagError("engine-unreachable", "Docker does not answer\nat /var/run/docker.sock", {
    detail: "dial unix: connection refused\n",
    hint: "start it:\nsystemctl start docker",
  });
  expect(explainError(error, SURROUNDINGS)).toEqual({
    exitCode: 4,
    lines: [
      "error: Docker does not answer [engine-unreachable]",
      "  at /var/run/docker.sock",
      "  dial unix: connection refused",
      "→ start it:",
      "  systemctl start docker",
    ],
    json: {
      error: {
        code: "engine-unreachable",
        message: "Docker does not answer\nat /var/run/docker.sock",
        hint: "start it:\nsystemctl start docker",
        detail: "dial unix: connection refused\n",
      },
    },
  });
});

test("anything else is a defect: one line, no trace", () => {
  const error = new TypeError("x is not a function\nand more");
  expect(explainError(error, SURROUNDINGS)).toEqual({
    exitCode: 1,
    lines: ["drybag: TypeError: x is not a function", "this is a defect; run with --debug for the trace"],
    json: {
      error: {
        code: "internal",
        message: "TypeError: x is not a function",
        hint: "this is a defect; run with --debug for the trace",
      },
    },
  });
});

test("--debug gives the trace and the causes", () => {
  const error = new DrybagError("disk-full", "no space", { cause: new RangeError("the cause") });
  const text = explainError(error, { ...SURROUNDINGS, debug: true }).lines.join("\n");
  expect(text).toContain("RangeError: the cause");
  expect(text).toContain("explain-error.test.ts");
});

test.each([
  ["ENOSPC", "disk-full", 6],
  ["EROFS", "not-writable", 6],
  ["EACCES", "permission-denied", 6],
  ["EPERM", "permission-denied", 6],
])("%s of the system is no defect", (errno, code, exitCode) => {
  const error = Object.assign(new Error(errno), { code: errno, path: "/media/usb/x" });
  expect(explainError(error, SURROUNDINGS)).toMatchObject({
    exitCode,
    lines: [expect.stringMatching(`: /media/usb/x \\[${code}\\]$`), expect.stringMatching(/^→ \w/)],
  });
});

test.each([
  ["an abort", new DOMException("This operation was aborted", "AbortError"), ["drybag: interrupted"]],
  [
    "a program that was stopped",
    Object.assign(new Error("docker"), { isCanceled: true }),
    ["drybag: interrupted"],
  ],
  [
    "what the stage says of its state",
    new DrybagError("interrupted", "interrupted while loading; nothing runs yet", { hint: "start it again" }),
    ["drybag: interrupted while loading; nothing runs yet", "→ start it again"],
  ],
  [
    "a failure on the way out, which must not be lost",
    new DrybagError("docker-failed", "cannot stop web", {
      detail: "permission denied",
      hint: "look at docker ps",
    }),
    ["drybag: interrupted", "  cannot stop web", "  permission denied", "→ look at docker ps"],
  ],
])("after a signal: %s", (_case, error, lines) => {
  expect(explainError(error, { ...SURROUNDINGS, aborted: true })).toMatchObject({ exitCode: 130, lines });
});
