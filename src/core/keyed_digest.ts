/** HMAC-SHA1 whose key is taken up once for many texts, which `node:crypto` cannot do. */
import { hmac } from "npm:@noble/hashes@2.4.0/hmac.js";
import { sha1 } from "npm:@noble/hashes@2.4.0/legacy.js";

export type KeyedDigest = ReturnType<typeof hmac.create>;

export function keyedDigest(key: Uint8Array): KeyedDigest {
  return hmac.create(sha1, key);
}
