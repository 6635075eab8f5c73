/**
 * SHA-256 of short words. `node:crypto` computes it faster and takes 14 ms to load: whoever has files to read
 * takes `nodeCrypto()`.
 */
import { sha256 } from "npm:@noble/hashes@2.4.0/sha2.js";

const encoder = new TextEncoder();

/** In hex. */
export function digestOf(text: string): string {
  let hex = "";
  for (const byte of sha256(encoder.encode(text))) hex += byte.toString(16).padStart(2, "0");
  return hex;
}
