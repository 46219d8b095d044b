import { describe, expect, it } from "vitest";
import { planLab } from "./lab-plan.ts";

describe("planLab", () => {
  it("is two engines of version 28 with the classic store by default", () => {
    expect(planLab({ name: "a" }, undefined)).toEqual({
      version: 1,
      connectedHost: false,
      registry: "a",
      engines: [
        { name: "connected", role: "connected", engine: "28", imageStore: "classic" },
        { name: "site", role: "site", engine: "28", imageStore: "classic" },
      ],
    });
  });

  it("leaves a lab as it is when nothing is asked of it", () => {
    const recorded = planLab({ name: "a", site: { imageStore: "containerd", engine: "26" } }, undefined);
    expect(planLab({ name: "a" }, recorded)).toEqual(recorded);
  });

  it("adds a site and keeps those that are there", () => {
    const recorded = planLab({ name: "a", sites: [{ name: "old", engine: "20" }] }, undefined);
    const plan = planLab({ name: "a", sites: [{ name: "small", dataRootSizeBytes: 1e8 }] }, recorded);
    expect(plan.engines.map((engine) => engine.name)).toEqual(["connected", "site", "old", "small"]);
    expect(plan.engines.at(-1)?.dataRootSizeBytes).toBe(1e8);
  });

  it("has no connected engine of its own when the machine's serves", () => {
    const plan = planLab({ name: "a", connectedHost: true }, undefined);
    expect(plan.engines.map((engine) => engine.name)).toEqual(["site"]);
  });

  it("refuses to take one lab for another", () => {
    const recorded = planLab({ name: "a" }, undefined);
    expect(() => planLab({ name: "a", site: { imageStore: "containerd" } }, recorded)).toThrow(
      "lab a is there already, and its site's image store is classic, not containerd",
    );
    expect(() => planLab({ name: "a", connectedHost: true }, recorded)).toThrow("connected side");
  });

  it("refuses the containerd store on an engine that has none", () => {
    expect(() => planLab({ name: "a", site: { engine: "20", imageStore: "containerd" } }, undefined)).toThrow(
      "only the classic image store",
    );
  });
});
