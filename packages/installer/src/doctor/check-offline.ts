import type { ComposeModel } from "@drybag/docker";
import type { Finding } from "@drybag/errors";
import type { Manifest } from "@drybag/format";

/** Whether anything in the project as Compose reads it here would reach for a network, or run another image than the bundle's. Pure. */
export function checkOffline(model: ComposeModel, manifest: Manifest): Finding[] {
  return Object.entries(model.services ?? {}).flatMap(([name, service]) => {
    if (service.provider !== undefined) return [];
    const packed = manifest.services.find((each) => each.name === name)?.image;
    const reasons = [
      ...(service.pull_policy === "never" ? [] : [`pull_policy is ${service.pull_policy ?? "not set"}`]),
      ...(service.build ? ["it would be built"] : []),
      ...(service.image === packed
        ? []
        : [`its image is ${service.image ?? "none"}, not ${packed ?? "one of the bundle"}`]),
    ];
    if (reasons.length === 0) return [];
    return [
      {
        code: "not-offline",
        severity: "error" as const,
        message: `${name} is not bound to the images of the bundle: ${reasons.join("; ")}.`,
        remedy:
          "Remove the release's compose.offline.yaml and install the bundle again: it puts the packed one back.",
      },
    ];
  });
}
