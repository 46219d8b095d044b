import { describe, expect, it } from "vitest";
import { defaultStateRoot, readLabEnvironment } from "./lab-environment.ts";
import { planEnginePaths, planLabPaths } from "./lab-paths.ts";

const environment = { stateRoot: defaultStateRoot, cacheRoot: "/cache", path: "/bin" };

describe("planLabPaths", () => {
  it("gives no control group the name of a file that every control group has", () => {
    const lab = planLabPaths("tasks", environment);
    expect(planEnginePaths(lab, "tasks").cgroup.split("/")).not.toContain("tasks");
  });

  it("keeps the namespaces of labs apart whose names begin alike", () => {
    const a = planLabPaths("a", environment);
    const ab = planEnginePaths(planLabPaths("a-b", environment), "site");
    expect(ab.namespace.startsWith(a.namespacePrefix)).toBe(false);
  });

  it("keeps labs of one name under two state roots apart", () => {
    const here = planLabPaths("a", environment);
    const there = planLabPaths("a", { ...environment, stateRoot: "/elsewhere" });
    expect(there.namespacePrefix.startsWith(here.namespacePrefix)).toBe(false);
    expect(there.cgroup).not.toBe(here.cgroup);
  });

  it.each(["", "..", "a/b", "A", "a.b", "-a", "a".repeat(33)])("refuses the name %j", (name) => {
    expect(() => planLabPaths(name, environment)).toThrow("not a lab name");
  });

  it("refuses a relative state root", () => {
    expect(() => planLabPaths("a", { ...environment, stateRoot: "labs" })).toThrow("absolute path");
  });

  it("refuses a state root in which no socket could be opened", () => {
    const lab = planLabPaths("a", { ...environment, stateRoot: `/${"d".repeat(70)}` });
    expect(() => planEnginePaths(lab, "connected")).toThrow("too long");
    expect(planEnginePaths(planLabPaths("a".repeat(32), environment), "b".repeat(17)).socket).toBeDefined();
  });
});

describe("readLabEnvironment", () => {
  it("takes the folders from the environment and has defaults", () => {
    expect(readLabEnvironment({ HOME: "/home/u" })).toMatchObject({
      stateRoot: "/var/tmp/drybag-lab",
      cacheRoot: "/home/u/.cache/drybag/lab",
    });
    expect(readLabEnvironment({ DRYBAG_LAB_DIR: "/d", XDG_CACHE_HOME: "/c" })).toMatchObject({
      stateRoot: "/d",
      cacheRoot: "/c/drybag/lab",
    });
  });

  it("adds the folders of system programs behind the user's PATH", () => {
    expect(readLabEnvironment({ PATH: "/mine" }).path).toMatch(/^\/mine:.*\/usr\/sbin/);
  });
});
