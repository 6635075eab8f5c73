/**
 * Whether a hashed name of known_hosts is a certain name: HMAC-SHA1 under a salt of its own, for each of a
 * thousand lines, for each of a thousand nodes. What belongs to the salt alone is computed once, which
 * makes it several times as fast.
 */
import { Buffer } from "node:buffer";
import { type KeyedDigest, keyedDigest } from "../../core/keyed_digest.ts";

const DIGEST_BYTES = 20;

export class HashedName {
  readonly #salted: KeyedDigest;
  readonly #digest: Buffer;

  private constructor(salt: Uint8Array, digest: Buffer) {
    this.#salted = keyedDigest(salt);
    this.#digest = digest;
  }

  /** Undefined for anything but `|1|salt|hash`, both in base64, of a length that it can have. */
  static parse(pattern: string): HashedName | undefined {
    const [, version, salt = "", hash = ""] = pattern.split("|");
    const [key, digest] = [Buffer.from(salt, "base64"), Buffer.from(hash, "base64")];
    if (version !== "1" || key.length === 0 || digest.length !== DIGEST_BYTES) return undefined;
    return new HashedName(key, digest);
  }

  is(name: Uint8Array): boolean {
    return this.#digest.equals(this.#salted.clone().update(name).digest());
  }
}
