import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { wrapPrograms } from "./wrap-programs.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lab-wrap it's-"));
  const bin = join(folder, "root/usr/bin");
  await mkdir(bin, { recursive: true });
  await mkdir(join(folder, "root/usr/lib/x86_64-linux-gnu/perl5"), { recursive: true });
  await mkdir(join(folder, "root/usr/share/perl/5.40"), { recursive: true });
  await mkdir(join(folder, "root/sbin"), { recursive: true });
  await writeFile(join(bin, "show"), '#!/bin/sh\necho "$0 $*"; env\n');
  await chmod(join(bin, "show"), 0o755);
  await symlink("show", join(bin, "show-by-other-name"));
  await symlink("/usr/bin/show", join(folder, "root/sbin/absolute"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("wrapPrograms", () => {
  it("starts a program with what was unpacked beside it", async () => {
    await wrapPrograms(folder, folder, { arguments: { show: "--first" } });
    const { stdout } = await execa(join(folder, "bin/show"), ["second word"], {
      env: { LD_LIBRARY_PATH: "/mine" },
    });
    const root = join(folder, "root");
    expect(stdout).toContain(`${root}/usr/bin/show --first second word`);
    expect(stdout).toContain(`LD_LIBRARY_PATH=${root}/usr/lib/x86_64-linux-gnu:/mine`);
    expect(stdout).toMatch(/^PERL5LIB=.*\/usr\/share\/perl\/5\.40:.*perl5$/m);
    expect(stdout).toContain(`PATH=${folder}/bin:`);
    expect(stdout).not.toContain("XTABLES_LIBDIR");
  });

  it("keeps the name of a relative link and follows an absolute one inside the root", async () => {
    await wrapPrograms(folder, folder, { aliases: { alias: "show-by-other-name" } });
    expect((await execa(join(folder, "bin/alias"))).stdout).toContain("/usr/bin/show-by-other-name");
    expect((await execa(join(folder, "bin/absolute"))).stdout).toContain(`${folder}/root/usr/bin/show`);
  });
});
