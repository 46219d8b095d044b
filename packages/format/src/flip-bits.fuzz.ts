import { test } from "vitest";
import { expectFlipsRefused } from "./testing/flip-bits.ts";
import { testSigner } from "./testing/ssh-signer.ts";

const ROUNDS = Number(process.env.DRYBAG_BIT_FLIPS ?? 10_000);

test(`${ROUNDS} single flipped bits are all refused, each with the right part`, async () => {
  const half = Math.ceil(ROUNDS / 2);
  await expectFlipsRefused({ rounds: half, seed: 1, checksums: true, signer: testSigner() });
  await expectFlipsRefused({ rounds: half, seed: 2, checksums: false });
});
