import { compareVersions, type EngineFacts } from "@drybag/docker";
import type { Finding } from "@drybag/errors";
import type { Manifest } from "@drybag/format";

/** Whether this engine and this Compose can take the bundle. */
export function checkEngine(
  manifest: Manifest,
  engine: EngineFacts,
  composeVersion: string | undefined,
): Finding[] {
  const { requires, platform } = manifest;
  const findings: Finding[] = [];
  if (compareVersions(engine.version, requires.engine) < 0) {
    findings.push({
      code: "engine-too-old",
      severity: "error",
      message: `The Docker Engine here is ${engine.version}; this bundle needs ${requires.engine} or newer.`,
      remedy: "Upgrade Docker Engine.",
    });
  }
  if (composeVersion !== undefined && compareVersions(composeVersion, requires.compose) < 0) {
    findings.push({
      code: "compose-too-old",
      severity: "error",
      message: `Docker Compose here is ${composeVersion}; this bundle needs ${requires.compose} or newer.`,
      remedy: "Upgrade the Compose plugin of Docker.",
    });
  }
  if (engine.os !== platform.os || engine.architecture !== platform.architecture) {
    findings.push({
      code: "platform-mismatch",
      severity: "error",
      message: `The engine here runs ${engine.os}/${engine.architecture}; this bundle is for ${platform.os}/${platform.architecture}.`,
      remedy: `Pack it again with --platform ${engine.os}/${engine.architecture}, or take it to another server.`,
    });
  }
  return findings;
}
