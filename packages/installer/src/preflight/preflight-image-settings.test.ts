import type { ComposeModel } from "@drybag/docker";
import { expect, test } from "vitest";
import { findChangedImages } from "./preflight-image-settings.ts";

const model = (images: Record<string, string | undefined>): ComposeModel => ({
  name: "erp",
  services: Object.fromEntries(
    Object.entries(images).map(([name, image]) => [name, image === undefined ? {} : { image }]),
  ),
});
const CHANGED = [
  { name: "TAG", answer: "v17", packed: "v16" },
  { name: "PORT", answer: "9090", packed: "8080" },
];

test("an answer that changes an image is refused once, by its name", () => {
  const findings = findChangedImages(
    model({ web: "erp:v17", worker: "erp:v17", db: "mariadb:11.8", built: undefined }),
    model({ web: "erp:v16", worker: "erp:v16", db: "mariadb:11.8", built: undefined }),
    CHANGED,
  );
  expect(findings).toMatchObject([
    {
      code: "image-setting-changed",
      severity: "error",
      message: "TAG would make web run erp:v17, which is not in this bundle; it has erp:v16.",
      remedy: expect.stringContaining("--set TAG=v16"),
    },
  ]);
});

test("answers that change no image are none of its business", () => {
  const same = model({ web: "erp:v16" });
  expect(findChangedImages(same, same, CHANGED)).toEqual([]);
});
