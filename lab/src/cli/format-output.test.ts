import { expect, it } from "vitest";
import { formatEnvironment, formatStatus } from "./format-output.ts";

it("quotes for the shell", () => {
  expect(formatEnvironment({ A: "it's", B: "$x" })).toBe("export A='it'\\''s'\nexport B='$x'");
});

it("aligns the table and marks what is not known", () => {
  const engine = {
    name: "site",
    role: "site",
    running: false,
    version: "28",
    imageStore: "containerd",
    socket: "/s",
    netns: undefined,
    dataRoot: "/d",
    dataRootSizeBytes: 3 * 2 ** 20,
  } as const;
  expect(formatStatus({ name: "a", state: "broken", engines: [engine] })).toBe(
    [
      "lab a: broken",
      "ENGINE  VERSION  IMAGE STORE  STATE        DATA   NAMESPACE  SOCKET",
      "site    28       containerd   not running  3 MiB  -          /s",
    ].join("\n"),
  );
  expect(formatStatus({ name: "a", state: "down", engines: [] })).toBe("lab a: down");
});
