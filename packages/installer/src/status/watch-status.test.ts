import { expect, test } from "vitest";
import type { StackStatus } from "./read-status.ts";
import { watchStatus } from "./watch-status.ts";

const status = (healthy: boolean) => [{ name: "a", healthy } as StackStatus];

test("what differs is shown, until the signal; an engine that is away for a while too", async () => {
  const stop = new AbortController();
  const looks = [status(true), new Error("away"), status(false), status(false)];
  const shown: string[] = [];
  const last = await watchStatus(
    status(true),
    async () => {
      const next = looks.shift();
      if (next === undefined) stop.abort();
      if (next instanceof Error || next === undefined) throw next;
      return next;
    },
    (look) => shown.push("error" in look ? look.error.message : `healthy ${look.stacks[0]?.healthy}`),
    stop.signal,
    0,
  );
  expect(shown).toEqual(["away", "healthy false"]);
  expect(last?.[0]?.healthy).toBe(false);
});
