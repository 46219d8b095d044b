import { expect, test } from "vitest";
import { Garbage } from "./garbage.ts";

const MIB = 1024 ** 2;
const BUFFER_BYTES = MIB / 4;

test("buffers that were used do not gather", () => {
  const garbage = new Garbage();
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  for (let count = 0; count < 1000; count += 1) {
    Buffer.allocUnsafeSlow(BUFFER_BYTES);
    garbage.add(BUFFER_BYTES);
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  expect(most).toBeLessThan(16 * MIB);
});
