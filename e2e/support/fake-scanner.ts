import { writeFile } from "node:fs/promises";
import path from "node:path";

export interface FakeFinding {
  id: string;
  /** As Trivy writes it, in any case. */
  severity: string;
  fixed?: string;
}

/**
 * Writes a program `trivy` that knows the part of Trivy's command line that its documentation promises, looks whether it was given an
 * archive of a single image, and finds the same in each. Trivy itself cannot be installed where the tests run.
 */
export async function writeFakeTrivy(folder: string, findings: readonly FakeFinding[]): Promise<void> {
  const program = `#!${process.execPath}\n(${trivy})(${JSON.stringify(findings)});\n`;
  await writeFile(path.join(folder, "trivy"), program, { mode: 0o755 });
}

/** Plain JavaScript: it is written into a file of its own. */
const trivy = `(findings) => {
  const { execFileSync } = require("node:child_process");
  const argv = process.argv.slice(2);
  const value = (flag) => argv[argv.indexOf(flag) + 1];
  if (argv.join(" ") === "version --format json") return console.log('{"Version":"0.99.1"}');
  if (argv[0] !== "image" || value("--format") !== "json") throw new Error("unknown command: " + argv.join(" "));
  const images = JSON.parse(execFileSync("tar", ["-xOf", value("--input"), "manifest.json"]));
  if (images.length !== 1) throw new Error("tarball must contain only a single image");
  for (const layer of images[0].Layers) {
    const content = execFileSync("tar", ["-xOf", value("--input"), layer]);
    execFileSync("tar", ["-t"], { input: content });
  }
  const Vulnerabilities = findings.map(({ id, severity, fixed }) => ({
    VulnerabilityID: id, PkgName: "libx", InstalledVersion: "1.0", FixedVersion: fixed, Severity: severity.toUpperCase(),
  }));
  const report = { SchemaVersion: 2, ArtifactName: images[0].RepoTags[0], Results: [{ Target: "libx", Vulnerabilities }] };
  require("node:fs").writeFileSync(value("--output"), JSON.stringify(report));
}`;
