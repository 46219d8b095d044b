import type { ComposeModel, UnnamedVolume } from "@drybag/docker";
import type { Finding } from "@drybag/errors";
import type { BackupRules } from "@drybag/format";
import { isPlaceToKeep } from "../backup/plan-backup.ts";

/** Data that is not where one would look for it, and whether backups hold it. Pure. */
export function checkData(
  model: ComposeModel,
  unnamed: readonly UnnamedVolume[],
  rules: Partial<BackupRules> = {},
): Finding[] {
  return [...checkVolumes(model, rules), ...checkUnnamed(model, unnamed, rules)];
}

function checkVolumes(
  { volumes = {} }: ComposeModel,
  { volumes: named, exclude = [] }: Partial<BackupRules>,
): Finding[] {
  const findings: Finding[] = [];
  for (const [key, volume] of Object.entries(volumes)) {
    if (exclude.includes(key)) continue;
    if (volume?.external && !named?.includes(key)) {
      findings.push({
        code: "volume-not-backed-up",
        severity: "warning",
        message: `The volume ${volume.name ?? key} is not made by this stack ('external'), so backups do not hold it.`,
        remedy: `Name ${key} in 'backup.volumes' of drybag.yaml to have it backed up, or in 'backup.exclude' if others see to it.`,
      });
    }
    if (volume?.driver_opts?.type === "tmpfs") {
      findings.push({
        code: "volume-not-backed-up",
        severity: "info",
        message: `The volume ${key} is in memory: what is in it goes when the stack stops, and backups do not hold it.`,
      });
    }
  }
  return findings;
}

function checkUnnamed(
  { services = {} }: ComposeModel,
  unnamed: readonly UnnamedVolume[],
  rules: Partial<BackupRules>,
): Finding[] {
  const declared = Object.entries(services).flatMap(([service, { volumes = [] }]) =>
    volumes
      .filter(({ type, source }) => type === "volume" && !source)
      .map(({ target }) => ({ service, number: 1, target })),
  );
  const findings: Finding[] = [];
  for (const isKept of [true, false]) {
    const places = [...declared, ...unnamed].filter((place) => isPlaceToKeep(place, rules) === isKept);
    const names = [...new Set(places.map(({ service, target }) => `${service}:${target}`))].sort();
    if (names.length === 0) continue;
    findings.push({
      code: "volume-unnamed",
      severity: "info",
      message: `Volumes without a name: ${names.join(", ")}. Backups ${isKept ? "hold them" : "do not hold them"}.`,
      remedy: "'docker compose down' by hand would leave them behind: use named volumes for data.",
    });
  }
  return findings;
}
