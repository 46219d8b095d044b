export type * from "./manifest.ts";
export * from "./names.ts";
