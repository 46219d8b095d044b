import { expect, test } from "vitest";
import { registryEndpoints } from "./registry-endpoints.ts";

const facts = {
  mirrors: ["https://mirror.example/", "ftp://no", "http://127.0.0.1:5000"],
  insecure: ["lan.example:5000"],
  insecureNetworks: ["10.1.0.0/16", "::1/128", "nonsense"],
};

test.each([
  ["docker.io", ["https://mirror.example", "http://127.0.0.1:5000", "https://registry-1.docker.io"]],
  ["ghcr.io", ["https://ghcr.io"]],
  ["localhost:5000", ["http://localhost:5000", "https://localhost:5000"]],
  ["127.0.0.1:5000", ["http://127.0.0.1:5000", "https://127.0.0.1:5000"]],
  ["[::1]:5000", ["http://[::1]:5000", "https://[::1]:5000"]],
  ["lan.example:5000", ["https://lan.example:5000", "http://lan.example:5000"]],
  ["10.1.2.3:5000", ["https://10.1.2.3:5000", "http://10.1.2.3:5000"]],
  ["10.2.2.3:5000", ["https://10.2.2.3:5000"]],
  ["127.example", ["https://127.example"]],
])("%s is asked at %j", (registry, urls) => {
  expect(registryEndpoints(registry, facts).map(({ url }) => url)).toEqual(urls);
});

test("a mirror is asked with its own credentials, not with those of Docker Hub", () => {
  expect(registryEndpoints("docker.io", facts).map(({ registry }) => registry)).toEqual([
    "mirror.example",
    "127.0.0.1:5000",
    "docker.io",
  ]);
});
