import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { readLabEnvironment } from "@drybag/lab";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { plugInEmptyStick } from "../support/fat-stick.ts";
import { imagesOf, startInstaller } from "../support/installer.ts";
import { BIG_LAYER_MIB, COMPOSE, MIB, Refusals, VERSION } from "./refusals.ts";

let refusals: Refusals;

beforeAll(async () => {
  refusals = await Refusals.open("refuse-server", { sites: [{ name: "old", engine: "20" }] });
  await refusals.packWhole();
});

afterAll(() => refusals?.[Symbol.asyncDispose]());

describe("what does not fit the server", () => {
  test("a bundle for another architecture", async () => {
    const { site } = refusals;
    await refusals.build("refuse/arm:1", "FROM scratch\nCOPY <<EOF /x\nx\nEOF\n", [
      "--platform",
      "linux/arm64",
    ]);
    const compose = COMPOSE.replace("refuse/app:1", "refuse/arm:1");
    const foreign = await refusals.pack("arm", VERSION, { "compose.yaml": compose }, [
      "--platform",
      "linux/arm64",
    ]);
    const said = await refusals.refused(site, refusals.start(site, foreign), {
      exitCode: 6,
      before: await imagesOf(site),
    });
    expect(said).toMatch(
      /^error: The engine here runs linux\/amd64; this bundle is for linux\/arm64\. \[.*\]\n→ Pack it again/,
    );
  });

  test("a folder of stacks on a stick, or where no files can be", async () => {
    await using stick = await plugInEmptyStick(readLabEnvironment(process.env));
    const before = await imagesOf(refusals.site);
    const places = { [stick.directory]: /has no links/, "/proc": /\/proc shows the kernel/ };
    for (const [place, said] of Object.entries(places)) {
      const run = startInstaller(refusals.site, [
        "install",
        refusals.whole,
        "--yes",
        "--dir",
        path.join(place, "opt"),
      ]);
      expect(await refusals.refused(refusals.site, run, { exitCode: 6, before })).toMatch(said);
    }
  });

  test("Compose that is too old", async () => {
    const { site } = refusals;
    const config = path.join(refusals.work, "old-compose");
    await mkdir(path.join(config, "cli-plugins"), { recursive: true });
    const plugin = path.join(config, "cli-plugins", "docker-compose");
    const metadata = '{"SchemaVersion":"0.1.0","Vendor":"Docker Inc.","Version":"v2.10.0"}';
    const script = `#!/bin/sh\ncase "$*" in *metadata*) echo '${metadata}';; *) echo 2.10.0;; esac\n`;
    await writeFile(plugin, script, { mode: 0o755 });
    const run = startInstaller(site, ["install", refusals.whole, "--yes", "--dir", refusals.dirOf(site)], {
      DOCKER_CONFIG: config,
    });
    const said = await refusals.refused(site, run, { exitCode: 4, before: await imagesOf(site) });
    expect(said).toMatch(
      /^error: Docker Compose here is 2\.10\.0; this bundle needs .* or newer\. \[compose-too-old\]\n→ /,
    );
  });

  test("a container name that another container has", async () => {
    const { site } = refusals;
    const compose = COMPOSE.replace("app:\n", "app:\n    container_name: erp-web\n");
    const named = await refusals.pack("named", VERSION, { "compose.yaml": compose });
    await execa("tar", ["-cf", "-", "-T", "/dev/null"]).pipe(site.docker(["import", "-", "other:1"]));
    await site.docker(["create", "--name", "erp-web", "other:1", "sh"]);
    const before = await imagesOf(site);
    const { exitCode, stderr } = await refusals.start(site, named);
    expect(exitCode, stderr).toBe(6);
    expect(stderr).toMatch(
      /error: The container of app is to be named erp-web, and another container has that name\. \[.*\]\n→ Remove or rename it/,
    );
    expect(await imagesOf(site)).toEqual(before);
    expect((await site.docker(["ps", "--all", "--format", "{{.Names}}"])).stdout).toBe("erp-web");
    await site.docker(["rm", "erp-web"]);
    await site.docker(["rmi", "other:1"]);
  });

  test("a user who may neither use Docker nor write", async () => {
    const { site } = refusals;
    const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    const said = await refusals.refused(site, refusals.start(site, refusals.whole, { user: nobody }), {
      exitCode: 6,
      before: await imagesOf(site),
    });
    expect(said).toMatch(/^error: \d things are in the way; nothing was changed\. \[preflight-failed\]/);
    expect(said).toMatch(/Nothing can be written to .*\n.*root/);
    expect(said).toMatch(/You may not use the Docker Engine at .*\n.*root/);
  });
});

test("Docker Engine 20.10 gets its layers decompressed, and the same images", async () => {
  const site = refusals.siteNamed("old");
  expect(site.version).toMatch(/^20\.10\./);
  const { exitCode, stderr } = await refusals.start(site);
  expect(exitCode, stderr).toBe(0);
  const again = await startInstaller(site, [
    "install",
    refusals.whole,
    "--yes",
    "--json",
    "--dir",
    refusals.dirOf(site),
  ]);
  expect(again.exitCode, again.stderr).toBe(0);
  const report = JSON.parse(again.stdout) as { started: boolean; images: { id: string; loaded: boolean }[] };
  const { stdout: id } = await site.docker(["image", "inspect", "--format", "{{.Id}}", "refuse/app:1"]);
  expect(report).toMatchObject({ started: false, images: [{ id, loaded: false }] });
  const { stdout } = await site.docker(["exec", "app-app-1", "wc", "-c", "/big"]);
  expect(stdout).toBe(`${BIG_LAYER_MIB * MIB} /big`);
});
