import { Readable, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { type DockerContext, inspectImageJson, readHistory, saveImages } from "@drybag/docker";
import { extract } from "tar-stream";
import { base64Forms, isSecret } from "../git/redact.ts";
import { layerEncoding } from "../stage/read-saved-archive.ts";

/** A place in an image where a token can be read. */
export interface TokenPlace {
  /** E.g. `the history`, `the file home/frappe/.git/config`. */
  place: string;
}

/**
 * Looks for secrets in all of an image: its history, its configuration (environment, labels, commands), and every file of every layer,
 * also of those that a later layer deletes. Compressed files inside layers are not opened.
 */
export async function findTokens(
  docker: DockerContext,
  reference: string,
  secrets: readonly string[],
  signal: AbortSignal,
): Promise<TokenPlace[]> {
  const needles = needlesOf(secrets);
  if (needles.length === 0) return [];
  const places: TokenPlace[] = [];
  const look = (place: string, text: string) => {
    if (needles.some((needle) => text.includes(needle.toString()))) places.push({ place });
  };
  look("the history", (await readHistory(docker, reference, { signal })).join("\n"));
  look("the environment, the labels or the commands", await inspectImageJson(docker, reference, { signal }));
  const { archive, done, close } = await saveImages(docker, [reference], { signal });
  try {
    places.push(...(await searchArchive(Readable.from(copies(archive)), needles, signal)));
    await done;
  } finally {
    close();
  }
  return places;
}

/** A piece of the archive is good until the next one is asked for; tar-stream holds several. */
async function* copies(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  for await (const piece of pieces) yield Buffer.from(piece);
}

/** A token as it is, as it stands in an address, and in base64. */
function needlesOf(secrets: readonly string[]): Buffer[] {
  const forms = secrets
    .filter(isSecret)
    .flatMap((secret) => [secret, encodeURIComponent(secret), ...base64Forms(secret)]);
  return [...new Set(forms)].map((form) => Buffer.from(form));
}

/** More places of one kind help nobody. */
const MOST_PLACES = 20;

/** Every file of an archive of `docker save`, and of the layers in it. */
export async function searchArchive(
  archive: Readable,
  needles: readonly Buffer[],
  signal: AbortSignal,
): Promise<TokenPlace[]> {
  const places: TokenPlace[] = [];
  const tar = extract();
  const copied = pipeline(archive, tar, { signal });
  copied.catch(() => undefined);
  for await (const entry of tar) {
    if (entry.header.type !== "file") {
      entry.resume();
      continue;
    }
    for (const file of await searchEntry(entry as AsyncIterable<Buffer>, needles, signal)) {
      if (places.length < MOST_PLACES) places.push({ place: `the file ${file}` });
    }
  }
  await copied;
  return places;
}

/** Names of the files in a layer that hold one. */
async function searchEntry(
  entry: AsyncIterable<Buffer>,
  needles: readonly Buffer[],
  signal: AbortSignal,
): Promise<string[]> {
  const { head, body } = await peek(entry);
  const encoding = layerEncoding(head);
  if (encoding === undefined) {
    // What stands in the image's configuration has been looked at.
    body.resume();
    return [];
  }
  const layer = extract();
  const stages = encoding === "none" ? [] : [encoding === "gzip" ? createGunzip() : createZstdDecompress()];
  const copied = pipeline([body, ...stages, layer] as unknown as [Readable, Transform], { signal });
  copied.catch(() => undefined);
  const found: string[] = [];
  for await (const file of layer) {
    if (await holdsAny(file as AsyncIterable<Buffer>, needles)) found.push(file.header.name);
  }
  await copied;
  return found;
}

/** The bytes that tell what an entry is: tar's magic stands at 257. */
const HEAD_BYTES = 512;

/** The first bytes of an entry, and all of it. */
async function peek(entry: AsyncIterable<Buffer>): Promise<{ head: Buffer; body: Readable }> {
  const chunks = entry[Symbol.asyncIterator]();
  let first: Buffer = Buffer.alloc(0);
  while (first.length < HEAD_BYTES) {
    const next = await chunks.next();
    if (next.done) break;
    first = Buffer.concat([first, next.value]);
  }
  async function* all() {
    yield first;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
  }
  return { head: first.subarray(0, HEAD_BYTES), body: Readable.from(all(), { objectMode: false }) };
}

/** Looks for them across the borders of chunks too. */
async function holdsAny(chunks: AsyncIterable<Buffer>, needles: readonly Buffer[]): Promise<boolean> {
  const overlap = Math.max(...needles.map((needle) => needle.length)) - 1;
  let rest = Buffer.alloc(0);
  let found = false;
  for await (const chunk of chunks) {
    if (found) continue;
    const text = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    found = needles.some((needle) => text.includes(needle));
    rest = Buffer.from(text.subarray(Math.max(0, text.length - overlap)));
  }
  return found;
}
