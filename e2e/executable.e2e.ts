import path from "node:path";
import { expect, test } from "vitest";
import { isNewer, readDynamicNeeds } from "./support/dynamic-needs.ts";

/**
 * What the oldest of the systems that are promised have, in their smallest forms: Debian 10 to 13, Ubuntu 20.04 to 24.04, Alma and Rocky 8 to
 * 10. RHEL 8 and its likes decide: glibc 2.28 and the libstdc++ of GCC 8, which their package manager itself needs.
 */
const OLDEST = { GLIBC: "2.28", GLIBCXX: "3.4.25", CXXABI: "1.3.11" };
const LIBRARIES = /^(?:lib(?:c|m|dl|pthread|gcc_s|stdc\+\+)\.so\.\d+|ld-linux-\S+\.so\.\d)$/;

test.each(["amd64", "arm64"])(
  "the installer for %s starts where there is little more than a C library",
  async (architecture) => {
    const dist = path.resolve(import.meta.dirname, "../packages/installer/dist");
    const needs = await readDynamicNeeds(path.join(dist, `drybag-site-linux-${architecture}`));
    expect(needs.libraries.filter((name) => !LIBRARIES.test(name))).toEqual([]);
    expect(needs.libraries.length).toBeGreaterThan(1);
    expect(Object.keys(needs.versions).sort()).toEqual(Object.keys(OLDEST).sort());
    for (const [set, oldest] of Object.entries(OLDEST)) {
      expect(isNewer(needs.versions[set] ?? "", oldest), `${set}_${needs.versions[set]}`).toBe(false);
    }
  },
);
