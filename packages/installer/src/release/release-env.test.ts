import type { Manifest } from "@drybag/format";
import { expect, test } from "vitest";
import { releaseEnvText } from "./release-env.ts";
import { composeFileVariable, releaseFlags } from "./release-flags.ts";

function manifest(project: Partial<Manifest["project"]>): Manifest {
  return {
    project: {
      directory: "project",
      composeFiles: ["project/compose.yaml"],
      envFiles: [],
      profiles: [],
      ...project,
    },
  } as Manifest;
}

const release = { folder: "/x", finalFolder: "/opt/drybag/erp/releases/1-a", projectName: "erp" };

test("env files in order, then this site's answers, then how Compose is called: later lines win", () => {
  const text = releaseEnvText(
    {
      ...release,
      manifest: manifest({ envFiles: ["project/a.env", "project/b.env"], profiles: ["web", "jobs"] }),
      answers: new Map([["HOST", "erp.local"]]),
    },
    ["\ufeffA=1", "B=2\n"],
  );
  expect(text.split("\n").filter((line) => line !== "" && !line.startsWith("#"))).toEqual([
    "A=1",
    "B=2",
    'HOST="erp.local"',
    'COMPOSE_PROJECT_NAME="erp"',
    'COMPOSE_FILE="/opt/drybag/erp/releases/1-a/project/compose.yaml:/opt/drybag/erp/releases/1-a/compose.offline.yaml"',
    'COMPOSE_PROFILES="web,jobs"',
  ]);
});

test("where the project directory is not the first file's, an empty file in the right one stands first", () => {
  const elsewhere = manifest({ directory: "project/", composeFiles: ["project/deploy/compose.yaml"] });
  expect(composeFileVariable(elsewhere)).toEqual({
    marker: "project/.drybag-directory.yaml",
    files: ["project/.drybag-directory.yaml", "project/deploy/compose.yaml", "compose.offline.yaml"],
  });
});

test("our own call says everything, with compose.offline.yaml last", () => {
  expect(releaseFlags(manifest({ profiles: ["web"] }), "/r", "erp")).toEqual({
    cwd: "/r",
    projectName: "erp",
    projectDirectory: "/r/project",
    files: ["/r/project/compose.yaml", "/r/compose.offline.yaml"],
    envFiles: ["/r/.env"],
    profiles: ["web"],
  });
});
