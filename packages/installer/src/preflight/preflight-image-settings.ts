import { type ComposeModel, type DockerContext, readComposeModel } from "@drybag/docker";
import type { Finding } from "@drybag/errors";
import { type Manifest, OFFLINE_COMPOSE_ENTRY } from "@drybag/format";
import { releaseFlags } from "../release/release-flags.ts";

/**
 * Settings that would give a service another image than the one packed: compose.offline.yaml keeps it as it is, so that the answer
 * would be passed over without a word. Compose is asked what the project's own files make of the answers, and of the defaults.
 */
export async function checkImageSettings(input: {
  docker: DockerContext;
  manifest: Manifest;
  /** Where the release's files and its `.env` are. */
  folder: string;
  projectName: string;
  answers: ReadonlyMap<string, string>;
  signal: AbortSignal;
}): Promise<Finding[]> {
  const { docker, manifest, folder, projectName, answers, signal } = input;
  const changed = changedSettings(manifest, answers);
  if (changed.length === 0) return [];
  const flags = releaseFlags(manifest, folder, projectName);
  const own = {
    ...flags,
    files: flags.files?.filter((file) => !file.endsWith(`/${OFFLINE_COMPOSE_ENTRY}`)) ?? [],
  };
  const defaults = Object.fromEntries(changed.map(({ name, packed }) => [name, packed]));
  const [answered, packed] = await Promise.all([
    readComposeModel(docker, own, { signal }),
    readComposeModel(docker, { ...own, variables: defaults }, { signal }),
  ]);
  return findChangedImages(answered, packed, changed);
}

export interface ChangedSetting {
  name: string;
  answer: string;
  /** Its default in the bundle. */
  packed: string;
}

function changedSettings({ settings }: Manifest, answers: ReadonlyMap<string, string>): ChangedSetting[] {
  return settings.flatMap(({ name, default: packed }) => {
    const answer = answers.get(name);
    return answer === undefined || packed === undefined || answer === packed
      ? []
      : [{ name, answer, packed }];
  });
}

/** Exported for its test. */
export function findChangedImages(
  answered: ComposeModel,
  packed: ComposeModel,
  changed: readonly ChangedSetting[],
): Finding[] {
  const findings = new Map<string, Finding>();
  for (const [service, { image }] of Object.entries(answered.services ?? {})) {
    const carried = packed.services?.[service]?.image;
    if (image === carried || image === undefined || carried === undefined || findings.has(image)) continue;
    const causes = changed.filter(({ answer }) => answer !== "" && image.includes(answer));
    const named = causes.length > 0 ? causes : changed;
    findings.set(image, {
      code: "image-setting-changed",
      severity: "error",
      message: `${named.map(({ name }) => name).join(" and ")} would make ${service} run ${image}, which is not in this bundle; it has ${carried}.`,
      remedy: `Leave it as it was packed (${named.map(({ name, packed }) => `--set ${name}=${packed}`).join(" ")}), or pack a bundle with that image.`,
    });
  }
  return [...findings.values()];
}
