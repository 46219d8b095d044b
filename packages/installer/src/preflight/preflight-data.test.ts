import type { ComposeModel } from "@drybag/docker";
import { expect, test } from "vitest";
import { checkData } from "./preflight-data.ts";

const model: ComposeModel = {
  name: "s",
  services: {
    db: {
      volumes: [
        { type: "volume", target: "/log" },
        { type: "volume", source: "data", target: "/data" },
      ],
    },
  },
  volumes: {
    data: null,
    shared: { external: true, name: "everybodys" },
    scratch: { driver_opts: { type: "tmpfs" } },
  },
};
const unnamed = [{ service: "db", number: 2, target: "/var/lib/db", name: "a".repeat(64) }];

test("data that backups do not hold is told, and data in volumes without a name", () => {
  expect(checkData(model, unnamed)).toMatchObject([
    { code: "volume-not-backed-up", severity: "warning", message: expect.stringContaining("everybodys") },
    {
      code: "volume-not-backed-up",
      severity: "info",
      message: expect.stringContaining("scratch is in memory"),
    },
    {
      code: "volume-unnamed",
      message: "Volumes without a name: db:/log, db:/var/lib/db. Backups hold them.",
    },
  ]);
});

test("what the bundle has decided is not told again", () => {
  const rules = { exclude: ["shared", "scratch", "db:/log"] };
  expect(checkData(model, unnamed, rules).map(({ message }) => message)).toEqual([
    "Volumes without a name: db:/var/lib/db. Backups hold them.",
    "Volumes without a name: db:/log. Backups do not hold them.",
  ]);
  const named = checkData(model, [], { volumes: ["data", "shared", "db:/log"] });
  expect(named.map(({ code }) => code)).toEqual(["volume-not-backed-up", "volume-unnamed"]);
  expect(checkData({ name: "s" }, [])).toEqual([]);
});
