import type { ComposeModel, ComposeService } from "@drybag/docker";

export type ImageKind = "service" | "hook" | "volume" | "build" | "build-base" | "extra";

/** One place in which a project needs an image. */
export interface ImageUse {
  /** The reference as Compose has it, variables replaced. */
  reference: string;
  kind: ImageKind;
  /** Compose builds it. */
  isBuilt: boolean;
  /** Undefined for one that drybag.yaml asks for. */
  service: string | undefined;
  profiles: string[];
}

/** Every image of the model: what services run, mount and run in hooks. A `provider` runs no image. */
export function imageUses(model: ComposeModel, extra: readonly string[] = []): ImageUse[] {
  const ofServices = Object.entries(model.services ?? {}).flatMap(([name, service]) => {
    const common = { service: name, profiles: service.profiles ?? [] };
    return [
      ...runImage(model.name, name, service).map((use) => ({ ...use, ...common })),
      ...mountedImages(service).map((reference) => ({
        reference,
        kind: "volume" as const,
        isBuilt: false,
        ...common,
      })),
      ...hookImages(service).map((reference) => ({
        reference,
        kind: "hook" as const,
        isBuilt: false,
        ...common,
      })),
    ];
  });
  const extras = extra.map((reference) => ({
    reference,
    kind: "extra" as const,
    isBuilt: false,
    service: undefined,
    profiles: [],
  }));
  return [...ofServices, ...extras];
}

/** The image that a service runs, as Compose names it: its own, or the one that Compose builds. */
export function serviceImage(projectName: string, name: string, service: ComposeService): string {
  return service.image || `${projectName}-${name}`;
}

function runImage(
  projectName: string,
  name: string,
  service: ComposeService,
): Pick<ImageUse, "reference" | "kind" | "isBuilt">[] {
  if (service.provider || !(service.image || service.build)) return [];
  const kind = service.image ? "service" : "build";
  return [{ reference: serviceImage(projectName, name, service), kind, isBuilt: Boolean(service.build) }];
}

function mountedImages(service: ComposeService): string[] {
  return (service.volumes ?? []).flatMap((mount) =>
    mount.type === "image" && mount.source ? [mount.source] : [],
  );
}

function hookImages(service: ComposeService): string[] {
  const hooks = [service.pre_start, service.post_start, service.pre_stop].flatMap((list) => list ?? []);
  return hooks.flatMap((hook) => (hook.image ? [hook.image] : []));
}
