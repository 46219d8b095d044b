import { chmod, writeFile } from "node:fs/promises";
import path from "node:path";

/** What a fake scanner finds, by the severity as the scanner writes it. */
export interface FakeFinding {
  id: string;
  severity: string;
  fixed?: string;
}

/**
 * Writes a program that takes the command line of a scanner as its documentation says, looks whether the archive is one of a single
 * image, and writes a report of the scanner's form. It stands in for Trivy and Grype, which cannot be installed where tests run.
 */
export async function writeFakeScanner(
  folder: string,
  name: "trivy" | "grype",
  findings: readonly FakeFinding[],
): Promise<void> {
  const file = path.join(folder, name);
  await writeFile(
    file,
    `#!${process.execPath}\n${name === "trivy" ? TRIVY : GRYPE}\n(${PROGRAM})(${JSON.stringify(findings)});\n`,
  );
  await chmod(file, 0o755);
}

const TRIVY = `
const options = (argv) => {
  if (argv.join(" ") === "version --format json") return { version: { Version: "0.99.1" } };
  const value = (flag) => argv[argv.indexOf(flag) + 1];
  const isKnown = argv[0] === "image" && value("--format") === "json" && value("--scanners") === "vuln";
  return isKnown ? { archive: value("--input"), output: value("--output") } : undefined;
};
const report = (tag, findings) => ({
  SchemaVersion: 2, ArtifactName: tag, ArtifactType: "container_image",
  Results: findings.length === 0 ? undefined : [{ Target: tag, Class: "os-pkgs", Type: "alpine", Vulnerabilities: findings.map((each) => ({
    VulnerabilityID: each.id, PkgName: "libx", InstalledVersion: "1.0", FixedVersion: each.fixed, Severity: each.severity.toUpperCase(),
  })) }],
});`;

const GRYPE = `
const options = (argv) => {
  if (argv.join(" ") === "version --output json") return { version: { application: "grype", version: "0.88.0" } };
  const value = (flag) => argv[argv.indexOf(flag) + 1];
  const archive = /^docker-archive:(.+)$/.exec(argv[0])?.[1];
  return archive && value("--output") === "json" ? { archive, output: value("--file") } : undefined;
};
const report = (tag, findings) => ({
  matches: findings.map((each) => ({
    vulnerability: { id: each.id, severity: each.severity, fix: { versions: each.fixed ? [each.fixed] : [], state: "unknown" } },
    artifact: { name: "libx", version: "1.0", type: "apk" },
  })),
  descriptor: { name: "grype", version: "0.88.0" },
});`;

const PROGRAM = `(findings) => {
  const { execFileSync } = require("node:child_process");
  const { writeFileSync } = require("node:fs");
  const chosen = options(process.argv.slice(2));
  if (chosen === undefined) {
    console.error("unknown command or flag: " + process.argv.slice(2).join(" "));
    process.exit(1);
  }
  if (chosen.version) return console.log(JSON.stringify(chosen.version));
  if (process.env.FAKE_SCANNER_FAILS) {
    console.error("FATAL failed to download vulnerability DB");
    process.exit(1);
  }
  const images = JSON.parse(execFileSync("tar", ["-xOf", chosen.archive, "manifest.json"]));
  if (images.length !== 1) {
    console.error("tarball must contain only a single image");
    process.exit(1);
  }
  for (const layer of images[0].Layers) execFileSync("tar", ["-tf", chosen.archive, layer]);
  writeFileSync(chosen.output, JSON.stringify(report(images[0].RepoTags?.[0], findings)));
}`;
