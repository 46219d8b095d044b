import { describe, expect, it } from "vitest";
import { defaultStateRoot } from "../lab-environment.ts";
import { planEnginePaths, planLabPaths } from "../lab-paths.ts";
import { planEngineConfig } from "./engine-config.ts";

const lab = planLabPaths("a", { stateRoot: defaultStateRoot, cacheRoot: "/cache", path: "/bin" });
const paths = planEnginePaths(lab, "site");
const site = { name: "site", role: "site", engine: "28", imageStore: "containerd" } as const;

describe("planEngineConfig", () => {
  it("names nothing outside the lab's own folder", () => {
    const config = planEngineConfig(site, paths, undefined);
    expect(config).toMatchObject({
      hosts: ["unix:///var/tmp/drybag-lab/a/site/docker.sock"],
      "data-root": "/var/tmp/drybag-lab/a/site/data",
      "exec-root": "/var/tmp/drybag-lab/a/site/run",
      pidfile: "/var/tmp/drybag-lab/a/site/docker.pid",
      "cgroup-parent": "/drybag-lab/lab-a/engine-site",
      features: { "containerd-snapshotter": true },
    });
    expect(config).not.toHaveProperty("registry-mirrors");
  });

  it("says classic out loud, because newer engines default to containerd", () => {
    const config = planEngineConfig({ ...site, imageStore: "classic" }, paths, "http://127.0.0.1:5000");
    expect(config).toMatchObject({
      features: { "containerd-snapshotter": false },
      "storage-driver": "overlay2",
      "registry-mirrors": ["http://127.0.0.1:5000"],
    });
  });

  it("keeps engine 20 from writing its key into /etc", () => {
    const config = planEngineConfig({ ...site, engine: "20", imageStore: "classic" }, paths, undefined);
    expect(config).toMatchObject({ "deprecated-key-path": "/var/tmp/drybag-lab/a/site/key.json" });
    expect(config).not.toHaveProperty("features");
  });
});
