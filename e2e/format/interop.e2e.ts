import { readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { readLabEnvironment, tool } from "@drybag/lab";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectImages, HelloGap, type Packed } from "../support/pack-hello.ts";

let gap: HelloGap;
let work: string;
let key: string;
/** Signed, in one file. */
let whole: Packed;

beforeAll(async () => {
  gap = await HelloGap.open("interop", {
    site: { imageStore: "classic" },
    sites: [{ name: "modern", imageStore: "containerd" }],
  });
  ({ work } = gap);
  key = await gap.makeKey("jane");
  whole = await gap.packHello("whole", ["--sign", key]);
});

afterAll(() => gap?.[Symbol.asyncDispose]());

describe.each(["site", "modern"])("other programs read a bundle: the engine '%s'", (name) => {
  test("docker load takes the tar as it is", async () => {
    const site = gap.siteNamed(name);
    await site.docker(["load", "--input", whole.tar]);
    await expectImages(site, whole.manifest);
  });

  test("docker load takes its parts from cat", async () => {
    const site = gap.siteNamed(name);
    const parts = await gap.packHello(`parts-${name}`, ["--part-size", "1M"]);
    await site.docker(["image", "rm", "--force", ...whole.manifest.images.map((image) => image.tag)]);
    await site.exec(["sh", "-c", 'cat "$0"/*.tar.* | docker load', parts.directory]);
    await expectImages(site, whole.manifest);
  });
});

describe("other programs read a bundle", () => {
  test("skopeo inspects and copies it as an OCI archive and as a Docker archive", async () => {
    const skopeo = await tool("skopeo", { environment: readLabEnvironment(process.env) });
    for (const image of whole.manifest.images) {
      const source = `oci-archive:${whole.tar}:docker.io/${image.tag}`;
      const { stdout } = await execa(skopeo, ["inspect", "--raw", source]);
      expect(JSON.parse(stdout)).toMatchObject({ config: { digest: image.configDigest } });
      const copy = path.join(work, "copied");
      await execa(skopeo, ["copy", "--insecure-policy", source, `dir:${copy}`]);
      expect(JSON.parse(await readFile(path.join(copy, "manifest.json"), "utf8"))).toMatchObject({
        config: { digest: image.configDigest },
      });
      await execa(skopeo, ["inspect", `docker-archive:${whole.tar}:${image.tag}`]);
    }
  });

  test("sha256sum -c and ssh-keygen -Y verify agree", async () => {
    const { directory } = whole;
    await execa("sha256sum", ["--quiet", "--check", "SHA256SUMS"], { cwd: directory });
    const allowed = path.join(work, "allowed_signers");
    await writeFile(allowed, `jane@example.com namespaces="drybag" ${await readFile(`${key}.pub`, "utf8")}`);
    const manifest = await execa("tar", ["-xOf", whole.tar, "drybag.json"], {
      encoding: "buffer",
      stripFinalNewline: false,
    });
    const signature = path.join(work, "drybag.json.sig");
    await writeFile(signature, (await execa("tar", ["-xOf", whole.tar, "drybag.json.sig"])).stdout);
    for (const [file, message] of [
      [path.join(directory, "SHA256SUMS.sig"), await readFile(path.join(directory, "SHA256SUMS"))],
      [signature, Buffer.from(manifest.stdout)],
    ] as const) {
      const verify = ["-Y", "verify", "-f", allowed, "-I", "jane@example.com", "-n", "drybag", "-s", file];
      await execa("ssh-keygen", verify, { input: message });
    }
    expect((await gap.drybag(["verify", directory, "--allowed-signers", allowed])).exitCode).toBe(0);
  });

  test("export gives plain layers to engines that know no zstd, and an OCI layout to skopeo", async () => {
    const site = gap.site;
    const archive = path.join(work, "plain.tar");
    expect(await gap.drybag(["export", whole.directory, "--docker-archive", archive])).toMatchObject({
      exitCode: 0,
    });
    await site.docker(["image", "rm", "--force", ...whole.manifest.images.map((image) => image.tag)]);
    await site.docker(["load", "--input", archive]);
    await expectImages(site, whole.manifest);
    const { stdout } = await execa("tar", ["-tf", archive]);
    expect(stdout).not.toMatch(/zst/);
    const layout = path.join(work, "layout");
    expect(await gap.drybag(["export", whole.directory, "--oci", layout])).toMatchObject({ exitCode: 0 });
    const skopeo = await tool("skopeo", { environment: readLabEnvironment(process.env) });
    await execa(skopeo, ["inspect", `oci:${layout}:docker.io/${whole.manifest.images[0]?.tag}`]);
    await expect(stat(`${layout}.partial`)).rejects.toThrow();
  });
});
