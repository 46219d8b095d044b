export { ERROR_EXIT_CODES, type ErrorCode, EXIT, type ExitCode } from "./codes.ts";
export { DrybagError, type DrybagErrorOptions, isDrybagError } from "./drybag-error.ts";
export type { Finding } from "./finding.ts";
