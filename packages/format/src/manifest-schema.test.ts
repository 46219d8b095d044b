import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { parseManifest, serializeManifest } from "./parse-manifest.ts";
import { refusal } from "./testing/refusal.ts";
import { tinyBuild } from "./testing/tiny-build.ts";
import { tinyBundle } from "./testing/tiny-bundle.ts";
import { tinyTasks } from "./testing/tiny-tasks.ts";

const schema = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../docs/manifest.schema.json"), "utf8"),
);
const ajv = new Ajv2020({ strict: false, formats: { regex: true } });
const isValid = ajv.compile(schema);

const WRONG = [undefined, null, 1.5, -1, 2 ** 53, "", "\u0000", "\u0085", "a\nb", "\u202ea", [], [""], {}];

type Json = Record<string, unknown>;
const tiny = () => {
  const { manifest } = tinyBundle();
  const images = manifest.images.map((image) => ({
    ...image,
    provenance: { ...image.provenance, build: tinyBuild() },
  }));
  return JSON.parse(serializeManifest({ ...manifest, ...tinyTasks(), images }).toString()) as Json;
};

/** Every object within a value, with its place. */
function* objectsIn(value: unknown, place = ""): Generator<[string, Json]> {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) yield [place, value as Json];
  for (const [key, child] of Object.entries(value)) yield* objectsIn(child, `${place}/${key}`);
}

describe("docs/manifest.schema.json", () => {
  test("takes what the writer writes, and fields of later versions", () => {
    expect(isValid(tiny()), JSON.stringify(isValid.errors)).toBe(true);
    expect(isValid({ ...tiny(), later: 1 })).toBe(true);
  });

  test("wants the same fields as the reader, everywhere, and refuses values of other types where the reader does", async () => {
    const places = [...objectsIn(tiny())].flatMap(([place, object]) =>
      Object.keys(object).map((key) => [place, key]),
    );
    for (const [place, key = ""] of places) {
      for (const wrong of WRONG) {
        const manifest = tiny();
        const object = new Map(objectsIn(manifest)).get(place ?? "") as Json;
        if (wrong === undefined) delete object[key];
        else object[key] = wrong;
        const message = await refusal(() =>
          parseManifest(Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)),
        );
        // What the schema refuses, the reader refuses. The reader knows more: what fields must say together.
        if (!isValid(manifest))
          expect(message, `${place}/${key} = ${JSON.stringify(wrong)}`).not.toBe("not refused");
        if (/must be|is too long|control characters/.test(message) && !/instead of|at the end/.test(message))
          expect(isValid(manifest), `${place}/${key} = ${JSON.stringify(wrong)}: ${message}`).toBe(false);
      }
    }
  }, 60_000);

  test.each(["/abs", "a//b", "../x", "a/../b", "a/./b", ".", "a\\b", "a\u0007b", ""])(
    "refuses the path %j",
    (path) => {
      const manifest = tiny();
      (manifest.entries as Json[])[0] = { ...(manifest.entries as Json[])[0], path };
      expect(isValid(manifest)).toBe(false);
    },
  );

  test.each(["project/.env", "project/a b", "project/..a/b..", "project/ä", "project/...", "project/a/"])(
    "takes the path %j",
    (path) => {
      const validate = ajv.compile({ ...schema.$defs.path, $id: `path-${path}` });
      expect(validate(path)).toBe(true);
    },
  );
});
