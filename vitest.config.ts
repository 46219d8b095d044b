import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          // Far beyond what any takes: a busy machine must not decide.
          testTimeout: 120_000,
          hookTimeout: 120_000,
          include: ["packages/**/src/**/*.test.ts", "lab/src/**/*.test.ts", "fixtures/src/**/*.test.ts"],
        },
      },
      { test: { name: "fuzz", include: ["packages/**/src/**/*.fuzz.ts"], testTimeout: 900_000 } },
      { test: { name: "architecture", include: ["scripts/**/*.test.ts"], testTimeout: 240_000 } },
      {
        test: {
          name: "e2e",
          include: ["e2e/**/*.e2e.ts"],
          fileParallelism: false,
          testTimeout: 900_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
});
