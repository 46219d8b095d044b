import { expect, test } from "vitest";
import type { ServiceLine } from "./progress.ts";
import { servicesTable } from "./services-table.ts";

const SERVICES: ServiceLine[] = [
  { name: "db", state: "healthy", expected: "healthy", ok: true },
  { name: "migrate", state: "exited (1)", expected: "exit 0", ok: false, detail: "no such table" },
  { name: "web", state: "starting", expected: "healthy", ok: undefined },
];

test("shows a sign, the state and what is expected of every service", () => {
  expect(servicesTable(SERVICES)).toBe(
    [
      "  SERVICE  STATE       EXPECTED",
      "+ db       healthy     healthy",
      "x migrate  exited (1)  exit 0    no such table",
      ". web      starting    healthy",
    ].join("\n"),
  );
});

test("keeps what is wrong where there is no room for all", () => {
  const many = [
    ...Array.from({ length: 30 }, (_, index) => ({ ...SERVICES[0], name: `fine-${index}` })),
    ...SERVICES.slice(1),
  ];
  const lines = servicesTable(many as ServiceLine[], { maxRows: 6, unicode: true }).split("\n");
  expect(lines.map((line) => line.split(" ").slice(0, 2).join(" "))).toEqual([
    " ",
    "✖ migrate",
    "· web",
    "✔ fine-0",
    "✔ fine-1",
    " ",
  ]);
  expect(lines.at(-1)).toBe("  … and 28 more");
});

test("fits the width", () => {
  const lines = servicesTable(SERVICES, { width: 40 }).split("\n");
  expect(Math.max(...lines.map((line) => line.length))).toBe(40);
});
