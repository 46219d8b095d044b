import { expect, test } from "vitest";
import { BuildLog } from "./build-log.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

function logOf(text: string): { log: BuildLog; begun: string[] } {
  const log = new BuildLog();
  const begun = text.split("\n").flatMap((line) => log.add(line) ?? []);
  return { log, begun };
}

test("steps as they begin, what was cached, and the images from outside", () => {
  const { log, begun } = logOf(`#0 building with "default" instance using docker driver

#1 [internal] load build definition from Containerfile
#1 transferring dockerfile: 514B done
#1 DONE 0.0s

#2 [builder 1/2] FROM docker.io/frappe/build:v15@${DIGEST}
#2 CACHED

#3 [builder 2/2] RUN make
#3 0.312 one
#4 [stage-1 2/2] RUN other
#4 CACHED

#3 [builder 2/2] RUN make
#3 0.9 two
#3 DONE 1.0s
`);
  expect(begun).toEqual([
    'building with "default" instance using docker driver',
    "[internal] load build definition from Containerfile",
    `[builder 1/2] FROM docker.io/frappe/build:v15@${DIGEST}`,
    "[builder 2/2] RUN make",
    "[builder 2/2] one",
    "[stage-1 2/2] RUN other",
    "[builder 2/2] two",
  ]);
  expect(log.steps).toEqual([
    { name: "[builder 2/2] RUN make", cached: false },
    { name: "[stage-1 2/2] RUN other", cached: true },
  ]);
  expect([...log.bases]).toEqual([["docker.io/frappe/build:v15", DIGEST]]);
});

test("the step that failed, with what it wrote, not one that it took down", () => {
  const { log } = logOf(`#3 [b 1/1] RUN x
#4 [a 1/1] RUN bench init
#4 0.1 Cloning
#4 0.2 fatal: Remote branch v9 not found in upstream origin
#3 ERROR: context canceled
#4 ERROR: process "/bin/sh -c bench init" did not complete successfully: exit code: 1
------
 > [a 1/1] RUN bench init:
------
ERROR: failed to solve: process "/bin/sh -c bench init" did not complete successfully: exit code: 1`);
  expect(log.failure).toEqual({
    step: "[a 1/1] RUN bench init",
    problem: 'process "/bin/sh -c bench init" did not complete successfully: exit code: 1',
    output: ["Cloning", "fatal: Remote branch v9 not found in upstream origin"],
  });
});

test("a failure before any step", () => {
  const { log } = logOf(
    "ERROR: failed to solve: dockerfile parse error on line 1: unknown instruction: FORM",
  );
  expect(log.failure).toMatchObject({
    step: undefined,
    problem: "failed to solve: dockerfile parse error on line 1: unknown instruction: FORM",
    output: [expect.stringContaining("FORM")],
  });
});
