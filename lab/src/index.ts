export { tool } from "./debian/tool.ts";
export { type LabDownOptions, labDown } from "./down.ts";
export type { Engine } from "./engine/engine.ts";
export type { Lab, LabOptions } from "./lab.ts";
export { type LabEnvironment, readLabEnvironment } from "./lab-environment.ts";
export { LabError, type LabErrorCode } from "./lab-error.ts";
export type { EngineMajor, EngineOptions, ImageStore } from "./lab-plan.ts";
export { type EngineStatus, type LabStatus, labStatus, listLabs } from "./status.ts";
export { labUp } from "./up.ts";
