import { describe, expect, it } from "vitest";
import { parseArguments } from "./parse-arguments.ts";

describe("parseArguments", () => {
  it("leaves open what was not said", () => {
    expect(parseArguments(["up"])).toMatchObject({ command: "up", name: "default", site: "site" });
    expect(parseArguments(["up"]).imageStore).toBeUndefined();
    expect(parseArguments(["up"]).connectedHost).toBeUndefined();
  });

  it("keeps a command and its flags as they are", () => {
    const args = parseArguments(["exec", "site", "--name", "b", "--", "docker", "ps", "--name", "c"]);
    expect(args).toMatchObject({ command: "exec", operand: "site", name: "b" });
    expect(args.argv).toEqual(["docker", "ps", "--name", "c"]);
  });

  it("shows the help without a command and when asked", () => {
    expect(parseArguments([]).command).toBe("help");
    expect(parseArguments(["up", "--help"]).command).toBe("help");
  });

  it.each([
    [["wat"], "command must be one of"],
    [["up", "--image-store", "podman"], "--image-store must be one of classic, containerd, not podman"],
    [["up", "--engine", "19"], "--engine must be one of"],
    [["up", "--wat"], "--wat"],
    [["env", "site", "more"], "unexpected argument: more"],
  ])("refuses %j", (args, message) => {
    expect(() => parseArguments(args)).toThrow(message);
  });
});
