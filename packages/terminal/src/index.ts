export { announce } from "./announce.ts";
export { ask, confirm, type Questions } from "./ask.ts";
export { formatBytes } from "./format-bytes.ts";
export { formatDuration } from "./format-duration.ts";
export { type Glyphs, glyphs, supportsUnicode } from "./glyphs.ts";
export { nearestName } from "./nearest-name.ts";
export { printable, printableLine } from "./printable.ts";
export {
  createProgress,
  type Progress,
  type ProgressEvent,
  type ProgressMode,
  type ProgressOptions,
  type ServiceLine,
  type StageReport,
} from "./progress.ts";
export { type RunContext, run } from "./run-main/context.ts";
export { type MainOptions, runMain } from "./run-main.ts";
export { type ServicesTableOptions, servicesTable } from "./services-table.ts";
export { type TableOptions, table } from "./table.ts";
export { type WaitOptions, wait } from "./wait.ts";
