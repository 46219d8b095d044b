import { expect, test } from "vitest";
import { planRecreations } from "./finish-recreations.ts";

const container = (id: string, name: string, service = "app") => ({ id, name, service });

test("a container that lost the one it replaces gets its name, one that has not goes", () => {
  expect(
    planRecreations([
      container("1", "0123456789ab_erp-app-1"),
      container("2", "0123456789ab_erp-db-1", "db"),
      container("3", "erp-db-1", "db"),
      container("4", "erp-web-1", "web"),
      { id: "5", name: "0123456789ab_other", service: undefined },
      container("6", "12_erp-app-2"),
    ]),
  ).toEqual([
    { id: "1", name: "erp-app-1", isReplaced: true },
    { id: "2", name: "erp-db-1", isReplaced: false },
  ]);
});
