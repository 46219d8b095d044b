import { isDrybagError } from "@drybag/errors";
import { describe, expect, test } from "vitest";
import { gitAddress, tokenNames, withoutCredentials } from "./git-address.ts";
import { parseRefs } from "./list-remote.ts";
import { redactor } from "./redact.ts";

describe("an address", () => {
  test("keeps its credentials apart", () => {
    const address = gitAddress("https://oauth2:${TOKEN}@git.example/a/b.git", { TOKEN: "s3cr3t/+x" });
    expect(address.url).toBe("https://git.example/a/b.git");
    expect(address.authorization).toBe(`Basic ${Buffer.from("oauth2:s3cr3t/+x").toString("base64")}`);
    expect(address.full).toBe("https://oauth2:s3cr3t%2F%2Bx@git.example/a/b.git");
    expect(address.secrets).toContain("s3cr3t/+x");
    expect(address.secrets).toContain("s3cr3t%2F%2Bx");
  });

  test("a token alone is the user, as GitHub takes it", () => {
    const { authorization } = gitAddress("https://${T}@github.com/a/b", { T: "abcd" });
    expect(authorization).toBe(`Basic ${Buffer.from("abcd:").toString("base64")}`);
  });

  test.each(["git@github.com:a/b.git", "file:///srv/a.git", "https://github.com/a/b"])(
    "%s has none",
    (url) => {
      expect(gitAddress(url, {})).toEqual({ url, full: url, authorization: undefined, secrets: [] });
    },
  );

  test("a token without a value is named, not its address with others", () => {
    const make = () => gitAddress("https://${A}:${B}@x/y", { A: "known" });
    expect(make).toThrow(/^B must have a value/);
    expect(make).not.toThrow(/known/);
    try {
      make();
    } catch (error) {
      expect(isDrybagError(error, "token-missing")).toBe(true);
    }
  });

  test("names and messages", () => {
    expect(tokenNames("https://${A}:${A}@x/${B}")).toEqual(["A", "B"]);
    expect(withoutCredentials("https://a:b@x/y")).toBe("https://x/y");
  });
});

test("refs: the commit of an annotated tag, wherever its line stands", () => {
  const [a, b, c] = ["a", "b", "c"].map((digit) => digit.repeat(40));
  const { tags, branches } = parseRefs(
    `${a}\trefs/heads/feature/x\n${b}\trefs/tags/v1\n${c}\trefs/tags/v1^{}\n${a}\trefs/tags/v2\n`,
  );
  expect([...tags]).toEqual([
    ["v1", c],
    ["v2", a],
  ]);
  expect([...branches]).toEqual([["feature/x", a]]);
});

describe("redacting", () => {
  const redact = redactor(["tok3n-abcdef", "tok3n-abcdef-longer"]);

  test("takes out the secret, the longest first", () => {
    expect(redact("x tok3n-abcdef-longer y tok3n-abcdef z")).toBe("x *** y *** z");
  });

  test.each(["", "a", "ab", "abc"])("takes it out of base64, after %j", (before) => {
    const encoded = Buffer.from(`${before}tok3n-abcdef and more`).toString("base64");
    const clean = redact(encoded);
    expect(clean).toContain("***");
    expect(Buffer.from(clean, "base64").toString()).not.toContain("tok3n-abcdef");
  });

  test("leaves ordinary text alone, whatever is called secret", () => {
    expect(redactor(["", "a", "it"])("a bit of it")).toBe("a bit of it");
  });
});
