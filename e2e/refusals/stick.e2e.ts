import { chmod, cp, rename, truncate } from "node:fs/promises";
import path from "node:path";
import { readLabEnvironment } from "@drybag/lab";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { plugInFatStick } from "../support/fat-stick.ts";
import { holdingLoads, imagesOf, letGo, untilLoadHeld } from "../support/installer.ts";
import { COMPOSE, MIB, Refusals, VERSION } from "./refusals.ts";

let refusals: Refusals;
let inParts: string;

beforeAll(async () => {
  refusals = await Refusals.open("refuse-stick");
  await refusals.packWhole();
  inParts = await refusals.pack("parted", VERSION, { "compose.yaml": COMPOSE }, ["--part-size", "20M"]);
});

afterAll(() => refusals?.[Symbol.asyncDispose]());

describe("a stick", () => {
  test("with a part missing", async () => {
    const { site } = refusals;
    const part = path.join(inParts, "parted-20260101.tar.002");
    await rename(part, `${part}.away`);
    const said = await refusals.refused(site, refusals.start(site, inParts), {
      exitCode: 5,
      before: await imagesOf(site),
    });
    await rename(`${part}.away`, part);
    expect(said).toMatch(
      /^error: parted-20260101\.tar\.002 is missing in .* \[bundle-part-missing\]\n→ Copy it/,
    );
  });

  test("with a file that may not be read", async () => {
    const { site } = refusals;
    const part = path.join(inParts, "parted-20260101.tar.002");
    await chmod(part, 0);
    // Root reads everything otherwise.
    const obedient = ["--bounding-set", "--inh-caps"].map((set) => `${set}=-dac_override,-dac_read_search`);
    const said = await refusals.refused(
      site,
      refusals.start(site, inParts, { user: ["setpriv", ...obedient] }),
      {
        exitCode: 5,
        before: await imagesOf(site),
      },
    );
    await chmod(part, 0o644);
    expect(said).toMatch(
      /^error: .*\.002 may not be read by this user\. \[bundle-unreadable\]\n→ Run .* as root/,
    );
  });

  test("whose file is cut while it is read", async () => {
    const { site } = refusals;
    const copy = path.join(refusals.work, "cut");
    await cp(refusals.whole, copy, { recursive: true });
    const before = await imagesOf(site);
    const run = refusals.start(site, copy, { env: holdingLoads(site) });
    const client = await untilLoadHeld(run);
    await truncate(path.join(copy, `app-${VERSION}.tar`), 40 * MIB);
    letGo(client);
    const said = await refusals.refused(site, run, { exitCode: 5, before });
    expect(said).toMatch(
      /^error: .*app-20260101\.tar changed while it was being read\. \[bundle-unreadable\]\n→ /,
    );
  });

  test("that is pulled in the middle", async () => {
    const { site } = refusals;
    await using stick = await plugInFatStick(refusals.whole, readLabEnvironment(process.env));
    const before = await imagesOf(site);
    const folder = path.join(stick.directory, path.basename(refusals.whole));
    const run = refusals.start(site, folder, { env: holdingLoads(site) });
    const client = await untilLoadHeld(run);
    await stick.pull();
    letGo(client);
    const said = await refusals.refused(site, run, { exitCode: 5, before });
    expect(said).toMatch(
      /^error: The drive could not read .*app-20260101\.tar\. \[bundle-unreadable\]\n→ Was the stick/,
    );
  });
});
