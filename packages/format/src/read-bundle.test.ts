import { readdir, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { pack } from "tar-stream";
import { describe, expect, test } from "vitest";
import { openBundle } from "./open-bundle.ts";
import { serializeManifest } from "./parse-manifest.ts";
import { readBundle } from "./read-bundle.ts";
import { checksum, encodeHeader, type TarItem } from "./tar-header.ts";
import { expectFlipsRefused, type FlipOptions } from "./testing/flip-bits.ts";
import { refusal } from "./testing/refusal.ts";
import { testSigner } from "./testing/ssh-signer.ts";
import { temporaryFolder } from "./testing/temporary-folder.ts";
import { type TinyBundle, tinyBundle } from "./testing/tiny-bundle.ts";
import { archiveBytes, layoutOf, type Place, placeArchive, readAll, STEM } from "./testing/written-bundle.ts";

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

/** A change of the archive that leaves everything else as it is, SHA256SUMS included: only the reader's own rules can find it. */
type Forgery = (bytes: Buffer, places: Map<string, Place>) => Buffer | undefined;

async function refusedForgery(forge: Forgery, bundle: TinyBundle = tinyBundle()) {
  await using folder = await temporaryFolder();
  const bytes = await archiveBytes(folder.path, bundle);
  const places = new Map(layoutOf(bundle).map((place) => [place.path, place]));
  await placeArchive(folder.path, forge(bytes, places) ?? bytes);
  let released: string[] = [];
  const message = await refusal(async () => {
    const result = await readAll(await openBundle(folder.path));
    released = result.released.map(({ entry }) => entry.path);
    if (result.error) throw result.error;
  });
  return { message, released };
}

/** Puts another header in the place of that of `path`. Fields may be anything; the checksum is right. */
function reheader(path: string, change: (header: Buffer) => void): Forgery {
  return (bytes, places) => {
    const start = places.get(path)?.headerStart ?? Number.NaN;
    const header = bytes.subarray(start, start + 512);
    change(header);
    header.write(`${checksum(header).toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    return undefined;
  };
}

function rename(path: string, name: string): Forgery {
  return reheader(path, (header) => header.fill(0, 0, 100).write(name));
}

function retype(path: string, type: string, linkName = ""): Forgery {
  return reheader(path, (header) => {
    header.write(type, 156, "latin1");
    header.write(linkName, 157, "latin1");
  });
}

const ENV = "project/.env";

describe("an entry is refused that", () => {
  test.each<[string, Forgery, RegExp]>([
    ["is absolute", rename(ENV, "/etc/passwd"), /^bundle-entry-refused: .*"\/etc\/passwd" is absolute/],
    ["climbs", rename(ENV, "project/../../etc/passwd"), /^bundle-entry-refused: .*climbs with/],
    ["has a control character", rename(ENV, "project/a\u001b[2J"), /^bundle-entry-refused: .*control/],
    [
      "is not listed",
      rename(ENV, "project/.evil"),
      /^bundle-entry-refused: .*"project\/\.evil", which the manifest/,
    ],
    ["is there twice", rename(ENV, "project/compose.yaml"), /^bundle-entry-refused: .*twice or out of order/],
    ["is a second manifest", rename(ENV, "drybag.json"), /^bundle-entry-refused: /],
    ["is a hard link", retype(ENV, "1", "/etc/shadow"), /^bundle-entry-refused: .*a hard link/],
    ["is a symbolic link", retype(ENV, "2", "/etc/shadow"), /^bundle-entry-refused: .*a symbolic link/],
    ["is a character device", retype(ENV, "3"), /^bundle-entry-refused: .*a character device/],
    ["is a block device", retype(ENV, "4"), /^bundle-entry-refused: .*a block device/],
    ["is a folder", retype(ENV, "5"), /^bundle-entry-refused: .*with another size/],
    ["is a FIFO", retype(ENV, "6"), /^bundle-entry-refused: .*a FIFO/],
    ["is contiguous", retype(ENV, "7"), /^bundle-entry-refused: .*a contiguous file/],
    ["is sparse", retype(ENV, "S"), /^bundle-entry-refused: .*a sparse file/],
    ["is old", retype(ENV, "\0"), /^bundle-entry-refused: .*old-style/],
    ["has a pax header", retype(ENV, "x"), /^bundle-entry-refused: .*a pax header/],
    ["has a global pax header", retype(ENV, "g"), /^bundle-entry-refused: .*a global pax header/],
    ["has a GNU long name", retype(ENV, "L"), /^bundle-entry-refused: .*a GNU long name/],
    ["has an unknown type", retype(ENV, "Q"), /^bundle-entry-refused: .*unknown type "Q"/],
    [
      "is larger",
      reheader(ENV, (it) => it.write("00000000777", 124)),
      /^bundle-entry-refused: .*with another size/,
    ],
    [
      "is smaller",
      reheader(ENV, (it) => it.write("00000000001", 124)),
      /^bundle-entry-refused: .*with another size/,
    ],
    ["has a size in base 256", reheader(ENV, (it) => it.writeUInt8(0x80, 124)), /^bundle-entry-refused: /],
    ["is setuid", reheader(ENV, (it) => it.write("0004755", 100)), /^bundle-entry-refused: .*mode/],
    ["has an owner", reheader(ENV, (it) => it.write("0001750", 108)), /^bundle-entry-refused: .*owner/],
    ["has a user name", reheader(ENV, (it) => it.write("root", 265)), /^bundle-entry-refused: /],
    [
      "has another time",
      reheader(ENV, (it) => it.write("00000000001", 136)),
      /^bundle-entry-refused: .*time/,
    ],
    ["has a prefix", reheader(ENV, (it) => it.write("..", 345)), /^bundle-entry-refused: .*climbs/],
    ["has something behind its fields", reheader(ENV, (it) => it.write("!", 511)), /^bundle-entry-refused: /],
    [
      "is of GNU's kind",
      reheader(ENV, (it) => it.write("ustar  \0", 257)),
      /^bundle-entry-refused: .*spelling/,
    ],
    [
      "has a wrong checksum",
      headerByte(ENV, 148),
      /^digest-mismatch: The header of project\/\.env in tiny-1\.0\.tar/,
    ],
    [
      "is only zeros",
      (bytes, places) => zero(bytes, places, ENV),
      /^bundle-truncated: .*end of the archive before/,
    ],
    [
      "has something in its padding",
      padding(ENV),
      /^digest-mismatch: .*more than zeros behind project\/\.env/,
    ],
    [
      "has another body",
      body(ENV),
      /^digest-mismatch: tiny-1\.0\.tar is damaged|^digest-mismatch: The bundle/,
    ],
  ])("%s", async (_, forge, message) => {
    const { message: refused, released } = await refusedForgery(forge);
    expect(refused).toMatch(message);
    // `.env` is the first entry; with a damaged body it is begun.
    expect(released.length).toBeLessThanOrEqual(1);
  });

  test.each<[string, (at: TarItem) => TarItem]>([
    ["another path", (item) => ({ ...item, path: item.path.replace("deep/", "evil/") })],
    ["a climbing path", (item) => ({ ...item, path: item.path.replace("deep/", "../..") })],
    ["a comment instead of a path", (item) => ({ ...item, path: "a", comment: item.path.slice(0, -3) })],
  ])("says in pax %s", async (_, change) => {
    const path = `${"deep/".repeat(40)}ä`;
    const bundle = tinyBundle({ project: { [path]: "content" } });
    const forge: Forgery = (bytes, places) => {
      const place = places.get(`project/${path}`);
      if (place === undefined) throw new Error("no such entry");
      const item: TarItem = { path: `project/${path}`, type: "file", sizeBytes: 7, mode: 0o644 };
      const forged = encodeHeader(change(item), 0);
      expect(forged.length).toBe(place.bodyStart - place.headerStart);
      forged.copy(bytes, place.headerStart);
      return undefined;
    };
    expect((await refusedForgery(forge, bundle)).message).toMatch(/^bundle-entry-refused: /);
  });
});

function headerByte(path: string, offset: number): Forgery {
  return (bytes, places) => flip(bytes, (places.get(path)?.headerStart ?? Number.NaN) + offset, 1);
}

function body(path: string): Forgery {
  return (bytes, places) => flip(bytes, places.get(path)?.bodyStart ?? Number.NaN, 1);
}

function padding(path: string): Forgery {
  return (bytes, places) => flip(bytes, places.get(path)?.bodyEnd ?? Number.NaN, 1);
}

function flip(bytes: Buffer, at: number, mask: number): undefined {
  bytes[at] = (bytes[at] ?? 0) ^ mask;
}

function zero(bytes: Buffer, places: Map<string, Place>, path: string): undefined {
  const { headerStart = 0, end = 0 } = places.get(path) ?? {};
  bytes.fill(0, headerStart, end);
}

describe("an archive is refused that", () => {
  test.each<[string, Forgery, RegExp]>([
    [
      "has more behind its end",
      (bytes) => Buffer.concat([bytes, Buffer.alloc(512)]),
      /^bundle-entry-refused: .*512 bytes/,
    ],
    [
      "is followed by another",
      (bytes) => Buffer.concat([bytes, bytes]),
      /^bundle-entry-refused: .*goes on after its end/,
    ],
    [
      "lacks an entry",
      (bytes, places) => without(bytes, places, ENV),
      /^bundle-truncated: .*1024 bytes are missing/,
    ],
    [
      "has an entry more",
      (bytes, places) => doubled(bytes, places, ENV),
      /^bundle-entry-refused: .*1024 bytes too many/,
    ],
    ["has two entries swapped", swapped, /^bundle-entry-refused: .*out of order/],
    [
      "has no end",
      (bytes) => bytes.fill(1, bytes.length - 1024),
      /^digest-mismatch: .*the end of the archive/,
    ],
    ["is empty", () => Buffer.alloc(0), /^bundle-truncated: /],
    ["is only zeros", (bytes) => bytes.fill(0), /^digest-mismatch: .*header of drybag/],
    [
      "is something else",
      (bytes) => Buffer.from("hello\n".repeat(bytes.length / 6)),
      /^digest-mismatch: .*header/,
    ],
    [
      "is compressed",
      (bytes) => Buffer.concat([Buffer.from([0x1f, 0x8b]), bytes.subarray(2)]),
      /^digest-mismatch: /,
    ],
  ])("%s", async (_, forge, message) => {
    expect((await refusedForgery(forge)).message).toMatch(message);
  });

  test("is another tar", async () => {
    const archive = pack();
    archive.entry({ name: "manifest.json" }, "[]".padEnd(3000));
    archive.finalize();
    const bytes = await buffer(archive);
    const { message } = await refusedForgery(() => bytes);
    expect(message).toBe(`bundle-entry-refused: ${STEM}.tar is a tar, but not a Drybag bundle.`);
  });

  test("has a manifest of 1 GB, without reading it", async () => {
    const started = performance.now();
    const forge: Forgery = (bytes) => {
      const comment = `sha256:${"0".repeat(64)}`;
      const item: TarItem = { path: "drybag.json", type: "file", sizeBytes: 1e9, mode: 0o644, comment };
      encodeHeader(item, 0).copy(bytes);
      return undefined;
    };
    expect((await refusedForgery(forge)).message).toMatch(
      /^manifest-invalid: drybag\.json has 1000000000 bytes/,
    );
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

function without(bytes: Buffer, places: Map<string, Place>, path: string): Buffer {
  const { headerStart = 0, end = 0 } = places.get(path) ?? {};
  return Buffer.concat([bytes.subarray(0, headerStart), bytes.subarray(end)]);
}

function doubled(bytes: Buffer, places: Map<string, Place>, path: string): Buffer {
  const { headerStart = 0, end = 0 } = places.get(path) ?? {};
  return Buffer.concat([bytes.subarray(0, end), bytes.subarray(headerStart)]);
}

/** The first two files of the project change places. */
function swapped(bytes: Buffer, places: Map<string, Place>): Buffer {
  const [first, second] = [places.get(ENV), places.get("project/compose.yaml")];
  if (first === undefined || second === undefined || first.end !== second.headerStart)
    throw new Error("not neighbours");
  return Buffer.concat([
    bytes.subarray(0, first.headerStart),
    bytes.subarray(second.headerStart, second.end),
    bytes.subarray(first.headerStart, first.end),
    bytes.subarray(second.end),
  ]);
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
    expect(error).toMatchObject({ code: "bundle-entry-refused" });
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
