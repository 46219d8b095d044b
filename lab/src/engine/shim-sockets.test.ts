import { expect, it } from "vitest";
import { planShimSocket } from "./shim-sockets.ts";

it("names the socket that containerd 1.6 made for a shim", () => {
  const id = "42991b183a22093877661a24e5c4b03e02944ac203e831b5297fc111f81b6720";
  expect(planShimSocket("/var/tmp/drybag-lab/t1/old/run", "moby", id)).toBe(
    "/run/containerd/s/f72d2753b26b7dc8b268a5e06bf198b320e0c89cc341680134c831428c49ccfc",
  );
});
