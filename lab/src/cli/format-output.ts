import type { EngineStatus, LabStatus } from "../status.ts";

export const help = `scripts/lab up|down|status|env|exec|publish|tool [options]

  up                       bring a lab up: a connected engine with a registry, and a site engine without a network
  down                     end and delete it
  status                   show its engines; exit code 3 when it is not up
  env ENGINE               print lines for eval: DOCKER_HOST, DOCKER_CONFIG, PATH
  exec ENGINE -- COMMAND   run a command in the engine's network namespace and environment
  publish IMAGE...         put images of the connected engine where docker pull finds them
  tool PROGRAM             print the path of a program, unpacked from Debian's packages if need be

  --name NAME              which lab (default: default)
  --image-store STORE      classic or containerd, for the site engine (default: classic)
  --engine VERSION         28, 26 or 20, for the site engine (default: 28)
  --site NAME              the two above are for this site engine, which is added (default: site)
  --connected-host         this machine's own Docker Engine is the connected side
  --json                   machine-readable output
  --purge                  with down: also forget published images and, if no other lab is there, the engines

ENGINE is connected, site, or a name given with --site.`;

export function formatUp(status: LabStatus): string {
  const name = status.name === "default" ? "" : ` --name ${status.name}`;
  return `${formatStatus(status)}

Use it:
  eval "$(scripts/lab env connected${name})"      docker and docker compose on the connected side
  scripts/lab exec site${name} -- docker ps       one command on the air-gapped side, in its namespace
  scripts/lab down${name}                         end and delete it`;
}

export function formatStatus(status: LabStatus): string {
  if (status.state === "down") return `lab ${status.name}: down`;
  const header = ["ENGINE", "VERSION", "IMAGE STORE", "STATE", "DATA", "NAMESPACE", "SOCKET"];
  const rows = [header, ...status.engines.map(formatRow)];
  const widths = header.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return [`lab ${status.name}: ${status.state}`, ...lines].join("\n");
}

export function formatEnvironment(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'`)
    .join("\n");
}

function formatRow(engine: EngineStatus): string[] {
  return [
    engine.name,
    engine.version,
    engine.imageStore,
    engine.running ? "running" : "not running",
    engine.dataRootSizeBytes === undefined ? "-" : `${Math.round(engine.dataRootSizeBytes / 2 ** 20)} MiB`,
    engine.netns ?? "-",
    engine.socket,
  ];
}
