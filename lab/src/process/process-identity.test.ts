import { describe, expect, it } from "vitest";
import { identifyProcess, isRunning, parseProcessStat } from "./process-identity.ts";

describe("parseProcessStat", () => {
  it("reads past a name with spaces and parentheses", () => {
    const rest = "S 12 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654 1000 200";
    expect(parseProcessStat(`42 (a) b (c)) ${rest}`)).toEqual({
      state: "S",
      parent: 12,
      startTime: "987654",
    });
  });

  it("knows nothing of a text that is cut", () => {
    expect(parseProcessStat("42 (a) S 1")).toBeUndefined();
  });
});

describe.runIf(process.platform === "linux")("identifyProcess", () => {
  it("tells a process from another that has its pid", async () => {
    const own = await identifyProcess(process.pid);
    if (own === undefined) throw new Error("cannot see ourselves");
    expect(await isRunning(own)).toBe(true);
    expect(await isRunning({ ...own, startTime: `${Number(own.startTime) + 1}` })).toBe(false);
    expect(await isRunning({ ...own, bootId: "another" })).toBe(false);
  });

  it("finds no process where there is none", async () => {
    expect(await identifyProcess(2 ** 30)).toBeUndefined();
  });
});
