import { createHash } from "node:crypto";
import { buffer } from "node:stream/consumers";
import type { Engine } from "@drybag/lab";
import { extract, pack } from "tar-stream";

/** As the engine writes it into archives. */
const CAPABILITY = "SCHILY.xattr.security.capability";

/** A file, links of both kinds, an owner, modes, a capability and times, as a database or a package manager would have them. */
export async function fillFolder(engine: Engine, container: string, folder: string): Promise<void> {
  const tar = pack();
  const mtime = new Date(1_700_000_000_000);
  const owner = { uid: 999, gid: 998, mtime };
  const capability = {
    [CAPABILITY]: "\u0001\0\0\u0002\0\u0004\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
  };
  tar.entry({ name: "file", ...owner, mode: 0o640, pax: capability }, `content of ${folder}`);
  tar.entry({ name: "deep", type: "directory", ...owner, mode: 0o2750 });
  tar.entry({ name: "deep/.hidden", ...owner, mode: 0o4755 }, "");
  tar.entry({ name: "deep/hard", type: "link", linkname: "file", ...owner, mode: 0o640, pax: capability });
  tar.entry({ name: "soft", type: "symlink", linkname: "deep/nowhere", ...owner });
  tar.finalize();
  const input = await buffer(tar as AsyncIterable<Buffer>);
  await engine.docker(["cp", "-", `${container}:${folder}`], { input });
  await engine.docker(["exec", container, "sh", "-c", `chown 999:998 ${folder}; chmod 1770 ${folder}`]);
}

/** All that the engine tells of a folder. */
export async function listFolder(engine: Engine, container: string, folder: string): Promise<object[]> {
  const { stdout } = await engine.docker(["cp", `${container}:${folder}`, "-"], { encoding: "buffer" });
  const tar = extract();
  tar.end(stdout as unknown as Buffer);
  const entries: object[] = [];
  for await (const entry of tar) {
    const { name, type, mode, uid, gid, linkname, mtime, pax } = entry.header;
    const hash = createHash("sha256");
    for await (const chunk of entry) hash.update(chunk as Buffer);
    const capability = Object.entries(pax ?? {}).find(([key]) => key === CAPABILITY)?.[1] ?? null;
    // The engine gives folders that it fills from an image new times.
    const time = folder === "/seed" && type === "directory" ? null : mtime;
    entries.push({ name, type, mode, uid, gid, linkname, time, capability, content: hash.digest("hex") });
  }
  return entries;
}
