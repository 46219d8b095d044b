import { describe, expect, it } from "vitest";
import { isDaemonOf, isInCgroup } from "./find-processes.ts";

describe("isInCgroup", () => {
  it("knows version 1 and 2, and does not take a lab for its namesake", () => {
    expect(isInCgroup("12:memory:/drybag-lab/a/site/0123\n0::/", "/drybag-lab/a")).toBe(true);
    expect(isInCgroup("0::/drybag-lab/a/site/0123", "/drybag-lab/a")).toBe(true);
    expect(isInCgroup("0::/drybag-lab/ab/site/0123", "/drybag-lab/a")).toBe(false);
    expect(isInCgroup("0::/docker/0123", "/drybag-lab/a")).toBe(false);
  });
});

describe("isDaemonOf", () => {
  const folder = "/var/tmp/drybag-lab/a";

  it("knows the daemons of a lab by the paths they are given", () => {
    expect(isDaemonOf(["/x/bin/dockerd", "--config-file", `${folder}/site/daemon.json`], folder)).toBe(true);
    expect(
      isDaemonOf(["containerd", "--config", `${folder}/site/run/containerd/containerd.toml`], folder),
    ).toBe(true);
  });

  it("leaves other labs and other programs alone", () => {
    expect(isDaemonOf(["dockerd", "--config-file", `${folder}b/site/daemon.json`], folder)).toBe(false);
    expect(isDaemonOf(["tail", "-f", `${folder}/site/dockerd.log`], folder)).toBe(false);
    expect(isDaemonOf(["dockerd"], folder)).toBe(false);
    expect(isDaemonOf([], folder)).toBe(false);
  });
});
