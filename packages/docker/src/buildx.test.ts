import { expect, test } from "vitest";
import { buildArguments, type ImageBuild } from "./buildx.ts";

const BUILD: ImageBuild = {
  context: "/p",
  file: "/p/Containerfile",
  tags: ["a:1", "a:2"],
  target: "backend",
  args: { A: "x y", B: "=" },
  argsFromEnv: ["HIDDEN"],
  labels: { l: "v" },
  secrets: [
    { id: "env", env: "SECRET_0" },
    { id: "file", file: '/a,b/"c"' },
  ],
  contexts: { base: "docker-image://base:1" },
  platforms: ["linux/amd64", "linux/arm64"],
  cacheFrom: ["type=registry,ref=r/c"],
  cacheTo: ["type=inline"],
  network: "host",
  noCache: false,
  noCacheFilter: ["builder"],
  output: "push",
};

test("a build with everything: hidden values by their names only, the context last", () => {
  expect(buildArguments(BUILD)).toEqual([
    ...["buildx", "build", "--progress=plain", "--push", "--provenance=false", "--sbom=false"],
    ...["--file", "/p/Containerfile", "--tag", "a:1", "--tag", "a:2", "--target", "backend"],
    ...["--build-arg", "A=x y", "--build-arg", "B==", "--build-arg", "HIDDEN", "--label", "l=v"],
    ...["--secret", "id=env,env=SECRET_0", "--secret", 'id=file,"src=/a,b/""c"""'],
    ...["--build-context", "base=docker-image://base:1", "--platform", "linux/amd64,linux/arm64"],
    ...["--cache-from", "type=registry,ref=r/c", "--cache-to", "type=inline", "--network=host"],
    ...["--no-cache-filter", "builder", "/p"],
  ]);
});

test("without the cache there is nothing to leave out of it", () => {
  const args = buildArguments({ ...BUILD, noCache: true });
  expect(args).toContain("--no-cache");
  expect(args).not.toContain("--no-cache-filter");
});
