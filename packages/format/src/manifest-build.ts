/** What an image was built from. Holds no tokens and no times: the same pins give the same. */
export interface BuildProvenance {
  /** Name of the build in drybag.yaml, or of the service. */
  target: string;
  recipe?: string;
  /** Commit of the project. */
  commit?: string;
  /** The project had changes that were not committed. */
  dirty?: true;
  /** The Dockerfile, relative to the project. */
  file: string;
  args: Record<string, string>;
  baseImages: BaseImage[];
  /** Apps that a recipe put in. */
  apps: AppProvenance[];
}

/** An image that the Dockerfile begins a stage with. */
export interface BaseImage {
  reference: string;
  digest?: string;
}

export interface AppProvenance {
  name: string;
  /** Address of its git repository, without credentials. */
  repo: string;
  /** The tag or branch that was asked for. */
  ref: string;
  commit: string;
  /** What the app itself says. */
  version?: string;
}
