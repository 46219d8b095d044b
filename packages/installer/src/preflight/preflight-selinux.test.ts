import type { ComposeModel } from "@drybag/docker";
import { expect, test } from "vitest";
import { checkSelinux } from "./preflight-selinux.ts";

const model = {
  name: "x",
  services: {
    web: { volumes: [{ type: "bind", source: "/a", target: "/a" }] },
    db: { volumes: [{ type: "volume", source: "d", target: "/d" }] },
    labelled: { volumes: [{ type: "bind", source: "/b", target: "/b", bind: { selinux: "z" } }] },
  },
} satisfies ComposeModel;

test("mounts without a label are told where the engine applies SELinux, and nowhere else", () => {
  expect(checkSelinux(model, ["seccomp,profile=builtin", "selinux"])).toMatchObject([
    { code: "selinux-mounts", severity: "warning", message: expect.stringContaining("and web mounts") },
  ]);
  expect(checkSelinux(model, ["seccomp,profile=builtin", "apparmor"])).toEqual([]);
  expect(checkSelinux({ name: "x", services: { db: model.services.db } }, ["selinux"])).toEqual([]);
});
