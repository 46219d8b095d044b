import { existsSync } from "node:fs";
import { chmod, copyFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Engine, type Lab, labDown, labStatus, labUp, readLabEnvironment, tool } from "@drybag/lab";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const environment = readLabEnvironment(process.env);
const name = "e2e-lab";
const image = "drybag-lab-probe:1";
const page = "drybag lab probe";

let lab: Lab;
let busybox: string;
let context: string;

beforeAll(async () => {
  await labDown({ name, environment });
  lab = await labUp({ name, environment, sites: [{ name: "modern", imageStore: "containerd" }] });
  busybox = await tool("busybox", { environment });
  context = await mkdtemp(join(tmpdir(), "lab-e2e-"));
  await copyFile(busybox, join(context, "busybox"));
  await chmod(join(context, "busybox"), 0o755);
  await writeFile(join(context, "index.html"), page);
  const dockerfile =
    'FROM scratch\nCOPY busybox /bin/busybox\nCOPY index.html /www/\nENTRYPOINT ["/bin/busybox"]\n';
  await writeFile(join(context, "Dockerfile"), dockerfile);
});

afterAll(async () => {
  await labDown({ name, environment });
  await rm(context, { recursive: true, force: true });
});

function engines(): Engine[] {
  return [lab.connected, ...Object.values(lab.sites)];
}

describe("a lab", () => {
  it("has engines with the image stores that were asked for, with Compose and buildx", async () => {
    const found = engines().map(({ name, role, imageStore }) => ({ name, role, imageStore }));
    expect(found).toEqual([
      { name: "connected", role: "connected", imageStore: "classic" },
      { name: "site", role: "site", imageStore: "classic" },
      { name: "modern", role: "site", imageStore: "containerd" },
    ]);
    for (const engine of engines()) {
      expect((await engine.docker(["compose", "version", "--short"])).stdout).toMatch(/^2\.\d+\./);
      expect((await engine.docker(["buildx", "version"])).exitCode).toBe(0);
    }
  });

  it("builds and runs a container on every engine", async () => {
    for (const engine of engines()) {
      await engine.docker(["build", "--quiet", "--tag", image, context]);
      const { stdout } = await engine.docker(["run", "--rm", image, "echo", engine.name]);
      expect(stdout).toBe(engine.name);
    }
  });

  it("serves a published port inside the namespace and nowhere else", async () => {
    const fetchPage = [busybox, "wget", "-q", "-O-", "http://127.0.0.1:28080/"];
    for (const engine of engines()) {
      const run = [
        "run",
        "--detach",
        "--rm",
        "--name",
        "web",
        "--publish",
        "28080:80",
        image,
        "httpd",
        "-f",
        "-h",
        "/www",
      ];
      await engine.docker(run);
      expect((await engine.exec(fetchPage)).stdout).toBe(page);
      await expect(fetch("http://127.0.0.1:28080/")).rejects.toThrow("fetch failed");
      await engine.docker(["rm", "--force", "web"]);
    }
  });

  it("pulls what was published, under its own name, and leaves no other tag", async () => {
    const id = await imageId(lab.connected);
    await lab.publish(image);
    expect(await imageTags(lab.connected)).toEqual([image]);
    await lab.connected.docker(["image", "rm", image]);
    expect(await imageTags(lab.connected)).toEqual([]);
    await lab.connected.docker(["pull", image]);
    expect(await imageId(lab.connected)).toBe(id);
  });

  it("cannot pull on a site: there is no network", async () => {
    for (const site of Object.values(lab.sites)) {
      const { exitCode, stderr } = await site.docker(["pull", "drybag-lab-other:1"], { reject: false });
      expect(exitCode).toBe(1);
      expect(stderr).toContain("network is unreachable");
    }
  });

  it("stays as it is when it is brought up again", async () => {
    const before = await processes();
    const again = await labUp({ name, environment });
    expect(Object.keys(again.sites)).toEqual(["site", "modern"]);
    expect(await processes()).toEqual(before);
  });

  it("gives a site a data root of limited size", async () => {
    const small = await lab.addSite("small", { dataRootSizeBytes: 64 * 1024 * 1024 });
    const { stdout } = await small.exec(["df", "--block-size=1", "--output=size", small.dataRoot]);
    expect(Number(stdout.split("\n")[1])).toBeLessThan(64 * 1024 * 1024);
  });
});

describe("a lab whose engine was killed", () => {
  it("says so, and is whole again after `up`, with the images it had", async () => {
    const { site } = lab;
    await site.docker(["run", "--detach", "--name", "orphan", image, "sleep", "1000"]);
    await site.docker(["run", "--detach", "--name", "paused", image, "sleep", "1000"]);
    await site.docker(["pause", "paused"]);
    const id = await imageId(site);
    process.kill(
      Number(await readFile(join(environment.stateRoot, name, "site/docker.pid"), "utf8")),
      "SIGKILL",
    );
    expect((await labStatus({ name, environment })).state).toBe("broken");

    lab = await labUp({ name, environment });
    expect((await labStatus({ name, environment })).state).toBe("up");
    expect(await imageId(lab.site)).toBe(id);
    expect((await lab.site.docker(["ps", "--quiet"])).stdout).toBe("");
    expect((await lab.site.docker(["run", "--rm", image, "echo", "healed"])).stdout).toBe("healed");
  });
});

describe("a lab that is taken down", () => {
  it("leaves no process, no mount, no namespace, no control group and no folder", async () => {
    for (const engine of engines()) {
      await engine.docker(["build", "--quiet", "--tag", image, context]);
      await engine.docker(["run", "--detach", image, "sleep", "1000"]);
    }
    expect(await traces()).toMatchObject({ folder: true });
    expect((await traces()).processes.length).toBeGreaterThan(6);

    await labDown({ name, environment });
    expect(await traces()).toEqual({ processes: [], mounts: [], namespaces: [], cgroups: [], folder: false });
    expect((await labStatus({ name, environment })).state).toBe("down");
  });

  it("can be taken down again", async () => {
    await labDown({ name, environment });
  });
});

describe("a lab whose `up` was killed", () => {
  const killed = "e2e-lab-killed";

  it.each(["starting connected", "starting site"])("while %s is taken down without a trace", async (step) => {
    await killUpAt(step);
    await labDown({ name: killed, environment });
    expect(await traces(killed)).toEqual({
      processes: [],
      mounts: [],
      namespaces: [],
      cgroups: [],
      folder: false,
    });
  });

  it("comes up the next time", async () => {
    await killUpAt("starting");
    await using again = await labUp({ name: killed, environment });
    expect((await labStatus({ name: killed, environment })).state).toBe("up");
    expect((await again.site.docker(["version"])).exitCode).toBe(0);
  });

  async function killUpAt(step: string): Promise<void> {
    const cli = fileURLToPath(new URL("../lab/src/cli.ts", import.meta.url));
    const up = execa(process.execPath, [cli, "up", "--name", killed], { reject: false });
    let progress = "";
    const reached = new Promise<void>((resolve) => {
      up.stderr.on("data", (text) => {
        progress += text;
        if (progress.includes(step)) resolve();
      });
    });
    await Promise.race([reached, up]);
    up.kill("SIGKILL");
    expect((await up).signal).toBe("SIGKILL");
  }
});

async function imageId(engine: Engine): Promise<string> {
  return (await engine.docker(["image", "inspect", "--format", "{{.Id}}", image])).stdout;
}

async function imageTags(engine: Engine): Promise<string[]> {
  const { stdout } = await engine.docker(["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]);
  return stdout.split("\n").filter((tag) => tag.includes("drybag-lab-probe"));
}

/** What could be left, looked for in other ways than the lab does. */
async function traces(lab = name) {
  const folder = join(environment.stateRoot, lab);
  const mounts = (await readFile("/proc/self/mounts", "utf8")).split("\n");
  const hierarchies = ["", ...(await readdir("/sys/fs/cgroup"))];
  return {
    processes: await processes(lab),
    mounts: mounts.filter((line) => line.includes(`${folder}/`) || line.includes(`drybag.${lab}.`)),
    namespaces: (await readdir("/var/run/netns").catch(() => [])).filter((file) =>
      file.includes(`drybag.${lab}.`),
    ),
    cgroups: hierarchies.filter((hierarchy) =>
      existsSync(join("/sys/fs/cgroup", hierarchy, "drybag-lab", lab)),
    ),
    folder: existsSync(folder),
  };
}

/** Processes that name the lab's folder, and containers that have their root in it. */
async function processes(lab = name): Promise<string[]> {
  const folder = join(environment.stateRoot, lab);
  const found: string[] = [];
  for (const pid of (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry))) {
    const argv = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    const mounts = await readFile(`/proc/${pid}/mountinfo`, "utf8").catch(() => "");
    const root = mounts.split("\n").find((line) => line.split(" ")[4] === "/");
    if (argv.includes(`${folder}/`) || root?.includes(`${folder}/`)) found.push(pid);
  }
  return found;
}
