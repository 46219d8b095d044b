import { expect, test } from "vitest";
import { ByteRate } from "./byte-rate.ts";

test("is not told before it can be trusted", () => {
  const rate = new ByteRate();
  rate.add(0, 0);
  rate.add(900, 1000);
  expect(rate.bytesPerSecond(900, 1000)).toBeUndefined();
  expect(rate.bytesPerSecond(1000, 1000)).toBe(1000);
});

test("is that of the last seconds", () => {
  const rate = new ByteRate();
  for (let second = 0; second <= 60; second += 1) rate.add(second * 1000, second * 100);
  for (let second = 61; second <= 90; second += 1) rate.add(second * 1000, 6000 + (second - 60) * 5000);
  expect(rate.bytesPerSecond(90_000, 156_000)).toBe(5000);
});

test("falls while nothing arrives", () => {
  const rate = new ByteRate();
  rate.add(0, 0);
  rate.add(2000, 2000);
  expect(rate.bytesPerSecond(20_000, 2000)).toBe(100);
});

test("starts again where the count does", () => {
  const rate = new ByteRate();
  rate.add(0, 0);
  rate.add(2000, 5000);
  rate.add(3000, 10);
  expect(rate.bytesPerSecond(5000, 2010)).toBe(1000);
});
