import type { ContainerFacts } from "@drybag/docker";
import { expect, test } from "vitest";
import { checkContainerNames, checkForeignStack, checkMemory, checkWritable } from "./preflight-site.ts";

const taken = { name: "db", project: "other" } as ContainerFacts;

test("a stack of that name that Drybag did not install is not taken over", () => {
  expect(checkForeignStack([taken], "erp", false)).toMatchObject([
    { code: "foreign-stack", message: expect.stringContaining("db") },
  ]);
  expect(checkForeignStack([taken], "erp", true)).toEqual([]);
  expect(checkForeignStack([], "erp", false)).toEqual([]);
});

test("a container name that another has is told; our own and free ones are not", () => {
  const model = { name: "erp", services: { db: { container_name: "db" }, web: {} } };
  expect(checkContainerNames(model, [taken], "erp")).toMatchObject([{ code: "container-name-taken" }]);
  expect(checkContainerNames(model, [{ ...taken, project: "erp" }], "erp")).toEqual([]);
  expect(checkContainerNames(model, [{ ...taken, name: "dbx" }], "erp")).toEqual([]);
});

test("memory is only spoken of where more is reserved than there is", () => {
  expect(checkMemory(2 ** 30, 2 ** 30)).toEqual([]);
  expect(checkMemory(2 ** 31, 2 ** 30)).toMatchObject([{ severity: "warning" }]);
});

test("a folder that is not there yet is as writable as the nearest one that is", async () => {
  expect(await checkWritable("/tmp/not/there/yet")).toEqual([]);
  expect(await checkWritable("/dev/null/x")).toMatchObject([{ code: "not-writable" }]);
  expect(await checkWritable("/proc/x/y")).toMatchObject([{ code: "not-writable" }]);
});
