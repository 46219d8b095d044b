import { expect, it } from "vitest";
import { parseMountInfo } from "./mounts.ts";

it("reads mount points in order, with their spaces", () => {
  const text = `27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
40 27 0:34 / /var/tmp/with\\040space rw shared:1 - overlay overlay rw,lowerdir=/a
41 40 0:35 / /var/tmp/with\\040space/back\\134slash rw - tmpfs tmpfs rw
`;
  expect(parseMountInfo(text)).toEqual(["/", "/var/tmp/with space", "/var/tmp/with space/back\\slash"]);
});
