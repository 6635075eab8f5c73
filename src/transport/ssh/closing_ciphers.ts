/**
 * Makes the ciphers that ssh2 uses for one packet each give back their memory.
 *
 * ssh2 encrypts with `createCipheriv("chacha20", …).update(packet)` and drops the cipher. Deno keeps
 * the native half of a cipher until `final()`, so each packet would leave about 800 bytes behind for
 * good. ssh2 takes the two functions from `node:crypto` while it loads, which is when this is in place.
 */
import crypto, { type Cipheriv, type CipherKey } from "node:crypto";

/** The only algorithm ssh2 makes a new cipher object for in every packet, and never ends. */
const ONE_SHOT = "chacha20";

const { createCipheriv, createDecipheriv } = crypto;

type Create = (algorithm: string, key: CipherKey, iv: Uint8Array | null) => Cipheriv;

function closing(create: Create): Create {
  return (algorithm, key, iv) => {
    const cipher = create(algorithm, key, iv);
    if (algorithm !== ONE_SHOT) return cipher;
    const update = cipher.update.bind(cipher) as (data: Uint8Array) => Uint8Array;
    const updateAndClose = (data: Uint8Array) => {
      const result = update(data);
      cipher.final();
      return result;
    };
    return Object.assign(cipher, { update: updateAndClose });
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
