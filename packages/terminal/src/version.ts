/** Put in by scripts/build.ts; not there when the sources are run as they are. */
declare const DRYBAG_VERSION: string | undefined;

/** The version of both programs. */
export const VERSION = typeof DRYBAG_VERSION === "string" ? DRYBAG_VERSION : "0.0.0-source";
