import { expect, test } from "vitest";
import { formatBytes } from "./format-bytes.ts";

test.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1024, "1.0 KiB"],
  [102_348, "99.9 KiB"],
  [102_400, "100 KiB"],
  [1024 ** 2 - 1, "1.0 MiB"],
  [9.53 * 1024 ** 2, "9.5 MiB"],
  [812 * 1024 ** 2, "812 MiB"],
  [1023.7 * 1024 ** 2, "1.0 GiB"],
  [2.34 * 1024 ** 3, "2.3 GiB"],
  [5000 * 1024 ** 4, "5000 TiB"],
])("%d bytes are %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
