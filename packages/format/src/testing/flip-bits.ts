import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDrybagError } from "@drybag/errors";
import { expect } from "vitest";
import { openBundle } from "../open-bundle.ts";
import { serializeManifest } from "../parse-manifest.ts";
import { randomNumbers } from "./random-numbers.ts";
import type { TestSigner } from "./ssh-signer.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { tinyBundle } from "./tiny-bundle.ts";
import { archiveBytes, placeArchive, readAll } from "./written-bundle.ts";

export interface FlipOptions {
  rounds: number;
  seed: number;
  checksums: boolean;
  signer?: TestSigner;
}

/**
 * Flips one bit of a small bundle in parts, again and again, and expects each to be refused, the right part to be named (and no other
 * where there is SHA256SUMS), and no damaged body to come out whole.
 */
export async function expectFlipsRefused({ rounds, seed, ...options }: FlipOptions): Promise<void> {
  await using folder = await temporaryFolder();
  const partSizeBytes = 30_001;
  const bundle = tinyBundle({ layerSizes: [70_000, 3000, 1] });
  const signature = options.signer?.sign(serializeManifest(bundle.manifest));
  const bytes = await archiveBytes(folder.path, bundle, signature);
  const names = await placeArchive(folder.path, bytes, { partSizeBytes, ...options });
  const random = randomNumbers(seed);

  for (let round = 0; round < rounds; round++) {
    const at = random(bytes.length);
    const mask = 1 << random(8);
    const part = Math.floor(at / partSizeBytes);
    const name = names[part] ?? "";
    const place = `byte ${at} ^ ${mask}, in ${name}`;
    const writePart = () =>
      writeFile(join(folder.path, name), bytes.subarray(part * partSizeBytes, (part + 1) * partSizeBytes));
    bytes[at] = (bytes[at] ?? 0) ^ mask;
    await writePart();

    const { error, released } = await openBundle(folder.path).then(readAll, (error) => ({
      error,
      released: [],
    }));
    if (!isDrybagError(error)) throw new Error(`not refused: ${place}`, { cause: error });
    const named = names.filter((one) => error.message.includes(one));
    expect(named, `${place}: ${error.message}`).toContain(name);
    if (options.checksums) expect(named, place).toEqual([name]);
    for (const { entry, bytes } of released) {
      const good = bundle.contents.get(entry.path) ?? Buffer.alloc(0);
      // A body shorter than it should be has not come out whole.
      expect(bytes.equals(good) || bytes.length < good.length, `${place}: ${entry.path}`).toBe(true);
    }
    const last = bundle.manifest.entries.at(-1);
    expect(released.at(-1)?.bytes.length === 1 && released.at(-1)?.entry.path === last?.path, place).toBe(
      false,
    );

    bytes[at] = (bytes[at] ?? 0) ^ mask;
    await writePart();
  }
  expect((await readAll(await openBundle(folder.path))).error).toBeUndefined();
}
