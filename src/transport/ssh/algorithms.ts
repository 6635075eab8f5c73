/** What Grid offers a server: the algorithms that are safe, and that ssh2 on Deno gets right. */
import type {
  CipherAlgorithm,
  KexAlgorithm,
  MacAlgorithm,
  ServerHostKeyAlgorithm,
} from "./ssh2_library.ts";

/** Without ecdh-sha2-nistp521, which Deno's crypto gets wrong, and everything with SHA-1. */
export const KEX: KexAlgorithm[] = [
  "curve25519-sha256",
  "curve25519-sha256@libssh.org",
  "ecdh-sha2-nistp256",
  "ecdh-sha2-nistp384",
  "diffie-hellman-group-exchange-sha256",
  "diffie-hellman-group14-sha256",
  "diffie-hellman-group16-sha512",
];

export const HOST_KEYS: ServerHostKeyAlgorithm[] = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
];

/** Twice as fast as AES-GCM here, and safe only under strict key exchange (CVE-2023-48795). */
export const CHACHA: CipherAlgorithm = "chacha20-poly1305@openssh.com";

export const AES: CipherAlgorithm[] = [
  "aes128-gcm@openssh.com",
  "aes256-gcm@openssh.com",
  "aes128-ctr",
  "aes192-ctr",
  "aes256-ctr",
];

export const MACS: MacAlgorithm[] = [
  "hmac-sha2-256-etm@openssh.com",
  "hmac-sha2-512-etm@openssh.com",
  "hmac-sha2-256",
  "hmac-sha2-512",
];

/** Stands in the first, readable packet of a server that does strict key exchange. */
export const STRICT_KEX = "kex-strict-s-v00@openssh.com";
