import { describe, expect, it } from "vitest";
import { parseIndexTargets } from "./find-mirror.ts";

const main = "http://mirror.example/debian/";
const security = "http://mirror.example/debian-security/";

describe("parseIndexTargets", () => {
  it("takes release, updates and security, and the archive's address from the release", () => {
    const text = `Packages ${security} trixie-security main
Packages ${main} trixie main
Translations ${main} trixie main
Packages ${main} trixie contrib
Packages ${main} trixie-updates main
`;
    expect(parseIndexTargets(text, "trixie")).toEqual({
      uri: main,
      host: [
        { uri: security, suite: "trixie-security" },
        { uri: main, suite: "trixie" },
        { uri: main, suite: "trixie-updates" },
      ],
    });
  });

  it("leaves third parties and other releases out", () => {
    const text = `Packages http://third.example/docker trixie stable
Packages http://third.example/node nodistro main
Packages ${main} bookworm main
Packages cdrom://disc/ trixie main
Packages ${main} trixie-backports main
`;
    expect(parseIndexTargets(text, "trixie")).toBeUndefined();
  });

  it("knows a release by the name of its suite", () => {
    expect(parseIndexTargets(`Packages ${main} stable main\n`, "trixie")?.uri).toBe(main);
  });
});
