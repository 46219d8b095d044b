import { hash } from "node:crypto";

/** Hex sha256 of bytes in memory. */
export function sha256Hex(bytes: Uint8Array): string {
  return hash("sha256", bytes, "hex");
}
