import { DrybagError } from "@drybag/errors";
import { expect, test } from "vitest";
import { explainLoadFailure } from "./explain-load-failure.ts";
import type { LoadPlan } from "./plan-load.ts";

const PIB = 1024 ** 5;
const huge: LoadPlan = {
  images: [{} as LoadPlan["images"][number]],
  toTag: [],
  archives: [],
  storedBytes: PIB,
  archiveBytes: PIB,
  unpackedBytes: PIB,
};
const small: LoadPlan = { ...huge, images: [] };
const failed = new DrybagError("image-mismatch", "wrong", { detail: "app:1 has no content" });

test("a load that failed where there is too little room has filled the disk", async () => {
  expect(await explainLoadFailure(failed, huge, "/")).toMatchObject({
    code: "disk-full",
    detail: expect.stringMatching(/are needed\.\napp:1 has no content$/),
  });
});

test("other failures stay what they are", async () => {
  expect(await explainLoadFailure(failed, small, "/")).toBe(failed);
  expect(await explainLoadFailure(failed, huge, undefined)).toBe(failed);
  expect(await explainLoadFailure(failed, huge, "/not/there")).toBe(failed);
  const damaged = new DrybagError("digest-mismatch", "damaged");
  expect(await explainLoadFailure(damaged, huge, "/")).toBe(damaged);
});
