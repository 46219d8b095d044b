import { expect, test } from "vitest";
import { MemoryBudget } from "./compression.ts";

test("no more memory is given out than there is, in order, and one that wants more has all", async () => {
  const budget = new MemoryBudget(10);
  const events: string[] = [];
  const gates = new Map<string, () => void>();
  const start = (name: string, bytes: number) =>
    budget.use(bytes, async () => {
      events.push(name);
      await new Promise<void>((resolve) => gates.set(name, resolve));
    });
  const runs = [start("a", 6), start("b", 6), start("c", 1), start("huge", 99)];
  await expect.poll(() => events).toEqual(["a"]);
  gates.get("a")?.();
  await expect.poll(() => events).toEqual(["a", "b", "c"]);
  gates.get("b")?.();
  gates.get("c")?.();
  await expect.poll(() => events).toEqual(["a", "b", "c", "huge"]);
  gates.get("huge")?.();
  await Promise.all(runs);
});
