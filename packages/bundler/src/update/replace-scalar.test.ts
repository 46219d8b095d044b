import { expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { parseScalarPath, replaceScalar } from "./replace-scalar.ts";

const VALUES = `# Helm values
image:
  repository: registry.example/erp   # ours
  tag: 20251118-4c860c6
  'pullPolicy': "Always"
list:
- {name: a, image: 'x:1'}
- name: b
  image: "y:1"
"a.b": {c: 1}
empty:
number: 16
`;

function replaced(content: string, path: string, text: string): string {
  const result = replaceScalar(content, parseScalarPath(path), text);
  if ("problem" in result) throw new Error(result.problem);
  return result.content;
}

test.each([
  ["image.tag", "20251203-0a1b2c3", VALUES.replace("20251118-4c860c6", "20251203-0a1b2c3")],
  ["image.repository", "r.example:5000/erp", VALUES.replace("registry.example/erp", "r.example:5000/erp")],
  ["image.pullPolicy", "Never", VALUES.replace('"Always"', '"Never"')],
  ["list[0].image", "x:2", VALUES.replace("'x:1'", "'x:2'")],
  ["list.1.image", "y:2", VALUES.replace('"y:1"', '"y:2"')],
  ["a\\.b.c", "v2", VALUES.replace("{c: 1}", "{c: v2}")],
  ["empty", "v2", VALUES.replace("empty:", "empty: v2")],
  // What would be read as something else is quoted.
  ["image.tag", "20251118", VALUES.replace("20251118-4c860c6", '"20251118"')],
  ["image.tag", "1e3", VALUES.replace("20251118-4c860c6", '"1e3"')],
  ["image.tag", "on", VALUES.replace("20251118-4c860c6", '"on"')],
  ["number", "16.1", VALUES.replace("number: 16", 'number: "16.1"')],
  ["image.tag", "a: b, c # d", VALUES.replace("20251118-4c860c6", '"a: b, c # d"')],
])("%s becomes %s, and nothing else changes", (path, text, expected) => {
  const content = replaced(VALUES, path, text);
  expect(content).toBe(expected);
  const value = parseScalarPath(path).reduce<unknown>(
    (node, key) => (node as Record<string, unknown>)[key],
    parse(content),
  );
  expect(value).toBe(text);
});

test("a JSON file stays one", () => {
  const json = `{\n\t"image": {"tag": 16, "x": "a\\"b"},\r\n\t"list": ["a"]\n}`;
  const content = replaced(replaced(json, "image.tag", "v17"), "list[0]", "é");
  expect(content).toBe(json.replace("16", '"v17"').replace('["a"]', '["é"]'));
  expect(JSON.parse(content)).toMatchObject({ image: { tag: "v17" }, list: ["é"] });
});

test("of several documents, each that has the path", () => {
  const content = replaced("kind: A\nimage: x:1\n---\nkind: B\n---\nimage: x:1 # second\n", "image", "x:2");
  expect(content).toBe("kind: A\nimage: x:2\n---\nkind: B\n---\nimage: x:2 # second\n");
  expect(parseAllDocuments(content)).toHaveLength(3);
});

test.each([
  ["a: {b: 1}", "a", "not-plain"],
  ["a: |\n  text\n", "a", "not-plain"],
  ["a: &x 1\nb: *x\n", "a", "not-plain"],
  ["a: &x 1\nb: *x\n", "b", "not-plain"],
  ["a: !!str 1\n", "a", "not-plain"],
  ["a: 1\n", "b", "no-such-path"],
  ["a: 1\n", "a.b", "no-such-path"],
  ["a: [1]\n", "a.x", "no-such-path"],
  ["a: [1\n", "a", "unreadable"],
  ["", "a", "no-such-path"],
])("%j, %s: %s", (content, path, problem) => {
  expect(replaceScalar(content, parseScalarPath(path), "2")).toEqual({ problem });
});
