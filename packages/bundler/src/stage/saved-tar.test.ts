import { type Pack, pack } from "tar-stream";
import { expect, test } from "vitest";
import { readTar } from "./saved-tar.ts";

async function tarOf(fill: (tar: Pack) => void): Promise<Buffer> {
  const tar = pack();
  fill(tar);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** In pieces of one size, all in the same memory. */
async function* inPieces(bytes: Buffer, sizeBytes: number): AsyncGenerator<Buffer> {
  const memory = Buffer.alloc(sizeBytes);
  for (let at = 0; at < bytes.length; at += sizeBytes) {
    const copied = bytes.copy(memory, 0, at, at + sizeBytes);
    yield memory.subarray(0, copied);
  }
}

async function read(archive: AsyncIterable<Buffer>) {
  const found: { name: string; type: string; linkName: string; text: string }[] = [];
  for await (const { name, type, linkName, body } of readTar(archive)) {
    let text = "";
    for await (const piece of body) text += piece.toString();
    found.push({ name, type, linkName, text });
  }
  return found;
}

const long = `${"folder/".repeat(60)}ä`;
const archive = await tarOf((tar) => {
  tar.entry({ name: "blobs/", type: "directory" });
  tar.entry({ name: "one" }, "1".repeat(1000));
  tar.entry({ name: `${"p".repeat(80)}/${"n".repeat(80)}` }, "prefix");
  tar.entry({ name: long }, "pax");
  tar.entry({ name: "link", type: "symlink", linkname: long });
  tar.entry({ name: "empty" }, "");
});

test.each([1, 100, 512, 700, 10_000])("entries come out of pieces of %d bytes", async (sizeBytes) => {
  expect(await read(inPieces(archive, sizeBytes))).toEqual([
    { name: "blobs/", type: "5", linkName: "", text: "" },
    { name: "one", type: "0", linkName: "", text: "1".repeat(1000) },
    { name: `${"p".repeat(80)}/${"n".repeat(80)}`, type: "0", linkName: "", text: "prefix" },
    { name: long, type: "0", linkName: "", text: "pax" },
    { name: "link", type: "2", linkName: long, text: "" },
    { name: "empty", type: "0", linkName: "", text: "" },
  ]);
});

test("a body that is left early, or not read at all, is passed over", async () => {
  const names: string[] = [];
  for await (const { name, body } of readTar(inPieces(archive, 700))) {
    names.push(name);
    if (name === "one") for await (const _ of body) break;
  }
  expect(names).toHaveLength(6);
});

test("sizes of more than eleven octal digits are understood, in pax and as GNU writes them", async () => {
  const header = Buffer.from(archive.subarray(512, 1024));
  const withSize = (write: (header: Buffer) => void) => {
    const changed = Buffer.from(header);
    write(changed);
    changed.write("        ", 148);
    const sum = changed.reduce((total, byte) => total + byte, 0);
    changed.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return changed;
  };
  const gnu = withSize((changed) => {
    changed.fill(0, 124, 136);
    changed[124] = 0x80;
    changed.writeBigUInt64BE(9_000_000_000n, 128);
  });
  for await (const { sizeBytes, body } of readTar(inPieces(gnu, 512))) {
    expect(sizeBytes).toBe(9_000_000_000);
    await expect(body.next()).rejects.toMatchObject({ code: "docker-failed" });
    break;
  }
});

test.each<[string, (bytes: Buffer) => Buffer]>([
  ["is cut inside a body", (bytes) => bytes.subarray(0, 1200)],
  ["is cut behind a body", (bytes) => bytes.subarray(0, 2048)],
  ["is empty", () => Buffer.alloc(0)],
  ["is something else", () => Buffer.from("Error response from daemon\n".repeat(100))],
])("an archive that %s is refused", async (_, damage) => {
  await expect(read(inPieces(damage(archive), 512))).rejects.toMatchObject({ code: "docker-failed" });
});
