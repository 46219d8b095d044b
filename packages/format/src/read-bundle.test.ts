import { readdir, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openBundle } from "./open-bundle.ts";
import { serializeManifest } from "./parse-manifest.ts";
import { readBundle } from "./read-bundle.ts";
import { expectFlipsRefused, type FlipOptions } from "./testing/flip-bits.ts";
import { refusal } from "./testing/refusal.ts";
import { testSigner } from "./testing/ssh-signer.ts";
import { temporaryFolder } from "./testing/temporary-folder.ts";
import { tinyBundle } from "./testing/tiny-bundle.ts";
import { archiveBytes, layoutOf, type Place, placeArchive, readAll } from "./testing/written-bundle.ts";

describe("a whole bundle", () => {
  test.each([
    ["in one file", {}],
    ["in parts", { partSizeBytes: 4096 }],
    ["in parts of odd sizes", { partSizeBytes: 1001 }],
    ["without SHA256SUMS", { partSizeBytes: 10_000, checksums: false }],
  ])("%s comes out as it went in", async (_, options) => {
    await using folder = await temporaryFolder();
    const bundle = tinyBundle({ project: { [`${"deep/".repeat(40)}ä`]: "x".repeat(1000) } });
    const bytes = await archiveBytes(folder.path, bundle);
    const [first = ""] = await placeArchive(folder.path, bytes, options);

    for (const path of [folder.path, join(folder.path, first)]) {
      const opened = await openBundle(path);
      expect(opened.manifest).toEqual(bundle.manifest);
      let read = 0;
      const { released, error } = await readAll(opened, { onBytes: (more) => (read += more) });
      expect(error).toBeUndefined();
      expect(released.map(({ entry }) => entry)).toEqual(bundle.manifest.entries);
      for (const { entry, bytes } of released) {
        const expected = bundle.contents.get(entry.path) ?? Buffer.alloc(0);
        expect(bytes.equals(expected), entry.path).toBe(true);
      }
      expect(read).toBe(bytes.length);
    }
  });

  test("with a signature gives that too", async () => {
    await using folder = await temporaryFolder();
    const signer = testSigner();
    const signature = signer.sign(serializeManifest(tinyBundle().manifest));
    const bytes = await archiveBytes(folder.path, tinyBundle(), signature);
    await placeArchive(folder.path, bytes, { partSizeBytes: 3000, signer });
    const opened = await openBundle(folder.path);
    expect(opened.signature).toEqual(signature);
    expect((await readAll(opened)).error).toBeUndefined();
  });

  test("larger than all buffers, with any mtime", async () => {
    await using folder = await temporaryFolder();
    const bundle = tinyBundle({ layerSizes: [3_000_001, 65_536, 65_537] });
    const bytes = await archiveBytes(folder.path, bundle);
    await placeArchive(folder.path, bytes, { partSizeBytes: 700_000 });
    const { released, error } = await readAll(await openBundle(folder.path));
    expect(error).toBeUndefined();
    for (const { entry, bytes } of released) {
      expect(bytes.equals(bundle.contents.get(entry.path) ?? Buffer.alloc(0)), entry.path).toBe(true);
    }
  });
});

/** A change of the archive; SHA256SUMS is made for what comes out. */
type Forgery = (bytes: Buffer, places: Map<string, Place>) => Buffer | undefined;

function flip(bytes: Buffer, at: number, mask: number): undefined {
  bytes[at] = (bytes[at] ?? 0) ^ mask;
}

describe("a cut bundle is refused, and the part named,", () => {
  test("at any block, and within blocks, in one file", async () => {
    await using folder = await temporaryFolder();
    const bytes = await archiveBytes(folder.path);
    const cuts = Array.from(
      { length: Math.ceil(bytes.length / 256) },
      (_, index) => index * 256 + (index % 2),
    );
    for (const cut of cuts) {
      await placeArchive(folder.path, bytes.subarray(0, cut), { checksums: cut % 512 === 0 });
      const refused = await refusal(() => openBundle(folder.path));
      expect(refused, `cut at ${cut}`).toMatch(/^(bundle-truncated|digest-mismatch): .*tiny-1\.0\.tar/);
    }
  });

  test("in any of several parts", async () => {
    await using folder = await temporaryFolder();
    const bytes = await archiveBytes(folder.path);
    const names = await placeArchive(folder.path, bytes, { partSizeBytes: 5000, checksums: false });
    expect(names.length).toBeGreaterThan(4);
    for (const [index, name] of names.entries()) {
      const part = bytes.subarray(index * 5000, (index + 1) * 5000);
      await writeFile(join(folder.path, name), part.subarray(0, part.length - 600));
      const refused = await refusal(() => openBundle(folder.path));
      expect(refused).toMatch(/^(bundle-truncated|digest-mismatch): /);
      if (index > 2) expect(refused).toBe(`bundle-truncated: ${name} is cut short: 600 bytes are missing.`);
      await writeFile(join(folder.path, name), part);
    }
  });

  test("that grows or shrinks after it was opened", async () => {
    await using folder = await temporaryFolder();
    const bytes = await archiveBytes(folder.path);
    for (const changed of [bytes.subarray(0, 20_000), Buffer.concat([bytes, Buffer.alloc(1)])]) {
      const [name = ""] = await placeArchive(folder.path, bytes, { checksums: false });
      const opened = await openBundle(folder.path);
      await writeFile(join(folder.path, name), changed);
      const { error, released } = await readAll(opened);
      expect(error).toMatchObject({
        code: changed.length > bytes.length ? "digest-mismatch" : "bundle-unreadable",
      });
      const last = opened.manifest.layers.at(-1);
      const isWhole = ({ bytes }: { bytes: Buffer }) => bytes.length === last?.sizeBytes;
      expect(released.slice(opened.manifest.entries.length - 1).some(isWhole)).toBe(false);
    }
  });

  test("whose manifest changed after it was opened", async () => {
    await using folder = await temporaryFolder();
    const bytes = await archiveBytes(folder.path);
    const other = await archiveBytes(folder.path, tinyBundle({ version: "2.0" }));
    await placeArchive(folder.path, bytes);
    const opened = await openBundle(folder.path);
    await placeArchive(folder.path, other);
    const { error, released } = await readAll({
      ...opened,
      carryFolder: (await openBundle(folder.path)).carryFolder,
    });
    expect(error).toMatchObject({ code: "digest-mismatch" });
    expect(released).toEqual([]);
  });
});

describe("a single flipped bit", () => {
  // Thousands of them: flip-bits.fuzz.ts.
  test.each<[string, FlipOptions]>([
    ["with SHA256SUMS and signatures", { rounds: 150, seed: 1, checksums: true, signer: testSigner() }],
    ["without SHA256SUMS", { rounds: 100, seed: 2, checksums: false }],
  ])(
    "anywhere is refused, the part named, and no damaged body comes out whole, %s",
    async (_, options) => {
      await expectFlipsRefused(options);
    },
    60_000,
  );
});

describe("a consumer", () => {
  const LAYERS = { layerSizes: [8_000_000, 1_000_000] };

  async function openLarge(path: string, forge?: Forgery) {
    const bundle = tinyBundle(LAYERS);
    const bytes = await archiveBytes(path, bundle);
    const places = new Map(layoutOf(bundle).map((place) => [place.path, place]));
    await placeArchive(path, forge?.(bytes, places) ?? bytes, { partSizeBytes: 1_500_000 });
    return { opened: await openBundle(path), bundle };
  }

  test("that is slow slows reading down", async () => {
    await using folder = await temporaryFolder();
    const { opened } = await openLarge(folder.path);
    let read = 0;
    let taken = 0;
    for await (const { body } of readBundle(opened, { onBytes: (more) => (read += more) })) {
      for await (const chunk of body) {
        taken += chunk.length;
        for (let turn = 0; turn < 20; turn++) await readdir(folder.path);
        expect(read - taken).toBeLessThan(1024 ** 2);
      }
    }
    expect(taken).toBeGreaterThan(9_000_000);
  });

  test("that leaves early, in whatever way, leaves no file open", async () => {
    await using folder = await temporaryFolder();
    const { opened } = await openLarge(folder.path);
    const leave: (() => Promise<void>)[] = [
      async () => {
        for await (const _ of readBundle(opened)) break;
      },
      async () => {
        for await (const { entry, body } of readBundle(opened)) {
          if (entry.path.startsWith("blobs/")) for await (const _ of body) break;
          if (entry.path.startsWith("blobs/")) break;
        }
      },
      async () => {
        for await (const { body } of readBundle(opened)) {
          body.read();
          throw new Error("enough");
        }
      },
    ];
    for (const one of leave) await one().catch((error) => expect(error.message).toBe("enough"));
    expect(await openFiles(folder.path)).toEqual([]);
  });

  test.each(["destroys bodies", "does not touch bodies", "reads a little of bodies"])(
    "that %s still has them all verified",
    async (how) => {
      await using folder = await temporaryFolder();
      const consume = async (opened: Awaited<ReturnType<typeof openBundle>>) => {
        for await (const { body } of readBundle(opened)) {
          if (how === "destroys bodies") body.destroy();
          if (how === "reads a little of bodies") for await (const _ of body) break;
        }
      };
      const { opened } = await openLarge(folder.path);
      await consume(opened);

      const damageLayer: Forgery = (bytes, places) =>
        flip(bytes, ([...places.values()].at(-2)?.bodyStart ?? 0) + 5, 1);
      const { opened: damaged } = await openLarge(folder.path, damageLayer);
      expect(await refusal(() => consume(damaged))).toMatch(/^digest-mismatch: /);
      expect(await openFiles(folder.path)).toEqual([]);
    },
  );

  test("that aborts gets the reason, and no file stays open", async () => {
    await using folder = await temporaryFolder();
    const { opened, bundle } = await openLarge(folder.path);
    const control = new AbortController();
    let read = 0;
    const onBytes = (more: number) => {
      read += more;
      if (read > 4_000_000) control.abort(new Error("Ctrl-C"));
    };
    const { error, released } = await readAll(opened, { signal: control.signal, onBytes });
    expect(error).toMatchObject({ message: "Ctrl-C" });
    expect(released.length).toBeLessThan(bundle.manifest.entries.length);
    expect(await openFiles(folder.path)).toEqual([]);

    control.abort();
    await expect(openBundle(folder.path, { signal: control.signal })).rejects.toThrow("Ctrl-C");
  });

  test("gets at most 64 KiB late, and those only when the whole body is right", async () => {
    await using folder = await temporaryFolder();
    const { opened } = await openLarge(folder.path, (bytes, places) => {
      const layer = [...places.values()].at(-2);
      return flip(bytes, (layer?.bodyStart ?? 0) + 5, 1);
    });
    const { released, error } = await readAll(opened);
    expect(error).toMatchObject({ code: "digest-mismatch" });
    expect(released.at(-1)).toMatchObject({ entry: { sizeBytes: 8_000_000 } });
    expect(released.at(-1)?.bytes.length).toBe(8_000_000 - 65_536);
  });
});

async function openFiles(below: string): Promise<string[]> {
  const links = await readdir("/proc/self/fd").catch(() => []);
  const targets = await Promise.all(links.map((link) => readlink(`/proc/self/fd/${link}`).catch(() => "")));
  return targets.filter((target) => target.startsWith(below));
}
