import { LabError } from "./lab-error.ts";

export type EngineMajor = "28" | "26" | "20";
export type ImageStore = "classic" | "containerd";

/** What a caller may ask of an engine; what is left out stays as it is, or gets the default. */
export interface EngineOptions {
  imageStore?: ImageStore | undefined;
  engine?: EngineMajor | undefined;
  /** Gives the data root a file system of its own of this size. */
  dataRootSizeBytes?: number | undefined;
}

export interface EnginePlan {
  name: string;
  role: "connected" | "site";
  engine: EngineMajor;
  imageStore: ImageStore;
  dataRootSizeBytes?: number;
}

/** What a lab is: written to its folder before anything is started, so that `down` knows it after a crash. */
export interface LabPlan {
  version: 1;
  connectedHost: boolean;
  /** Name of the storage of published images. */
  registry: string;
  engines: EnginePlan[];
}

export interface LabWishes {
  name: string;
  connectedHost?: boolean | undefined;
  registry?: string | undefined;
  connected?: EngineOptions | undefined;
  site?: EngineOptions | undefined;
  sites?: readonly ({ name: string } & EngineOptions)[] | undefined;
}

/**
 * Joins what is asked for with what is there already. Engines are only ever added.
 * @throws LabError `lab-conflict` when a running engine is not the one that is asked for.
 */
export function planLab(wishes: LabWishes, recorded: LabPlan | undefined): LabPlan {
  const connectedHost =
    agree("connected side", recorded?.connectedHost, wishes.connectedHost, wishes.name) ?? false;
  const registry = agree("registry", recorded?.registry, wishes.registry, wishes.name) ?? wishes.name;
  const wanted = [
    ...(connectedHost ? [] : [{ name: "connected", ...wishes.connected }]),
    { name: "site", ...wishes.site },
    ...(wishes.sites ?? []),
  ];
  const engines = new Map((recorded?.engines ?? []).map((engine) => [engine.name, engine]));
  for (const wish of wanted) engines.set(wish.name, planEngine(wish, engines.get(wish.name), wishes.name));
  return { version: 1, connectedHost, registry, engines: [...engines.values()] };
}

function planEngine(
  wish: { name: string } & EngineOptions,
  there: EnginePlan | undefined,
  lab: string,
): EnginePlan {
  const { name } = wish;
  const engine = agree(`${name}'s engine version`, there?.engine, wish.engine, lab) ?? "28";
  const imageStore = agree(`${name}'s image store`, there?.imageStore, wish.imageStore, lab) ?? "classic";
  const size = agree(`${name}'s data root size`, there?.dataRootSizeBytes, wish.dataRootSizeBytes, lab);
  if (engine === "20" && imageStore === "containerd") {
    throw new LabError("lab-usage", "Docker Engine 20 has only the classic image store", {
      hint: "use engine 26 or 28 for the containerd image store",
    });
  }
  return {
    name,
    role: name === "connected" ? "connected" : "site",
    engine,
    imageStore,
    ...(size === undefined ? {} : { dataRootSizeBytes: size }),
  };
}

function agree<T>(what: string, there: T | undefined, wish: T | undefined, lab: string): T | undefined {
  if (there !== undefined && wish !== undefined && there !== wish) {
    throw new LabError(
      "lab-conflict",
      `lab ${lab} is there already, and its ${what} is ${there}, not ${wish}`,
      {
        hint: `take it down first (scripts/lab down --name ${lab}) or use another --name`,
      },
    );
  }
  return there ?? wish;
}
