// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Compose syntax
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readEnvFile } from "./env-file.ts";

let file: string;

beforeEach(async () => {
  file = path.join(await mkdtemp(path.join(tmpdir(), "drybag-env-")), ".env");
});
afterEach(() => rm(path.dirname(file), { recursive: true }));

test("values are made of those above them and of the environment, which wins", async () => {
  await writeFile(file, "ZONE=eu\nNAME=shop\nFILE=${NAME}.${ZONE}.yaml\nA='$NAME'\nB=$MISSING-\n");
  const read = await readEnvFile(file, { ZONE: "us" });
  expect(read?.values).toEqual({ ZONE: "eu", NAME: "shop", FILE: "shop.us.yaml", A: "$NAME", B: "-" });
});

test("the line that counts, and the comment above it", async () => {
  await writeFile(file, "# old\nA=1\n\n# The number\n# of things\nexport A = 2\nB=3\n");
  const read = await readEnvFile(file);
  expect(read?.positionOf("A")).toEqual({ file, line: 6, column: 12 });
  expect(read?.commentOf("A")).toBe("The number of things");
  expect(read?.commentOf("B")).toBeUndefined();
  expect(read?.positionOf("C")).toBeUndefined();
});

test("a file that is not there is none", async () => {
  expect(await readEnvFile(`${file}.gone`)).toBeUndefined();
});
