import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseTrustedSigners } from "@drybag/format";
import { expect, test } from "vitest";
import { pinSigner, readPinnedSigner } from "./pinned-signer.ts";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBERERERERERERERERERERERERERERERERERERERERER";

test("a key is read back as it was pinned, and only its owner may read it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "drybag-pin-"));
  try {
    const path = join(folder, "signer.pub");
    expect(await readPinnedSigner(path)).toBeUndefined();
    const [signer] = parseTrustedSigners(KEY, "test", new Date());
    if (!signer) throw new Error("no key");
    await pinSigner(path, signer);
    expect(await readPinnedSigner(path)).toMatchObject(signer);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  } finally {
    await rm(folder, { recursive: true });
  }
});
