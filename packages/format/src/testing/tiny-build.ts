import type { BuildProvenance } from "../manifest-build.ts";

/** What an image was built from, with every field that there is. */
export function tinyBuild(): BuildProvenance {
  return {
    target: "frappe",
    recipe: "frappe",
    commit: "0123456789abcdef".repeat(3).slice(0, 40),
    dirty: true,
    file: "images/Containerfile",
    args: { FRAPPE_BRANCH: "v15.88.1" },
    baseImages: [
      { reference: "docker.io/frappe/base:v15.88.1", digest: `sha256:${"b".repeat(64)}` },
      { reference: "docker.io/frappe/build:v15.88.1" },
    ],
    apps: [
      {
        name: "frappe",
        repo: "https://github.com/frappe/frappe",
        ref: "v15.88.1",
        commit: "a".repeat(40),
        version: "15.88.1",
      },
    ],
  };
}
