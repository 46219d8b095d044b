import { expect, test } from "vitest";
import { changeEnv } from "./write-env.ts";

test("changes the values, and nothing else", () => {
  const text = `# the image
CUSTOM_IMAGE=old/erp   # ours
# CUSTOM_TAG=example

export CUSTOM_TAG="v1"
PULL_POLICY = always
OTHER='a # b'
`;
  expect(
    changeEnv(text, { CUSTOM_IMAGE: "r.example/erp", CUSTOM_TAG: "20251118-4c860c6", PULL_POLICY: "never" }),
  ).toBe(
    `# the image
CUSTOM_IMAGE=r.example/erp   # ours
# CUSTOM_TAG=example

export CUSTOM_TAG=20251118-4c860c6
PULL_POLICY = never
OTHER='a # b'
`,
  );
});

test("the last line that sets a variable counts; what is not there is added", () => {
  expect(changeEnv("A=1\nA=2", { A: "3", B: "4" })).toBe("A=1\nA=3\nB=4\n");
  expect(changeEnv("", { A: "a b" })).toBe("A='a b'\n");
  expect(changeEnv("A=1\r\nB=2\r\n", { A: "3" })).toBe("A=3\r\nB=2\r\n");
});

test("writing the same again changes nothing", () => {
  const once = changeEnv("# c\nA=1 # d\n", { A: "2", B: "x y" });
  expect(changeEnv(once, { A: "2", B: "x y" })).toBe(once);
});
