import type { EngineTools } from "./debian/engine-tools.ts";
import { labDown } from "./down.ts";
import { type Engine, makeEngine } from "./engine/engine.ts";
import type { EngineFacts } from "./engine/engine-facts.ts";
import type { LabEnvironment } from "./lab-environment.ts";
import { LabError } from "./lab-error.ts";
import type { EnginePaths } from "./lab-paths.ts";
import type { EngineOptions, EnginePlan, LabPlan } from "./lab-plan.ts";
import { publishImage } from "./publish-image.ts";

export interface LabOptions {
  /** `default` when left out. */
  name?: string | undefined;
  environment: LabEnvironment;
  /** The machine's own Docker Engine is the connected side; it is only used, never changed. */
  connectedHost?: boolean | undefined;
  connected?: EngineOptions | undefined;
  site?: EngineOptions | undefined;
  /** Further site engines beside the one named `site`. */
  sites?: readonly ({ name: string } & EngineOptions)[] | undefined;
  /** Name of the storage of published images, the lab's own name when left out; kept by `down`. */
  registry?: string | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((line: string) => void) | undefined;
}

/** A lab that is up. Disposing of it takes it down. */
export interface Lab extends AsyncDisposable {
  name: string;
  connected: Engine;
  site: Engine;
  /** All site engines by name, `site` included. */
  sites: Readonly<Record<string, Engine>>;
  /** Puts an image of the connected engine where `docker pull` finds it. */
  publish(reference: string, signal?: AbortSignal): Promise<void>;
  /** Starts one more site engine, in a namespace of its own. */
  addSite(name: string, options?: EngineOptions): Promise<Engine>;
}

/** @param up brings the lab up with one more site. */
export function assembleLab(
  options: LabOptions,
  plan: LabPlan,
  engines: readonly Engine[],
  up: (options: LabOptions) => Promise<Lab>,
): Lab {
  const { environment, signal, onProgress } = options;
  const name = options.name ?? "default";
  const { connected, ...sites } = Object.fromEntries(engines.map((engine) => [engine.name, engine]));
  if (connected === undefined || sites.site === undefined) throw new Error("a lab lacks an engine");
  return {
    name,
    connected,
    site: sites.site,
    sites,
    async publish(reference, signal) {
      if (!plan.connectedHost) return publishImage(connected, reference, signal);
      throw new LabError("lab-publish", "this machine's own Docker has no registry to publish into", {
        hint: "bring the lab up without --connected-host",
      });
    },
    async addSite(siteName, siteOptions = {}) {
      const lab = await up({
        name,
        environment,
        signal,
        onProgress,
        sites: [{ name: siteName, ...siteOptions }],
      });
      const added = lab.sites[siteName];
      if (added === undefined) throw new Error(`the site ${siteName} is not there`);
      return added;
    },
    [Symbol.asyncDispose]: () => labDown({ name, environment }),
  };
}

export function describeLabEngine(
  plan: EnginePlan,
  paths: EnginePaths,
  facts: EngineFacts,
  tools: { engine: EngineTools; nsenter: string; path: string },
): Engine {
  return makeEngine(
    {
      name: plan.name,
      role: plan.role,
      version: facts.version,
      imageStore: facts.imageStore,
      socket: paths.socket,
      netns: paths.namespace,
      dataRoot: paths.dataRoot,
      env: {
        DOCKER_HOST: `unix://${paths.socket}`,
        DOCKER_CONFIG: paths.dockerConfig,
        PATH: `${tools.engine.bin}:${tools.path}`,
      },
    },
    tools.nsenter,
  );
}
