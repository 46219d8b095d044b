import { expect, test } from "vitest";
import { scanVariables } from "../compose/scan-variables.ts";
import { collectSettings } from "./collect-settings.ts";

test("a required variable without a value is asked on site", () => {
  const { settings } = collectSettings(scanVariables("${GREETING:?hello}"), {}, {}, ["GREETING"]);
  expect(settings).toEqual([{ name: "GREETING", required: true, secret: false }]);
});

test("a value from the packing environment is carried, a secret one is asked for", () => {
  const own = { TAG: "v2", DB_PASSWORD: "hunter2" };
  const { settings, packedEnvironment } = collectSettings(
    scanVariables("${TAG:-v1} ${DB_PASSWORD:-123} $PORT ${HOME}"),
    { TAG: "v2", DB_PASSWORD: "hunter2", PORT: "80", HOME: "/root" },
    own,
    [],
  );
  expect(packedEnvironment).toEqual({ TAG: "v2" });
  expect(settings).toEqual([
    { name: "DB_PASSWORD", required: true, secret: true },
    { name: "PORT", required: false, secret: false, default: "80" },
    { name: "TAG", required: false, secret: false, default: "v2" },
  ]);
  expect(JSON.stringify(settings)).not.toContain("hunter2");
});
