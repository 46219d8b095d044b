import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { readComposeGraph } from "../compose/compose-graph.ts";
import { parseConfigDocument } from "../config/config-document.ts";
import { configOf } from "../config/load-config.ts";
import { checkOneShots } from "./check-one-shots.ts";

test("names that are no services are refused at once, those of any profile and merged ones are not", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "drybag-one-shots-"));
  try {
    const file = path.join(folder, "compose.yaml");
    await writeFile(
      file,
      "x-more: &more\n  seed: { image: a }\nservices:\n  <<: *more\n  migrate: { image: a, profiles: [x] }\n",
    );
    const graph = await readComposeGraph([file], folder, {});
    const check = (names: string) =>
      checkOneShots(configOf(parseConfigDocument("/p/drybag.yaml", `oneShots: [${names}]`)).project, graph);
    expect(() => check("migrate, seed")).not.toThrow();
    expect(() => check("migrte, seed, other")).toThrow(
      "drybag.yaml:1:12: oneShots: the project has no service 'migrte'; did you mean 'migrate'?\n" +
        "drybag.yaml:1:26: oneShots: the project has no service 'other'; there are migrate, seed",
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});
