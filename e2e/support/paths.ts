import path from "node:path";

const repository = path.resolve(import.meta.dirname, "..", "..");

/** The built programs: journeys run what a user runs. */
export const DRYBAG = path.join(repository, "packages/bundler/dist/drybag.js");
export const FIXTURES = path.join(repository, "fixtures");
export const CORPUS = process.env.DRYBAG_CORPUS ?? path.resolve(repository, "..", "shared", "corpus");
