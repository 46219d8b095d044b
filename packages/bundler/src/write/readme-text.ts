import { CHECKSUMS_FILE, type Manifest, OFFLINE_COMPOSE_ENTRY, OFFLINE_ENV_ENTRY } from "@drybag/format";

/** README.txt of a carry folder: all that a person needs who has no other document, with our installer or without. */
export function readmeText(manifest: Manifest, tarParts: readonly string[]): string {
  const { name, version, platform, project, settings } = manifest;
  const required = settings.filter((setting) => setting.required);
  const tar = tarParts.length === 1 ? String(tarParts[0]) : `${tarParts[0]?.replace(/\.001$/, "")}.*`;
  const generated = [
    OFFLINE_COMPOSE_ENTRY,
    ...(project.envFiles.includes(OFFLINE_ENV_ENTRY) ? [OFFLINE_ENV_ENTRY] : []),
  ];
  const compose = [
    "docker compose",
    `--project-name ${name}`,
    `--project-directory ${quote(project.directory)}`,
    ...[...project.composeFiles, OFFLINE_COMPOSE_ENTRY].map((file) => `--file ${quote(file)}`),
    ...project.envFiles.map((file) => `--env-file ${quote(file)}`),
    ...project.profiles.map((profile) => `--profile ${quote(profile)}`),
  ].join(" \\\n      ");
  return `${title(`${name} ${version}`)}
This folder installs the stack "${name}" on a server that has Docker and no
network. It was made for ${platform.os}/${platform.architecture}. Nothing is downloaded.

${title("Install")}
On the server, as root, with this folder on a stick or disk:

    sh install.sh

It checks everything, asks what it needs, loads the images, starts the stack
and waits until it is healthy. "sh install.sh --help" shows more. Running it
again does no harm.
${required.length === 0 ? "" : `\nIt will ask for:\n\n${required.map((setting) => `    ${setting.name}`).join("\n")}\n`}
${title("Check only")}
    sh install.sh verify

or, without any program of ours:

    sha256sum -c ${CHECKSUMS_FILE}

${title("Install by hand")}
If the installer cannot be used: Docker 23.0 or later and Compose
${manifest.requires.compose} or later are enough. In this folder:

    sha256sum -c ${CHECKSUMS_FILE}
    cat ${quote(tar)} | docker load
    mkdir -p /opt/${name}
    cat ${quote(tar)} | tar -x -C /opt/${name} project ${generated.join(" ")}
    cd /opt/${name}
${required.map((setting) => `    export ${setting.name}=...\n`).join("")}    ${compose} \\
      up --detach --pull never --no-build

${title("What is inside")}
Images:

${manifest.images.map((image) => `    ${image.tag}`).join("\n")}

The tar is a Docker image archive and an OCI image layout at once; its first
entry, drybag.json, lists every file in it with its size and sha256.
`;
}

function title(text: string): string {
  return `${text}\n${"=".repeat(text.length)}\n`;
}

/** For a POSIX shell; `*` is left to it. */
function quote(text: string): string {
  return /^[A-Za-z0-9._/:*@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
