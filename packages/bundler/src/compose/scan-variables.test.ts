import { expect, test } from "vitest";
import { scanVariables } from "./scan-variables.ts";

test("finds plain, braced and nested variables", () => {
  expect(scanVariables("${CUSTOM_IMAGE:-frappe/erpnext}:${CUSTOM_TAG:-$ERPNEXT_VERSION}")).toEqual([
    { name: "CUSTOM_IMAGE", required: false, default: "frappe/erpnext" },
    { name: "CUSTOM_TAG", required: false, default: "$ERPNEXT_VERSION" },
    { name: "ERPNEXT_VERSION", required: false },
  ]);
});

test("knows required ones", () => {
  expect(scanVariables("a ${A:?tell me} ${B?} ${C:-${D:?deep}}")).toEqual([
    { name: "A", required: true, message: "tell me" },
    { name: "B", required: true, mayBeEmpty: true },
    { name: "C", required: false, default: "${D:?deep}" },
    { name: "D", required: true, message: "deep" },
  ]);
});

test("knows where an empty value will do", () => {
  expect(scanVariables("${A-x} ${B:-y}")).toEqual([
    { name: "A", required: false, mayBeEmpty: true, default: "x" },
    { name: "B", required: false, default: "y" },
  ]);
});

test("leaves escaped dollars, shell and broken braces alone", () => {
  expect(scanVariables("$$HOME $${X} $(date) $ ${} ${OPEN")).toEqual([{ name: "OPEN", required: false }]);
});
