/**
 * Makes the ciphers that ssh2 uses for one packet each give back their memory.
 *
 * ssh2 encrypts with `createCipheriv("chacha20", …).update(packet)` and drops the cipher. Deno keeps
 * the native half of a cipher until `final()`, so each packet would leave about 800 bytes behind for
 * good. ssh2 takes the two functions from `node:crypto` while it loads, which is when this is in place.
 */
import { chacha20 } from "./chacha20.ts";
import crypto, { type Cipheriv, type CipherKey } from "node:crypto";

/** Up to so many bytes JavaScript is quicker. */
const SHORT_BYTES = 1024;
/** The only algorithm ssh2 makes a new cipher object for in every packet, and never ends. */
const ONE_SHOT = "chacha20";

const { createCipheriv, createDecipheriv } = crypto;

type Create = (algorithm: string, key: CipherKey, iv: Uint8Array | null) => Cipheriv;

function closing(create: Create): Create {
  return (algorithm, key, iv) => {
    if (algorithm !== ONE_SHOT || iv === null) return create(algorithm, key, iv);
    const update = (data: Uint8Array) => {
      if (data.length <= SHORT_BYTES) return chacha20(key as Uint8Array, iv, data);
      const cipher = create(algorithm, key, iv);
      const result = cipher.update(data);
      cipher.final();
      return result;
    };
    return { update } as unknown as Cipheriv;
  };
}

Object.assign(crypto, {
  createCipheriv: closing(createCipheriv as Create),
  createDecipheriv: closing(createDecipheriv as unknown as Create),
});

/** Puts `node:crypto` back as it was; called once ssh2 is loaded. */
export function restoreCrypto(): void {
  Object.assign(crypto, { createCipheriv, createDecipheriv });
}
