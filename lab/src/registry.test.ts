import { expect, it } from "vitest";
import { hasListener } from "./registry.ts";

const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 81234 1
   1: 0100007F:1F90 0100007F:1388 01 00000000:00000000 00:00000000 00000000     0        0 81235 1
`;

it("sees who listens, not who is connected", () => {
  expect(hasListener(table, 5000)).toBe(true);
  expect(hasListener(table, 8080)).toBe(false);
  expect(hasListener("", 5000)).toBe(false);
});
